//! Output lines into events and a report, one module for each dialect.
//!
//! A [`Reader`] is pure: the same lines give the same report, however they were cut into chunks and
//! whether or not its state was saved and loaded in between. Nothing an agent writes can make it
//! panic or grow without bound.

mod aider;
mod claude;
mod codex;
mod fold;
mod gemini;
mod json;
mod messages;
mod opencode;
mod plain;
mod qwen;
mod todo;

#[cfg(test)]
mod properties;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::fold::Fold;
use crate::domain::event::{AgentEvent, StreamReport};
use crate::domain::launch::{Dialect, FailurePattern, LaunchSpec};
use crate::domain::usage::SessionTotals;

/// The most bytes of a line that is no event of the dialect which its event keeps.
const PLAIN_MAX: usize = 16 << 10;

/// Reads the output of one attempt, line by line. Its whole state can be saved with the offset
/// that was read up to, and taken up again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reader {
    state: State,
    report: StreamReport,
    patterns: Vec<FailurePattern>,
    baseline: SessionTotals,
    cwd: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "dialect", content = "state", rename_all = "kebab-case")]
enum State {
    Claude(claude::Claude),
    Codex,
    Gemini(gemini::Gemini),
    Opencode(opencode::Opencode),
    Qwen(qwen::Qwen),
    Aider(aider::Aider),
    Plain(plain::Plain),
}

impl Reader {
    /// A reader for the start of a stream. `baseline` is what the session had used before this
    /// attempt; `patterns` are the template's failure patterns.
    pub fn new(dialect: Dialect, baseline: SessionTotals, patterns: Vec<FailurePattern>) -> Self {
        let state = match dialect {
            Dialect::Claude => State::Claude(claude::Claude::default()),
            Dialect::Codex => State::Codex,
            Dialect::Gemini => State::Gemini(gemini::Gemini::default()),
            Dialect::Opencode => State::Opencode(opencode::Opencode::default()),
            Dialect::Qwen => State::Qwen(qwen::Qwen::default()),
            Dialect::Aider => State::Aider(aider::Aider::default()),
            Dialect::Plain => State::Plain(plain::Plain::default()),
        };
        Self { state, report: StreamReport::default(), patterns, baseline, cwd: None }
    }

    /// The reader of a launch: its dialect, baseline and patterns, paths shown relative to where it
    /// runs. A session that was preset is none until the stream tells of it: an agent that ended
    /// before has none to go on in.
    pub fn of(spec: &LaunchSpec) -> Self {
        let mut reader = Self::new(spec.dialect, spec.baseline, spec.failures.clone());
        reader.cwd = spec.cwd.to_str().map(str::to_owned);
        reader
    }

    /// Takes one line of standard output, without its newline, and gives what it tells. Bytes that
    /// are no UTF-8 are replaced; what is no event of the dialect becomes
    /// [`AgentEvent::Plain`]; events that nobody knows give nothing.
    pub fn line(&mut self, bytes: &[u8]) -> Vec<AgentEvent> {
        let text = String::from_utf8_lossy(bytes);
        let (state, mut fold) = self.parts();
        match state {
            State::Aider(aider) => aider.read(&mut fold, &fold::clip(&text, PLAIN_MAX)),
            State::Plain(plain) => plain.read(&mut fold, &fold::clip(&text, PLAIN_MAX)),
            _ => match serde_json::from_str::<Value>(&text) {
                Ok(value) if value.is_object() => state.event(&mut fold, &value),
                _ if text.trim().is_empty() => {}
                _ => fold.events.push(AgentEvent::Plain { line: fold::clip(&text, PLAIN_MAX) }),
            },
        }
        fold.events
    }

    /// Takes one line of standard error: some agents tell only there that they try again. It never
    /// decides anything; a failure that only standard error tells is found in its tail when the
    /// evidence is judged.
    pub fn stderr_line(&mut self, bytes: &[u8]) -> Vec<AgentEvent> {
        let text = String::from_utf8_lossy(bytes);
        let (state, mut fold) = self.parts();
        if matches!(state, State::Gemini(_)) {
            gemini::told_apart(&mut fold, &text);
        }
        fold.events
    }

    /// What the stream says as a whole, so far.
    pub fn report(&self) -> &StreamReport {
        &self.report
    }

    fn parts(&mut self) -> (&mut State, Fold<'_>) {
        let fold = Fold {
            report: &mut self.report,
            events: Vec::new(),
            patterns: &self.patterns,
            baseline: self.baseline,
            cwd: self.cwd.as_deref(),
        };
        (&mut self.state, fold)
    }
}

impl State {
    fn event(&mut self, fold: &mut Fold, line: &Value) {
        match self {
            Self::Claude(claude) => claude.read(fold, line),
            Self::Codex => codex::read(fold, line),
            Self::Gemini(gemini) => gemini.read(fold, line),
            Self::Opencode(opencode) => opencode.read(fold, line),
            Self::Qwen(qwen) => qwen.read(fold, line),
            Self::Aider(_) | Self::Plain(_) => {}
        }
    }
}

/// True when a dialect ends with an event of its own, so that an exit without one is a failure.
pub fn has_terminal_event(dialect: Dialect) -> bool {
    !matches!(dialect, Dialect::Aider | Dialect::Plain)
}
