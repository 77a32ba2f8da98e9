//! Identifiers, one newtype each, so that a task's id can never be handed over as an attempt's.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps a text that is already known to be one (read back from the store, or minted).
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text as stored and shown.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

text_id! {
    /// One repository: `r-` and twelve letters, minted once and kept in the store with the common
    /// directory it stands for, so that a moved repository can keep its rows.
    RepoId
}

text_id! {
    /// One unit of background work: `worktree-theme-dark-x7k2m9`, `research-oauth2-b4c1d8`.
    TaskId
}

text_id! {
    /// One execution of a task: the task's id, a dot and its number from 1, `worktree-a-x7k2m9.2`.
    AttemptId
}

impl AttemptId {
    /// The id of the `number`th attempt of `task`; numbers start at 1.
    pub fn of(task: &TaskId, number: u32) -> Self {
        Self(format!("{task}.{number}"))
    }

    /// The task this is an attempt of.
    pub fn task(&self) -> TaskId {
        TaskId(self.0.rsplit_once('.').map_or(self.0.as_str(), |(task, _)| task).to_owned())
    }

    /// Its number from 1; 0 when the text is no attempt's id at all.
    pub fn number(&self) -> u32 {
        self.0.rsplit_once('.').and_then(|(_, n)| n.parse().ok()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_names_its_task_and_number() {
        let task = TaskId::new("worktree-v1.2-x7k2m9");
        let attempt = AttemptId::of(&task, 3);
        assert_eq!(attempt.as_str(), "worktree-v1.2-x7k2m9.3");
        assert_eq!(attempt.task(), task);
        assert_eq!(attempt.number(), 3);
    }
}
