//! One task, as `wt status` and others that list work show it.

use jiff::Timestamp;
use serde::Serialize;

use crate::commands::allot::Budgeted;
use crate::commands::context::Context;
use crate::commands::errand::Errand;
use crate::commands::spent::Spent;
use crate::commands::work::Standing;
use crate::domain::attempt::{Again, Attempt, Pace};
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::task::{FailureClass, TaskState};
use crate::domain::usage::{self, Usage};
use crate::engine::watchdog::estimate;
use crate::store::{attempts, estimates, messages, repos};

/// One task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// What can be typed for it.
    pub name: String,
    /// Its id.
    pub task: TaskId,
    /// The variant it works in.
    pub variant: Option<String>,
    /// The repository's name.
    pub repository: String,
    /// The agent.
    pub agent: String,
    /// Its role.
    pub role: String,
    /// The model that answers, or was asked for.
    pub model: Option<String>,
    /// Where it is.
    pub state: TaskState,
    /// The same in a person's words.
    pub standing: Standing,
    /// Since when.
    pub since: Timestamp,
    /// Seconds since then.
    pub for_s: i64,
    /// Why it is there.
    pub reason: Option<String>,
    /// What it asks.
    pub question: Option<String>,
    /// What kind of failure it was.
    pub failure: Option<FailureClass>,
    /// Whether its worktree held a change when it ended.
    pub changed: Option<bool>,
    /// Why there is its newest attempt, if nobody asked for that.
    pub again: Option<Again>,
    /// When it begins at the earliest, while it waits for that.
    pub not_before: Option<Timestamp>,
    /// The attempts that failed since a person last asked for one, where the task was given up.
    pub tried: Vec<Tried>,
    /// 1 to 10; higher goes first.
    pub priority: u8,
    /// The number of its newest attempt.
    pub attempt: u32,
    /// How many items of its todo list are done, and how many there are.
    pub step: Option<(u32, u32)>,
    /// What it does now, on one line.
    pub activity: Option<String>,
    /// How much is done, 0 to 1: as its agent reported, else by its steps.
    pub progress: Option<f64>,
    /// The newest thing that its agent reported as reached.
    pub milestone: Option<String>,
    /// What its agent reported that it cannot go on without.
    pub blocked: Option<String>,
    /// How it gets on, while it runs.
    pub pace: Option<Pace>,
    /// How many seconds such work takes in this repository, while it runs; `None` when too little of
    /// it was done to tell.
    pub estimate_s: Option<u64>,
    /// How many messages it is told once its present attempt has ended.
    pub messages: usize,
    /// Whether it was asked to stop and has not ended yet.
    pub stopping: bool,
    /// What all its attempts used.
    pub spent: Option<Spent>,
    /// What they may use, together with other tasks where `tasks` is more than 1.
    pub budget: Option<Budgeted>,
    /// When it was asked.
    #[serde(skip)]
    pub now: Timestamp,
    /// The same with what is not known kept apart.
    #[serde(skip)]
    pub usage: Usage,
}

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tried {
    /// Its number, from 1.
    pub attempt: u32,
    /// What kind of failure it was.
    pub failure: Option<FailureClass>,
    /// Why, in one line.
    pub reason: Option<String>,
}

/// The attempts since a person last asked for one.
fn tried(all: &[Attempt]) -> Vec<Tried> {
    let automatic = all.iter().rev().take_while(|attempt| attempt.again.is_some()).count();
    let since = all.len().saturating_sub(automatic + 1);
    let one = |attempt: &Attempt| Tried {
        attempt: attempt.number,
        failure: attempt.failure,
        reason: attempt.reason.clone(),
    };
    all.iter().skip(since).map(one).collect()
}

/// A task's line.
///
/// # Errors
/// The store's.
pub fn of(ctx: &Context<'_>, errand: &Errand, now: Timestamp) -> Result<Line, Problem> {
    let db = ctx.store.read();
    let (task, attempt) = (&errand.task, &errand.attempt);
    let all = attempts::of_task(db, &task.id)?;
    let usage = usage::total(all.iter().map(|attempt| attempt.usage)).unwrap_or_default();
    let began = if task.state == TaskState::Running { attempt.started_at } else { task.ended_at };
    let since = began.unwrap_or(attempt.created_at);
    let told = attempt.told.clone().unwrap_or_default();
    let step = told.step.or(attempt.progress.todo.filter(|_| told.progress.is_none()));
    let runs = task.state == TaskState::Running;
    let repo = repos::by_id(db, &task.repo)?;
    Ok(Line {
        name: errand.name.clone(),
        task: task.id.clone(),
        variant: errand.variant.as_ref().map(|variant| variant.name.to_string()),
        repository: repo.map(|repo| repo.name).unwrap_or_default(),
        agent: task.agent.clone(),
        role: task.role.clone(),
        model: attempt.progress.model.clone().or_else(|| task.model.clone()),
        state: task.state,
        standing: Standing::of(task),
        since,
        for_s: now.duration_since(since).as_secs().max(0),
        reason: task.reason.clone(),
        question: task.question.clone(),
        failure: task.failure,
        changed: task.changed,
        again: attempt.again.clone(),
        not_before: attempt.not_before.filter(|at| *at > now && !task.state.is_final()),
        tried: if task.gave_up() { tried(&all) } else { vec![] },
        priority: task.priority,
        attempt: attempt.number,
        step,
        activity: told.phase.or_else(|| attempt.progress.activity.clone()),
        progress: told.progress.or_else(|| step.map(|(n, of)| f64::from(n) / f64::from(of.max(1)))),
        milestone: told.milestone,
        blocked: told.blocked,
        pace: runs.then_some(attempt.progress.pace),
        estimate_s: if runs {
            estimate(estimates::took(db, task)?).map(|e| e.as_secs())
        } else {
            None
        },
        messages: messages::of_task(db, &task.id)?.len(),
        stopping: task.state == TaskState::Running && attempt.stop_requested.is_some(),
        spent: Spent::of(&usage),
        budget: Budgeted::of(db, &task.id)?,
        now,
        usage,
    })
}
