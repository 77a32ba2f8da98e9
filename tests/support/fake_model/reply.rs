//! An answer: one JSON object, or a stream of events.

use serde_json::Value;

/// What is sent back.
#[derive(Debug)]
pub enum Reply {
    /// One object.
    Json(Value),
    /// Server-sent events.
    Events(Vec<Step>),
}

/// One step of a stream.
#[derive(Debug)]
pub enum Step {
    /// An event.
    Say(String),
    /// Where the stream stalls, is cut or holds garbage, in the modes that do so.
    Break,
}

impl Step {
    /// A named event: `event: NAME` and its data, whose `type` is the name too.
    pub fn event(mut data: Value, name: &str) -> Self {
        data["type"] = name.into();
        Self::Say(format!("event: {name}\ndata: {data}\n\n"))
    }

    /// An event without a name.
    pub fn data(data: &Value) -> Self {
        Self::Say(format!("data: {data}\n\n"))
    }

    /// Text in place of JSON.
    pub fn text(text: &str) -> Self {
        Self::Say(format!("data: {text}\n\n"))
    }
}
