//! codex's `exec --json`, as version 0.169.0 writes it.
//!
//! Traps: the usage of a resumed thread is the whole thread's; `input_tokens` includes cache
//! reads; nothing is told about a turn that failed or was killed.

use serde_json::Value;

use super::fold::Fold;
use super::{json, todo};
use crate::domain::usage::{Certainty, SessionTotals, Tokens};

/// Reads one event.
pub(super) fn read(fold: &mut Fold, line: &Value) {
    match json::text(line, "/type") {
        Some("thread.started") => fold.session(json::text(line, "/thread_id"), None),
        Some("turn.started") => fold.goes_on(),
        Some("turn.completed") => {
            let told = usage(line.get("usage").unwrap_or(&Value::Null));
            fold.usage(fold.own(told), None, Certainty::Exact);
            fold.report.cumulative = Some(SessionTotals { tokens: told, cost: None });
            fold.finished(true);
        }
        Some("turn.failed") => {
            fold.error(json::text(line, "/error/message").unwrap_or_default(), None);
            fold.finished(false);
        }
        Some("error") => error(fold, json::text(line, "/message").unwrap_or_default()),
        Some(kind @ ("item.started" | "item.updated" | "item.completed")) => {
            item(fold, kind, line.get("item").unwrap_or(&Value::Null));
        }
        _ => {}
    }
}

fn error(fold: &mut Fold, message: &str) {
    match message.strip_prefix("Reconnecting... ") {
        Some(rest) => fold.retrying(rest),
        None => fold.error(message, None),
    }
}

fn item(fold: &mut Fold, event: &str, item: &Value) {
    let completed = event == "item.completed";
    match json::text(item, "/type") {
        Some("agent_message") if completed => {
            fold.text(json::text(item, "/text").unwrap_or_default());
        }
        Some("error") if completed => {
            fold.trouble(json::text(item, "/message").unwrap_or_default());
        }
        Some("command_execution") => command(fold, event, item),
        Some("file_change") if completed => file_change(fold, item),
        Some("mcp_tool_call") => mcp(fold, event, item),
        Some("web_search") if completed => {
            fold.tool("web_search", json::text(item, "/query").unwrap_or_default());
        }
        Some("todo_list") => todo::whole(fold, json::items(item, "/items")),
        _ => {}
    }
}

fn command(fold: &mut Fold, event: &str, item: &Value) {
    let command = bare(json::text(item, "/command").unwrap_or_default());
    match (event, json::text(item, "/status")) {
        ("item.started", _) => fold.tool("shell", &command),
        ("item.completed", Some("declined")) => fold.denied("shell", &command),
        ("item.completed", _) => {
            let ok = item.get("exit_code").and_then(Value::as_i64) == Some(0);
            fold.tool_result(ok, json::text(item, "/aggregated_output").unwrap_or_default());
        }
        _ => {}
    }
}

/// The command that codex wraps in `/bin/bash -lc '…'`.
fn bare(command: &str) -> String {
    let mut words = shlex::split(command).unwrap_or_default();
    let wrapped = words.len() == 3 && matches!(words[1].as_str(), "-lc" | "-c");
    if wrapped { words.swap_remove(2) } else { command.to_owned() }
}

fn file_change(fold: &mut Fold, item: &Value) {
    let changes: Vec<String> = json::items(item, "/changes")
        .iter()
        .map(|change| {
            let kind = json::text(change, "/kind").unwrap_or("change");
            format!("{kind} {}", json::text(change, "/path").unwrap_or_default())
        })
        .collect();
    let changes = changes.join(", ");
    if json::text(item, "/status") == Some("declined") {
        return fold.denied("edit", &changes);
    }
    fold.tool("edit", &changes);
    fold.tool_result(json::text(item, "/status") == Some("completed"), "");
}

fn mcp(fold: &mut Fold, event: &str, item: &Value) {
    let server = json::text(item, "/server").unwrap_or_default();
    let tool = json::text(item, "/tool").unwrap_or_default();
    match event {
        "item.started" => fold.tool(&format!("{server}.{tool}"), ""),
        "item.completed" => {
            let answer = json::text(item, "/error/message").unwrap_or_default();
            fold.tool_result(json::text(item, "/status") == Some("completed"), answer);
        }
        _ => {}
    }
}

/// `input_tokens` includes cache reads, `output_tokens` the reasoning.
fn usage(usage: &Value) -> Tokens {
    let cache_read = json::count(usage, "/cached_input_tokens");
    Tokens {
        input: json::count(usage, "/input_tokens").saturating_sub(cache_read),
        cache_read,
        cache_write: json::count(usage, "/cache_write_input_tokens"),
        output: json::count(usage, "/output_tokens"),
    }
}
