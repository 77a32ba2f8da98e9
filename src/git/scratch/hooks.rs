//! The user's hooks, for calls in a scratch worktree.

use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;

/// Hooks that look at a commit before it is made, so that they need its files.
const READERS: &[&str] = &[
    "applypatch-msg",
    "commit-msg",
    "pre-applypatch",
    "pre-commit",
    "pre-merge-commit",
    "pre-rebase",
    "prepare-commit-msg",
];
/// Hooks about files that have changed in the user's checkout, which is not so yet.
const LATER: &[&str] = &["post-checkout", "post-merge"];

/// Where the hooks of a checkout are, and which.
///
/// A relative `core.hooksPath` counts from the user's checkout: in the scratch worktree it would
/// lead to hooks that the merged branch has brought, or to none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hooks {
    dir: PathBuf,
    names: Vec<String>,
    /// The directory that git would look in by itself.
    usual: bool,
    /// Nothing of what is made is to last.
    rehearsal: bool,
}

impl Hooks {
    /// Those that git runs in a checkout.
    ///
    /// # Errors
    /// When git cannot be asked.
    pub fn of(place: &Place) -> Result<Self, GitError> {
        let asked = ["rev-parse", "--path-format=absolute", "--git-path", "hooks"];
        let answer = Git::write(place).args(asked).run()?;
        let answer = answer.strip_suffix(b"\n").unwrap_or(&answer);
        let dir = PathBuf::from(std::ffi::OsStr::from_bytes(answer));
        let usual = dir == place.common_dir.join("hooks");
        Ok(Self { names: installed(&dir)?, dir, usual, rehearsal: false })
    }

    /// Those of a repository that says nothing of where they are.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn usual(common_dir: &Path) -> Result<Self, GitError> {
        let dir = common_dir.join("hooks");
        Ok(Self { names: installed(&dir)?, dir, usual: true, rehearsal: false })
    }

    /// None at all, nothing signed and nothing remembered: for finding out what a merge would give.
    pub fn none() -> Self {
        Self { names: vec![], dir: "/dev/null".into(), usual: false, rehearsal: true }
    }

    /// True when one of them reads the files of what is to be committed.
    pub fn need_files(&self) -> bool {
        READERS.iter().any(|name| self.has(name))
    }

    /// True when a hook of this name is installed.
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// Makes a call run these hooks, but those that are for the user's checkout not yet. `own` is a
    /// directory for what that takes; it is replaced.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn apply(&self, git: Git, own: &Path) -> Result<Git, GitError> {
        if LATER.iter().any(|name| self.has(name)) {
            self.write_wrappers(own)?;
            return Ok(git.config(setting(own)));
        }
        if self.usual {
            return Ok(git);
        }
        let git = git.config(setting(&self.dir));
        if !self.rehearsal {
            return Ok(git);
        }
        Ok(git.config("commit.gpgSign=false").config("rerere.enabled=false"))
    }

    /// Runs one of them in a checkout, if it is installed; gives what it said when it failed.
    ///
    /// # Errors
    /// When git cannot be started.
    pub fn run(
        &self,
        place: &Place,
        name: &str,
        arguments: &[&str],
    ) -> Result<Option<String>, GitError> {
        if !self.has(name) {
            return Ok(None);
        }
        let asked = ["hook", "run", "--ignore-missing", name, "--"];
        let answer = Git::write(place).args(asked).args(arguments).answer()?;
        Ok((answer.code != Some(0)).then_some(answer.stderr))
    }

    /// One script for each hook that hands over to it: a link would show the hook a wrong place in
    /// `$0`, by which many find their libraries.
    fn write_wrappers(&self, own: &Path) -> Result<(), GitError> {
        match std::fs::remove_dir_all(own) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(GitError::file("remove", own)(error));
            }
            _ => {}
        }
        std::fs::create_dir(own).map_err(GitError::file("create", own))?;
        for name in self.names.iter().filter(|name| !LATER.contains(&name.as_str())) {
            let hook = self.dir.join(name);
            let Ok(quoted) = shlex::bytes::try_quote(hook.as_os_str().as_bytes()) else { continue };
            let script = [b"#!/bin/sh\nexec ", quoted.as_ref(), b" \"$@\"\n"].concat();
            let path = own.join(name);
            std::fs::write(&path, script).map_err(GitError::file("write", &path))?;
            let run = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(&path, run).map_err(GitError::file("write", &path))?;
        }
        Ok(())
    }
}

fn setting(dir: &Path) -> std::ffi::OsString {
    let mut setting = std::ffi::OsString::from("core.hooksPath=");
    setting.push(dir);
    setting
}

/// git runs what is a hook by name and may be executed; the samples it brings are named otherwise.
fn installed(dir: &Path) -> Result<Vec<String>, GitError> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(vec![]);
        }
        Err(error) => return Err(GitError::file("read", dir)(error)),
    };
    let runs = |path: &Path| {
        std::fs::metadata(path)
            .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| runs(&entry.path()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.contains('.'))
        .collect();
    names.sort();
    Ok(names)
}
