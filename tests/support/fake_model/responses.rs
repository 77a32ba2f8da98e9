//! OpenAI Responses: codex; opencode where it is set so.

use serde_json::{Value, json};

use super::mode::Mode;
use super::plan::{Asked, FINAL, MARK, Plan, TURN1, Usage, fresh, shell_command};
use super::reply::{Reply, Step};

/// Answers `POST /v1/responses`.
pub fn answer(request: &Value, mode: Mode) -> Reply {
    let tools = request["tools"].as_array().map_or(&[][..], Vec::as_slice);
    let names: Vec<String> = tools.iter().filter_map(tool_name).collect();
    let input = if request["input"].is_array() { request["input"].clone() } else { json!([]) };
    let text = json!([request["instructions"], input]).to_string();
    let answered = input.to_string().contains(MARK);
    let plan = Asked { names: &names, text: &text, answered, mode }.plan();
    let freeform = tools.iter().any(|tool| tool["type"] == "custom" && tool["name"] == "exec");
    let (item, usage) = item(plan, freeform && !answered, mode);
    let base = json!({
        "id": fresh("resp_wt_"), "object": "response", "created_at": 1_767_225_600,
        "model": request["model"], "status": "in_progress", "output": [],
    });
    let mut done = base.clone();
    done["status"] = "completed".into();
    done["output"] = json!([item]);
    done["usage"] = usage_of(usage);
    if request["stream"] != true {
        return Reply::Json(done);
    }
    let mut steps = vec![Step::event(json!({"response": base}), "response.created"), Step::Break];
    steps.extend(item_events(&item));
    let whole = json!({"output_index": 0, "item": item});
    steps.push(Step::event(whole, "response.output_item.done"));
    steps.push(Step::event(json!({"response": done}), "response.completed"));
    Reply::Events(steps)
}

fn tool_name(tool: &Value) -> Option<String> {
    tool["name"].as_str().or(tool["type"].as_str()).map(str::to_owned)
}

/// The one output item. With `freeform`, codex offers a tool named `exec` that takes a script
/// instead of a shell: a script that runs the command is its tool call.
fn item(plan: Plan, freeform: bool, mode: Mode) -> (Value, Usage) {
    match plan {
        Plan::Tool(call, usage) => {
            let item = json!({
                "type": "function_call", "id": "fc_wt", "call_id": fresh(MARK), "name": call.name,
                "arguments": call.args.to_string(), "status": "completed",
            });
            (item, usage)
        }
        Plan::Text(_) if freeform => {
            let args = json!({"cmd": shell_command(mode)});
            let script =
                format!("const r = await tools.exec_command({args}); text(JSON.stringify(r));");
            let item = json!({
                "type": "custom_tool_call", "id": "ctc_wt", "call_id": fresh(MARK),
                "name": "exec", "input": script, "status": "completed",
            });
            (item, TURN1)
        }
        Plan::Text(usage) => {
            let content = json!([{"type": "output_text", "text": FINAL, "annotations": []}]);
            let item = json!({
                "type": "message", "id": "msg_wt", "role": "assistant", "status": "completed",
                "content": content,
            });
            (item, usage)
        }
    }
}

/// Cached input is part of the input, thinking part of the output.
fn usage_of(usage: Usage) -> Value {
    let input = usage.input + usage.cache_read;
    json!({
        "input_tokens": input,
        "input_tokens_details":
            {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.thinking},
        "total_tokens": input + usage.output,
    })
}

fn item_events(item: &Value) -> Vec<Step> {
    let mut start = item.clone();
    start["status"] = "in_progress".into();
    if item["type"] == "message" {
        start["content"] = json!([]);
    }
    if item["arguments"].is_string() {
        start["arguments"] = "".into();
    }
    let added = json!({"output_index": 0, "item": start});
    let mut steps = vec![Step::event(added, "response.output_item.added")];
    match item["type"].as_str() {
        Some("message") => {
            let at = |key: &str, value: Value| {
                let mut event = json!({"item_id": "msg_wt", "output_index": 0, "content_index": 0});
                event[key] = value;
                event
            };
            let part = json!({"type": "output_text", "text": "", "annotations": []});
            steps.push(Step::event(at("part", part), "response.content_part.added"));
            steps.push(Step::event(at("delta", FINAL.into()), "response.output_text.delta"));
            steps.push(Step::event(at("text", FINAL.into()), "response.output_text.done"));
        }
        Some("function_call") => {
            for (name, key) in [("delta", "delta"), ("done", "arguments")] {
                let mut event = json!({"item_id": "fc_wt", "output_index": 0});
                event[key] = item["arguments"].clone();
                steps.push(Step::event(event, &format!("response.function_call_arguments.{name}")));
            }
        }
        _ => {}
    }
    steps
}
