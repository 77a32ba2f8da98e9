//! gemini's `--output-format stream-json`, as version 0.61.0 writes it.
//!
//! Traps: `output_tokens` omits the thoughts, which are what the total has beyond input and output;
//! the router's model has its own entry and is part of the sums; words come in pieces; a signal
//! ends it with exit 0 and no `result`; what it retries is told on stderr only.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fold::{Fold, TEXT_MAX, clip};
use super::{json, todo};
use crate::domain::usage::{Certainty, Tokens};

/// What has to be remembered between lines.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Gemini {
    /// True while pieces of the same words come; they are joined in the report's answer, so that a
    /// killed agent's last words are not lost.
    speaking: bool,
}

impl Gemini {
    pub(super) fn read(&mut self, fold: &mut Fold, line: &Value) {
        let kind = json::text(line, "/type");
        if kind == Some("message") && json::text(line, "/role") == Some("assistant") {
            return self.piece(fold, json::text(line, "/content").unwrap_or_default());
        }
        if std::mem::take(&mut self.speaking)
            && let Some(words) = fold.report.final_text.take()
        {
            fold.text(&words);
        }
        match kind {
            Some("init") => {
                fold.session(json::text(line, "/session_id"), json::text(line, "/model"));
            }
            Some("tool_use") => tool_use(fold, line),
            Some("tool_result") => tool_result(fold, line),
            Some("error") => fold.trouble(json::text(line, "/message").unwrap_or_default()),
            Some("result") => result(fold, line),
            _ => {}
        }
    }

    fn piece(&mut self, fold: &mut Fold, piece: &str) {
        match &mut fold.report.final_text {
            Some(words) if self.speaking && words.len() + piece.len() <= TEXT_MAX => {
                words.push_str(piece);
            }
            answer if !self.speaking && !piece.trim().is_empty() => {
                *answer = Some(clip(piece, TEXT_MAX));
                self.speaking = true;
            }
            _ => {}
        }
    }
}

/// A line of stderr: `Attempt 2 failed with status 429. Retrying with backoff... …`.
pub(super) fn told_apart(fold: &mut Fold, line: &str) {
    if line.starts_with("Attempt ")
        && let Some((told, _)) = line.split_once(". Retrying")
    {
        fold.retrying(told);
    }
}

fn tool_use(fold: &mut Fold, line: &Value) {
    let name = json::text(line, "/tool_name").unwrap_or("tool");
    let input = line.get("parameters").unwrap_or(&Value::Null);
    if name == "write_todos" {
        return todo::whole(fold, json::items(input, "/todos"));
    }
    fold.tool(name, &json::tool_detail(input));
}

fn tool_result(fold: &mut Fold, line: &Value) {
    let error = json::text(line, "/error/message").unwrap_or_default();
    let ok = json::text(line, "/status") == Some("success");
    if !ok && error.to_lowercase().contains("denied by policy") {
        let tool = json::text(line, "/tool_id").and_then(|id| id.split("__").next());
        return fold.denied(tool.unwrap_or("tool"), error);
    }
    fold.tool_result(ok, if ok { json::text(line, "/output").unwrap_or_default() } else { error });
}

fn result(fold: &mut Fold, line: &Value) {
    if let Some(stats) = line.get("stats") {
        fold.usage(usage(stats), None, Certainty::Exact);
        let chosen = fold.report.model.as_deref().is_some_and(|model| model != "auto");
        if let Some(model) = main_model(stats).filter(|_| !chosen) {
            fold.report.model = Some(model);
        }
    }
    let ok = json::text(line, "/status") == Some("success");
    if !ok {
        fold.error(json::text(line, "/error/message").unwrap_or_default(), None);
    }
    fold.finished(ok);
}

/// `input` excludes the cache; thoughts are what the total has beyond input and output.
fn usage(stats: &Value) -> Tokens {
    let shown = json::count(stats, "/output_tokens");
    let beyond = json::count(stats, "/total_tokens")
        .saturating_sub(json::count(stats, "/input_tokens"))
        .max(shown);
    Tokens {
        input: json::count(stats, "/input"),
        cache_read: json::count(stats, "/cached"),
        cache_write: 0,
        output: beyond,
    }
}

/// The model that did the work: with `auto`, a router's small model answers too.
fn main_model(stats: &Value) -> Option<String> {
    let models = stats.get("models")?.as_object()?;
    let (name, used) = models
        .iter()
        .map(|(name, model)| (name, json::count(model, "/total_tokens")))
        .max_by_key(|&(_, total)| total)?;
    (used > 0).then(|| super::fold::one_line(name))
}
