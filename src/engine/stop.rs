//! Asks for a task's end: on record first, then where its holder finds it, then awake.

use jiff::Timestamp;
use rustix::process::Signal;

use crate::domain::attempt::{Attempt, Exit, StopRequest};
use crate::domain::id::TaskId;
use crate::domain::task::TaskState;
use crate::engine::process::identity::{Here, Liveness};
use crate::engine::process::signal::Handle;
use crate::engine::transition;
use crate::store::db::{Connection, Store};
use crate::store::error::StoreError;
use crate::store::folder::Folder;
use crate::store::tasks::Change;
use crate::store::{attempts, messages, tasks};

/// What asking came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// It had ended before.
    Ended,
    /// It had not begun, and never will.
    Unqueued,
    /// Its processes are being ended. The task is final once they are gone and the engine has
    /// looked at what they left.
    Told(Box<AttemptEnd>),
}

/// The attempt that is being ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptEnd {
    /// It, as it was when it was asked.
    pub attempt: Attempt,
    /// What is known of its holder: an engine does the part of one that is dead; one that is
    /// elsewhere hears of the request only from there.
    pub holder: Liveness,
}

/// Asks for the end of a task, whether an engine runs or not. The caller wakes or starts one
/// afterwards.
///
/// # Errors
/// The database's; the folder cannot be written to.
pub fn ask(store: &Store, task: &TaskId, stop: &StopRequest) -> Result<Asked, StoreError> {
    let running = store.write_durably(|tx| on_record(tx, task, stop))?;
    let attempt = match running {
        OnRecord::Attempt(attempt) => *attempt,
        OnRecord::Unqueued => {
            std::fs::remove_file(store.layout().environment_file(task)).ok();
            return Ok(Asked::Unqueued);
        }
        OnRecord::Ended => return Ok(Asked::Ended),
    };
    Folder::of(store.layout(), &attempt.id).request_stop(stop)?;
    let here = Here::read();
    let holder = attempt.holder.as_ref().map_or(Liveness::Dead, |holder| here.liveness(holder));
    if holder == Liveness::Alive
        && let Some(handle) = attempt.holder.as_ref().and_then(Handle::recorded)
    {
        handle.send(Signal::TERM);
    }
    Ok(Asked::Told(Box::new(AttemptEnd { attempt, holder })))
}

enum OnRecord {
    Ended,
    Unqueued,
    Attempt(Box<Attempt>),
}

fn on_record(db: &Connection, id: &TaskId, stop: &StopRequest) -> Result<OnRecord, StoreError> {
    let task = tasks::by_id(db, id)?.filter(|task| !task.state.is_final());
    let attempt = attempts::latest(db, id)?;
    let (Some(task), Some(attempt)) = (task, attempt) else { return Ok(OnRecord::Ended) };
    if task.state == TaskState::Running {
        attempts::request_stop(db, &attempt.id, stop)?;
        return Ok(OnRecord::Attempt(Box::new(attempt)));
    }
    cancel(db, &attempt, stop, stop.at)?;
    Ok(OnRecord::Unqueued)
}

/// Cancels what has not begun.
///
/// # Errors
/// [`StoreError::Moved`] when it has.
pub fn cancel(
    db: &Connection,
    attempt: &Attempt,
    stop: &StopRequest,
    now: Timestamp,
) -> Result<(), StoreError> {
    let exit = Exit::NotStarted { error: "it was stopped before it started".into() };
    let state = stop.class.map_or(TaskState::Cancelled, |_| TaskState::Failed);
    let change = Change { reason: Some(stop.told()), failure: stop.class, ..Change::default() };
    messages::forget(db, &attempt.task, None)?;
    transition::never_started(db, attempt, (state, &change), &exit, now)
}
