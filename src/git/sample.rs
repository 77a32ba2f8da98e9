//! A repository for the tests of this floor: real, small, and with nothing of the user's in it.

use std::path::{Path, PathBuf};

use crate::git::command::Git;
use crate::git::place::Place;
use crate::git::repo::Repo;

/// A repository on `main` with one commit, in a directory with a space and an umlaut.
pub(crate) struct Sample {
    _dir: tempfile::TempDir,
    /// The main checkout.
    pub(crate) path: PathBuf,
}

impl Sample {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// Made with these arguments for `git init`.
    pub(crate) fn with(args: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = std::fs::canonicalize(dir.path()).unwrap().join("my shöp");
        std::fs::create_dir(&path).unwrap();
        let sample = Self { _dir: dir, path };
        sample.git(&[&["init", "-q", "-b", "main"], args].concat());
        sample.git(&["config", "user.name", "a"]);
        sample.git(&["config", "user.email", "a@a"]);
        sample.write("a.txt", "one\n");
        sample.commit("one");
        sample
    }

    pub(crate) fn repo(&self) -> Repo {
        Repo::open(&self.path.join(".git")).unwrap()
    }

    pub(crate) fn place(&self) -> Place {
        self.repo().main_place().unwrap()
    }

    /// A path beside the main checkout.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.path.with_file_name(name)
    }

    /// Runs git in the main checkout; it must succeed.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.path, args)
    }

    /// Runs git in some directory; it must succeed.
    pub(crate) fn git_in(&self, dir: &Path, args: &[&str]) -> String {
        git_in(dir, args)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        put(&self.path, path, text);
    }

    /// Makes a linked worktree on a new branch `feature/NAME`, and gives its place.
    pub(crate) fn worktree(&self, name: &str) -> Place {
        let path = self.beside("trees").join(name);
        let branch = format!("feature/{name}");
        self.git(&["worktree", "add", "-q", "-b", &branch, path.to_str().unwrap()]);
        let common = self.place().common_dir;
        Place::checkout(common.join("worktrees").join(name), common, path)
    }

    /// Commits everything.
    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
    }
}

/// Runs git as a user would in some directory; it must succeed.
pub(crate) fn git_in(dir: &Path, args: &[&str]) -> String {
    let git = Git::discovering(dir).env("GIT_CONFIG_GLOBAL", "/dev/null");
    git.env("GIT_CONFIG_SYSTEM", "/dev/null").args(args).text().unwrap()
}

/// Writes a file below a directory, with the directories in between.
pub(crate) fn put(dir: &Path, path: &str, text: &str) {
    let path = dir.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
