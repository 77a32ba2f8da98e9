//! claude's `--output-format stream-json`, as versions 2.1.197 and 2.1.329 write it.
//!
//! Traps: an `assistant` line for each content block repeats the whole message's usage, with a
//! provisional count of its output; error results say `subtype: success`; a denied permission is no
//! error; after a resume `usage` is this run's and `total_cost_usd` the session's.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fold::Fold;
use super::messages::{self, ByMessage};
use super::{json, todo};
use crate::domain::usage::{Certainty, MicroUsd, SessionTotals, Tokens};

/// What has to be remembered between lines.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Claude {
    /// From `result` lines: exact.
    settled: Tokens,
    settled_cost: Option<MicroUsd>,
    /// From `assistant` lines since the last result: a lower bound.
    live: ByMessage,
    items: todo::Items,
}

impl Claude {
    pub(super) fn read(&mut self, fold: &mut Fold, line: &Value) {
        // Only the `init` line has a model at its top.
        fold.session(json::text(line, "/session_id"), json::text(line, "/model"));
        match json::text(line, "/type") {
            Some("system") => system(fold, line),
            Some("assistant") => self.assistant(fold, line),
            Some("user") => messages::user(fold, line),
            Some("result") => self.result(fold, line),
            _ => {}
        }
    }

    fn assistant(&mut self, fold: &mut Fold, line: &Value) {
        if json::flag(line, "/is_api_error_message")
            || json::text(line, "/message/model") == Some("<synthetic>")
        {
            let block = line.pointer("/message/content").unwrap_or(&Value::Null);
            return fold.trouble(json::answer_text(block));
        }
        fold.goes_on();
        let told = usage(line.pointer("/message/usage").unwrap_or(&Value::Null));
        if let Some(id) = json::text(line, "/message/id") {
            self.live.count(id, told);
        }
        let main = line.get("parent_tool_use_id").is_none_or(Value::is_null);
        messages::assistant(fold, &mut self.items, line, main);
        if !(self.settled + self.live.sum).is_zero() {
            let tokens = self.settled + self.live.sum;
            fold.usage(tokens, self.settled_cost, Certainty::AtLeast);
        }
    }

    fn result(&mut self, fold: &mut Fold, line: &Value) {
        self.settle(fold, line);
        messages::denials(fold, line);
        let ok = !json::flag(line, "/is_error") && json::text(line, "/subtype") == Some("success");
        let answer = json::text(line, "/result").unwrap_or_default();
        if ok {
            if !answer.trim().is_empty() {
                fold.report.final_text = Some(super::fold::clip(answer, super::fold::TEXT_MAX));
            }
        } else {
            fold.error(&failure(line, answer), json::status(line, "/api_error_status"));
        }
        fold.finished(ok);
    }

    /// Takes over what the result says was used; several results of one process add up.
    fn settle(&mut self, fold: &mut Fold, line: &Value) {
        let since = line.get("model_usage_since_last_result").map(by_model).filter(|(_, n)| *n > 0);
        let (own, own_cost) = match &since {
            Some((totals, _)) => (totals.tokens, totals.cost),
            None => (usage(line.get("usage").unwrap_or(&Value::Null)), None),
        };
        self.settled += own;
        self.live = ByMessage::default();
        let session_cost = json::dollars(line, "/total_cost_usd");
        self.settled_cost = match (own_cost, self.settled_cost) {
            (Some(own), before) => Some(MicroUsd(before.unwrap_or_default().0 + own.0)),
            (None, _) => session_cost.map(|all| beyond(all, fold.baseline.cost)),
        };
        fold.usage(self.settled, self.settled_cost, Certainty::Exact);
        let (session, _) = by_model(line.get("modelUsage").unwrap_or(&Value::Null));
        fold.report.cumulative =
            Some(SessionTotals { tokens: session.tokens, cost: session_cost.or(session.cost) });
    }
}

/// What a session's cost is beyond its baseline; a cost below it cannot include it.
fn beyond(all: MicroUsd, baseline: Option<MicroUsd>) -> MicroUsd {
    let before = baseline.filter(|before| *before <= all).unwrap_or_default();
    MicroUsd(all.0 - before.0)
}

fn system(fold: &mut Fold, line: &Value) {
    match json::text(line, "/subtype") {
        Some("api_retry") => {
            let what = json::text(line, "/error").unwrap_or("provider error");
            let status = json::status(line, "/error_status");
            let status = status.map(|status| format!("{status} ")).unwrap_or_default();
            let (n, of) = (json::count(line, "/attempt"), json::count(line, "/max_retries"));
            fold.retrying(&format!("{status}{what}, {n} of {of}"));
        }
        Some("permission_denied") => {
            let tool = json::text(line, "/tool_name").unwrap_or("tool");
            fold.denied(tool, json::text(line, "/message").unwrap_or_default());
        }
        _ => {}
    }
}

/// The words of a result that failed.
fn failure(line: &Value, answer: &str) -> String {
    let reason = json::text(line, "/terminal_reason").unwrap_or_default();
    if reason.starts_with("aborted") {
        return format!("interrupted ({reason})");
    }
    if !answer.trim().is_empty() {
        return answer.to_owned();
    }
    let errors: Vec<&str> =
        json::items(line, "/errors").iter().filter_map(Value::as_str).take(5).collect();
    if !errors.is_empty() {
        return errors.join("; ");
    }
    json::text(line, "/subtype").filter(|word| *word != "success").unwrap_or(reason).to_owned()
}

/// `input_tokens` excludes everything cached.
fn usage(usage: &Value) -> Tokens {
    json::tokens(
        usage,
        [
            "/input_tokens",
            "/cache_read_input_tokens",
            "/cache_creation_input_tokens",
            "/output_tokens",
        ],
    )
}

/// The sum of a map from model to usage, and how many models there are.
fn by_model(models: &Value) -> (SessionTotals, usize) {
    let mut totals = SessionTotals::default();
    let empty = serde_json::Map::new();
    let models = models.as_object().unwrap_or(&empty);
    for model in models.values() {
        totals.tokens += json::tokens(
            model,
            ["/inputTokens", "/cacheReadInputTokens", "/cacheCreationInputTokens", "/outputTokens"],
        );
        if let Some(cost) = json::dollars(model, "/costUSD") {
            let before = totals.cost.unwrap_or_default();
            totals.cost = Some(MicroUsd(before.0.saturating_add(cost.0)));
        }
    }
    (totals, models.len())
}
