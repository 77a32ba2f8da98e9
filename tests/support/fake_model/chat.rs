//! OpenAI Chat Completions: opencode, qwen, aider.

use serde_json::{Value, json};

use super::mode::Mode;
use super::plan::{Asked, CONTENT, FINAL, MARK, Plan, TURN1, Usage, fresh};
use super::reply::{Reply, Step};

/// Answers `POST /v1/chat/completions`.
pub fn answer(request: &Value, mode: Mode) -> Reply {
    let tools = request["tools"].as_array().into_iter().flatten();
    let names: Vec<String> =
        tools.filter_map(|tool| tool["function"]["name"].as_str().map(str::to_owned)).collect();
    let text = match &request["messages"] {
        Value::Null => "[]".to_owned(),
        messages => messages.to_string(),
    };
    let asked = Asked { names: &names, text: &text, answered: text.contains(MARK), mode };
    let (said, calls, usage) = match asked.plan() {
        Plan::Tool(call, usage) => {
            let function = json!({"name": call.name, "arguments": call.args.to_string()});
            let call =
                json!({"index": 0, "id": fresh(MARK), "type": "function", "function": function});
            (String::new(), json!([call]), usage)
        }
        Plan::Text(usage) => {
            let (said, usage) = text_reply(&names, &text, usage);
            (said, Value::Null, usage)
        }
    };
    let mut base = json!({
        "id": "chatcmpl-wt", "created": 1_767_225_600, "model": request["model"],
        "object": "chat.completion",
    });
    let finish = if calls.is_null() { "stop" } else { "tool_calls" };
    if request["stream"] != true {
        let message = if calls.is_null() {
            json!({"role": "assistant", "content": said})
        } else {
            json!({"role": "assistant", "content": null, "tool_calls": calls})
        };
        base["choices"] = json!([{"index": 0, "message": message, "finish_reason": finish}]);
        base["usage"] = usage_of(usage);
        return Reply::Json(base);
    }
    base["object"] = "chat.completion.chunk".into();
    let chunk = |choices: Value| {
        let mut chunk = base.clone();
        chunk["choices"] = choices;
        chunk
    };
    let choice = |delta: Value, finish: Value| {
        chunk(json!([{"index": 0, "delta": delta, "finish_reason": finish}]))
    };
    let said =
        if calls.is_null() { json!({"content": said}) } else { json!({"tool_calls": calls}) };
    let mut last = chunk(json!([]));
    last["usage"] = usage_of(usage);
    Reply::Events(vec![
        Step::data(&choice(json!({"role": "assistant", "content": ""}), Value::Null)),
        Step::Break,
        Step::data(&choice(said, Value::Null)),
        Step::data(&choice(json!({}), finish.into())),
        Step::data(&last),
        Step::text("[DONE]"),
    ])
}

/// aider offers no tools: its prompt asks for an edit block, as a diff or as the whole file.
fn text_reply(names: &[String], text: &str, usage: Usage) -> (String, Usage) {
    let diff = text.contains("SEARCH/REPLACE");
    if !names.is_empty() {
        (FINAL.to_owned(), usage)
    } else if diff {
        let edit = format!("<<<<<<< SEARCH\n=======\n{CONTENT}>>>>>>> REPLACE\n");
        (format!("hello.txt\n```\n{edit}```\n"), TURN1)
    } else if text.contains("*file listing*") {
        (format!("hello.txt\n```\n{CONTENT}```\n"), TURN1)
    } else {
        ("Scripted title".to_owned(), usage)
    }
}

/// Cached input is part of the input, thinking part of the output.
fn usage_of(usage: Usage) -> Value {
    let prompt = usage.input + usage.cache_read;
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": usage.output,
        "total_tokens": prompt + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read},
        "completion_tokens_details": {"reasoning_tokens": usage.thinking},
    })
}
