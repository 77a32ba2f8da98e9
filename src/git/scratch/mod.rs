//! A worktree of our own, detached, in which git makes a merge while the user's checkout is left in
//! peace.
//!
//! Only `.gitattributes` files are checked out in it, which is all that a merge reads, unless hooks
//! would miss the rest. Neither the user's configuration nor any that worktrees share is edited.

mod hooks;
#[cfg(test)]
mod like_git;
mod replay;
mod resume;
#[cfg(test)]
mod tests;
mod work;

use std::path::{Path, PathBuf};

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;
use crate::git::repo::Repo;
use crate::git::worktree::{MARK_VARIABLE, Naming, marked, naming, registration_named_in};

pub use hooks::Hooks;
pub use replay::replay;
pub use resume::resume;
pub use work::{Brought, How, Stopped, Work, bring, said};

/// What a thin scratch checks out.
const ATTRIBUTES_ONLY: &str = ".gitattributes\n";
/// The user's own patterns, put aside in the registration's `info` directory.
const USERS_PATTERNS: &str = "sparse-checkout.wt";
/// Settings under which the patterns of a scratch count, whatever the user's are.
const THIN: [&str; 2] = ["core.sparseCheckout=true", "core.sparseCheckoutCone=false"];

/// A scratch worktree to be made. The caller holds the repository's lock.
#[derive(Debug, Clone, Copy)]
pub struct NewScratch<'a> {
    /// Its directory, absolute; nothing is there.
    pub path: &'a Path,
    /// The commit it stands at, in hex.
    pub at: &'a str,
    /// One line that no other worktree was ever made under. Its registration stays locked with it.
    pub mark: &'a str,
    /// With all files.
    pub whole: bool,
}

/// A scratch worktree.
#[derive(Debug, Clone)]
pub struct Scratch {
    place: Place,
    mark: String,
}

impl Scratch {
    /// Makes one. `from` is the checkout whose sparse patterns a whole one takes along.
    ///
    /// # Errors
    /// git's own, after which there may be remains for [`Scratch::remove`].
    pub fn make(repo: &Repo, from: &Place, new: &NewScratch<'_>) -> Result<Self, GitError> {
        let asked = ["worktree", "add", "--quiet", "--lock", "--reason", new.mark];
        let git = Git::write(from).env(MARK_VARIABLE, new.mark).args(asked);
        let git = git.args(["--detach", "--no-checkout"]);
        git.arg(new.path).arg(new.at).run()?;
        let unexpected = || GitError::Unexpected {
            what: "worktree add".into(),
            answer: format!("no registration for `{}`", new.path.display()),
        };
        let admin_dir = registration_named_in(new.path).ok_or_else(unexpected)?;
        let scratch = Self::open(repo, &admin_dir, new.path, new.mark);
        if !new.whole {
            scratch.make_thin()?;
        }
        scratch.git().args(["read-tree", "-m", "-u", "HEAD"]).run()?;
        Ok(scratch)
    }

    /// One that was made before, by its recorded registration and directory.
    pub fn open(repo: &Repo, admin_dir: &Path, path: &Path, mark: &str) -> Self {
        let place = Place::checkout(admin_dir, repo.common_dir(), path);
        Self { place, mark: mark.to_owned() }
    }

    /// It as a place, for calls that only look.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// A call that changes it. It carries the mark, so that a git which outlives us is found.
    pub fn git(&self) -> Git {
        let git = Git::write(&self.place).env(MARK_VARIABLE, &self.mark);
        if !self.is_thin() {
            return git;
        }
        THIN.into_iter().fold(git, Git::config)
    }

    /// Checks out everything else, so that a person or an agent can work in it. Conflicts in it stay
    /// as they are.
    ///
    /// # Errors
    /// When git or the file system fails.
    pub fn fill(&self) -> Result<(), GitError> {
        if !self.is_thin() {
            return Ok(());
        }
        let (patterns, users) = (self.patterns(), self.users_patterns());
        let again = ["sparse-checkout", "reapply"];
        if users.exists() {
            std::fs::rename(&users, &patterns).map_err(GitError::file("rename", &users))?;
            return Git::write(&self.place).args(again).run().map(drop);
        }
        std::fs::write(&patterns, "/*\n").map_err(GitError::file("write", &patterns))?;
        let git = THIN.into_iter().fold(Git::write(&self.place), Git::config);
        git.args(again).run()?;
        std::fs::remove_file(&patterns).map_err(GitError::file("remove", &patterns))
    }

    /// Removes the scratch that was made under a mark, or half made, with everything in it. Can be
    /// repeated until it succeeds. The caller holds the repository's lock.
    ///
    /// Something else in its place is left alone.
    ///
    /// # Errors
    /// When a part cannot be removed; the rest can still be found by the mark.
    pub fn remove(repo: &Repo, path: &Path, mark: &str) -> Result<(), GitError> {
        let Some(admin_dir) = marked(repo, mark)? else {
            // git makes the directory before the registration; one that is not empty is not its.
            std::fs::remove_dir(path).ok();
            return Ok(());
        };
        // Before git has named the registration in the directory there is nothing else in it.
        let empty = std::fs::remove_dir(path).is_ok();
        if !empty && naming(path, &admin_dir) == Naming::Mutual {
            std::fs::remove_dir_all(path).map_err(GitError::file("remove", path))?;
        }
        std::fs::remove_dir_all(&admin_dir).map_err(GitError::file("remove", &admin_dir))?;
        // git removes the directory of registrations with the last of them, too.
        admin_dir.parent().map(std::fs::remove_dir);
        Ok(())
    }

    fn make_thin(&self) -> Result<(), GitError> {
        let (patterns, users) = (self.patterns(), self.users_patterns());
        let info = self.place.git_dir.join("info");
        std::fs::create_dir_all(&info).map_err(GitError::file("create", &info))?;
        if patterns.exists() {
            std::fs::rename(&patterns, &users).map_err(GitError::file("rename", &patterns))?;
        }
        std::fs::write(&patterns, ATTRIBUTES_ONLY).map_err(GitError::file("write", &patterns))
    }

    fn is_thin(&self) -> bool {
        std::fs::read(self.patterns()).is_ok_and(|text| text == ATTRIBUTES_ONLY.as_bytes())
    }

    fn patterns(&self) -> PathBuf {
        self.place.git_dir.join("info/sparse-checkout")
    }

    fn users_patterns(&self) -> PathBuf {
        self.place.git_dir.join("info").join(USERS_PATTERNS)
    }
}
