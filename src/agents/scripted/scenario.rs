//! Scenarios: what the scripted agent does, turn by turn.

use serde::Deserialize;

/// The scenarios that `wt demo` and its documentation play.
const BUILT_IN: &[(&str, &str)] = &[
    ("hello", include_str!("../../../templates/demo/scenarios/hello.toml")),
    ("theme-light", include_str!("../../../templates/demo/scenarios/theme-light.toml")),
    ("theme-dark", include_str!("../../../templates/demo/scenarios/theme-dark.toml")),
    ("theme-a11y", include_str!("../../../templates/demo/scenarios/theme-a11y.toml")),
];

/// The largest file that is read as a scenario.
const SIZE_MAX: u64 = 4 << 20;

/// One scenario: a TOML file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it does, in a few words.
    pub about: String,
    /// The model it claims to be.
    #[serde(default = "scripted")]
    pub model: String,
    /// What each step uses that does not say otherwise.
    #[serde(default)]
    pub usage: Spent,
    /// The turns of a session: the first run, then one for each follow-up.
    #[serde(rename = "turn")]
    pub turns: Vec<Turn>,
}

fn scripted() -> String {
    "scripted-1".to_owned()
}

/// What one run of the agent does.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// Its steps, in order.
    #[serde(default, rename = "step")]
    pub steps: Vec<Step>,
    /// Its final words; a question at their end makes it ask. `{message}` is what it was told.
    #[serde(default)]
    pub answer: String,
}

/// One step: one thing to do, and what it uses.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Step {
    /// What it does.
    pub action: Action,
    /// What it uses, if not what every step does.
    pub usage: Option<Spent>,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Says something.
    Say(String),
    /// Writes a file anew.
    Write(Content),
    /// Replaces a text in a file.
    Edit(Change),
    /// Adds to a file.
    Append(Content),
    /// Deletes a file.
    Delete(String),
    /// Runs a command with `sh -c` and waits for it.
    Run(String),
    /// Starts a command with `sh -c` in a process group of its own and leaves it running.
    Leave(String),
    /// Uses a tool in words alone.
    Tool(Pretence),
    /// Sets its todo list.
    Todo(List),
    /// Waits until a file is there.
    WaitFor(String),
    /// Waits for so many milliseconds.
    Pause(u64),
    /// Tries something that it may not.
    Deny(Pretence),
    /// Tells that the provider failed with this status, and goes on.
    Retry(u16),
    /// Writes a line that is no event.
    Noise(String),
    /// Fails as a provider's error does, and ends.
    Fail(Failure),
    /// Ends at once with this exit code, without its terminal event.
    Exit(u8),
    /// Does nothing more until it is ended.
    Hang,
}

/// A step as it is written: exactly one of the keys but `usage`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    say: Option<String>,
    write: Option<Content>,
    edit: Option<Change>,
    append: Option<Content>,
    delete: Option<String>,
    run: Option<String>,
    leave: Option<String>,
    tool: Option<Pretence>,
    todo: Option<List>,
    wait_for: Option<String>,
    pause_ms: Option<u64>,
    deny: Option<Pretence>,
    retry: Option<u16>,
    noise: Option<String>,
    fail: Option<Failure>,
    exit: Option<u8>,
    hang: Option<bool>,
    usage: Option<Spent>,
}

impl TryFrom<Written> for Step {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let usage = written.usage;
        let mut actions = [
            written.say.map(Action::Say),
            written.write.map(Action::Write),
            written.edit.map(Action::Edit),
            written.append.map(Action::Append),
            written.delete.map(Action::Delete),
            written.run.map(Action::Run),
            written.leave.map(Action::Leave),
            written.tool.map(Action::Tool),
            written.todo.map(Action::Todo),
            written.wait_for.map(Action::WaitFor),
            written.pause_ms.map(Action::Pause),
            written.deny.map(Action::Deny),
            written.retry.map(Action::Retry),
            written.noise.map(Action::Noise),
            written.fail.map(Action::Fail),
            written.exit.map(Action::Exit),
            written.hang.and_then(|hangs| hangs.then_some(Action::Hang)),
        ]
        .into_iter()
        .flatten();
        match (actions.next(), actions.next()) {
            (Some(action), None) => Ok(Self { action, usage }),
            _ => Err("a step does exactly one thing"),
        }
    }
}

