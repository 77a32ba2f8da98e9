//! A command of the settings, run in the foreground: `setup` before a person works in a new
//! variant, `teardown` before one goes.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{ErrorKind, PipeReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::agents::lines::{Line, LineSplitter};
use crate::store::error::StoreError;

/// How many of its last lines are kept for the message that it failed.
const LINES_KEPT: usize = 20;

/// The longest line that is told; the rest of it is cut off.
const LINE_MAX: usize = 16 * 1024;

/// What is to run.
#[derive(Debug, Clone, Copy)]
pub struct Shell<'a> {
    /// For `sh -c`. From settings the user wrote or approved, never put together from data.
    pub command: &'a str,
    /// Where.
    pub cwd: &'a Path,
    /// All of its environment.
    pub environment: &'a [(OsString, OsString)],
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Its last lines, at most twenty, both outputs in the order they came.
    pub last_lines: Vec<String>,
}

impl Shell<'_> {
    /// Runs it to its end, telling every line of its output, both streams together. Its standard
    /// input is empty. What it leaves running in the background is not waited for.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self, tell: &mut dyn FnMut(&str)) -> Result<Ended, StoreError> {
        let failed = || StoreError::file("run a command in", self.cwd);
        let (read, write) = std::io::pipe().map_err(failed())?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", self.command]).current_dir(self.cwd);
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        command.stdout(write.try_clone().map_err(failed())?).stderr(write);
        let mut child = command.spawn().map_err(failed())?;
        let mut lines = Lines { tell, splitter: LineSplitter::default(), last: VecDeque::new() };
        lines.follow(read, &child).map_err(failed())?;
        let status = child.wait().map_err(failed())?;
        Ok(Ended { code: status.code(), last_lines: lines.last.into() })
    }
}

struct Lines<'a> {
    tell: &'a mut dyn FnMut(&str),
    splitter: LineSplitter,
    last: VecDeque<String>,
}

impl Lines<'_> {
    /// Reads until the end, or until the child is gone and all that it wrote was read: a process it
    /// left behind may keep the pipe open for ever.
    fn follow(&mut self, mut pipe: PipeReader, child: &Child) -> std::io::Result<()> {
        let pid = Pid::from_child(child);
        let gone = pidfd_open(pid, PidfdFlags::empty())?;
        rustix::io::ioctl_fionbio(&pipe, true)?;
        let mut buffer = [0; 8192];
        loop {
            let mut fds = [PollFd::new(&pipe, PollFlags::IN), PollFd::new(&gone, PollFlags::IN)];
            match poll(&mut fds, None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let ended = !fds[1].revents().is_empty();
            loop {
                match pipe.read(&mut buffer) {
                    Ok(0) => {
                        self.finish();
                        return Ok(());
                    }
                    Ok(read) => self.take(&buffer[..read]),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            if ended {
                self.finish();
                return Ok(());
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        for line in self.splitter.push(bytes) {
            self.line(&line);
        }
    }

    fn finish(&mut self) {
        if let Some(line) = self.splitter.finish() {
            self.line(&line);
        }
    }

    fn line(&mut self, line: &Line) {
        let kept = &line.bytes[..line.bytes.len().min(LINE_MAX)];
        let text = String::from_utf8_lossy(kept).into_owned();
        (self.tell)(&text);
        if self.last.len() == LINES_KEPT {
            self.last.pop_front();
        }
        self.last.push_back(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(command: &str) -> (Ended, Vec<String>) {
        let environment = [("PATH".into(), "/usr/bin:/bin".into()), ("A".into(), "ä b".into())];
        let shell = Shell { command, cwd: Path::new("/tmp"), environment: &environment };
        let mut told = vec![];
        let ended = shell.run(&mut |line| told.push(line.to_owned())).unwrap();
        (ended, told)
    }

    #[test]
    fn both_outputs_are_told_and_the_last_lines_kept() {
        let (ended, told) = run("pwd; echo \"$A\" >&2; read x || echo empty; exit 3");
        assert_eq!((ended.code, &told), (Some(3), &ended.last_lines));
        assert_eq!(told, ["/tmp", "ä b", "empty"]);
        let (ended, told) = run("seq 100; kill -9 $$");
        assert_eq!((ended.code, told.len(), ended.last_lines.len()), (None, 100, 20));
        assert_eq!(ended.last_lines[19], "100");
    }

    #[test]
    fn what_it_leaves_running_is_not_waited_for() {
        let (ended, told) = run("sleep 600 & echo $!; exit 0");
        assert_eq!(ended.code, Some(0));
        let left = crate::engine::process::table::stat(told[0].parse().unwrap()).unwrap();
        crate::engine::process::signal::Handle::of(&left)
            .unwrap()
            .send(rustix::process::Signal::KILL);
    }

    #[test]
    fn an_endless_line_is_cut() {
        let (_, told) = run("head -c 1000000 /dev/zero | tr '\\0' x; echo; echo next");
        assert_eq!((told[0].len(), told[1].as_str()), (16 * 1024, "next"));
    }
}
