//! What a program said, in a form that is the same in every run.

use std::fmt;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use super::normal::normal;

/// One call's outcome. Shown, it is normalised: paths, object ids, durations and task ids are
/// replaced. The fields hold the text as it came.
#[must_use = "look at what was said: `.ok()`, `.code(3)` or a snapshot"]
#[derive(Debug)]
pub struct Said {
    /// The exit code; `None` when a signal ended it.
    pub exit: Option<i32>,
    /// The answer.
    pub stdout: String,
    /// The story.
    pub stderr: String,
    dir: String,
}

impl Said {
    /// What a finished program said; `dir` is the world that is shown as `$DIR`.
    pub fn of(output: &Output, dir: &Path) -> Self {
        Self {
            exit: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            dir: dir.to_string_lossy().into_owned(),
        }
    }

    /// The same, which must have ended well.
    #[track_caller]
    pub fn ok(self) -> Heard {
        self.code(0)
    }

    /// The same, which must have ended with this code.
    #[track_caller]
    pub fn code(self, wanted: i32) -> Heard {
        assert_eq!(self.exit, Some(wanted), "exit code of:\n{self}");
        Heard(self)
    }

    /// stdout as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout is no JSON: {error}\n{self}"))
    }
}

impl fmt::Display for Said {
    /// stdout, then stderr and the exit code where they are not what is expected of a success.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&normal(&self.stdout, &self.dir))?;
        if !self.stderr.is_empty() {
            write!(f, "--- stderr ---\n{}", normal(&self.stderr, &self.dir))?;
        }
        match self.exit {
            Some(0) => Ok(()),
            Some(code) => write!(f, "[exit {code}]"),
            None => write!(f, "[ended by a signal]"),
        }
    }
}

/// What a program said, its exit code looked at.
#[derive(Debug)]
pub struct Heard(Said);

impl std::ops::Deref for Heard {
    type Target = Said;
    fn deref(&self) -> &Said {
        &self.0
    }
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
