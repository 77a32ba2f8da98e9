//! qwen's `--output-format stream-json`: claude's events with other meanings.
//!
//! Traps: `input_tokens` includes what came from the cache; after a resume the result's usage is
//! the session's; version 0.15.10 ends a refused key with `is_error: false` and exit 0.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fold::{Fold, TEXT_MAX, clip};
use super::messages::{self, ByMessage};
use super::{json, todo};
use crate::domain::usage::{Certainty, SessionTotals, Tokens};

/// What has to be remembered between lines.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Qwen {
    live: ByMessage,
    items: todo::Items,
}

/// How qwen writes an error of the provider where an answer belongs.
const API_ERROR: &str = "[API Error:";

impl Qwen {
    pub(super) fn read(&mut self, fold: &mut Fold, line: &Value) {
        fold.session(json::text(line, "/session_id"), json::text(line, "/model"));
        match json::text(line, "/type") {
            Some("assistant") => self.assistant(fold, line),
            Some("user") => messages::user(fold, line),
            Some("result") => result(fold, line),
            _ => {}
        }
    }

    fn assistant(&mut self, fold: &mut Fold, line: &Value) {
        let words = json::answer_text(line.pointer("/message/content").unwrap_or(&Value::Null));
        if words.starts_with(API_ERROR) {
            return fold.trouble(words);
        }
        fold.goes_on();
        if let Some(id) = json::text(line, "/message/id") {
            self.live.count(id, usage(line.pointer("/message/usage").unwrap_or(&Value::Null)));
        }
        messages::assistant(fold, &mut self.items, line, true);
        if !self.live.sum.is_zero() {
            let sum = self.live.sum;
            fold.usage(sum, None, Certainty::AtLeast);
            let tokens = fold.baseline.tokens + sum;
            fold.report.cumulative = Some(SessionTotals { tokens, cost: None });
        }
    }
}

fn result(fold: &mut Fold, line: &Value) {
    let told = usage(line.get("usage").unwrap_or(&Value::Null));
    fold.usage(fold.own(told), None, Certainty::Exact);
    fold.report.cumulative = Some(SessionTotals { tokens: told, cost: None });
    messages::denials(fold, line);
    let answer = json::text(line, "/result").unwrap_or_default();
    let failed = json::flag(line, "/is_error")
        || json::text(line, "/subtype") != Some("success")
        || answer.starts_with(API_ERROR);
    if failed {
        let message = json::text(line, "/error/message").unwrap_or(answer);
        fold.error(message, None);
    } else if !answer.trim().is_empty() {
        fold.report.final_text = Some(clip(answer, TEXT_MAX));
    }
    fold.finished(!failed);
}

/// `input_tokens` includes cache reads; there are no cache writes.
fn usage(usage: &Value) -> Tokens {
    let cache_read = json::count(usage, "/cache_read_input_tokens");
    Tokens {
        input: json::count(usage, "/input_tokens").saturating_sub(cache_read),
        cache_read,
        cache_write: 0,
        output: json::count(usage, "/output_tokens"),
    }
}
