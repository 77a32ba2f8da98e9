//! What an agent's output says, whatever the agent: the events of a stream and their sum.

use serde::{Deserialize, Serialize};

use crate::domain::task::FailureClass;
use crate::domain::usage::{SessionTotals, Usage};

/// One thing that an agent's output told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum AgentEvent {
    /// The session that a follow-up can resume.
    Session {
        /// The agent's own id for it.
        id: String,
        /// The model that answers, when told.
        model: Option<String>,
    },
    /// Words of the agent.
    Text {
        /// As written.
        text: String,
    },
    /// It uses a tool.
    Tool {
        /// The agent's name for it: `Bash`, `write_file`.
        name: String,
        /// The command, file or query, on one line.
        detail: String,
    },
    /// A tool answered.
    ToolResult {
        /// False when the tool failed.
        ok: bool,
        /// The first line of its answer.
        summary: String,
    },
    /// It asked to do something that its permissions forbid.
    Denied {
        /// The tool.
        tool: String,
        /// The command or file, on one line.
        detail: String,
    },
    /// The provider failed and the agent tries again by itself.
    Retrying {
        /// As told: `429 rate limited, 2 of 10`.
        why: String,
    },
    /// Its own todo list moved.
    Todo {
        /// Items done.
        done: u32,
        /// Items in all.
        total: u32,
        /// The item in hand.
        current: Option<String>,
    },
    /// Something went wrong; not by itself the end.
    Error {
        /// As told.
        message: String,
    },
    /// A line that is no event of this dialect (noise, or a program's plain output).
    Plain {
        /// The line without its newline.
        line: String,
    },
    /// Its terminal event.
    Finished {
        /// False when the event says that it failed.
        ok: bool,
    },
}

/// A stream folded into what it says as a whole, so far.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StreamReport {
    /// The session's id.
    pub session: Option<String>,
    /// The model that answered.
    pub model: Option<String>,
    /// What this run alone used, in our meaning of the words.
    pub usage: Usage,
    /// The session's cumulative totals after this run, where the agent tells cumulative ones: the
    /// baseline of the next attempt.
    pub cumulative: Option<SessionTotals>,
    /// The final answer.
    pub final_text: Option<String>,
    /// The error it ended with.
    pub error: Option<StreamError>,
    /// What it was denied, one line each.
    pub denied: Vec<String>,
    /// The terminal event: `None` until it came, then whether it said all is well.
    pub terminal: Option<bool>,
    /// Its todo list, done and total.
    pub todo: Option<(u32, u32)>,
    /// What it does now, on one line.
    pub activity: Option<String>,
    /// It last said that it waits for its provider's limit.
    #[serde(default)]
    pub limited: bool,
}

/// An error as the stream tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamError {
    /// In the agent's words.
    pub message: String,
    /// The HTTP status behind it, if there was one.
    pub status: Option<u16>,
    /// Its class, by the template's failure patterns.
    pub class: FailureClass,
}