/// A file's path, from where the agent acts, and text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// A relative path without `..`.
    pub path: String,
    /// The text.
    pub text: String,
}

/// A text in a file, and what takes its place.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// A relative path without `..`.
    pub path: String,
    /// What is there, exactly once.
    pub old: String,
    /// What is to be there.
    pub new: String,
}

/// A tool that is used in words alone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pretence {
    /// The tool: `Bash`.
    pub name: String,
    /// The command or file.
    #[serde(default)]
    pub detail: String,
    /// What it answers.
    #[serde(default)]
    pub answer: String,
}

/// A todo list: what is done, what is in hand, what is to come.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Done.
    #[serde(default)]
    pub done: Vec<String>,
    /// In hand.
    #[serde(default)]
    pub now: Option<String>,
    /// To come.
    #[serde(default)]
    pub next: Vec<String>,
}

/// An error of the provider.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The HTTP status, if there is one.
    #[serde(default)]
    pub status: Option<u16>,
    /// The words.
    pub message: String,
}

/// What a step uses.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spent {
    /// Uncached input tokens.
    #[serde(default)]
    pub input: u64,
    /// Input tokens read from a cache.
    #[serde(default)]
    pub cache_read: u64,
    /// Input tokens written to a cache.
    #[serde(default)]
    pub cache_write: u64,
    /// Output tokens.
    #[serde(default)]
    pub output: u64,
    /// Dollars.
    #[serde(default)]
    pub usd: f64,
}

impl Scenario {
    /// The scenario of a name, or in the file of a path (a name with a `/`).
    ///
    /// # Errors
    /// In words: it is unknown, unreadable or makes no sense.
    pub fn named(name: &str) -> Result<Self, String> {
        let text = if name.contains('/') {
            let size = std::fs::metadata(name).map_err(|error| format!("{name}: {error}"))?.len();
            if size > SIZE_MAX {
                return Err(format!("{name} is too large for a scenario"));
            }
            std::fs::read_to_string(name).map_err(|error| format!("{name}: {error}"))?
        } else {
            let known = BUILT_IN.iter().find(|(known, _)| *known == name);
            known.map(|(_, text)| (*text).to_owned()).ok_or_else(|| unknown(name))?
        };
        toml::from_str(&text).map_err(|error| format!("scenario {name}: {}", error.message()))
    }

    /// The turn of a number, from 0; beyond the last, one that only acknowledges.
    pub fn turn(&self, number: usize) -> Turn {
        self.turns.get(number).cloned().unwrap_or_else(|| Turn {
            steps: Vec::new(),
            answer: "I have nothing more to play. You said: {message}".to_owned(),
        })
    }
}

/// The names of the built-in scenarios.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(name, _)| *name)
}

fn unknown(name: &str) -> String {
    let names: Vec<&str> = names().collect();
    let names = names.join(", @");
    let what = if name.is_empty() {
        "no scenario is named".to_owned()
    } else {
        format!("there is no scenario `{name}`")
    };
    format!("{what}; name one in the prompt: @{names}, or @/path/to/scenario.toml")
}

/// The scenario that a prompt names, by its first word that begins with `@`; empty without one.
pub fn named_in(prompt: &str) -> &str {
    let word =
        prompt.split_whitespace().find_map(|word| word.trim_start_matches('(').strip_prefix('@'));
    word.unwrap_or_default().trim_end_matches([')', ',', '.', ';', ':', '!', '?'])
}
