//! Attempts: one execution of a task each, and how it ended.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::id::{AttemptId, TaskId};
use crate::domain::task::FailureClass;
use crate::domain::usage::{SessionTotals, Usage};

/// One execution of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its id.
    pub id: AttemptId,
    /// The task it executes.
    pub task: TaskId,
    /// Its number, from 1.
    pub number: u32,
    /// Why there is this attempt.
    pub kind: AttemptKind,
    /// What this attempt was told (a follow-up's message differs from the task's prompt).
    pub prompt: String,
    /// Where it is.
    pub state: AttemptState,
    /// The holder's identity, once it has one.
    pub holder: Option<ProcessIdentity>,
    /// The agent process's identity, once it runs.
    pub agent: Option<ProcessIdentity>,
    /// The agent's session, for a follow-up.
    pub session: Option<String>,
    /// What the session had used before this attempt, for agents that report cumulative totals.
    pub baseline: SessionTotals,
    /// What this attempt alone used.
    pub usage: Usage,
    /// How far it has come, by its output.
    pub progress: Progress,
    /// How far it has come, by its own report.
    pub told: Option<Report>,
    /// How it ended.
    pub exit: Option<Exit>,
    /// How well its processes are contained: `cgroup`, `subreaper`, `weak`.
    pub containment: Option<String>,
    /// When a person or a limit asked for its end.
    pub stop_requested: Option<StopRequest>,
    /// Why `wt` made it by itself; `None` when a person asked for it.
    pub again: Option<Again>,
    /// It does not start before this moment.
    pub not_before: Option<Timestamp>,
    /// What kind of failure it ended with.
    pub failure: Option<FailureClass>,
    /// Why it ended as it did, in one line for people.
    pub reason: Option<String>,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When its holder was let go.
    pub started_at: Option<Timestamp>,
    /// When its last process was gone.
    pub ended_at: Option<Timestamp>,
}

/// Why `wt` made an attempt by itself, without anybody asking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    /// In which manner.
    pub how: Manner,
    /// Which of these it is, from 1; of parked ones apart.
    pub nth: u32,
    /// How many of these there may be.
    pub of: u32,
    /// What kind of failure the attempt before it ended with.
    pub class: FailureClass,
    /// Why that one failed, in one line for people.
    pub why: String,
    /// Where the base branch stood when it was parked: it only goes on while that is so.
    #[serde(default)]
    pub base: Option<String>,
}

/// In which manner something is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manner {
    /// The same once more, after a pause.
    Retry,
    /// The same with more time.
    Longer,
    /// In the same session, told what was missing.
    Corrective,
    /// Once a usage limit is reset.
    Parked,
}

/// How far an attempt has come, by what was read of its output.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// How many bytes of its output were read.
    pub offset: u64,
    /// When it last said anything.
    pub heard_at: Option<Timestamp>,
    /// The model that answers.
    pub model: Option<String>,
    /// Its todo list, done and total.
    pub todo: Option<(u32, u32)>,
    /// What it does now, on one line.
    pub activity: Option<String>,
    /// The session's cumulative totals, where the agent tells those: the next attempt's baseline.
    pub cumulative: Option<SessionTotals>,
    /// How it gets on.
    pub pace: Pace,
}

/// What an agent has told of itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// How much is done, 0 to 1.
    pub progress: Option<f64>,
    /// Which step of how many.
    pub step: Option<(u32, u32)>,
    /// What it does now.
    pub phase: Option<String>,
    /// The newest thing that was reached.
    pub milestone: Option<String>,
    /// What it cannot go on without.
    pub blocked: Option<String>,
    /// When it last told anything.
    pub at: Option<Timestamp>,
}

impl Eq for Report {}

impl Report {
    /// This, with what was told after it. A step and a part of the whole replace each other, and a
    /// step or part ends what was blocked.
    #[must_use]
    pub fn followed_by(self, later: Self, at: Timestamp) -> Self {
        let moved = later.progress.is_some() || later.step.is_some();
        let before =
            if moved { Self { progress: None, step: None, blocked: None, ..self } } else { self };
        Self {
            progress: later.progress.or(before.progress),
            step: later.step.or(before.step),
            phase: later.phase.or(before.phase),
            milestone: later.milestone.or(before.milestone),
            blocked: later.blocked.or(before.blocked),
            at: Some(at),
        }
    }
}

