//! Making a worktree, in such a way that it can be found and finished or reversed whatever died
//! half-way.
//!
//! The registration is locked with a mark of ours from its first moment on (`git worktree add
//! --lock --reason`), instead of git's own "initializing", which says nothing about who was at it.

use std::path::{Path, PathBuf};

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;
use crate::git::repo::Repo;
use crate::git::worktree::{
    LOCKED, Naming, line, naming, read_small, registered_path, registration_named_in,
    registrations, same,
};

/// Set for the `git worktree add` of one intent, so that a git which outlived its `wt` is found.
pub const MARK_VARIABLE: &str = "WT_INTENT";

/// A worktree to be made. The caller holds the repository's lock.
#[derive(Debug, Clone, Copy)]
pub struct NewWorktree<'a> {
    /// Its directory, absolute; nothing is there.
    pub path: &'a Path,
    /// What it will have checked out.
    pub branch: BranchFor<'a>,
    /// One line that no other worktree was ever made under.
    pub mark: &'a str,
}

/// The branch of a worktree to be made.
#[derive(Debug, Clone, Copy)]
pub enum BranchFor<'a> {
    /// One that does not exist.
    New {
        /// Without `refs/heads/`.
        name: &'a str,
        /// The commit it begins at, in hex.
        at: &'a str,
    },
    /// One that exists and is checked out nowhere.
    Existing {
        /// Without `refs/heads/`.
        name: &'a str,
    },
}

/// Makes the branch, the registration and the files, with git's own `worktree add` (hooks, filters
/// and sparse patterns are those of the user). Gives the registration, still locked: [`finish`]
/// unlocks it, [`unmake`] takes everything back.
///
/// `from` is the checkout whose sparse patterns are taken along.
///
/// # Errors
/// git's own, after which there may be remains for [`unmake`].
pub fn add(repo: &Repo, from: &Place, new: &NewWorktree<'_>) -> Result<PathBuf, GitError> {
    let git = Git::write(from).env(MARK_VARIABLE, new.mark);
    let git = git.args(["worktree", "add", "--quiet", "--lock", "--reason", new.mark]);
    match new.branch {
        BranchFor::New { name, at } => {
            git.args(["--no-track", "-b", name]).arg(new.path).arg(at).run()?
        }
        BranchFor::Existing { name } => git.arg(new.path).arg(name).run()?,
    };
    let unexpected = || GitError::Unexpected {
        what: "worktree add".into(),
        answer: format!("no registration for `{}`", new.path.display()),
    };
    let admin_dir = registration_named_in(new.path).ok_or_else(unexpected)?;
    let ours =
        admin_dir.parent().is_some_and(|dir| same(dir, &repo.common_dir().join("worktrees")));
    if ours && naming(new.path, &admin_dir) == Naming::Mutual {
        Ok(admin_dir)
    } else {
        Err(unexpected())
    }
}

/// Unlocks a registration that is locked with this mark: the worktree is whole.
///
/// # Errors
/// When the lock cannot be removed.
pub fn finish(admin_dir: &Path, mark: &str) -> Result<(), GitError> {
    let lock = admin_dir.join(LOCKED);
    if !is_marked(admin_dir, mark) {
        return Ok(());
    }
    std::fs::remove_file(&lock).map_err(GitError::file("remove", lock))
}

/// What is to be taken back.
#[derive(Debug, Clone, Copy)]
pub struct Unmake<'a> {
    /// Where the worktree was made, or was to be.
    pub path: &'a Path,
    /// The mark it was made under.
    pub mark: &'a str,
    /// The commit that was checked out, in hex.
    pub commit: &'a str,
    /// The branch, if it was made together with the worktree.
    pub made_branch: Option<&'a str>,
    /// Where a directory is moved that holds more than what was put there. Nothing is there; on the
    /// same file system as `path`.
    pub aside: &'a Path,
}

