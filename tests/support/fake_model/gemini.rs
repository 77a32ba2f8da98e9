//! Gemini's `generateContent`: gemini; qwen where it is set so.

use serde_json::{Value, json};

use super::mode::Mode;
use super::plan::{Asked, FINAL, MARK, Plan, Usage, fresh};
use super::reply::{Reply, Step};

/// Answers `POST /v1beta/models/M:generateContent` and `…:streamGenerateContent`.
pub fn answer(request: &Value, path: &str, mode: Mode) -> Reply {
    let tools = request["tools"].as_array().into_iter().flatten();
    let declared = tools.filter_map(|tool| tool["functionDeclarations"].as_array()).flatten();
    let names: Vec<String> =
        declared.filter_map(|function| function["name"].as_str().map(str::to_owned)).collect();
    let contents = request["contents"].to_string();
    let text = json!([request["systemInstruction"], request["contents"]]).to_string();
    let answered = contents.contains("\"functionResponse\"");
    let (part, usage) = match (Asked { names: &names, text: &text, answered, mode }.plan()) {
        Plan::Tool(call, usage) => {
            let id = fresh(MARK);
            (json!({"functionCall": {"name": call.name, "args": call.args, "id": id}}), usage)
        }
        Plan::Text(usage) => (json!({"text": said(request, &names)}), usage),
    };
    let model = path.rsplit("/models/").next().and_then(|rest| rest.split(':').next());
    let content = json!({"role": "model", "parts": [part]});
    let reply = json!({
        "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
        "usageMetadata": usage_of(usage),
        "modelVersion": model,
        "responseId": fresh("wt"),
    });
    if !path.contains("streamGenerateContent") {
        return Reply::Json(reply);
    }
    let mut steps = vec![];
    if matches!(mode, Mode::Stall | Mode::Cut | Mode::Garbage) {
        let content = json!({"role": "model", "parts": [{"text": "Let me"}]});
        let candidates = json!([{"content": content, "index": 0}]);
        steps.push(Step::data(&json!({"candidates": candidates, "modelVersion": "fake"})));
        steps.push(Step::Break);
    }
    steps.push(Step::data(&reply));
    Reply::Events(steps)
}

/// Calls on the side want an object that fits one of several schemas: this fits them all.
fn said(request: &Value, names: &[String]) -> String {
    let config = &request["generationConfig"];
    let schema = names.is_empty() && !config["responseJsonSchema"].is_null();
    if schema || config["responseMimeType"] == "application/json" {
        json!({
            "reasoning": "scripted", "next_speaker": "user", "model_choice": "flash",
            "complexity_reasoning": "scripted", "complexity_score": 1,
        })
        .to_string()
    } else {
        FINAL.to_owned()
    }
}

/// Cached input is part of the prompt; thoughts are counted beside the output.
fn usage_of(usage: Usage) -> Value {
    let prompt = usage.input + usage.cache_read;
    json!({
        "promptTokenCount": prompt,
        "cachedContentTokenCount": usage.cache_read,
        "candidatesTokenCount": usage.output,
        "thoughtsTokenCount": usage.thinking,
        "totalTokenCount": prompt + usage.output + usage.thinking,
    })
}
