//! `wt undo`: the last merge, cleanup, sync or restore is taken back.

mod merge;
pub mod under_way;
mod variants;

use jiff::Timestamp;
use serde::Serialize;

use crate::commands::cleanup;
use crate::commands::context::{Context, Here};
use crate::commands::restore::rewind::{self, Rewind};
use crate::commands::sync::waiting;
use crate::domain::problem::Problem;
use crate::store::undo::{self, UndoRow};

/// What is asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request {
    /// Only list what could be taken back.
    pub list: bool,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
}

/// What was taken back, or could be.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// With `--list`.
    List {
        /// The last one first; only the first that is not undone can be taken back.
        steps: Vec<Step>,
    },
    /// Otherwise.
    Undone {
        /// True when nothing was done: `--dry-run`.
        dry_run: bool,
        /// What is taken back.
        step: Step,
        /// What that changes, one line each.
        changes: Vec<String>,
    },
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Its number.
    pub id: i64,
    /// `merge`, `cleanup`, `sync`, `restore`, `rewind` (a checkout to a snapshot).
    pub what: String,
    /// One line for people.
    pub summary: String,
    /// When it was done.
    pub at: Timestamp,
    /// When it was taken back; `None` when it was not.
    pub undone_at: Option<Timestamp>,
}

impl From<&UndoRow> for Step {
    fn from(row: &UndoRow) -> Self {
        Self {
            id: row.id,
            what: row.kind.clone(),
            summary: row.summary.clone(),
            at: row.at,
            undone_at: row.undone_at,
        }
    }
}

/// What taking something back changes, and then the doing of it: decided first, so that
/// `--dry-run` can tell.
type Act<'a> = Box<dyn FnOnce() -> Result<(), Problem> + 'a>;

/// Takes the last step back.
///
/// # Errors
/// When it cannot be taken back any more, and why: nothing was changed.
pub fn run(ctx: &Context<'_>, request: Request) -> Result<Outcome, Problem> {
    let here = ctx.here()?;
    let nothing = || {
        Problem::failed("there is nothing to undo in this repository")
            .hint("removed variants come back by name: `wt restore`")
    };
    let Some(row) = &here.row else {
        return if request.list { Ok(Outcome::List { steps: vec![] }) } else { Err(nothing()) };
    };
    let rows = undo::of_repo(ctx.store.read(), &row.id)?;
    if request.list {
        return Ok(Outcome::List { steps: rows.iter().map(Step::from).collect() });
    }
    for variant in waiting::on_record(ctx, &here)? {
        // One that was finished by hand is a step like any other.
        waiting::of(ctx, &here, &variant)?;
    }
    // Under the lock from the look to the deed, so that what was seen still holds.
    let _lock = cleanup::lock(ctx, &here)?;
    let rows = undo::of_repo(ctx.store.read(), &row.id)?;
    let last = rows.iter().find(|row| row.undone_at.is_none()).ok_or_else(nothing)?;
    let (changes, act) = plan(ctx, &here, last)?;
    if !request.dry_run {
        act()?;
    }
    Ok(Outcome::Undone { dry_run: request.dry_run, step: Step::from(last), changes })
}

fn plan<'a>(
    ctx: &'a Context<'_>,
    here: &'a Here,
    row: &'a UndoRow,
) -> Result<(Vec<String>, Act<'a>), Problem> {
    match row.kind.as_str() {
        "cleanup" => variants::bring_back(ctx, here, row),
        "restore" => variants::put_away(ctx, here, row),
        rewind::KIND => {
            let done: Rewind = row.data()?;
            let told = format!("{} goes back to how it was before", done.branch);
            let act = move || rewind::take_back(ctx, here, (&done, row.id));
            Ok((vec![told], Box::new(act)))
        }
        "merge" => merge::take_back(ctx, here, row),
        "sync" => merge::take_sync_back(ctx, here, row),
        other => Err(Problem::failed(format!("this version cannot undo a {other}"))
            .hint("see what was done: `wt undo --list`")),
    }
}
