//! What exactly will run: rendered when a task is queued, never changed afterwards.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::domain::id::{AttemptId, TaskId};
use crate::domain::resources::Resources;
use crate::domain::settings::Permissions;
use crate::domain::usage::SessionTotals;

/// The version of `spec.json`.
pub const SPEC_SCHEMA: u32 = 1;

/// A frozen launch: `attempts/<id>/spec.json`. Holds names of environment variables, never values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchSpec {
    /// [`SPEC_SCHEMA`].
    pub schema: u32,
    /// The attempt this launches.
    pub attempt: AttemptId,
    /// Its task.
    pub task: TaskId,
    /// The agent template's name.
    pub agent: String,
    /// What it may do without asking.
    pub permissions: Permissions,
    /// How its output is read.
    pub dialect: Dialect,
    /// At what grain it tells what it used.
    pub metering: Metering,
    /// Commands that must pass before the agent starts, in order, each for `sh -c`, in `cwd`.
    pub setup: Vec<String>,
    /// The agent's program and arguments; the program is an absolute path.
    pub argv: Vec<String>,
    /// What it reads on its standard input.
    pub stdin: StdinFrom,
    /// Where it runs, absolute.
    pub cwd: PathBuf,
    /// Variables set for it that are no secrets: `WT_TASK`, `WT_ATTEMPT`, …
    pub env: Vec<(String, String)>,
    /// How it is asked to end.
    pub stop: StopPlan,
    /// The failure patterns of its template, tried in order on errors and on stderr's tail.
    pub failures: Vec<FailurePattern>,
    /// What the session had used before, for agents that report cumulative totals.
    pub baseline: SessionTotals,
    /// The session it goes on in, or the id preset for a new one where the agent takes one; `None`
    /// when only the stream will tell.
    #[serde(default)]
    pub session: Option<String>,
    /// The most seconds it may run; `None` is without limit.
    pub timeout_s: Option<u64>,
    /// The command for `sh -c` that must pass, in `cwd`, after it ended with exit code 0.
    #[serde(default)]
    pub verify: Option<String>,
    /// What is done without asking when it ends badly.
    #[serde(default)]
    pub rules: Rules,
    /// What everything in the attempt may take of the machine together.
    #[serde(default)]
    pub resources: Resources,
}

/// What is done without asking when an attempt ends badly. Nothing, by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    /// How many attempts at most are made without anybody asking.
    pub retries: u32,
    /// Milliseconds before the first of these; they double from one to the next.
    pub backoff_ms: u64,
    /// Whether a usage limit is waited for.
    pub park: bool,
    /// The most seconds that the first attempt may run; later ones get more of it.
    pub limit_s: Option<u64>,
    /// Whether it is ended when it has said nothing for too long.
    pub end_stalled: bool,
}

/// How an agent's output is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// claude's `--output-format stream-json`.
    Claude,
    /// codex's `exec --json`.
    Codex,
    /// gemini's `--output-format stream-json`.
    Gemini,
    /// opencode's `run --format json`.
    Opencode,
    /// qwen's `--output-format stream-json`: claude's shape with other meanings.
    Qwen,
    /// aider's plain text.
    Aider,
    /// Any program's output: lines, and its exit code is its verdict.
    Plain,
}

/// At what grain an agent tells what it used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metering {
    /// While it works.
    Live,
    /// After each step.
    Step,
    /// Only at its end.
    End,
    /// Never.
    None,
}

/// What an agent reads on its standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StdinFrom {
    /// `/dev/null`: several agents wait for ever on an open pipe.
    Null,
    /// The attempt folder's `prompt` file.
    Prompt,
}

/// How an attempt is asked to end: gentle signal, TERM, KILL, each to everything in its tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopPlan {
    /// `INT` where the agent then still reports what it used; sent to the main process alone.
    pub gentle: Option<GentleSignal>,
    /// Milliseconds between the gentle signal and TERM.
    pub gentle_ms: u64,
    /// Milliseconds between TERM and KILL.
    pub term_ms: u64,
}

impl Default for StopPlan {
    fn default() -> Self {
        Self { gentle: None, gentle_ms: 5_000, term_ms: 3_000 }
    }
}

/// A signal that asks without hurry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum GentleSignal {
    /// As Ctrl-C in a terminal.
    Int,
}

/// A text that, when an agent says it, tells what kind of failure it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailurePattern {
    /// The class.
    pub class: crate::domain::task::FailureClass,
    /// Matches when any of these is part of the message, in any case.
    #[serde(default)]
    pub contains: Vec<String>,
    /// Matches when the HTTP status is one of these.
    #[serde(default)]
    pub status: Vec<u16>,
}