/// What is left after [`unmake`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leftover {
    /// Nothing.
    None,
    /// The directory held something that `wt` had not put there, so it was moved here.
    MovedAside(PathBuf),
    /// Something else is in the directory's place; it was left alone.
    Foreign(PathBuf),
}

/// Takes a worktree back that was made under a mark, or half made: its directory, its registration
/// and its branch, if that still stands at the commit it began at. Can be repeated until it
/// succeeds. The caller holds the repository's lock, and no git is at work on it any more.
///
/// # Errors
/// When a part cannot be removed; the rest is then still there to be found by the mark.
pub fn unmake(repo: &Repo, gone: &Unmake<'_>) -> Result<Leftover, GitError> {
    let admin_dir = registration(repo, gone)?;
    let leftover = remove_files(repo, gone, admin_dir.as_deref())?;
    if let Some(admin_dir) = admin_dir {
        std::fs::remove_dir_all(&admin_dir).map_err(GitError::file("remove", &admin_dir))?;
        // git removes the directory of registrations with the last of them, too.
        admin_dir.parent().map(std::fs::remove_dir);
    }
    if let Some(branch) = gone.made_branch {
        delete_branch(repo, branch, gone.commit)?;
    }
    Ok(leftover)
}

/// The registration: locked with our mark, or, when it was already unlocked, the one that the
/// directory and itself agree upon.
fn registration(repo: &Repo, gone: &Unmake<'_>) -> Result<Option<PathBuf>, GitError> {
    if let Some(marked) = marked(repo, gone.mark)? {
        return Ok(Some(marked));
    }
    let named = registration_named_in(gone.path);
    Ok(named.filter(|admin_dir| {
        let parent = repo.common_dir().join("worktrees");
        admin_dir.parent().is_some_and(|dir| same(dir, &parent))
            && naming(gone.path, admin_dir) == Naming::Mutual
            && !admin_dir.join(LOCKED).exists()
    }))
}

/// The registration that is locked with this mark.
///
/// # Errors
/// When the registrations cannot be read.
pub fn marked(repo: &Repo, mark: &str) -> Result<Option<PathBuf>, GitError> {
    let all = registrations(repo.common_dir())?;
    Ok(all.into_iter().find(|admin_dir| is_marked(admin_dir, mark)))
}

fn is_marked(admin_dir: &Path, mark: &str) -> bool {
    read_small(&admin_dir.join(LOCKED)).is_some_and(|text| line(&text) == mark)
}

fn remove_files(
    repo: &Repo,
    gone: &Unmake<'_>,
    admin_dir: Option<&Path>,
) -> Result<Leftover, GitError> {
    let path = gone.path;
    let Ok(meta) = std::fs::symlink_metadata(path) else { return Ok(Leftover::None) };
    let foreign = Ok(Leftover::Foreign(path.to_path_buf()));
    if !meta.is_dir() {
        return foreign;
    }
    // git makes the directory before it names the registration in it, and the other way round.
    if std::fs::remove_dir(path).is_ok() {
        return Ok(Leftover::None);
    }
    let Some(admin_dir) = admin_dir else { return foreign };
    let registered = registered_path(admin_dir);
    let ours = registered.as_deref().is_some_and(|registered| same(registered, path));
    let named = path.join(".git").symlink_metadata().is_ok();
    if !ours || (named && naming(path, admin_dir) != Naming::Mutual) {
        return foreign;
    }
    if holds_more(repo, gone, admin_dir) {
        if let Some(parent) = gone.aside.parent() {
            std::fs::create_dir_all(parent).map_err(GitError::file("create", parent))?;
        }
        std::fs::rename(path, gone.aside).map_err(GitError::file("rename", path))?;
        return Ok(Leftover::MovedAside(gone.aside.to_path_buf()));
    }
    std::fs::remove_dir_all(path).map_err(GitError::file("remove", path))?;
    Ok(Leftover::None)
}

