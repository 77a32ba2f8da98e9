//! Work that waits for what only a person can decide: after a task that ended otherwise than it
//! was waited for.

use crate::commands::context::Context;
use crate::commands::errand;
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::task::{Task, TaskState};
use crate::engine::schedule::{Awaited, awaited};
use crate::store::db::Connection;
use crate::store::error::StoreError;
use crate::store::{dependencies, tasks};

/// What a task waits for in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// The task that waits for it itself: the one asked about, or one that it waits for in turn.
    pub task: TaskId,
    /// The task that ended otherwise.
    pub on: TaskId,
    /// How, to be read after `which`.
    pub how: &'static str,
}

/// What a task that has not begun waits for in vain, itself or through others; `None` when all of
/// it may still come by itself.
///
/// # Errors
/// The store's.
pub fn of(db: &Connection, task: &Task) -> Result<Option<Stuck>, StoreError> {
    let mut seen = vec![];
    let mut rest = vec![task.clone()];
    while let Some(task) = rest.pop() {
        if !matches!(task.state, TaskState::Queued | TaskState::Waiting) || seen.contains(&task.id)
        {
            continue;
        }
        for known in dependencies::of_task(db, &task.id)?.into_iter().filter(|on| !on.skipped) {
            let on = tasks::by_id(db, &known.on)?;
            if let Some(Awaited::Missed(how)) = awaited(on.as_ref(), known.any) {
                return Ok(Some(Stuck { task: task.id, on: known.on, how }));
            }
            rest.extend(on);
        }
        seen.push(task.id);
    }
    Ok(None)
}

impl Stuck {
    /// The refusal to wait for it, with what a person can decide.
    ///
    /// # Errors
    /// The store's.
    pub fn problem(&self, ctx: &Context<'_>) -> Result<Problem, Problem> {
        let (task, on) = (called(ctx, &self.task)?, called(ctx, &self.on)?);
        let text = format!("`{task}` waits for `{on}`, which {}", self.how);
        Ok(Problem::refused(text)
            .hint(format!("let that run again: `wt retry {on}`"))
            .hint(format!("go on without it: `wt queue edit {task} --skip`"))
            .hint(format!("or give it up: `wt stop {task}`")))
    }
}

/// What can be typed for a task.
fn called(ctx: &Context<'_>, id: &TaskId) -> Result<String, Problem> {
    let task = tasks::by_id(ctx.store.read(), id)?;
    let errand = task.map(|task| errand::errand(ctx, task)).transpose()?.flatten();
    Ok(errand.map_or_else(|| id.to_string(), |errand| errand.name))
}
