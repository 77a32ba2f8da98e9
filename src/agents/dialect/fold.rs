//! What every dialect has in hand while it reads a line: the report so far, and the events told.

use crate::agents::classify::{classify, status_in};
use crate::domain::event::{AgentEvent, StreamError, StreamReport};
use crate::domain::launch::FailurePattern;
use crate::domain::task::FailureClass;
use crate::domain::usage::{Certainty, CostFrom, MicroUsd, SessionTotals, Tokens, Usage};

/// The most characters of anything that is shown on one line.
const LINE_CHARS: usize = 300;
/// The most bytes of a text or an answer that are kept.
pub(super) const TEXT_MAX: usize = 256 << 10;
/// The most denials that are kept.
const DENIED_MAX: usize = 50;

/// The report and the events, with the operations that dialects share.
pub(super) struct Fold<'a> {
    pub(super) report: &'a mut StreamReport,
    pub(super) events: Vec<AgentEvent>,
    pub(super) patterns: &'a [FailurePattern],
    pub(super) baseline: SessionTotals,
    pub(super) cwd: Option<&'a str>,
}

impl Fold<'_> {
    /// The session's id and model; told as an event when either is news.
    pub(super) fn session(&mut self, id: Option<&str>, model: Option<&str>) {
        let Some(id) = id.filter(|id| !id.is_empty()).map(|id| clip(id, LINE_CHARS)) else {
            return;
        };
        let model = model.map(one_line).or_else(|| self.report.model.clone());
        if self.report.session.as_ref() != Some(&id) || self.report.model != model {
            (self.report.session, self.report.model) = (Some(id.clone()), model.clone());
            self.events.push(AgentEvent::Session { id, model });
        }
    }

    /// Words of the agent; the last ones before its end are its answer.
    pub(super) fn text(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        let text = clip(text, TEXT_MAX);
        self.report.limited = false;
        self.report.final_text = Some(text.clone());
        self.report.activity = text.lines().find(|line| !line.trim().is_empty()).map(one_line);
        self.events.push(AgentEvent::Text { text });
    }

    /// A tool in use.
    pub(super) fn tool(&mut self, name: &str, detail: &str) {
        let (name, detail) = (one_line(name), self.detail(detail));
        let shown = if detail.is_empty() { name.clone() } else { format!("{name} {detail}") };
        self.report.limited = false;
        self.report.activity = Some(one_line(&shown));
        self.events.push(AgentEvent::Tool { name, detail });
    }

    /// A tool's answer, of which the first line is kept.
    pub(super) fn tool_result(&mut self, ok: bool, answer: &str) {
        let first = answer.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let summary = self.detail(first);
        self.events.push(AgentEvent::ToolResult { ok, summary });
    }

    /// Something that its permissions forbid.
    pub(super) fn denied(&mut self, tool: &str, detail: &str) {
        let (tool, detail) = (one_line(tool), self.detail(detail));
        let line = if detail.is_empty() { tool.clone() } else { format!("{tool} {detail}") };
        if self.report.denied.len() < DENIED_MAX && !self.report.denied.contains(&line) {
            self.report.denied.push(line);
        }
        self.events.push(AgentEvent::Denied { tool, detail });
    }

    /// The provider failed and the agent tries again.
    pub(super) fn retrying(&mut self, why: &str) {
        let why = one_line(why);
        // Agents begin with the bare status: `429 rate_limit, 2 of 10`.
        let status = status_in(&format!("status {why}")).or_else(|| status_in(&why));
        let class = classify(self.patterns, &why, status);
        self.report.limited = class == FailureClass::Limit;
        self.report.activity = Some(one_line(&format!("retrying: {why}")));
        self.events.push(AgentEvent::Retrying { why });
    }

    /// Its todo list as it is now.
    pub(super) fn todo(&mut self, done: usize, total: usize, current: Option<&str>) {
        let (done, total) = (cut(done), cut(total));
        if total == 0 {
            return;
        }
        self.report.limited = false;
        self.report.todo = Some((done, total));
        let current = current.map(one_line);
        self.events.push(AgentEvent::Todo { done, total, current });
    }

    /// Something that went wrong without being the end.
    pub(super) fn trouble(&mut self, message: &str) {
        self.events.push(AgentEvent::Error { message: clip(message.trim(), 4 * LINE_CHARS) });
    }

    /// The error it ends with, unless it goes on after all; `status` as told, else as its words
    /// mention one.
    pub(super) fn error(&mut self, message: &str, status: Option<u16>) {
        let message = match message.trim() {
            "" => "the agent told an error without a message".to_owned(),
            message => clip(message, 4 * LINE_CHARS),
        };
        let status = status.or_else(|| status_in(&message));
        let class = classify(self.patterns, &message, status);
        self.report.error = Some(StreamError { message: message.clone(), status, class });
        let told =
            matches!(self.events.last(), Some(AgentEvent::Error { message: m }) if *m == message);
        if !told {
            self.events.push(AgentEvent::Error { message });
        }
    }

    /// The terminal event. A good one means that earlier errors were overcome.
    pub(super) fn finished(&mut self, ok: bool) {
        if ok {
            self.report.error = None;
        }
        self.report.limited = false;
        self.report.terminal = Some(ok);
        self.report.activity = None;
        self.events.push(AgentEvent::Finished { ok });
    }

    /// It goes on after what looked like its end.
    pub(super) fn goes_on(&mut self) {
        self.report.terminal = None;
    }

    /// What this run used, as far as is known.
    pub(super) fn usage(&mut self, tokens: Tokens, cost: Option<MicroUsd>, certainty: Certainty) {
        self.report.usage = Usage { tokens, cost, certainty, cost_from: CostFrom::Agent };
    }

    /// What this run alone used, of a cumulative total. A total below the baseline cannot include
    /// it, so it is taken as this run's own.
    pub(super) fn own(&self, told: Tokens) -> Tokens {
        let base = self.baseline.tokens;
        let includes = told.input >= base.input
            && told.cache_read >= base.cache_read
            && told.cache_write >= base.cache_write
            && told.output >= base.output;
        if includes { told.since(&base) } else { told }
    }

    /// One line, with paths beneath the working directory made relative.
    fn detail(&self, text: &str) -> String {
        let line = one_line(text);
        match self.cwd {
            Some(cwd) if cwd.len() > 1 => line.replace(&format!("{cwd}/"), ""),
            _ => line,
        }
    }
}

fn cut(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// One line of at most [`LINE_CHARS`] characters, white space joined, control characters gone.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().filter(|c| !c.is_control()));
        if line.len() > 4 * LINE_CHARS {
            break;
        }
    }
    if line.chars().count() > LINE_CHARS {
        line = line.chars().take(LINE_CHARS - 1).collect();
        line.push('…');
    }
    line
}

/// At most `max` bytes of a text, cut between characters.
pub(super) fn clip(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let end = (0..=max).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_lines_hold_no_control_characters_and_end() {
        assert_eq!(one_line("a\tb\n\x1b[31mc"), "a b [31mc");
        assert_eq!(one_line(&"x".repeat(5000)).chars().count(), LINE_CHARS);
        assert_eq!(clip("äöü", 3), "ä…");
    }
}
