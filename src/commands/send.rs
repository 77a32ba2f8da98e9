//! `wt send`: more words for an agent, in its session and worktree.

use crate::commands::again::{How, Queued, queue};
use crate::commands::context::Context;
use crate::commands::errand;
use crate::domain::problem::Problem;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The task; without one, that of the variant stood in.
    pub task: Option<String>,
    /// What its agent is told.
    pub words: String,
}

/// Sends a message.
///
/// # Errors
/// When the message is empty, the task is under way, or its agent has no session to go on in.
pub fn run(ctx: &Context<'_>, request: &Request) -> Result<Queued, Problem> {
    let words = request.words.trim();
    if words.is_empty() {
        let problem = Problem::usage("the message is empty");
        return Err(problem.hint("say something: `wt send NAME \"use CSS modules\"`"));
    }
    let errand = errand::single(ctx, request.task.as_deref())?;
    queue(ctx, &errand, How::Told(words))
}
