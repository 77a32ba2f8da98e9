//! Going on with syncs that waited for a person, or giving them up.

use crate::commands::context::{Context, Here};
use crate::commands::merge::done::{differences, moved_submodules};
use crate::commands::select::Selection;
use crate::commands::sync::make::hooks;
use crate::commands::sync::plan::at_work;
use crate::commands::sync::recover::moved;
use crate::commands::sync::waiting::{self, Waiting};
use crate::commands::sync::{Moved, Outcome, Synced, What, told};
use crate::domain::problem::Problem;
use crate::domain::variant::Variant;
use crate::git::in_place::{self, By, Came, Stands};
use crate::git::snapshot::{self, Request as Snapshot};
use crate::store::syncs;

/// Does something with each sync that is meant.
///
/// # Errors
/// When one does not wait, its agent is at work, or what is done fails: then it stops there.
pub fn each(
    ctx: &Context<'_>,
    here: &Here,
    which: &Selection,
    act: impl Fn(&Context<'_>, &Here, Waiting) -> Result<Synced, Problem>,
) -> Result<Outcome, Problem> {
    let mut found = vec![];
    for variant in waiting::meant(ctx, here, which)? {
        if let Some(state) = waiting::open_task(ctx, &variant)? {
            return Err(at_work(&variant, state));
        }
        found.push(waiting::of(ctx, here, &variant)?.ok_or_else(|| none(&variant))?);
    }
    let variants = found.into_iter().map(|waiting| act(ctx, here, waiting));
    Ok(Outcome { dry_run: false, variants: variants.collect::<Result<_, _>>()? })
}

fn none(variant: &Variant) -> Problem {
    let name = &variant.name;
    Problem::failed(format!("no sync of `{name}` waits"))
        .hint(format!("begin one: `wt sync {name}`"))
}

/// Goes on with what was settled: to the end, or to what is not settled yet.
///
/// # Errors
/// When git stops for another reason.
pub fn go_on(ctx: &Context<'_>, here: &Here, mut waiting: Waiting) -> Result<Synced, Problem> {
    let (place, name) = (here.place(&waiting.variant), waiting.variant.name.clone());
    match in_place::go_on(&place, By::Person(&hooks(here)?))? {
        Came::Conflicts(found) => {
            waiting.conflicts = found;
            return told::stuck(ctx, &waiting);
        }
        Came::Stopped(said) => {
            let text = format!("git stopped going on with the sync of `{name}`");
            return Err(Problem::failed(text)
                .details(said.into_iter().take(20))
                .hint(format!("put that right, then: `wt sync {name} --continue`"))
                .hint(format!("or give it up: `wt sync {name} --abort`")));
        }
        Came::Through => {}
    }
    let Waiting { variant, sync, .. } = waiting;
    let Stands::Done(new) = in_place::stands(&place, &sync.branch, &sync.commit)? else {
        return Err(Problem::failed(format!("the sync of `{name}` has not come to its end"))
            .hint(format!("see how it stands: `git -C {} status`", variant.path.display())));
    };
    moved(ctx, (&variant, &sync, &new), None)?;
    let diff = differences(here, &sync.old, &new)?;
    let moved = Moved {
        how: if sync.rebase { "rebased" } else { "merge commit" }.to_owned(),
        files: diff.files.len(),
        lines: diff.lines(),
        leftovers: 0,
        left_behind: None,
        submodules: moved_submodules(&place, &sync.old, &new)?,
        old: sync.old.clone(),
        new,
        snapshot: sync.snapshot.clone(),
    };
    told::about(here, &variant, &sync, What::Synced(moved))
}

/// Gives a sync up: the branch and the worktree go back to where they were before it. How the
/// worktree stands now is kept as a snapshot.
///
/// # Errors
/// When it cannot be kept, or git cannot do it: it waits on then.
pub fn abort(ctx: &Context<'_>, here: &Here, waiting: Waiting) -> Result<Synced, Problem> {
    let Waiting { variant, sync, .. } = waiting;
    let place = here.place(&variant);
    let request = Snapshot::new(variant.name.as_str(), "abort", ctx.clock.now());
    let kept = snapshot::take(&place, &request)?.reference;
    in_place::give_up(&place)?;
    ctx.store.write_durably(|tx| syncs::remove(tx, variant.key))?;
    told::about(here, &variant, &sync, What::GivenUp { kept })
}
