//! The message events that claude invented and qwen copied: content blocks of `assistant` and
//! `user` lines. What their token counts mean differs, so those are not read here.

use serde_json::Value;

use super::fold::Fold;
use super::{json, todo};

/// The content of an `assistant` line: words and tools. `main` is false for a sub-agent's words,
/// which are not the answer.
pub(super) fn assistant(fold: &mut Fold, items: &mut todo::Items, line: &Value, main: bool) {
    for block in json::items(line, "/message/content") {
        match json::text(block, "/type") {
            Some("text") if main => fold.text(json::text(block, "/text").unwrap_or_default()),
            Some("tool_use") => tool_use(fold, items, block),
            _ => {}
        }
    }
}

fn tool_use(fold: &mut Fold, items: &mut todo::Items, block: &Value) {
    let name = json::text(block, "/name").unwrap_or("tool");
    let input = block.get("input").unwrap_or(&Value::Null);
    match name {
        "TodoWrite" | "todo_write" => todo::whole(fold, json::items(input, "/todos")),
        "TaskCreate" => items.create(fold, input),
        "TaskUpdate" => items.update(fold, input),
        _ => fold.tool(name, &json::tool_detail(input)),
    }
}

/// The content of a `user` line: what tools answered.
pub(super) fn user(fold: &mut Fold, line: &Value) {
    for block in json::items(line, "/message/content") {
        if json::text(block, "/type") == Some("tool_result") {
            let answer = json::answer_text(block.get("content").unwrap_or(&Value::Null));
            fold.tool_result(!json::flag(block, "/is_error"), answer);
        }
    }
}

/// What a `result` line says was denied, in full: it replaces what was gathered on the way.
pub(super) fn denials(fold: &mut Fold, line: &Value) {
    let denials = json::items(line, "/permission_denials");
    if denials.is_empty() {
        return;
    }
    let told = fold.report.denied.len();
    fold.report.denied.clear();
    let before = fold.events.len();
    for denial in denials {
        let tool = json::text(denial, "/tool_name").unwrap_or("tool");
        let detail = json::tool_detail(denial.get("tool_input").unwrap_or(&Value::Null));
        fold.denied(tool, &detail);
    }
    if told >= denials.len() {
        fold.events.truncate(before);
    }
}

/// Usage counted once for each message, although it is repeated with every content block of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct ByMessage {
    /// The sum over all messages.
    pub(super) sum: crate::domain::usage::Tokens,
    /// The newest messages and what was counted of each. Sub-agents interleave theirs, so one is
    /// not enough; a message never comes back after this many others.
    recent: std::collections::VecDeque<(String, crate::domain::usage::Tokens)>,
}

impl ByMessage {
    const RECENT: usize = 64;

    /// Counts what a message tells, or only what it tells beyond the last time.
    pub(super) fn count(&mut self, id: &str, told: crate::domain::usage::Tokens) {
        if let Some((_, counted)) = self.recent.iter_mut().find(|(known, _)| known == id) {
            self.sum += told.since(counted);
            *counted += told.since(counted);
            return;
        }
        self.sum += told;
        self.recent.push_back((super::fold::clip(id, 200), told));
        if self.recent.len() > Self::RECENT {
            self.recent.pop_front();
        }
    }
}
