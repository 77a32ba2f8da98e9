//! What can go wrong with what survives.

use std::path::PathBuf;

use thiserror::Error;

/// A failure of this floor. Hints and exit codes are added further up.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Reading, writing or making a file or directory.
    #[error("cannot {action} `{}`: {source}", path.display())]
    File {
        /// `read`, `create`, `lock`, …
        action: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database refused.
    #[error("the state database failed: {0}")]
    Sql(rusqlite::Error),
    /// There is no room for what was to be recorded; nothing of it was.
    #[error("the disk that holds the state is full")]
    Full,
    /// The database is no database any more, or parts of it are not.
    #[error("the state database is damaged: {why}")]
    Damaged {
        /// What is wrong with it.
        why: String,
    },
    /// The database was written by a version of `wt` that this one cannot follow.
    #[error("the state at `{}` needs `wt` {needs} or newer", path.display())]
    TooNew {
        /// The database.
        path: PathBuf,
        /// The version that wrote it.
        needs: String,
    },
    /// The state directory cannot be used as it is.
    #[error("the state directory `{}` {why}", path.display())]
    BadState {
        /// Which directory.
        path: PathBuf,
        /// `belongs to another user`, `is on a network file system (nfs)`, …
        why: String,
    },
    /// A row holds what no version of `wt` wrote.
    #[error("the state database holds an unreadable {what}: {text}")]
    BadRow {
        /// `task state`, `time`, …
        what: &'static str,
        /// What stands there.
        text: String,
    },
    /// A state moved on while it was being changed.
    #[error("`{what}` is no longer {expected}")]
    Moved {
        /// The task, variant or attempt.
        what: String,
        /// The state it was expected in.
        expected: String,
    },
    /// A settings file or variable says something that cannot be.
    #[error("{origin}: {why}")]
    Setting {
        /// The file (with line, where known) or variable.
        origin: String,
        /// What is wrong, naming the key.
        why: String,
        /// The nearest valid key, for an unknown one.
        nearest: Option<String>,
    },
    /// The name is in use.
    #[error("there is a variant `{0}` already")]
    NameTaken(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, DiskFull, NotADatabase};
        match error.sqlite_error_code() {
            Some(DiskFull) => Self::Full,
            Some(DatabaseCorrupt | NotADatabase) => Self::Damaged { why: error.to_string() },
            _ => Self::Sql(error),
        }
    }
}

impl StoreError {
    /// Builds [`StoreError::File`]; for `map_err`.
    pub fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
