//! Giving up a merge that waits.

use std::path::PathBuf;

use serde::Serialize;

use crate::commands::context::{Context, Here};
use crate::commands::merge::Outcome;
use crate::commands::merge::recover::lock;
use crate::commands::merge::waiting::Waiting;
use crate::domain::problem::Problem;
use crate::domain::variant::Variant;
use crate::git::scratch::Scratch;
use crate::git::snapshot::{self, Request as Snapshot};
use crate::store::merges;

/// A merge that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Aborted {
    /// The variant.
    pub variant: String,
    /// The branch it was not merged into.
    pub into: String,
    /// The worktree that is gone.
    pub scratch: PathBuf,
    /// The ref that keeps what was settled in it; `None` when there was nothing to keep.
    pub kept: Option<String>,
}

/// Removes the worktree in which a merge waits. What somebody may have settled in it is kept as a
/// snapshot.
///
/// # Errors
/// When it cannot be kept, or not be removed: it waits on then.
pub fn abort(ctx: &Context<'_>, here: &Here, waiting: Waiting) -> Result<Outcome, Problem> {
    let Waiting { variant, stored } = waiting.clone();
    let kept = match waiting.scratch(here) {
        Ok(scratch) => {
            let holder = format!("merge-{}", variant.name);
            let request = Snapshot::new(&holder, "abort", ctx.clock.now());
            Some(snapshot::take(scratch.place(), &request)?.reference)
        }
        // Its directory is gone: there is nothing to keep.
        Err(_) => None,
    };
    {
        let _lock = lock(ctx, &variant)?;
        Scratch::remove(&here.repo, &stored.scratch, &stored.mark)?;
    }
    forget(ctx, &variant)?;
    let (variant, into) = (variant.name.to_string(), stored.work.into);
    Ok(Outcome::Aborted(Aborted { variant, into, scratch: stored.scratch, kept }))
}

/// Takes a merge off the list of those that wait.
///
/// # Errors
/// The store's.
pub fn forget(ctx: &Context<'_>, variant: &Variant) -> Result<(), Problem> {
    Ok(ctx.store.write_durably(|tx| merges::remove(tx, variant.key))?)
}
