//! `wt retry`: a task from its beginning again, in its worktree as it is.

use serde::Serialize;

use crate::commands::again::{How, Queued, queue};
use crate::commands::context::Context;
use crate::commands::errand::Which;
use crate::domain::problem::Problem;

/// What was queued.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// One attempt for each task.
    pub tasks: Vec<Queued>,
}

/// Queues a fresh attempt of each task. One that cannot be queued stops it there; those before it
/// are queued.
///
/// # Errors
/// When a name has no task, one is under way, or its agent is not there.
pub fn run(ctx: &Context<'_>, which: &Which) -> Result<Outcome, Problem> {
    let errands = which.resolve(ctx)?;
    let queued = errands.iter().map(|errand| queue(ctx, errand, How::Afresh));
    Ok(Outcome { tasks: queued.collect::<Result<_, _>>()? })
}
