//! The scripted agent's output: claude's events, traps included.

use std::io::Write;

use serde_json::{Value, json};

use super::Options;
use super::scenario::Spent;
use crate::domain::settings::Permissions;
use crate::domain::usage::{MicroUsd, SessionTotals, Tokens};

/// Writes events, and adds up what they tell.
pub(super) struct Stream<'a> {
    out: &'a mut dyn Write,
    session: String,
    cwd: String,
    mode: &'static str,
    model: String,
    before: SessionTotals,
    own: SessionTotals,
    messages: u32,
    denials: Vec<Value>,
}

impl<'a> Stream<'a> {
    pub(super) fn new(
        options: &Options,
        model: &str,
        before: SessionTotals,
        out: &'a mut dyn Write,
    ) -> Self {
        let mode = match options.permissions {
            Permissions::Read => "default",
            Permissions::Work => "acceptEdits",
            Permissions::Full => "bypassPermissions",
        };
        Self {
            out,
            session: options.session.clone(),
            cwd: options.cwd.display().to_string(),
            mode,
            model: model.to_owned(),
            before,
            own: SessionTotals::default(),
            messages: 0,
            denials: Vec::new(),
        }
    }

    pub(super) fn init(&mut self) -> std::io::Result<()> {
        let (cwd, model, mode) = (self.cwd.clone(), self.model.clone(), self.mode);
        self.event(json!({
            "type": "system", "subtype": "init", "cwd": cwd, "model": model,
            "permissionMode": mode, "tools": ["Bash", "Edit", "TodoWrite", "Write"],
        }))
    }

    /// One message: a line for each block, each with the whole message's usage and a provisional
    /// count of its output, as claude writes them.
    pub(super) fn message(&mut self, blocks: &[Value], spent: &Spent) -> std::io::Result<()> {
        self.messages += 1;
        let id = format!("msg_{}_{}", self.session, self.messages);
        let tokens = Tokens {
            input: spent.input,
            cache_read: spent.cache_read,
            cache_write: spent.cache_write,
            output: spent.output,
        };
        self.own.tokens += tokens;
        let cost = MicroUsd::from_dollars(spent.usd).unwrap_or_default();
        self.own.cost = Some(MicroUsd(self.own.cost.unwrap_or_default().0 + cost.0));
        let usage = usage(&Tokens { output: tokens.output.min(1), ..tokens });
        for block in blocks {
            let message = json!({
                "id": id, "type": "message", "role": "assistant", "model": self.model,
                "content": [block], "usage": usage,
            });
            self.event(json!({
                "type": "assistant", "message": message, "parent_tool_use_id": null,
            }))?;
        }
        Ok(())
    }

    /// What the tool of the last message answered.
    pub(super) fn answer(&mut self, ok: bool, text: &str) -> std::io::Result<()> {
        let id = format!("toolu_{}_{}", self.session, self.messages);
        let block = json!({
            "type": "tool_result", "tool_use_id": id, "content": text, "is_error": !ok,
        });
        self.event(json!({ "type": "user", "message": { "role": "user", "content": [block] } }))
    }

    /// A block in which the next message uses a tool.
    pub(super) fn tool(&self, name: &str, input: &Value) -> Value {
        let id = format!("toolu_{}_{}", self.session, self.messages + 1);
        json!({ "type": "tool_use", "id": id, "name": name, "input": input })
    }

    pub(super) fn denied(&mut self, name: &str, input: &Value) -> std::io::Result<()> {
        let why = format!("{name} is not permitted");
        self.denials.push(json!({ "tool_name": name, "tool_input": input }));
        self.event(json!({
            "type": "system", "subtype": "permission_denied", "tool_name": name, "message": why,
        }))?;
        self.answer(false, &why)
    }

    pub(super) fn retry(&mut self, status: u16) -> std::io::Result<()> {
        self.event(json!({
            "type": "system", "subtype": "api_retry", "attempt": 1, "max_retries": 10,
            "error_status": status, "error": "scripted",
        }))
    }

    pub(super) fn noise(&mut self, line: &str) -> std::io::Result<()> {
        writeln!(self.out, "{line}")?;
        self.out.flush()
    }

    pub(super) fn succeeded(&mut self, answer: &str) -> std::io::Result<()> {
        self.result(json!({
            "subtype": "success", "is_error": false, "result": answer,
            "terminal_reason": "completed",
        }))
    }

    pub(super) fn failed(
        &mut self,
        subtype: &str,
        message: &str,
        status: Option<u16>,
    ) -> std::io::Result<()> {
        let mut result = json!({
            "subtype": subtype, "is_error": true, "api_error_status": status,
            "terminal_reason": if status.is_some() { "api_error" } else { "error" },
        });
        match subtype {
            "success" => result["result"] = message.into(),
            _ => result["errors"] = json!([message]),
        }
        self.result(result)
    }

    pub(super) fn interrupted(&mut self) -> std::io::Result<()> {
        self.result(json!({
            "subtype": "error_during_execution", "is_error": true,
            "terminal_reason": "aborted_tools", "errors": ["interrupted"],
        }))
    }

    /// What the session has used in all by now.
    pub(super) fn totals(&self) -> SessionTotals {
        let cost =
            MicroUsd(self.before.cost.unwrap_or_default().0 + self.own.cost.unwrap_or_default().0);
        SessionTotals { tokens: self.before.tokens + self.own.tokens, cost: Some(cost) }
    }

    /// The terminal event: usage is this run's, the cost and `modelUsage` the session's.
    fn result(&mut self, mut result: Value) -> std::io::Result<()> {
        let totals = self.totals();
        result["type"] = "result".into();
        result["num_turns"] = self.messages.into();
        result["usage"] = usage(&self.own.tokens);
        result["total_cost_usd"] = dollars(&totals);
        result["modelUsage"] = json!({ &self.model: of_model(&totals) });
        if self.messages > 0 {
            result["model_usage_since_last_result"] = json!({ &self.model: of_model(&self.own) });
        }
        result["permission_denials"] = std::mem::take(&mut self.denials).into();
        self.event(result)
    }

    fn event(&mut self, mut event: Value) -> std::io::Result<()> {
        event["session_id"] = self.session.as_str().into();
        writeln!(self.out, "{event}")?;
        self.out.flush()
    }
}

fn usage(tokens: &Tokens) -> Value {
    json!({
        "input_tokens": tokens.input, "cache_read_input_tokens": tokens.cache_read,
        "cache_creation_input_tokens": tokens.cache_write, "output_tokens": tokens.output,
    })
}

fn of_model(totals: &SessionTotals) -> Value {
    let tokens = &totals.tokens;
    json!({
        "inputTokens": tokens.input, "cacheReadInputTokens": tokens.cache_read,
        "cacheCreationInputTokens": tokens.cache_write, "outputTokens": tokens.output,
        "costUSD": dollars(totals),
    })
}

fn dollars(totals: &SessionTotals) -> Value {
    totals.cost.unwrap_or_default().dollars().into()
}
