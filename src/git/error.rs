//! What can go wrong when git is asked something.

use std::path::PathBuf;

use thiserror::Error;

/// A failure of this floor. Hints and exit codes are added further up.
#[derive(Debug, Error)]
pub enum GitError {
    /// The program itself could not be started.
    #[error("cannot start `{program}`: {source}")]
    Start {
        /// The program looked for.
        program: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// git ran and said no.
    #[error("`git {what}` failed{}: {}", code.map(|c| format!(" ({c})")).unwrap_or_default(), first_line(stderr))]
    Failed {
        /// The subcommand and what it was about.
        what: String,
        /// Its exit code; `None` when a signal ended it.
        code: Option<i32>,
        /// What it wrote to stderr, at most 64 KiB.
        stderr: String,
    },
    /// git did not end by itself, and was ended.
    #[error("`git {what}` did not answer within {seconds} s")]
    Slow {
        /// The subcommand and what it was about.
        what: String,
        /// How long it had.
        seconds: u64,
    },
    /// git would wait for ever for something in a checkout, and was ended.
    #[error("`{}` is no file, and git waits for it for ever", path.display())]
    Blocked {
        /// What is in its way, such as a pipe where it reads a `.gitignore`.
        path: PathBuf,
    },
    /// There is no repository here.
    #[error("`{}` is not in a git repository", .0.display())]
    NotARepository(PathBuf),
    /// The repository is there, but git refuses to use it (ownership, format).
    #[error("git cannot use the repository at `{}`: {why}", path.display())]
    Unusable {
        /// Where.
        path: PathBuf,
        /// git's own words.
        why: String,
    },
    /// A revision names nothing.
    #[error("`{0}` names no commit")]
    NoSuchRevision(String),
    /// git answered in a form that we do not know.
    #[error("unexpected answer of `git {what}`: {answer}")]
    Unexpected {
        /// What was asked.
        what: String,
        /// The part of the answer that was not understood.
        answer: String,
    },
    /// Reading or writing a file.
    #[error("cannot {action} `{}`: {source}", path.display())]
    File {
        /// `read`, `write`, `rename`, …
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// libgit2 said no.
    #[error("{}", .0.message())]
    Lib(#[from] git2::Error),
}

impl GitError {
    /// Builds [`GitError::File`]; for `map_err`.
    pub fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}

/// The first line that says something, without the prefix that git puts before it.
pub(crate) fn first_line(text: &str) -> &str {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("no reason given");
    line.trim_start_matches("fatal: ").trim_start_matches("error: ")
}