/// How a running attempt gets on.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
    /// It does something.
    #[default]
    Active,
    /// It talks and gets nowhere, or takes far longer than such work does.
    Slow,
    /// It has said nothing for too long.
    Stalled,
    /// It waits for its provider's limit.
    Limited,
}

impl Pace {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Slow => "slow",
            Self::Stalled => "stalled",
            Self::Limited => "limited",
        }
    }
}

/// Why there is an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptKind {
    /// The task's first.
    First,
    /// A fresh start after an earlier one ended.
    Retry,
    /// It goes on in the session of an earlier one.
    FollowUp,
}

/// Where an attempt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptState {
    /// Its folder and spec exist; no process does.
    Prepared,
    /// A holder was let go for it.
    Running,
    /// All its processes are gone.
    Ended,
    /// It was never let go, or runs where this machine cannot see.
    Abandoned,
}

/// A process that no other one can be mistaken for, also after its pid was reused or the machine
/// was started anew.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// The pid, as seen in its pid namespace.
    pub pid: u32,
    /// Field 22 of `/proc/PID/stat`: clock ticks after boot.
    pub start_time: u64,
    /// `/proc/sys/kernel/random/boot_id`.
    pub boot_id: String,
    /// `/etc/machine-id`, or empty where there is none.
    pub machine_id: String,
    /// The inode of `/proc/self/ns/pid`.
    pub pid_ns: u64,
}

/// How an attempt's main process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum Exit {
    /// It exited with this code.
    Code {
        /// 0 to 255.
        code: i32,
    },
    /// A signal ended it.
    Signal {
        /// The signal's number.
        signal: i32,
    },
    /// A setup command failed, so the agent never started.
    Setup {
        /// The command as configured.
        command: String,
        /// Its exit code; `None` when a signal ended it.
        code: Option<i32>,
    },
    /// The program could not be started.
    NotStarted {
        /// What the system said.
        error: String,
    },
    /// It is gone, and nobody saw how.
    Unobserved,
}

/// Who asked for an attempt's end, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopRequest {
    /// When.
    pub at: Timestamp,
    /// In words: `by you`, `its budget of 200k tokens`, `timed out after 30m`.
    pub why: String,
    /// `None` when a person did it, else what kind of failure it is.
    #[serde(default)]
    pub class: Option<FailureClass>,
}

impl Again {
    /// In a few words, to be followed by a moment: `parked`, `retry 1 of 2`.
    pub fn in_short(&self) -> String {
        match self.how {
            Manner::Parked => "parked, goes on".to_owned(),
            Manner::Corrective => format!("correction, {} of {}", self.nth, self.of),
            Manner::Retry | Manner::Longer => format!("retry {} of {}", self.nth, self.of),
        }
    }
}

impl StopRequest {
    /// What is said of what it ended: `stopped by you`, `stopped: its budget of 200k tokens`.
    pub fn told(&self) -> String {
        if self.why.starts_with("by ") {
            format!("stopped {}", self.why)
        } else {
            format!("stopped: {}", self.why)
        }
    }
}

impl Attempt {
    /// What its session had used in all when it ended, as far as it told: the baseline of an
    /// attempt that goes on in it. One that was ended before it told leaves what was known before.
    pub fn session_totals(&self) -> SessionTotals {
        self.progress.cumulative.unwrap_or(self.baseline)
    }
}

impl AttemptKind {
    /// The text kept in the store and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Retry => "retry",
            Self::FollowUp => "follow-up",
        }
    }

    /// The reverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::First, Self::Retry, Self::FollowUp].into_iter().find(|kind| kind.as_str() == text)
    }
}

impl AttemptState {
    /// The text kept in the store and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Running => "running",
            Self::Ended => "ended",
            Self::Abandoned => "abandoned",
        }
    }

    /// The reverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Prepared, Self::Running, Self::Ended, Self::Abandoned]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}
