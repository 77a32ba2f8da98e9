//! The trash: whole worktrees put aside, ignored files and all, to come back exactly as they were.
//!
//! The directory is renamed into a trash beside the other worktrees; its registration stays, names
//! the new place, and is locked with a mark of ours, so that neither the user's `git worktree
//! prune` nor their `git gc` takes what its index and HEAD hold. HEAD is detached meanwhile, so
//! that the branch can be deleted, or checked out elsewhere.

mod copy;
mod purge;
mod put;
mod record;
mod take_out;

use std::path::{Path, PathBuf};

use crate::git::error::GitError;
use crate::git::place::Place;
use crate::git::repo::Repo;
use crate::git::worktree::{self, LOCKED, line, read_small, registered_path, same, sync_dir};

pub use purge::purge;
pub use put::{Put, put};
pub use take_out::{Back, TakenOut, take_out};

/// The directory, beside the worktrees, that removed ones are kept in.
pub const FOLDER: &str = ".trash";

/// What the marks of ours begin with that lock a registration whose worktree is in the trash.
const MARK: &str = "in the trash of wt, ";

/// A worktree in the trash, or on its way in or out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trashed {
    /// Where it was, absolute.
    pub path: PathBuf,
    /// Its registration.
    pub admin_dir: PathBuf,
    /// Where it is kept, absolute.
    pub trash: PathBuf,
    /// The variant's key: what the mark holds, so that no other one is taken for it.
    pub key: i64,
}

impl Trashed {
    /// Where a worktree goes when it is removed: `<its folder>/.trash/<name>-<key>`.
    pub fn place_for(path: &Path, name: &str, key: i64) -> PathBuf {
        let folder = path.parent().unwrap_or(path);
        folder.join(FOLDER).join(format!("{name}-{key}"))
    }

    fn mark(&self) -> String {
        format!("{MARK}{}", self.key)
    }

    /// Whether it is in the trash as this very worktree: the registration carries our mark and
    /// names the place, and the directory there names the registration.
    pub fn is_there(&self) -> bool {
        is_marked(&self.admin_dir, &self.mark())
            && registered_path(&self.admin_dir).is_some_and(|path| same(&path, &self.trash))
            && self.names_registration(&self.trash)
    }

    /// Whether the `.git` file of a directory names our registration. A relative name counts from
    /// where the worktree was: the file goes in and comes out untouched.
    fn names_registration(&self, dir: &Path) -> bool {
        let Some(text) = read_small(&dir.join(".git")) else { return false };
        let text = line(&text);
        let named = text.strip_prefix("gitdir: ").map(|name| self.path.join(name));
        let Some(named) = named else { return false };
        // The path need not exist any more, so its dots are settled by name.
        same(&worktree::settled(&named), &self.admin_dir)
    }

    fn git_place(&self, repo: &Repo) -> Place {
        Place {
            git_dir: self.admin_dir.clone(),
            common_dir: repo.common_dir().to_path_buf(),
            work_tree: None,
        }
    }
}

/// Whether a worktree's lock says that it is in our trash: nothing to show among the others.
pub fn is_trash_lock(reason: &str) -> bool {
    reason.starts_with(MARK)
}

fn is_marked(admin_dir: &Path, mark: &str) -> bool {
    read_small(&admin_dir.join(LOCKED)).is_some_and(|text| line(&text) == mark)
}

/// Renames a directory to a name that nothing has; `Ok(false)` when the file system cannot.
fn rename_dir(from: &Path, to: &Path) -> Result<bool, GitError> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => {}
        Err(Errno::XDEV) => return Ok(false),
        // Old file systems do not know the flag.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            if to.symlink_metadata().is_ok() {
                let taken = std::io::ErrorKind::AlreadyExists.into();
                return Err(GitError::file("rename to", to)(taken));
            }
            match std::fs::rename(from, to) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::CrossesDevices => {
                    return Ok(false);
                }
                Err(error) => return Err(GitError::file("rename", from)(error)),
            }
        }
        Err(Errno::EXIST | Errno::NOTEMPTY) => {
            let taken = std::io::ErrorKind::AlreadyExists.into();
            return Err(GitError::file("rename to", to)(taken));
        }
        Err(error) => return Err(GitError::file("rename", from)(error.into())),
    }
    for dir in [from.parent(), to.parent()].into_iter().flatten() {
        sync_dir(dir)?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
