//! opencode's `run --format json`, as version 1.18.33 writes it.
//!
//! Traps: usage comes step by step and adds up; `reasoning` is apart from `output`; the end is a
//! `step_finish` whose reason is `stop`, nothing else; the call that invents a title for a session
//! never appears (the template gives every session a title, so there is none); a permission that is
//! refused ends it after that step, with exit 0.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fold::Fold;
use super::{json, todo};
use crate::domain::usage::{Certainty, MicroUsd, Tokens};

/// What has to be remembered between lines.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Opencode {
    tokens: Tokens,
    /// Billionths of a dollar: steps cost less than millionths can add up exactly.
    nano_usd: Option<u64>,
    /// True when a permission was refused in this step: then the step is its last.
    refused: bool,
}

impl Opencode {
    pub(super) fn read(&mut self, fold: &mut Fold, line: &Value) {
        fold.session(json::text(line, "/sessionID"), None);
        match json::text(line, "/type") {
            Some("step_start") => {
                self.refused = false;
                fold.goes_on();
            }
            Some("text") => fold.text(json::text(line, "/part/text").unwrap_or_default()),
            Some("tool_use") => {
                self.refused |= tool(fold, line.get("part").unwrap_or(&Value::Null));
            }
            Some("step_finish") => self.step(fold, line.get("part").unwrap_or(&Value::Null)),
            Some("error") => {
                let message = ["/error/data/message", "/error/message", "/error/name"]
                    .iter()
                    .find_map(|pointer| json::text(line, pointer));
                let status = json::status(line, "/error/data/statusCode");
                fold.error(message.unwrap_or_default(), status);
                fold.finished(false);
            }
            _ => {}
        }
    }

    fn step(&mut self, fold: &mut Fold, part: &Value) {
        let mut told = json::tokens(
            part,
            ["/tokens/input", "/tokens/cache/read", "/tokens/cache/write", "/tokens/output"],
        );
        told.output = told.output.saturating_add(json::count(part, "/tokens/reasoning"));
        self.tokens += told;
        let nano = part.get("cost").and_then(Value::as_f64).map(|cost| (cost * 1e9).round());
        if let Some(nano) = nano.filter(|nano| (0.0..1e18).contains(nano)) {
            self.nano_usd = Some(self.nano_usd.unwrap_or(0).saturating_add(nano as u64));
        }
        let cost = self.nano_usd.map(|nano| MicroUsd(nano.saturating_add(500) / 1_000));
        let reason = json::text(part, "/reason").unwrap_or_default();
        let last = reason == "stop" || (reason == "tool-calls" && self.refused);
        let certainty = if last { Certainty::Exact } else { Certainty::AtLeast };
        fold.usage(self.tokens, cost, certainty);
        match reason {
            _ if last => fold.finished(true),
            // It goes on by itself after these two.
            "tool-calls" | "unknown" => {}
            other => {
                fold.error(&format!("the model stopped early: {other}"), None);
                fold.finished(false);
            }
        }
    }
}

/// A tool that has ended, well or badly: opencode tells of it only then. Gives true when it was
/// refused.
fn tool(fold: &mut Fold, part: &Value) -> bool {
    let name = json::text(part, "/tool").unwrap_or("tool");
    let input = part.pointer("/state/input").unwrap_or(&Value::Null);
    let detail = json::tool_detail(input);
    if name == "todowrite" {
        todo::whole(fold, json::items(input, "/todos"));
        return false;
    }
    fold.tool(name, &detail);
    let error = json::text(part, "/state/error").unwrap_or_default();
    let failed = json::text(part, "/state/status") == Some("error");
    let refused = failed && forbidden(error);
    match (refused, failed) {
        (true, _) => fold.denied(name, &detail),
        (_, true) => fold.tool_result(false, error),
        _ => fold.tool_result(true, json::text(part, "/state/output").unwrap_or_default()),
    }
    refused
}

/// How opencode words a permission that was refused, by rule or because nobody could be asked.
fn forbidden(error: &str) -> bool {
    let error = error.to_lowercase();
    error.contains("rejected permission") || error.contains("which prevents you from using")
}
