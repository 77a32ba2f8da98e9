//! Anthropic Messages: claude; opencode and qwen where they are set so.

use serde_json::{Value, json};

use super::mode::Mode;
use super::plan::{Asked, FINAL, MARK, Plan, fresh, names_of};
use super::reply::{Reply, Step};

/// Answers `POST /v1/messages`.
pub fn answer(request: &Value, mode: Mode) -> Reply {
    let names = names_of(&request["tools"], "name");
    let messages = request["messages"].to_string();
    let text = json!([request["system"], request["messages"]]).to_string();
    let asked = Asked { names: &names, text: &text, answered: messages.contains(MARK), mode };
    let plan = asked.plan();
    let said = if names.is_empty() { r#"{"title": "Scripted title"}"# } else { FINAL };
    let (blocks, usage, stop) = match plan {
        Plan::Text(usage) => (vec![json!({"type": "text", "text": said})], usage, "end_turn"),
        Plan::Tool(call, usage) => {
            let id = fresh(&format!("toolu_{MARK}"));
            let text = json!({"type": "text", "text": "Writing the file."});
            let tool = json!({"type": "tool_use", "id": id, "name": call.name, "input": call.args});
            (vec![text, tool], usage, "tool_use")
        }
    };
    let at_start = json!({
        "input_tokens": usage.input, "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cache_read, "output_tokens": 1,
        "service_tier": "standard",
    });
    let mut at_end = at_start.clone();
    at_end["output_tokens"] = usage.output.into();
    let mut message = json!({
        "id": fresh("msg_wt_"), "type": "message", "role": "assistant", "model": request["model"],
        "content": [], "stop_reason": null, "stop_sequence": null, "usage": at_start,
    });
    if request["stream"] != true {
        message["content"] = blocks.into();
        message["stop_reason"] = stop.into();
        message["usage"] = at_end;
        return Reply::Json(message);
    }
    let mut steps = vec![Step::event(json!({"message": message}), "message_start"), Step::Break];
    for (index, block) in blocks.iter().enumerate() {
        steps.extend(block_events(index, block));
    }
    let delta = json!({"stop_reason": stop, "stop_sequence": null});
    steps.push(Step::event(json!({"delta": delta, "usage": at_end}), "message_delta"));
    steps.push(Step::event(json!({}), "message_stop"));
    Reply::Events(steps)
}

fn block_events(index: usize, block: &Value) -> [Step; 3] {
    let mut start = block.clone();
    let delta = if block["type"] == "text" {
        start["text"] = "".into();
        json!({"type": "text_delta", "text": block["text"]})
    } else {
        start["input"] = json!({});
        json!({"type": "input_json_delta", "partial_json": block["input"].to_string()})
    };
    [
        Step::event(json!({"index": index, "content_block": start}), "content_block_start"),
        Step::event(json!({"index": index, "delta": delta}), "content_block_delta"),
        Step::event(json!({"index": index}), "content_block_stop"),
    ]
}
