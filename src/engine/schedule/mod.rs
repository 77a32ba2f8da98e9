//! What starts next, and what everything else waits for. Pure: a snapshot and a time in, decisions
//! out.

mod awaited;
mod reason;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::id::{RepoId, TaskId};
use crate::domain::task::Lane;
use crate::domain::waiting::{Hold, Pause, Terms};
use crate::engine::gates::{Gates, Load};
use crate::engine::limits::{Limits, Occupied};

pub use awaited::{After, Awaited, awaited};
pub use reason::clock;

/// All that is looked at.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Tasks whose newest attempt is prepared and not let go, in any order.
    pub ready: Vec<Ready>,
    /// What runs or is being started, over all repositories.
    pub running: Vec<Running>,
    /// How much may run at once.
    pub limits: Limits,
    /// What is paused.
    pub pauses: Vec<Pause>,
    /// Agents that start no more.
    pub holds: Vec<Hold>,
    /// What the machine must have left.
    pub gates: Gates,
    /// What it has left; `None` when that was not read, or too long ago.
    pub load: Option<Load>,
    /// Where the person is, to tell times.
    pub zone: TimeZone,
}

/// A task that would start if nothing held it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// Which.
    pub task: TaskId,
    /// The repository it works on.
    pub repo: RepoId,
    /// The agent's name.
    pub agent: String,
    /// The class of work whose parallelism it counts in.
    pub lane: Lane,
    /// 1 to 10; higher goes first.
    pub priority: u8,
    /// When it was queued; older goes first among equals.
    pub created_at: Timestamp,
    /// Its times, and whether somebody sits in front of it. One that has waited is unattended.
    pub terms: Terms,
    /// What it waits for of others; what is there already is left out.
    pub after: Vec<After>,
    /// The budget of all work that has nothing left for it, as what it waits for.
    pub budget: Option<String>,
    /// What it is said to wait for at present.
    pub reason: Option<String>,
}

/// A task that runs or is being started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Which.
    pub task: TaskId,
    /// The class of work whose parallelism it counts in.
    pub lane: Lane,
    /// From this moment on it does not go on.
    pub until: Option<Timestamp>,
    /// It was told to end.
    pub stopping: bool,
}

/// One thing to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Start this task.
    Start(TaskId),
    /// Say that this task waits, and for what.
    Wait(TaskId, String),
    /// This task's time was over before it began: it never will. With the reason.
    Expire(TaskId, String),
    /// This running task's time is over: end it. With the reason.
    Stop(TaskId, String),
    /// A start depends on the machine's load: read it, if that is due, and decide again.
    Measure,
    /// Decide again at this moment, the earliest at which time alone changes anything.
    WakeAt(Timestamp),
}

/// Why a task does not start now.
enum Held {
    /// For this reason.
    Because(String),
    /// Its time was over before it began.
    Over(String),
    /// For this reason, as the machine's load is; `None` as long as that has to be read first.
    ByTheMachine(Option<String>),
}

/// Decides. Tasks come in the order of priority, then age; one that has to wait for something of
/// its own lets later ones pass. What a task waits for is said only when it is not said already.
pub fn decide(snapshot: &Snapshot, now: Timestamp) -> Vec<Decision> {
    let mut decisions = overdue(snapshot, now);
    let mut ready: Vec<&Ready> = snapshot.ready.iter().collect();
    ready.sort_by_key(|task| (Reverse(task.priority), task.created_at, &task.task));
    let mut occupied: Occupied = snapshot.running.iter().map(|task| task.lane).collect();
    let mut measure = false;
    for task in ready {
        let id = task.task.clone();
        match held(task, (snapshot, &occupied), now) {
            None => {
                occupied.add(task.lane);
                decisions.push(Decision::Start(id));
            }
            Some(Held::Over(why)) => decisions.push(Decision::Expire(id, why)),
            Some(Held::Because(why)) => decisions.extend(say(task, why)),
            Some(Held::ByTheMachine(why)) => {
                measure = true;
                decisions.extend(why.and_then(|why| say(task, why)));
            }
        }
    }
    decisions.extend(measure.then_some(Decision::Measure));
    decisions.extend(next_time(snapshot, now).map(Decision::WakeAt));
    decisions
}

fn say(task: &Ready, why: String) -> Option<Decision> {
    let said = task.reason.as_ref() == Some(&why);
    (!said).then(|| Decision::Wait(task.task.clone(), why))
}

/// What runs beyond its time.
fn overdue(snapshot: &Snapshot, now: Timestamp) -> Vec<Decision> {
    let running = snapshot.running.iter().filter(|task| !task.stopping);
    let over = running.filter_map(|task| Some((task, task.until.filter(|until| *until <= now)?)));
    over.map(|(task, until)| {
        Decision::Stop(task.task.clone(), reason::over(until, (now, &snapshot.zone)))
    })
    .collect()
}

/// The first moment after now at which anything begins or is over by itself.
fn next_time(snapshot: &Snapshot, now: Timestamp) -> Option<Timestamp> {
    let running = snapshot.running.iter().filter(|task| !task.stopping);
    let ends = running.filter_map(|task| task.until);
    let begins = snapshot
        .ready
        .iter()
        .flat_map(|task| task.terms.not_before.into_iter().chain(task.terms.until));
    ends.chain(begins).filter(|moment| *moment > now).min()
}

/// What holds a task back: first what only its own can change, then what the queue as a whole is
/// told, then the room there is, last what the machine has left.
fn held(
    task: &Ready,
    (snapshot, occupied): (&Snapshot, &Occupied),
    now: Timestamp,
) -> Option<Held> {
    let here = (now, &snapshot.zone);
    if let Some(until) = task.terms.until.filter(|until| *until <= now) {
        return Some(Held::Over(reason::never_began(until, here)));
    }
    reason::after(&task.after)
        .or_else(|| reason::time(&task.terms, here))
        .or_else(|| reason::paused(task, &snapshot.pauses))
        .or_else(|| reason::agent_held(&task.agent, &snapshot.holds, here))
        .or_else(|| task.budget.clone())
        .or_else(|| snapshot.limits.room(task.lane, occupied).err().map(|full| full.to_string()))
        .map(Held::Because)
        .or_else(|| machine(task, snapshot))
}

fn machine(task: &Ready, snapshot: &Snapshot) -> Option<Held> {
    if !task.terms.unattended || snapshot.gates.are_off() {
        return None;
    }
    let Some(load) = &snapshot.load else { return Some(Held::ByTheMachine(None)) };
    let closed = snapshot.gates.closed(load, &task.repo)?;
    Some(Held::ByTheMachine(Some(closed.to_string())))
}
