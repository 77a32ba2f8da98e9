//! Looking things up in events whose shape nobody promises: absent and ill-typed are the same.

use serde_json::Value;

use crate::domain::usage::{MicroUsd, Tokens};

/// The text at a JSON pointer (RFC 6901), if there is one.
pub(super) fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer)?.as_str()
}

/// The count at a pointer; 0 when there is none.
pub(super) fn count(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or(0)
}

/// True when the value at a pointer is `true`.
pub(super) fn flag(value: &Value, pointer: &str) -> bool {
    value.pointer(pointer).and_then(Value::as_bool).unwrap_or(false)
}

/// An HTTP status at a pointer.
pub(super) fn status(value: &Value, pointer: &str) -> Option<u16> {
    value.pointer(pointer)?.as_u64().and_then(|status| u16::try_from(status).ok())
}

/// An amount of dollars at a pointer.
pub(super) fn dollars(value: &Value, pointer: &str) -> Option<MicroUsd> {
    MicroUsd::from_dollars(value.pointer(pointer)?.as_f64()?)
}

/// The elements of an array at a pointer; none when it is no array.
pub(super) fn items<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Tokens of an object whose `input` already excludes what came from a cache.
pub(super) fn tokens(value: &Value, names: [&str; 4]) -> Tokens {
    let [input, cache_read, cache_write, output] = names.map(|name| count(value, name));
    Tokens { input, cache_read, cache_write, output }
}

/// The one thing worth showing of a tool's input: its command, file, query, …; else all of it.
pub(super) fn tool_detail(input: &Value) -> String {
    const TELLING: [&str; 12] = [
        "command",
        "cmd",
        "file_path",
        "filePath",
        "notebook_path",
        "path",
        "pattern",
        "query",
        "url",
        "description",
        "subject",
        "prompt",
    ];
    let Some(object) = input.as_object() else {
        return input.as_str().map(str::to_owned).unwrap_or_default();
    };
    let telling = TELLING.iter().find_map(|key| object.get(*key)).map(|value| match value {
        Value::String(text) => text.clone(),
        Value::Array(words) => words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    });
    telling.unwrap_or_else(|| if object.is_empty() { String::new() } else { input.to_string() })
}

/// The text of a tool's answer, which is a text or a list of parts.
pub(super) fn answer_text(content: &Value) -> &str {
    content
        .as_str()
        .or_else(|| content.as_array()?.iter().find_map(|part| text(part, "/text")))
        .unwrap_or_default()
}
