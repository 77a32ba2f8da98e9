//! What a command could not do: the one error that reaches a person.

use serde::Serialize;

/// A failure of a command: what failed, on which thing, why; then what to type next.
///
/// `message` is lower case, without a final period, the user's values in backticks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Problem {
    /// Decides the exit code.
    pub kind: Kind,
    /// What failed, on which thing, why.
    pub message: String,
    /// More lines: the last lines of a failed command, the files in the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// What to do about it; each holds a command to type where there is one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
    /// What a program would want to know: conflicting files, the plan that needs a yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<serde_json::Value>>,
}

/// What kind of failure it is, one for each exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It did not work. Exit 1.
    Failed,
    /// The command line asks for something that makes no sense. Exit 2.
    Usage,
    /// Conflicts. Exit 3.
    Conflicts,
    /// A gate or check failed. Exit 4.
    Check,
    /// Refused: it needs a yes, trust, a login, a person. Exit 5.
    Refused,
    /// A wait ran out. Exit 6.
    TimedOut,
    /// Interrupted. Exit 130.
    Interrupted,
}

impl Problem {
    /// A problem of a kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), details: vec![], hints: vec![], data: None }
    }

    /// Something did not work.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// The command line makes no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// It is refused until somebody says or does something.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, message)
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds a line beneath the message.
    #[must_use]
    pub fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }

    /// Adds lines beneath the message.
    #[must_use]
    pub fn details(mut self, lines: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.details.extend(lines.into_iter().map(Into::into));
        self
    }

    /// Adds what a program would want to know.
    #[must_use]
    pub fn data(mut self, data: impl Serialize) -> Self {
        self.data = serde_json::to_value(data).ok().map(Box::new);
        self
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}
