//! The only place that starts git.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::git::error::GitError;
use crate::git::mark;
use crate::git::place::Place;

/// The most of a failed command's stderr that is kept.
const STDERR_MAX: u64 = 64 * 1024;

/// Inherited variables that would make git look elsewhere or behave otherwise: what
/// `git rev-parse --local-env-vars` lists, and those that change parsing or output.
const SCRUBBED: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_ATTR_SOURCE",
    "GIT_CEILING_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DEFAULT_HASH",
    "GIT_DEFAULT_REF_FORMAT",
    "GIT_DIFF_OPTS",
    "GIT_DIR",
    "GIT_EXTERNAL_DIFF",
    "GIT_GLOB_PATHSPECS",
    "GIT_GRAFT_FILE",
    "GIT_ICASE_PATHSPECS",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INDEX_VERSION",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_LITERAL_PATHSPECS",
    "GIT_MERGE_VERBOSITY",
    "GIT_NAMESPACE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_OPTIONAL_LOCKS",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REFLOG_ACTION",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_TRACE",
    "GIT_TRACE2",
    "GIT_TRACE2_EVENT",
    "GIT_WORK_TREE",
];

/// One call to git, being put together.
#[derive(Debug)]
pub struct Git {
    command: Command,
    what: String,
    input: Option<Vec<u8>>,
    limit: Option<Duration>,
}

/// How a call ended.
#[derive(Debug)]
pub struct Answer {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to stdout.
    pub stdout: Vec<u8>,
    /// What it wrote to stderr, at most 64 KiB.
    pub stderr: String,
    what: String,
}

impl Git {
    /// A call that only looks: takes no optional locks and runs no hook, file system monitor or
    /// external diff that the place's configuration may name.
    pub fn read(place: &Place) -> Self {
        let mut git = Self::bare();
        git.command.arg("--no-optional-locks");
        for quiet in ["core.fsmonitor=false", "core.hooksPath=/dev/null", "diff.external="] {
            git.command.args(["-c", quiet]);
        }
        git.at(place)
    }

    /// A call that changes the repository or a checkout, with the user's hooks and configuration.
    pub fn write(place: &Place) -> Self {
        let mut git = Self::bare();
        git.command.args(["-c", "core.fsmonitor=false"]);
        git.at(place)
    }

    /// A call in a directory where git may discover the repository: only for places that no agent
    /// owns.
    pub fn discovering(dir: &Path) -> Self {
        let mut git = Self::bare();
        git.command.current_dir(dir);
        git
    }

    fn bare() -> Self {
        let mut command = Command::new("git");
        for name in SCRUBBED {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0").env("GIT_MERGE_AUTOEDIT", "no");
        command.env("GIT_EDITOR", "true").env("GIT_PAGER", "cat");
        command.env(mark::STARTED_BY, mark::own());
        command.stdin(Stdio::null());
        Self { command, what: String::new(), input: None, limit: None }
    }

    fn at(mut self, place: &Place) -> Self {
        let mut flag = OsString::from("--git-dir=");
        flag.push(&place.git_dir);
        self.command.arg(flag).env("GIT_COMMON_DIR", &place.common_dir);
        if let Some(tree) = &place.work_tree {
            let mut flag = OsString::from("--work-tree=");
            flag.push(tree);
            self.command.arg(flag);
        }
        self.command.current_dir(place.dir());
        self
    }

    /// A configuration value for this call alone, `name=value`. Only before the subcommand.
    #[must_use]
    pub fn config(mut self, pair: impl AsRef<OsStr>) -> Self {
        self.command.arg("-c").arg(pair);
        self
    }

    /// Adds an argument; the first few name the call in messages.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        if self.what.split(' ').count() < 3 {
            if !self.what.is_empty() {
                self.what.push(' ');
            }
            self.what.push_str(&arg.as_ref().to_string_lossy());
        }
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// Sets a variable for this call.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Gives it something to read; without it stdin is `/dev/null`.
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self
    }

    /// Ends it when it has not ended by itself after so long. For questions about a worktree that
    /// an agent owns: a FIFO called `.gitignore` holds git up for ever.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Runs it to its end, whatever its exit code.
    ///
    /// # Errors
    /// Only when it could not be started, its output not be read, or it took longer than allowed.
    pub fn answer(self) -> Result<Answer, GitError> {
        let mut bytes = Vec::new();
        let (read, mut answer) = self.stream(|stdout| stdout.read_to_end(&mut bytes))?;
        read.map_err(start_error)?;
        answer.stdout = bytes;
        Ok(answer)
    }

    /// Runs it while `reader` takes in what it writes to stdout, of which nothing is kept: the
    /// answer's own `stdout` is empty. A reader that leaves early ends it by a closed pipe.
    ///
    /// # Errors
    /// Only when it could not be started, or it took longer than allowed.
    pub fn stream<T>(
        mut self,
        reader: impl FnOnce(&mut dyn Read) -> T,
    ) -> Result<(T, Answer), GitError> {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        if self.input.is_some() {
            self.command.stdin(Stdio::piped());
        }
        let mut child = self.spawn()?;
        let input = self.input.take();
        let (read, stderr, late) = std::thread::scope(|scope| {
            let watch = self.limit.map(|limit| watch(&child, limit));
            let late = watch.map(|watch| scope.spawn(watch));
            let (read, stderr) = converse(&mut child, input, reader);
            (read, stderr, late.is_some_and(|late| late.join().unwrap_or(false)))
        });
        let status = child.wait().map_err(start_error)?;
        if let Some(limit) = self.limit.filter(|_| late) {
            return Err(GitError::Slow { what: self.what, seconds: limit.as_secs() });
        }
        Ok((read, Answer { code: status.code(), stdout: vec![], stderr, what: self.what }))
    }

    /// Runs it; anything but exit code 0 is an error.
    ///
    /// # Errors
    /// [`GitError::Failed`] with git's own words.
    pub fn run(self) -> Result<Vec<u8>, GitError> {
        self.answer()?.success()
    }

    /// As [`Self::run`], and gives stdout as text without its last newline.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn text(self) -> Result<String, GitError> {
        let mut text = String::from_utf8_lossy(&self.run()?).into_owned();
        text.truncate(text.trim_end_matches('\n').len());
        Ok(text)
    }

    /// Starts it with pipes on stdin, stdout and stderr, for a conversation
    /// (`update-ref --stdin`, `merge-tree --stdin`). The caller closes stdin and waits.
    ///
    /// # Errors
    /// When it could not be started.
    pub fn start(mut self) -> Result<Child, GitError> {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.spawn()
    }

    /// A directory that is gone and a program that is not there are one error to the system.
    fn spawn(&mut self) -> Result<Child, GitError> {
        self.command.spawn().map_err(|error| match self.command.get_current_dir() {
            Some(dir) if error.kind() == std::io::ErrorKind::NotFound && !dir.is_dir() => {
                GitError::file("run git in", dir)(error)
            }
            _ => start_error(error),
        })
    }
}