/// Whether a directory holds anything but files of the commit and ignored ones. In doubt it does.
fn holds_more(repo: &Repo, gone: &Unmake<'_>, admin_dir: &Path) -> bool {
    let Ok(scratch) = tempfile::tempdir() else { return true };
    let index = scratch.path().join("index");
    let place = Place::checkout(admin_dir, repo.common_dir(), gone.path);
    let read = Git::read(&place).env("GIT_INDEX_FILE", &index).args(["read-tree", gone.commit]);
    if read.run().is_err() {
        return true;
    }
    let asked = ["status", "--porcelain=v1", "-z", "--untracked-files=normal", "--no-renames"];
    let status = Git::read(&place).env("GIT_INDEX_FILE", &index).args(asked);
    match status.arg("--ignore-submodules=all").run() {
        // What is not there (any more) is nothing to keep.
        Ok(answer) => answer
            .split(|byte| *byte == 0)
            .any(|entry| !entry.is_empty() && !entry.starts_with(b" D")),
        Err(_) => true,
    }
}

/// Deletes a branch that still stands at a commit; one that moved, or is gone, is left as it is.
///
/// # Errors
/// When git cannot say where it stands, or fails to delete it there.
fn delete_branch(repo: &Repo, branch: &str, at: &str) -> Result<(), GitError> {
    if repo.branch(branch)?.as_deref() != Some(at) {
        return Ok(());
    }
    let full = format!("refs/heads/{branch}");
    let delete = || Git::write(&repo.place()).args(["update-ref", "-d", &full, at]).run();
    let lock = repo.common_dir().join(format!("{full}.lock"));
    match delete() {
        // A git that was killed between making its lock and noting it leaves the lock behind. The
        // branch is one that only we were making, and no git is at work on it any more.
        Err(_) if lock.exists() => {
            std::fs::remove_file(&lock).map_err(GitError::file("remove", &lock))?;
            delete().map(|_| ())
        }
        answer => answer.map(|_| ()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;
    use crate::git::worktree::list;

    const MARK: &str = "wt is making this 7-x7k2m9";

    struct Half {
        sample: Sample,
        path: PathBuf,
        commit: String,
    }

    impl Half {
        fn made() -> (Self, PathBuf) {
            let half = Self::with(Sample::new());
            let admin_dir = half.add().unwrap();
            (half, admin_dir)
        }

        fn with(sample: Sample) -> Self {
            let commit = sample.repo().commit("HEAD").unwrap();
            let path = sample.beside("ws ä").join("a");
            Self { sample, path, commit }
        }

        fn add(&self) -> Result<PathBuf, GitError> {
            let branch = BranchFor::New { name: "feature/a", at: &self.commit };
            let new = NewWorktree { path: &self.path, branch, mark: MARK };
            add(&self.sample.repo(), &self.sample.place(), &new)
        }

        fn unmake(&self) -> Leftover {
            self.unmake_with(Some("feature/a"))
        }

        fn unmake_with(&self, made_branch: Option<&str>) -> Leftover {
            let gone = Unmake {
                path: &self.path,
                mark: MARK,
                commit: &self.commit,
                made_branch,
                aside: &self.sample.beside("aside/a"),
            };
            unmake(&self.sample.repo(), &gone).unwrap()
        }

        fn is_unmade(&self) -> bool {
            let repo = self.sample.repo();
            !self.path.exists()
                && list(&repo).unwrap().len() == 1
                && repo.branch("feature/a").unwrap().is_none()
                && !repo.common_dir().join("worktrees").exists()
        }
    }

    #[test]
    fn a_new_worktree_is_locked_until_it_is_finished() {
        for format in [&[][..], &["--ref-format=reftable"], &["--object-format=sha256"]] {
            let half = Half::with(Sample::with(format));
            let admin_dir = half.add().unwrap();
            let listed = list(&half.sample.repo()).unwrap();
            assert_eq!(listed[1].locked.as_deref(), Some(MARK));
            assert_eq!((&listed[1].path, &listed[1].git_dir), (&half.path, &admin_dir));
            assert_eq!(listed[1].branch(), Some("feature/a"), "{format:?}");
            finish(&admin_dir, "another mark").unwrap();
            assert!(admin_dir.join(LOCKED).exists());
            finish(&admin_dir, MARK).unwrap();
            assert!(!admin_dir.join(LOCKED).exists());
            assert_eq!(half.unmake(), Leftover::None);
            assert!(half.is_unmade(), "{format:?}");
        }
    }

    #[test]
    fn every_half_made_state_is_taken_back() {
        type Damage = fn(&Half, &Path);
        let states: [Damage; 6] = [
            |_, _| {},
            // Killed before the directory was made.
            |half, _| std::fs::remove_dir_all(&half.path).unwrap(),
            // Killed before the registration named it.
            |half, admin| {
                std::fs::remove_file(admin.join("gitdir")).unwrap();
                std::fs::remove_dir_all(&half.path).unwrap();
                std::fs::create_dir(&half.path).unwrap();
            },
            // Killed before the directory named the registration, or after that name was removed.
            |half, _| std::fs::remove_file(half.path.join(".git")).unwrap(),
            // Killed while files were written or removed.
            |half, admin| {
                std::fs::remove_file(half.path.join("a.txt")).unwrap();
                std::fs::remove_file(admin.join("index")).unwrap();
            },
            // Killed after the registration was removed.
            |half, _| {
                half.sample.git(&["worktree", "remove", "-f", "-f", half.path.to_str().unwrap()]);
            },
        ];
        for (number, damage) in states.iter().enumerate() {
            let (half, admin_dir) = Half::made();
            damage(&half, &admin_dir);
            assert_eq!(half.unmake(), Leftover::None, "state {number}");
            assert!(half.is_unmade(), "state {number}");
            assert_eq!(half.unmake(), Leftover::None, "state {number}, again");
        }
    }

    #[test]
    fn what_somebody_put_there_meanwhile_is_moved_aside() {
        for file in ["a.txt", "new.txt"] {
            let (half, _) = Half::made();
            std::fs::write(half.path.join(file), "mine").unwrap();
            let aside = half.sample.beside("aside/a");
            assert_eq!(half.unmake(), Leftover::MovedAside(aside.clone()));
            assert!(half.is_unmade());
            assert_eq!(std::fs::read_to_string(aside.join(file)).unwrap(), "mine");
        }
    }

    #[test]
    fn a_lock_that_a_killed_git_left_on_the_branch_is_in_nobodys_way() {
        let (half, _) = Half::made();
        let lock = half.sample.repo().common_dir().join("refs/heads/feature/a.lock");
        std::fs::write(&lock, "").unwrap();
        half.unmake();
        assert!(half.is_unmade() && !lock.exists());
    }

    #[test]
    fn a_branch_that_moved_stays() {
        let (half, _) = Half::made();
        half.sample.git_in(&half.path, &["commit", "-q", "--allow-empty", "-m", "mine"]);
        assert_eq!(half.unmake(), Leftover::None);
        assert!(half.sample.repo().branch("feature/a").unwrap().is_some());
    }

    #[test]
    fn what_took_the_place_is_left_alone() {
        let (half, _) = Half::made();
        std::fs::remove_dir_all(&half.path).unwrap();
        half.sample.git(&["init", "-q", half.path.to_str().unwrap()]);
        assert_eq!(half.unmake(), Leftover::Foreign(half.path.clone()));
        assert!(half.path.join(".git/HEAD").exists());
        assert_eq!(list(&half.sample.repo()).unwrap().len(), 1);
    }

    #[test]
    fn gits_refusals_are_passed_on() {
        let half = Half::with(Sample::new());
        half.sample.git(&["branch", "feature/a"]);
        let refused = half.add().unwrap_err();
        assert!(refused.to_string().contains("already exists"), "{refused}");
        assert_eq!(half.unmake_with(None), Leftover::None);
        assert!(half.sample.repo().branch("feature/a").unwrap().is_some());
    }
}
