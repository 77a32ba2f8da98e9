//! `wt send`: more words for an agent, in its session and worktree: at once when it has ended, else
//! once its present attempt has.

use serde::Serialize;

use crate::agents::registry::Registry;
use crate::commands::again::{How, Queued, queue};
use crate::commands::context::Context;
use crate::commands::errand::{self, Errand};
use crate::domain::id::{AttemptId, TaskId};
use crate::domain::problem::Problem;
use crate::engine::start;
use crate::store::error::StoreError;
use crate::store::{messages, tasks};

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The task; without one, that of the variant stood in.
    pub task: Option<String>,
    /// What its agent is told.
    pub words: String,
}

/// What became of the message.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Sent {
    /// An attempt was queued that is told it.
    Now(Queued),
    /// It is told once the present attempt has ended well.
    Later(Later),
}

/// A message that waits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Later {
    /// What can be typed for the task.
    pub name: String,
    /// The task.
    pub task: TaskId,
    /// The attempt after which it is told.
    pub after: AttemptId,
    /// How many messages wait, this one included.
    pub waiting: usize,
}

/// Sends a message.
///
/// # Errors
/// When the message is empty, or its agent has no session to go on in.
pub fn run(ctx: &Context<'_>, request: &Request) -> Result<Sent, Problem> {
    let words = request.words.trim();
    if words.is_empty() {
        let problem = Problem::usage("the message is empty");
        return Err(problem.hint("say something: `wt send NAME \"use CSS modules\"`"));
    }
    let errand = errand::single(ctx, request.task.as_deref())?;
    if !errand.task.state.is_final()
        && let Some(later) = later(ctx, &errand, words)?
    {
        return Ok(Sent::Later(later));
    }
    // It may have ended just now.
    let errand = errand::single(ctx, Some(errand.task.id.as_str()))?;
    Ok(Sent::Now(queue(ctx, &errand, How::Told(words))?))
}

/// Keeps the message for when the present attempt has ended; `None` when it has.
fn later(ctx: &Context<'_>, errand: &Errand, words: &str) -> Result<Option<Later>, Problem> {
    require_sessions(ctx, errand)?;
    let (task, now) = (&errand.task.id, ctx.clock.now());
    let waiting = ctx.store.write_durably(|tx| {
        if tasks::by_id(tx, task)?.is_none_or(|task| task.state.is_final()) {
            return Ok(None);
        }
        messages::put(tx, task, words, now)?;
        Ok::<_, StoreError>(Some(messages::of_task(tx, task)?.len()))
    })?;
    let Some(waiting) = waiting else { return Ok(None) };
    start::ensure_running(ctx.store.layout(), ctx.environment)?;
    let (name, task, after) = (errand.name.clone(), task.clone(), errand.attempt.id.clone());
    Ok(Some(Later { name, task, after, waiting }))
}

/// An agent without sessions could never be told.
fn require_sessions(ctx: &Context<'_>, errand: &Errand) -> Result<(), Problem> {
    let config = ctx.environment.config_dir();
    let registry = config.as_deref().map_or_else(Registry::built_in, Registry::load);
    let template = registry.get(&errand.task.agent)?;
    if template.resumes() {
        return Ok(());
    }
    let name = &errand.name;
    let text = format!("`{name}` is at work, and its agent has no session to be told more in");
    Err(Problem::refused(text)
        .hint(format!("end it: `wt stop {name}`"))
        .hint(format!("start it afresh after that: `wt retry {name}`")))
}