impl Answer {
    /// Stdout when it exited with 0.
    ///
    /// # Errors
    /// [`GitError::Failed`] with git's own words.
    pub fn success(self) -> Result<Vec<u8>, GitError> {
        if self.code == Some(0) { Ok(self.stdout) } else { Err(self.failure()) }
    }

    /// Stdout as text without its last newline, whatever the exit code.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end_matches('\n').to_owned()
    }

    /// The first line it wrote to stderr, without git's own prefix.
    pub fn reason(&self) -> String {
        crate::git::error::first_line(&self.stderr).to_owned()
    }

    /// This answer as an error.
    pub fn failure(self) -> GitError {
        GitError::Failed { what: self.what, code: self.code, stderr: self.stderr }
    }
}

fn start_error(source: std::io::Error) -> GitError {
    GitError::Start { program: "git".into(), source }
}

/// Waits for a process to end, and ends it after `limit`; says whether it had to. Where the system
/// has no pidfd nothing is ended.
fn watch(child: &Child, limit: Duration) -> impl FnOnce() -> bool + Send + 'static {
    // Taken before anybody waits for it, so that it can never be another process's.
    let process = pidfd_open(Pid::from_child(child), PidfdFlags::empty());
    move || {
        let Ok(process) = process else { return false };
        let limit = Timespec::try_from(limit).ok();
        let ended = poll(&mut [PollFd::new(&process, PollFlags::IN)], limit.as_ref());
        matches!(ended, Ok(0)) && pidfd_send_signal(&process, Signal::KILL).is_ok()
    }
}

/// Writes the input and reads both outputs at once, so that no full pipe can block either side.
fn converse<T>(
    child: &mut Child,
    input: Option<Vec<u8>>,
    reader: impl FnOnce(&mut dyn Read) -> T,
) -> (T, String) {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        if let (Some(mut pipe), Some(bytes)) = (stdin, input) {
            // A git that ends before it read everything says why on stderr; EPIPE adds nothing.
            scope.spawn(move || pipe.write_all(&bytes).ok());
        }
        let errors = scope.spawn(move || {
            let mut kept = Vec::new();
            if let Some(mut pipe) = stderr {
                pipe.by_ref().take(STDERR_MAX).read_to_end(&mut kept).ok();
                std::io::copy(&mut pipe, &mut std::io::sink()).ok();
            }
            String::from_utf8_lossy(&kept).into_owned()
        });
        let read = match stdout {
            // Closed when the reader is done with it, which may be before git is.
            Some(mut pipe) => reader(&mut pipe),
            None => reader(&mut std::io::empty()),
        };
        (read, errors.join().unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_gone_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let gone = dir.path().join("gone");
        let error = Git::discovering(&gone).arg("version").text().unwrap_err();
        assert!(error.to_string().contains("cannot run git in `"), "{error}");
        assert!(error.to_string().contains("/gone`: No such file"), "{error}");
    }
}
