//! Tasks: units of background work, their states and why they failed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::id::{RepoId, TaskId};

/// One unit of background work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// The repository it works on.
    pub repo: RepoId,
    /// The variant it works in, by row; `None` for work without one.
    pub variant: Option<i64>,
    /// Its role's name: `engineer`, `reviewer-security`, …
    pub role: String,
    /// The agent template's name.
    pub agent: String,
    /// The model asked for, if one was.
    pub model: Option<String>,
    /// What the person asked for, word for word.
    pub prompt: String,
    /// The class of work whose parallelism it counts in.
    pub lane: Lane,
    /// 1 to 10; higher goes first, then age.
    pub priority: u8,
    /// Where it is.
    pub state: TaskState,
    /// Why it is there, in one line for people: `for an agent slot (5 of 5 busy)`.
    pub reason: Option<String>,
    /// What kind of failure it was, when it is one.
    pub failure: Option<FailureClass>,
    /// The question it ended with, when it waits for a person's answer.
    pub question: Option<String>,
    /// Whether its worktree held a change when it ended; `None` before that.
    pub changed: Option<bool>,
    /// The command that must pass before it counts as done.
    pub verify: Option<String>,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When its first attempt started.
    pub started_at: Option<Timestamp>,
    /// When it reached a final state.
    pub ended_at: Option<Timestamp>,
}

impl Task {
    /// True when it needs a person although it asks nothing: a failure that nothing else mends.
    pub fn gave_up(&self) -> bool {
        self.state.gave_up(self.failure, self.question.is_some())
    }
}

/// A class of work with its own parallelism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Agents.
    Agent,
    /// Builds and unit tests.
    Build,
    /// End-to-end tests.
    E2e,
}

/// Where a task is. `Waiting` differs from `Queued` only in that somebody has looked at it and
/// can say what it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskState {
    /// Nobody has looked at it.
    Queued,
    /// It waits for a task, a time, a limit, a resource or a budget.
    Waiting,
    /// An attempt of it is under way.
    Running,
    /// Ended well, on evidence.
    Done,
    /// Ended badly.
    Failed,
    /// A person stopped it, or its budget did.
    Cancelled,
    /// Only a person can go on: it asks, was denied, or all retries are used up.
    NeedsHuman,
    /// What became of it cannot be known.
    Lost,
}

impl Lane {
    /// The text kept in the store and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Build => "build",
            Self::E2e => "e2e",
        }
    }

    /// The reverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Agent, Self::Build, Self::E2e].into_iter().find(|lane| lane.as_str() == text)
    }
}

impl TaskState {
    /// Every state, for parsing and for exhaustive tests.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Waiting,
        Self::Running,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
        Self::NeedsHuman,
        Self::Lost,
    ];

    /// The text kept in the store and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::NeedsHuman => "needs-human",
            Self::Lost => "lost",
        }
    }

    /// The reverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// True when a task in this state needs a person although it `asks` nothing: a failure of a
    /// class that nothing else mends.
    pub fn gave_up(self, failure: Option<FailureClass>, asks: bool) -> bool {
        let mends = |class| class == FailureClass::MissingContext;
        self == Self::NeedsHuman && !asks && failure.is_some_and(|class| !mends(class))
    }

    /// True when nothing more will happen by itself.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Waiting | Self::Running)
    }
}

/// What kind of failure: decides whether another attempt makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// Not logged in, or the key is refused.
    Auth,
    /// The provider was overloaded or the network broke.
    Transient,
    /// A usage limit, until a time.
    Limit,
    /// It says that it cannot go on without something it was not given.
    MissingContext,
    /// Something its role promises is not there.
    DeliverableMissing,
    /// Its verify command failed.
    VerifyFailed,
    /// It ran longer than allowed.
    TimedOut,
    /// It said nothing for too long.
    Stalled,
    /// It died, or ended without saying how.
    Crash,
    /// A setup command failed before the agent could start.
    SetupFailed,
    /// Nothing that another attempt would change.
    Permanent,
}

impl FailureClass {
    const ALL: [Self; 11] = [
        Self::Auth,
        Self::Transient,
        Self::Limit,
        Self::MissingContext,
        Self::DeliverableMissing,
        Self::VerifyFailed,
        Self::TimedOut,
        Self::Stalled,
        Self::Crash,
        Self::SetupFailed,
        Self::Permanent,
    ];

    /// The text kept in the store and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Transient => "transient",
            Self::Limit => "limit",
            Self::MissingContext => "missing-context",
            Self::DeliverableMissing => "deliverable-missing",
            Self::VerifyFailed => "verify-failed",
            Self::TimedOut => "timed-out",
            Self::Stalled => "stalled",
            Self::Crash => "crash",
            Self::SetupFailed => "setup-failed",
            Self::Permanent => "permanent",
        }
    }

    /// The reverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == text)
    }
}
