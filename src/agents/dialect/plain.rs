//! Any program's output: lines that mean nothing to `wt`; its last ones are its answer.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::fold::{Fold, clip, one_line};
use crate::domain::event::AgentEvent;

/// The most lines of the answer.
const LINES: usize = 20;
/// The most bytes of a line of the answer.
const LINE_BYTES: usize = 2_000;

/// What has to be remembered between lines.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Plain {
    last: VecDeque<String>,
}

impl Plain {
    pub(super) fn read(&mut self, fold: &mut Fold, line: &str) {
        fold.events.push(AgentEvent::Plain { line: line.to_owned() });
        if line.trim().is_empty() {
            return;
        }
        fold.report.activity = Some(one_line(line));
        if self.last.len() == LINES {
            self.last.pop_front();
        }
        self.last.push_back(clip(line.trim_end(), LINE_BYTES));
        let lines: Vec<&str> = self.last.iter().map(String::as_str).collect();
        fold.report.final_text = Some(lines.join("\n"));
    }
}
