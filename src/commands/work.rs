//! What becomes of the work in a variant: its newest task's state in a person's words, and what
//! all its attempts used.

use jiff::Timestamp;
use serde::Serialize;

use crate::commands::allot::Budgeted;
use crate::domain::attempt::Pace;
use crate::domain::id::TaskId;
use crate::domain::task::{FailureClass, Task, TaskState};
use crate::domain::usage::{self, Usage};
use crate::store::db::Connection;
use crate::store::error::StoreError;
use crate::store::{attempts, tasks};

/// Work in a variant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Work {
    /// The task that says how it stands: one that is under way, else the newest.
    pub task: TaskId,
    /// How it stands.
    pub state: Standing,
    /// Since when.
    pub since: Timestamp,
    /// The question it ended with, or why it is where it is.
    pub reason: Option<String>,
    /// Whether its worktree held a change when it ended; `None` before that.
    pub changed: Option<bool>,
    /// What all attempts of all tasks in the variant used.
    pub usage: Usage,
    /// What the task may use, and what was used of that.
    pub budget: Option<Budgeted>,
    /// When it goes on by itself, if it waits for that.
    pub until: Option<Timestamp>,
    /// How it gets on, while it runs.
    pub pace: Option<Pace>,
}

/// How work stands, in a person's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Nobody has looked at it.
    Queued,
    /// It waits for a task, a time, a limit, a resource or a budget.
    Waiting,
    /// It waits for the reset of a usage limit.
    Parked,
    /// An agent is at it.
    Running,
    /// It ended by asking, or was denied a permission.
    Asks,
    /// It ended well.
    Done,
    /// It ended badly, or all retries are used up.
    Failed,
    /// A person stopped it.
    Stopped,
    /// What became of it cannot be known.
    Lost,
}

impl Standing {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Waiting => "waiting",
            Self::Parked => "parked",
            Self::Running => "running",
            Self::Asks => "asks",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Lost => "lost",
        }
    }

    /// Something may still happen by itself.
    pub fn is_under_way(self) -> bool {
        matches!(self, Self::Queued | Self::Waiting | Self::Parked | Self::Running)
    }

    /// Of a task.
    pub fn of(task: &Task) -> Self {
        Self::in_state(task.state, task.failure, task.question.is_some())
    }

    /// Of a task in this state, with this kind of failure if any, that asks something or not.
    pub fn in_state(state: TaskState, failure: Option<FailureClass>, asks: bool) -> Self {
        match state {
            TaskState::Queued => Self::Queued,
            TaskState::Waiting if failure == Some(FailureClass::Limit) => Self::Parked,
            TaskState::Waiting => Self::Waiting,
            TaskState::Running => Self::Running,
            TaskState::Done => Self::Done,
            TaskState::Failed => Self::Failed,
            TaskState::Cancelled => Self::Stopped,
            TaskState::Lost => Self::Lost,
            TaskState::NeedsHuman if state.gave_up(failure, asks) => Self::Failed,
            TaskState::NeedsHuman => Self::Asks,
        }
    }
}

/// The work in a variant; `None` when no task was ever given there.
///
/// # Errors
/// The store's.
pub fn of_variant(db: &Connection, variant: i64) -> Result<Option<Work>, StoreError> {
    let tasks = tasks::of_variant(db, variant)?;
    let under_way = tasks.iter().rev().find(|task| task.state == TaskState::Running);
    let Some(task) = under_way.or(tasks.last()) else { return Ok(None) };
    let (telling, mut until, mut pace) = (task.id.clone(), None, None);
    let mut used = vec![];
    for task in &tasks {
        let attempts = attempts::of_task(db, &task.id)?;
        if task.id == telling && !task.state.is_final() {
            until = attempts.last().and_then(|attempt| attempt.not_before);
            let running = attempts.last().filter(|_| task.state == TaskState::Running);
            pace = running.map(|attempt| attempt.progress.pace);
        }
        used.extend(attempts.into_iter().map(|attempt| attempt.usage));
    }
    Ok(Some(Work {
        task: task.id.clone(),
        state: Standing::of(task),
        since: task.ended_at.or(task.started_at).unwrap_or(task.created_at),
        reason: task.question.clone().or_else(|| task.reason.clone()),
        changed: task.changed,
        usage: usage::total(used).unwrap_or_default(),
        budget: Budgeted::of(db, &task.id)?,
        until,
        pace,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::RepoId;
    use crate::domain::task::Lane;

    fn task(state: TaskState) -> Task {
        Task {
            id: TaskId::new("worktree-a-aaaaaa"),
            repo: RepoId::new("r-1"),
            variant: Some(1),
            role: "engineer".into(),
            agent: "claude".into(),
            model: None,
            prompt: "do".into(),
            lane: Lane::Agent,
            priority: 5,
            state,
            reason: None,
            failure: None,
            question: None,
            changed: None,
            verify: None,
            created_at: Timestamp::UNIX_EPOCH,
            started_at: None,
            ended_at: None,
        }
    }

    #[test]
    fn only_what_waits_for_an_answer_asks() {
        let asks = |failure, question: Option<&str>| {
            let task = task(TaskState::NeedsHuman);
            Standing::of(&Task { failure, question: question.map(str::to_owned), ..task })
        };
        assert_eq!(asks(None, None), Standing::Asks);
        assert_eq!(asks(None, Some("Which?")), Standing::Asks);
        assert_eq!(asks(Some(FailureClass::MissingContext), None), Standing::Asks);
        assert_eq!(asks(Some(FailureClass::Crash), None), Standing::Failed);
        for state in TaskState::ALL {
            let word = Standing::of(&task(state)).word();
            assert_eq!(serde_json::to_value(Standing::of(&task(state))).unwrap(), word);
        }
    }
}
