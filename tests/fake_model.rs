//! The scripted model server answers each protocol as the real ones do, with known figures.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test with a line number")]

#[path = "support/fake_model/mod.rs"]
mod fake_model;

use std::io::{Read, Write};
use std::time::Duration;

use fake_model::{CONTENT, FINAL, FakeModel, Mode, SIDE, Script, TURN1, TURN2, Usage};
use serde_json::{Value, json};

/// Posts to the server; gives status, headers and text.
fn post(model: &FakeModel, path: &str, key: &str, body: &Value) -> ureq::http::Response<String> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = agent.post(format!("{}{path}", model.url())).header("x-api-key", key);
    let answer = request.send(body.to_string()).unwrap();
    let (head, mut body) = answer.into_parts();
    ureq::http::Response::from_parts(head, body.read_to_string().unwrap())
}

fn ask(model: &FakeModel, path: &str, body: &Value) -> String {
    let answer = post(model, path, "test-key", body);
    assert_eq!(answer.status(), 200, "{}", answer.body());
    answer.into_body()
}

fn ask_json(model: &FakeModel, path: &str, body: &Value) -> Value {
    serde_json::from_str(&ask(model, path, body)).unwrap()
}

/// The data of each event of a stream.
fn events(text: &str) -> Vec<Value> {
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter_map(|data| serde_json::from_str(data).ok()).collect()
}

#[test]
fn the_figures_of_a_run_of_two_turns_add_up() {
    let sum = |part: fn(&Usage) -> u64| part(&TURN1) + part(&TURN2);
    assert_eq!(sum(|usage| usage.input), 2508);
    assert_eq!(sum(|usage| usage.cache_read), 14_660);
    assert_eq!(sum(|usage| usage.cache_write), 518);
    assert_eq!(sum(|usage| usage.output), 55);
    assert_eq!(sum(|usage| usage.thinking), 15);
    assert_eq!((SIDE.input, SIDE.output), (11, 3));
}

#[test]
fn anthropic_calls_a_tool_then_ends() {
    let model = FakeModel::start();
    let first = json!({
        "model": "m", "stream": true, "tools": [{"name": "Bash"}, {"name": "Write"}],
        "system": "Working directory: /tmp/some place\nx", "messages": [{"role": "user", "content": "go"}],
    });
    let answer = events(&ask(&model, "/v1/messages?beta=true", &first));
    let kinds: Vec<&str> = answer.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds.first().zip(kinds.last()), Some((&"message_start", &"message_stop")));
    let usage = json!({
        "input_tokens": 1201, "cache_creation_input_tokens": 451, "cache_read_input_tokens": 7003,
        "output_tokens": 1, "service_tier": "standard",
    });
    assert_eq!(answer[0]["message"]["usage"], usage);
    let delta = answer.iter().find(|event| event["type"] == "message_delta").unwrap();
    assert_eq!(delta["usage"]["output_tokens"], 34);
    assert_eq!(delta["delta"]["stop_reason"], "tool_use");
    let tool = answer.iter().find(|event| event["content_block"]["type"] == "tool_use").unwrap();
    assert_eq!(tool["content_block"]["name"], "Write");
    let args = answer.iter().find_map(|event| event["delta"]["partial_json"].as_str()).unwrap();
    let args: Value = serde_json::from_str(args).unwrap();
    assert_eq!(args, json!({"file_path": "/tmp/some/hello.txt", "content": CONTENT}));

    let id = &tool["content_block"]["id"];
    let result = json!([{"type": "tool_result", "tool_use_id": id, "content": "ok"}]);
    let mut second = first.clone();
    second["stream"] = false.into();
    second["messages"] = json!([{"role": "user", "content": result}]);
    let answer = ask_json(&model, "/v1/messages", &second);
    assert_eq!(answer["content"][0]["text"], FINAL);
    assert_eq!(answer["stop_reason"], "end_turn");
    assert_eq!(answer["usage"]["output_tokens"], 21);

    let title = ask_json(&model, "/v1/messages", &json!({"messages": []}));
    assert_eq!(title["usage"]["input_tokens"], 11);
    let asked = model.requests();
    assert!(asked.iter().all(|request| request.is_model_call() && !request.gone));
    assert_eq!(asked[0].key, "test-key");
    assert_eq!(asked[1].body["messages"], second["messages"]);
}

