//! Moving a reference in two steps: locked first, moved when everything else is done.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout};

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;

/// The most that is read of what git says.
const SAID_MAX: u64 = 64 * 1024;

/// A move of one reference.
#[derive(Debug, Clone, Copy)]
pub struct Move<'a> {
    /// The full name: `refs/heads/main`.
    pub reference: &'a str,
    /// Where it stands, in hex.
    pub old: &'a str,
    /// Where it is to stand, in hex.
    pub new: &'a str,
    /// What the reference's log says about it; one line.
    pub log: &'a str,
}

/// A reference locked against everybody else, and with it the HEAD of the checkout that is on it.
///
/// git holds the locks: when this process dies, git sees the end of its input, undoes the
/// preparation and lets go. Dropping does the same.
#[derive(Debug)]
pub struct Prepared {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

/// What came of trying to lock a reference.
#[derive(Debug)]
pub enum Preparing {
    /// It is locked, and stands where it was said to.
    Done(Prepared),
    /// It is locked by somebody else, or stands somewhere else; git's own words.
    Refused(String),
}

/// Locks the reference where it stands. `place` is the checkout whose HEAD and log move along.
///
/// # Errors
/// When git cannot be started.
pub fn prepare(place: &Place, moved: &Move<'_>) -> Result<Preparing, GitError> {
    let git = Git::write(place).args(["update-ref", "-m", moved.log, "--stdin"]);
    let mut child = git.start()?;
    let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(unexpected("no pipes"));
    };
    let mut prepared = Prepared { child, stdin: Some(stdin), stdout: BufReader::new(stdout) };
    let wanted =
        format!("start\nupdate {} {} {}\nprepare\n", moved.reference, moved.new, moved.old);
    if prepared.say(&wanted) && prepared.hears("start: ok") && prepared.hears("prepare: ok") {
        return Ok(Preparing::Done(prepared));
    }
    Ok(Preparing::Refused(prepared.end()?.1))
}

impl Prepared {
    /// Moves the reference.
    ///
    /// # Errors
    /// When git could not; the reference then stands where it stood.
    pub fn commit(mut self) -> Result<(), GitError> {
        let done = self.say("commit\n") && self.hears("commit: ok");
        let (code, stderr) = self.end()?;
        if done && code == Some(0) {
            return Ok(());
        }
        Err(GitError::Failed { what: "update-ref".into(), code, stderr })
    }

    fn say(&mut self, text: &str) -> bool {
        self.stdin
            .as_mut()
            .is_some_and(|pipe| pipe.write_all(text.as_bytes()).and_then(|()| pipe.flush()).is_ok())
    }

    fn hears(&mut self, expected: &str) -> bool {
        let mut line = String::new();
        let read = self.stdout.by_ref().take(SAID_MAX).read_line(&mut line);
        read.is_ok() && line.trim_end() == expected
    }

    fn end(mut self) -> Result<(Option<i32>, String), GitError> {
        drop(self.stdin.take());
        let mut said = Vec::new();
        if let Some(pipe) = self.child.stderr.take() {
            pipe.take(SAID_MAX).read_to_end(&mut said).ok();
        }
        let status = self.child.wait();
        let status = status.map_err(|source| GitError::Start { program: "git".into(), source })?;
        Ok((status.code(), String::from_utf8_lossy(&said).into_owned()))
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        drop(self.stdin.take());
        self.child.wait().ok();
    }
}

fn unexpected(answer: &str) -> GitError {
    GitError::Unexpected { what: "update-ref".into(), answer: answer.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    fn two_commits(format: &[&str]) -> (Sample, String, String) {
        let sample = Sample::with(format);
        let old = sample.git(&["rev-parse", "HEAD"]);
        let new = sample.git(&["commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "two"]);
        (sample, old, new)
    }

    #[test]
    fn while_it_is_locked_nobody_else_moves_it() {
        for format in [&[][..], &["--ref-format=reftable"], &["--object-format=sha256"]] {
            let (sample, old, new) = two_commits(format);
            let moved = Move { reference: "refs/heads/main", old: &old, new: &new, log: "merge x" };
            let Preparing::Done(prepared) = prepare(&sample.place(), &moved).unwrap() else {
                panic!("it is free");
            };
            let commit = ["commit", "-q", "--allow-empty", "-m", "mine"];
            let config = Git::write(&sample.place()).config("core.filesRefLockTimeout=0");
            let other = config.config("reftable.lockTimeout=0").args(commit).answer().unwrap();
            assert_ne!(other.code, Some(0), "{format:?}");
            assert_eq!(sample.git(&["rev-parse", "HEAD"]), old);
            assert!(matches!(prepare(&sample.place(), &moved).unwrap(), Preparing::Refused(_)));
            prepared.commit().unwrap();
            assert_eq!(sample.git(&["rev-parse", "HEAD"]), new);
            let log = sample.git(&["log", "-g", "--format=%gs", "-1", "HEAD"]);
            assert_eq!(log, "merge x");
            let late = prepare(&sample.place(), &moved).unwrap();
            let Preparing::Refused(why) = late else { panic!("it moved") };
            assert!(why.contains(&new), "{why}");
        }
    }

    #[test]
    fn letting_go_leaves_it_where_it_was() {
        let (sample, old, new) = two_commits(&[]);
        let moved = Move { reference: "refs/heads/main", old: &old, new: &new, log: "x" };
        drop(prepare(&sample.place(), &moved).unwrap());
        assert_eq!(sample.git(&["rev-parse", "HEAD"]), old);
        sample.git(&["commit", "-q", "--allow-empty", "-m", "mine"]);
    }
}
