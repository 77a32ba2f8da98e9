//! Syncs whose conflicts wait in the variants' own worktrees.

use crate::commands::context::{Context, Here};
use crate::commands::select::Selection;
use crate::commands::sync::recover::moved;
use crate::domain::problem::Problem;
use crate::domain::sync::SyncWaiting;
use crate::domain::task::TaskState;
use crate::domain::variant::{Variant, VariantState};
use crate::git::conflict::Conflict;
use crate::git::in_place::{self, Stands};
use crate::store::{syncs, tasks, variants};

/// A sync that waits.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The variant.
    pub variant: Variant,
    /// What is on record.
    pub sync: SyncWaiting,
    /// What is not settled, or settled and not gone on with.
    pub conflicts: Vec<Conflict>,
}

/// The sync of a variant that waits. One that was ended by hand is taken off the record: as done,
/// or as given up. While a task of the variant is under way its end is waited for.
///
/// # Errors
/// When git cannot say.
pub fn of(ctx: &Context<'_>, here: &Here, variant: &Variant) -> Result<Option<Waiting>, Problem> {
    let Some(sync) = syncs::of_variant(ctx.store.read(), variant.key)? else { return Ok(None) };
    if open_task(ctx, variant)?.is_some() || !variant.path.is_dir() {
        return Ok(None);
    }
    let (place, name) = (here.place(variant), &variant.name);
    match in_place::stands(&place, &sync.branch, &sync.commit)? {
        Stands::UnderWay => {
            let conflicts = in_place::open(&place)?;
            Ok(Some(Waiting { variant: variant.clone(), sync, conflicts }))
        }
        Stands::Done(tip) => {
            if moved(ctx, (variant, &sync, &tip), None)?.is_some() {
                ctx.observer.tell(&format!("the sync of {name} was finished by hand"));
            }
            Ok(None)
        }
        Stands::GivenUp => {
            ctx.store.write_durably(|tx| syncs::remove(tx, variant.key))?;
            ctx.observer.tell(&format!("the sync of {name} was given up by hand"));
            Ok(None)
        }
    }
}

/// How the task of a variant stands that is not at its end.
///
/// # Errors
/// The store's.
pub fn open_task(ctx: &Context<'_>, variant: &Variant) -> Result<Option<TaskState>, Problem> {
    let all = tasks::of_variant(ctx.store.read(), variant.key)?;
    Ok(all.iter().find(|task| !task.state.is_final()).map(|task| task.state))
}

/// Every present variant of the repository whose sync is on record.
///
/// # Errors
/// The store's.
pub fn on_record(ctx: &Context<'_>, here: &Here) -> Result<Vec<Variant>, Problem> {
    let Some(row) = &here.row else { return Ok(vec![]) };
    let mut found = vec![];
    for key in syncs::of_repo(ctx.store.read(), &row.id)? {
        let variant = variants::by_key(ctx.store.read(), key)?;
        found.extend(variant.filter(|variant| variant.state == VariantState::Ready));
    }
    Ok(found)
}

/// The variants that are meant by `--continue` and `--abort`: those named, the one stood in, or
/// the only one whose sync waits.
///
/// # Errors
/// When a name has no variant, or several wait and none is named.
pub fn meant(ctx: &Context<'_>, here: &Here, which: &Selection) -> Result<Vec<Variant>, Problem> {
    if !which.names.is_empty() {
        return which.resolve(ctx, here);
    }
    let mut waiting = on_record(ctx, here)?;
    if which.all {
        return Ok(waiting);
    }
    if let Some(stood_in) = &here.variant {
        return Ok(vec![stood_in.clone()]);
    }
    match waiting.len() {
        0 => Err(Problem::failed("no sync waits here").hint("begin one: `wt sync NAME`")),
        1 => Ok(std::mem::take(&mut waiting)),
        _ => {
            let names: Vec<String> =
                waiting.iter().map(|variant| format!("`{}`", variant.name)).collect();
            let text = format!("several syncs wait: {}", names.join(", "));
            Err(Problem::usage(text).hint("name one, or take them all: `--all`"))
        }
    }
}