#[test]
fn responses_call_a_tool_then_end() {
    let model = FakeModel::start();
    let mut request = json!({
        "model": "m", "stream": true, "input": [{"role": "user", "content": "go"}],
        "tools": [{"type": "function", "name": "exec_command"}],
    });
    let answer = events(&ask(&model, "/v1/responses", &request));
    let done = answer.last().unwrap();
    assert_eq!(done["type"], "response.completed");
    let usage = json!({
        "input_tokens": 8204, "output_tokens": 34, "total_tokens": 8238,
        "input_tokens_details": {"cached_tokens": 7003, "cache_write_tokens": 451},
        "output_tokens_details": {"reasoning_tokens": 10},
    });
    assert_eq!(done["response"]["usage"], usage);
    let call = &done["response"]["output"][0];
    let args: Value = serde_json::from_str(call["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(args["cmd"], format!("printf '%s' '{CONTENT}' > hello.txt"));

    let result =
        json!({"type": "function_call_output", "call_id": call["call_id"], "output": "ok"});
    request["input"].as_array_mut().unwrap().push(result);
    let answer = events(&ask(&model, "/v1/responses", &request));
    let deltas: Vec<&Value> =
        answer.iter().filter(|event| event["type"] == "response.output_text.delta").collect();
    assert_eq!(deltas[0]["delta"], FINAL);
    assert_eq!(answer.last().unwrap()["response"]["usage"]["input_tokens"], 1307 + 7657);
}

#[test]
fn responses_with_a_script_tool_are_given_a_script() {
    let model = FakeModel::start();
    let request = json!({"input": [], "tools": [{"type": "custom", "name": "exec"}]});
    let answer = ask_json(&model, "/v1/responses", &request);
    let call = &answer["output"][0];
    assert_eq!(call["type"], "custom_tool_call");
    assert!(call["input"].as_str().unwrap().contains("tools.exec_command({\"cmd\":"), "{call}");
    assert_eq!(answer["usage"]["output_tokens"], 34);
}

#[test]
fn chat_completions_call_a_tool_then_end() {
    let model = FakeModel::start();
    let mut request = json!({
        "model": "m", "stream": true, "messages": [{"role": "user", "content": "go"}],
        "tools": [{"type": "function", "function": {"name": "bash"}}],
    });
    let text = ask(&model, "/v1/chat/completions", &request);
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    let answer = events(&text);
    let call = answer.iter().find_map(|e| e["choices"][0]["delta"].get("tool_calls")).unwrap();
    assert_eq!(call[0]["function"]["name"], "bash");
    let usage = &answer.last().unwrap()["usage"];
    assert_eq!((&usage["prompt_tokens"], &usage["completion_tokens"]), (&json!(8204), &json!(34)));

    let result = json!({"role": "tool", "tool_call_id": call[0]["id"], "content": "ok"});
    request["messages"].as_array_mut().unwrap().push(result);
    request["stream"] = false.into();
    let answer = ask_json(&model, "/v1/chat/completions", &request);
    assert_eq!(answer["choices"][0]["message"]["content"], FINAL);
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert_eq!(answer["usage"]["prompt_tokens_details"]["cached_tokens"], 7657);
}

#[test]
fn a_prompt_for_edit_blocks_is_given_one() {
    let model = FakeModel::start();
    for (says, wanted) in
        [("use SEARCH/REPLACE blocks", "<<<<<<< SEARCH"), ("a *file listing*", "```")]
    {
        let request = json!({"messages": [{"role": "system", "content": says}]});
        let answer = ask_json(&model, "/v1/chat/completions", &request);
        let said = answer["choices"][0]["message"]["content"].as_str().unwrap();
        assert!(said.starts_with("hello.txt\n") && said.contains(wanted), "{said}");
        assert_eq!(answer["usage"]["completion_tokens"], 34);
    }
}

#[test]
fn gemini_calls_a_tool_then_ends() {
    let model = FakeModel::start();
    let path = "/v1beta/models/gemini-x:streamGenerateContent?alt=sse";
    let mut request = json!({
        "tools": [{"functionDeclarations": [{"name": "write_file"}]}],
        "contents": [{"role": "user", "parts": [{"text": "Workspace Directories:**\n  - /tmp/w\n"}]}],
    });
    let answer = events(&ask(&model, path, &request));
    let call = &answer[0]["candidates"][0]["content"]["parts"][0]["functionCall"];
    assert_eq!(call["args"]["file_path"], "/tmp/w/hello.txt");
    let usage = json!({
        "promptTokenCount": 8204, "cachedContentTokenCount": 7003, "candidatesTokenCount": 34,
        "thoughtsTokenCount": 10, "totalTokenCount": 8248,
    });
    assert_eq!(answer[0]["usageMetadata"], usage);
    assert_eq!(answer[0]["modelVersion"], "gemini-x");

    let result = json!({"role": "user", "parts": [{"functionResponse": {"name": "write_file"}}]});
    request["contents"].as_array_mut().unwrap().push(result);
    let answer = events(&ask(&model, path, &request));
    assert_eq!(answer[0]["candidates"][0]["content"]["parts"][0]["text"], FINAL);

    let router = json!({"contents": [], "generationConfig": {"responseJsonSchema": {}}});
    let answer = ask_json(&model, "/v1beta/models/flash:generateContent", &router);
    let said = answer["candidates"][0]["content"]["parts"][0]["text"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(said).unwrap()["model_choice"], "flash");
}

#[test]
fn errors_have_each_protocols_shape() {
    let model = FakeModel::with(Script { retry_after: Some(7), ..Script::default() });
    let body = json!({});
    let cases = [
        ("/v1/messages", "mode-429", "/error/type", "rate_limit_error"),
        ("/v1/messages", "mode-529", "/error/message", "Overloaded (scripted)"),
        ("/v1/responses", "mode-429", "/error/code", "rate_limit_exceeded"),
        ("/v1/chat/completions", "mode-401", "/error/message", "invalid key (scripted)"),
        ("/v1beta/models/m:generateContent", "mode-401", "/error/status", "UNAUTHENTICATED"),
    ];
    for (path, key, field, wanted) in cases {
        let answer = post(&model, path, key, &body);
        assert_eq!(answer.status().as_str(), &key[5..]);
        assert_eq!(answer.headers()["retry-after"], "7");
        let value: Value = serde_json::from_str(answer.body()).unwrap();
        assert_eq!(value.pointer(field).unwrap(), wanted, "{path} {key}");
    }
    assert_eq!(post(&model, "/v1/messages", "mode-oops", &body).status(), 400);
    assert_eq!(model.requests()[0].answered, "429");
}

#[test]
fn the_first_calls_fail_and_the_next_is_answered() {
    let model = FakeModel::with(Script {
        mode: Mode::Status(500),
        fail_first: Some(2),
        ..Script::default()
    });
    let status = || post(&model, "/v1/messages", "k", &json!({})).status().as_u16();
    assert_eq!([status(), status(), status(), status()], [500, 500, 200, 200]);
    let answered: Vec<String> = model.requests().into_iter().map(|asked| asked.answered).collect();
    assert_eq!(answered, ["500", "500", "ok", "ok"]);
}

/// A connection on which a streamed Anthropic call was made, its answer not read.
fn raw_call(model: &FakeModel, key: &str) -> std::net::TcpStream {
    let address = model.url().replace("http://", "");
    let mut connection = std::net::TcpStream::connect(address).unwrap();
    let body = json!({"stream": true, "tools": [{"name": "Bash"}], "messages": []}).to_string();
    let head = format!("POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\n");
    let length = body.len();
    write!(connection, "{head}content-length: {length}\r\n\r\n{body}").unwrap();
    connection
}

#[test]
fn a_cut_stream_ends_after_its_first_event() {
    let model = FakeModel::start();
    let mut text = String::new();
    raw_call(&model, "mode-cut").read_to_string(&mut text).unwrap();
    assert!(text.contains("message_start") && !text.contains("content_block_start"), "{text}");
    assert!(!text.ends_with("0\r\n\r\n"), "the stream must not end as if it were whole: {text}");
    assert!(model.requests()[0].gone);
}

#[test]
fn a_stalled_stream_says_its_first_event_and_waits() {
    let model = FakeModel::start();
    let mut connection = raw_call(&model, "mode-stall");
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("message_start") {
        let mut some = [0; 4096];
        let count = connection.read(&mut some).unwrap();
        assert_ne!(count, 0, "closed early: {}", String::from_utf8_lossy(&seen));
        seen.extend(&some[..count]);
    }
    drop(connection);
    model.wait_until("the client is gone", |requests| requests[0].gone);
}

#[test]
fn a_stall_ends_when_its_time_is_over() {
    let model = FakeModel::with(Script { stall: Duration::from_millis(20), ..Script::default() });
    let mut text = String::new();
    raw_call(&model, "mode-stall-headers").read_to_string(&mut text).unwrap();
    assert_eq!(text, "");
}

#[test]
fn garbage_comes_in_the_middle_and_the_stream_goes_on() {
    let model = FakeModel::start();
    let request = json!({"stream": true, "tools": [{"name": "Bash"}], "messages": []});
    let answer = post(&model, "/v1/messages", "mode-garbage", &request).into_body();
    assert!(answer.contains("data: {this is not json\n\n"));
    assert!(answer.contains("message_stop"));
}

#[test]
fn tools_that_last_note_their_pid() {
    let model = FakeModel::start();
    let request = json!({
        "tools": [{"name": "Write"}, {"name": "Bash"}],
        "messages": [{"role": "user", "content": "Working directory: /tmp/w"}],
    });
    for key in ["mode-sleep-tool", "mode-bg-tool"] {
        let answer = post(&model, "/v1/messages", key, &request).into_body();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["content"][1]["name"], "Bash");
        let command = answer["content"][1]["input"]["command"].as_str().unwrap();
        assert!(command.contains("> tool.pid"), "{command}");
    }
}

#[test]
fn without_end_a_result_is_answered_with_the_next_call() {
    let model = FakeModel::start();
    let request = json!({"tools": [{"name": "Bash"}], "messages": ["call_wt_000000000001"]});
    let answer = post(&model, "/v1/messages", "mode-endless", &request).into_body();
    assert!(answer.contains("tool_use"), "{answer}");
}

#[test]
fn a_compressed_request_is_understood() {
    let model = FakeModel::start();
    let mut gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    write!(gzip, "{}", json!({"model": "zipped", "messages": []})).unwrap();
    let request = ureq::post(format!("{}/v1/messages", model.url()));
    let request = request.header("content-encoding", "gzip").header("authorization", "Bearer k");
    request.send(gzip.finish().unwrap().as_slice()).unwrap();
    let asked = &model.requests()[0];
    assert_eq!((asked.body["model"].as_str(), asked.key.as_str()), (Some("zipped"), "k"));
}

#[test]
fn lists_and_counts_are_answered_too() {
    let model = FakeModel::start();
    let mut list = ureq::get(format!("{}/v1/models", model.url())).call().unwrap();
    assert!(list.body_mut().read_to_string().unwrap().contains("fake-model"));
    let count = ask_json(&model, "/v1/messages/count_tokens", &json!({}));
    assert_eq!(count["input_tokens"], 1201);
    assert_eq!(post(&model, "/v1/nowhere", "k", &json!({})).status(), 404);
    assert!(model.requests().iter().all(|request| !request.is_model_call()));
}
