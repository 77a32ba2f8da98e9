//! Moves attempts and their tasks, each in one transaction with the event that tells it.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::domain::attempt::{Attempt, AttemptState, Exit, Progress};
use crate::domain::task::{Task, TaskState};
use crate::domain::usage::Usage;
use crate::engine::holder::gate::Report;
use crate::store::attempts::Folded;
use crate::store::db::Connection;
use crate::store::error::StoreError;
use crate::store::events::{self, NewEvent};
use crate::store::tasks::Change;
use crate::store::{attempts, tasks};

/// A prepared attempt runs under this holder from now on.
///
/// # Errors
/// [`StoreError::Moved`] when it was taken back or stopped meanwhile.
pub fn started(
    db: &Connection,
    attempt: &Attempt,
    report: &Report,
    now: Timestamp,
) -> Result<(), StoreError> {
    let task = waiting(db, attempt)?;
    attempts::start(db, &attempt.id, &report.holder, &report.containment, now)?;
    let states = (task.state, TaskState::Running);
    tasks::transition(db, &task.id, states, &Change::default(), now)?;
    let data = object(json!({ "containment": report.containment, "holder": report.holder.pid }));
    record(db, "task-started", (&task, attempt), data, now)
}

/// A prepared attempt is given up: it never ran and never will.
///
/// # Errors
/// [`StoreError::Moved`] when it was let go or stopped meanwhile.
pub fn never_started(
    db: &Connection,
    attempt: &Attempt,
    (to, change): (TaskState, &Change),
    exit: &Exit,
    now: Timestamp,
) -> Result<(), StoreError> {
    let task = waiting(db, attempt)?;
    attempts::end(db, &attempt.id, AttemptState::Abandoned, Some(exit), now)?;
    tasks::transition(db, &task.id, (task.state, to), change, now)?;
    let data = object(json!({ "state": to, "reason": change.reason, "exit": exit }));
    record(db, "task-ended", (&task, attempt), data, now)
}

/// An attempt that was let go, but whose holder died before it started anything, is as before.
///
/// # Errors
/// [`StoreError::Moved`] when it does not run any more.
pub fn taken_back(db: &Connection, attempt: &Attempt, now: Timestamp) -> Result<(), StoreError> {
    let task = of(db, attempt)?;
    attempts::take_back(db, &attempt.id)?;
    let states = (TaskState::Running, TaskState::Queued);
    tasks::transition(db, &task.id, states, &Change::default(), now)?;
    record(db, "task-taken-back", (&task, attempt), Map::new(), now)
}

/// An attempt's holder is gone while its agent goes on.
///
/// # Errors
/// The database's.
pub fn orphaned(db: &Connection, attempt: &Attempt, now: Timestamp) -> Result<(), StoreError> {
    let task = of(db, attempt)?;
    attempts::set_containment(db, &attempt.id, "weak")?;
    record(db, "holder-lost", (&task, attempt), Map::new(), now)
}

/// An attempt runs where this machine cannot see. Its state is not touched.
///
/// # Errors
/// The database's.
pub fn elsewhere(db: &Connection, attempt: &Attempt, now: Timestamp) -> Result<(), StoreError> {
    let task = of(db, attempt)?;
    let reason = Some("runs elsewhere: on another machine, or in another container".into());
    if task.state != TaskState::Running || task.reason == reason {
        return Ok(());
    }
    let change = Change { reason, ..Change::default() };
    tasks::transition(db, &task.id, (TaskState::Running, TaskState::Running), &change, now)
}

/// A prepared attempt of a task that is final already is given up.
///
/// # Errors
/// The database's.
pub fn left_over(db: &Connection, attempt: &Attempt, now: Timestamp) -> Result<(), StoreError> {
    attempts::end(db, &attempt.id, AttemptState::Abandoned, None, now)
}

/// What is known of an attempt whose last process is gone.
pub struct End<'a> {
    /// What it used in the end.
    pub usage: Usage,
    /// How far it came.
    pub progress: &'a Progress,
    /// Its session, once known.
    pub session: Option<&'a str>,
    /// How its main process ended.
    pub exit: &'a Exit,
    /// What becomes of its task.
    pub to: TaskState,
    /// What is set with that.
    pub change: &'a Change,
    /// The rest of the event; an object.
    pub told: Map<String, Value>,
}

/// A running attempt has ended, and its task with it.
///
/// # Errors
/// [`StoreError::Moved`] when it had ended already.
pub fn ended(
    db: &Connection,
    attempt: &Attempt,
    end: End<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let task = of(db, attempt)?;
    let (usage, session) = (end.usage, end.session);
    let folded = Folded { usage, session, progress: Some(end.progress), containment: None };
    attempts::fold(db, &attempt.id, &folded)?;
    attempts::end(db, &attempt.id, AttemptState::Ended, Some(end.exit), now)?;
    attempts::set_outcome(db, &attempt.id, end.change.failure, end.change.reason.as_deref())?;
    tasks::transition(db, &task.id, (TaskState::Running, end.to), end.change, now)?;
    let mut data = end.told;
    data.extend(object(json!({
        "state": end.to,
        "reason": end.change.reason,
        "failure": end.change.failure,
        "changed": end.change.changed,
        "exit": end.exit,
    })));
    let kind = if end.to.is_final() { "task-ended" } else { "attempt-ended" };
    record(db, kind, (&task, attempt), data, now)
}

/// The attempt's task, which has to be one that still waits.
fn waiting(db: &Connection, attempt: &Attempt) -> Result<Task, StoreError> {
    let task = of(db, attempt)?;
    if matches!(task.state, TaskState::Queued | TaskState::Waiting) {
        return Ok(task);
    }
    Err(StoreError::Moved { what: task.id.to_string(), expected: "waiting".into() })
}

fn of(db: &Connection, attempt: &Attempt) -> Result<Task, StoreError> {
    let gone = || StoreError::Moved { what: attempt.task.to_string(), expected: "there".into() };
    tasks::by_id(db, &attempt.task)?.ok_or_else(gone)
}

fn record(
    db: &Connection,
    kind: &str,
    (task, attempt): (&Task, &Attempt),
    data: Map<String, Value>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let event = NewEvent {
        kind,
        repo: Some(&task.repo),
        variant: task.variant,
        task: Some(&task.id),
        attempt: Some(&attempt.id),
        data,
    };
    events::record(db, now, &event).map(drop)
}

fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(map) = value { map } else { Map::new() }
}
