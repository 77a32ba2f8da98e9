//! Whatever an agent writes: no panic, no growth, and the same report however it arrives.

use proptest::prelude::*;
use serde_json::json;

use super::Reader;
use crate::agents::lines::LineSplitter;
use crate::domain::event::{AgentEvent, StreamReport};
use crate::domain::launch::Dialect;
use crate::domain::usage::SessionTotals;

const DIALECTS: [Dialect; 7] = [
    Dialect::Claude,
    Dialect::Codex,
    Dialect::Gemini,
    Dialect::Opencode,
    Dialect::Qwen,
    Dialect::Aider,
    Dialect::Plain,
];

fn reader(dialect: Dialect) -> Reader {
    Reader::new(dialect, SessionTotals::default(), vec![])
}

/// Recorded lines of every agent, to be cut, mixed and mangled.
fn recorded() -> Vec<Vec<u8>> {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/streams");
    let mut files: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let texts = files.iter().map(|file| std::fs::read(file).unwrap());
    texts
        .flat_map(|text| text.split(|&b| b == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>())
        .collect()
}

fn whole(dialect: Dialect, bytes: &[u8]) -> StreamReport {
    let (mut reader, mut lines) = (reader(dialect), LineSplitter::default());
    for line in lines.push(bytes).into_iter().chain(lines.finish()) {
        reader.line(&line.bytes);
    }
    reader.report().clone()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn chunks_and_saved_states_do_not_matter(
        dialect in 0..DIALECTS.len(),
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 1..12),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let lines = recorded();
        let bytes = picks.iter().map(|pick| pick.get(&lines).clone()).collect::<Vec<_>>().join(&b'\n');
        let expected = whole(DIALECTS[dialect], &bytes);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        let mut state = (reader(DIALECTS[dialect]), LineSplitter::default());
        let mut from = 0;
        for at in cuts.into_iter().chain([bytes.len()]) {
            for line in state.1.push(&bytes[from..at]) {
                state.0.line(&line.bytes);
            }
            state = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
            from = at;
        }
        if let Some(line) = state.1.finish() {
            state.0.line(&line.bytes);
        }
        prop_assert_eq!(state.0.report(), &expected);
    }

    #[test]
    fn any_bytes_are_read(
        dialect in 0..DIALECTS.len(),
        noise in proptest::collection::vec(any::<u8>(), 0..200),
        pick in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
    ) {
        let lines = recorded();
        let mut line = pick.get(&lines).clone();
        let at = at.index(line.len() + 1);
        line.splice(at..at, noise.iter().copied());
        let mut reader = reader(DIALECTS[dialect]);
        reader.line(&line);
        reader.line(&noise);
        reader.stderr_line(&noise);
    }

    #[test]
    fn known_events_with_values_of_any_type_are_read(
        dialect in 0..5usize,
        kind in prop::sample::select(vec![
            "system", "assistant", "user", "result", "error", "item.completed", "item.started",
            "turn.completed", "turn.failed", "step_finish", "tool_use", "tool_result", "text",
            "message", "init", "thread.started",
        ]),
        value in prop::sample::select(vec![
            json!(null), json!(-1), json!(1e300), json!("x"), json!([]), json!([[[]]]), json!({}),
            json!({"type": 1, "content": {"a": []}, "usage": "?", "tokens": [1], "cost": -1}),
            json!({"id": null, "content": [1, {"type": "tool_use", "input": 3}], "model": 2}),
            json!({"type": "todo_list", "items": [1, {}], "input": {"todos": 5}}),
        ]),
    ) {
        let mut line = json!({ "type": kind });
        for key in ["message", "usage", "part", "item", "error", "stats", "result", "errors",
            "modelUsage", "model_usage_since_last_result", "permission_denials", "total_cost_usd",
            "session_id", "sessionID", "content", "parameters", "status", "subtype"] {
            line[key] = value.clone();
        }
        reader(DIALECTS[dialect]).line(line.to_string().as_bytes());
    }
}

#[test]
fn hostile_lines_are_told_and_change_nothing() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let nested = format!("{{\"type\":\"result\",\"usage\":{deep}}}");
    let number = "{\"type\":\"result\",\"usage\":{\"input_tokens\":1e999}}";
    for dialect in &DIALECTS[..5] {
        for line in [deep.as_str(), nested.as_str(), number, "{", "\u{0}", "NaN"] {
            let mut reader = reader(*dialect);
            let events = reader.line(line.as_bytes());
            assert!(matches!(events[..], [AgentEvent::Plain { .. }]), "{dialect:?} {events:?}");
            assert_eq!(reader.report(), &StreamReport::default());
        }
    }
}

#[test]
fn a_reader_does_not_grow_with_its_stream() {
    let mut reader = reader(Dialect::Claude);
    let size = |reader: &Reader| serde_json::to_string(reader).unwrap().len();
    let line = |n: u32| {
        json!({"type": "assistant", "session_id": "s", "message": {
        "id": format!("msg_{n:08}"), "usage": {"input_tokens": 1, "output_tokens": 1},
        "content": [
            {"type": "text", "text": "word ".repeat(10)},
            {"type": "tool_use", "name": "TaskCreate", "input": {"subject": "x"}},
        ]}})
        .to_string()
    };
    for n in 0..500 {
        reader.line(line(n).as_bytes());
    }
    let before = size(&reader);
    for n in 500..3_000 {
        reader.line(line(n).as_bytes());
    }
    assert!(size(&reader) <= before + 64, "{before} grew to {}", size(&reader));
    assert_eq!(reader.report().usage.tokens.input, 3_000);
}
