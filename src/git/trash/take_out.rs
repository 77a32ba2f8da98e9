//! Taking a worktree out of the trash.

use std::path::{Path, PathBuf};

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::repo::Repo;
use crate::git::trash::record::{self, HeadWas};
use crate::git::trash::{Trashed, copy, is_marked, rename_dir};
use crate::git::worktree::{LOCKED, Naming, list, naming, write_small};

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakenOut {
    /// It is back, with its branch.
    Done,
    /// Left alone: it is not in the trash any more, or something else is in its place there.
    NotThere,
    /// Left alone: something is where it should go.
    Taken,
    /// Left alone: its branch stands at another commit by now.
    BranchMoved {
        /// Without `refs/heads/`.
        branch: String,
        /// Where it stands, in hex.
        at: String,
    },
    /// Left alone: its branch is checked out in another place.
    BranchInUse {
        /// Without `refs/heads/`.
        branch: String,
        /// Where.
        at: PathBuf,
    },
    /// Left alone: its submodules only work where they were made.
    Submodules,
}

/// Where it goes, and on which branch.
#[derive(Debug, Clone, Copy)]
pub struct Back<'a> {
    /// Its directory, absolute; where it was, unless that is taken.
    pub to: &'a Path,
    /// Another branch (without `refs/heads/`, to be made) than the one it was on.
    pub branch: Option<&'a str>,
}

/// Takes a worktree out of the trash, or goes on where a killed process left off: files, index and
/// HEAD are as they were, and the branch is made again if it was deleted.
///
/// The caller holds the repository's lock and has recorded what it is about to do.
///
/// # Errors
/// When a step fails; it can be repeated.
pub fn take_out(repo: &Repo, back: &Trashed, to: &Back<'_>) -> Result<TakenOut, GitError> {
    let marked = is_marked(&back.admin_dir, &back.mark());
    if !marked && naming(to.to, &back.admin_dir) == Naming::Mutual {
        return Ok(TakenOut::Done);
    }
    if to.to != back.path && back.admin_dir.join("modules").exists() {
        return Ok(TakenOut::Submodules);
    }
    // Renamed, and killed before all else was told; to a new place the names were absolute.
    let renamed =
        marked && back.names_registration(to.to) && back.trash.symlink_metadata().is_err();
    if !renamed {
        if !back.is_there() {
            return Ok(TakenOut::NotThere);
        }
        if to.to.symlink_metadata().is_ok() {
            return Ok(TakenOut::Taken);
        }
    }
    let was = record::read(&back.admin_dir)?;
    let was = was.map(|was| renamed_branch(was, to.branch));
    if let Some(refused) = was.as_ref().map(|was| branch_refusal(repo, back, was)).transpose()? {
        match refused {
            TakenOut::Done => {}
            refused => return Ok(refused),
        }
    }
    if !renamed {
        move_back(back, to.to)?;
    }
    name_each_other(back, to.to)?;
    if let Some(was) = &was {
        attach(repo, back, was)?;
    }
    record::remove(&back.admin_dir)?;
    let lock = back.admin_dir.join(LOCKED);
    std::fs::remove_file(&lock).map_err(GitError::file("remove", lock))?;
    Ok(TakenOut::Done)
}

fn renamed_branch(was: HeadWas, branch: Option<&str>) -> HeadWas {
    match (was, branch) {
        (HeadWas::Branch { commit, .. }, Some(branch)) => {
            HeadWas::Branch { name: format!("refs/heads/{branch}"), commit }
        }
        (was, _) => was,
    }
}

fn branch_refusal(repo: &Repo, back: &Trashed, was: &HeadWas) -> Result<TakenOut, GitError> {
    let HeadWas::Branch { name, commit } = was else { return Ok(TakenOut::Done) };
    let branch = name.strip_prefix("refs/heads/").unwrap_or(name).to_owned();
    let used = list(repo)?
        .into_iter()
        .find(|other| other.branch() == Some(&branch) && other.git_dir != back.admin_dir);
    if let Some(other) = used {
        return Ok(TakenOut::BranchInUse { branch, at: other.path });
    }
    Ok(match repo.branch(&branch)? {
        Some(at) if at != *commit => TakenOut::BranchMoved { branch, at },
        _ => TakenOut::Done,
    })
}

fn move_back(back: &Trashed, to: &Path) -> Result<(), GitError> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(GitError::file("create", folder))?;
    }
    if !rename_dir(&back.trash, to)? {
        copy::copy_dir(&back.trash, to)?;
        copy::remove_whole(&back.trash)?;
    }
    Ok(())
}

fn name_each_other(back: &Trashed, to: &Path) -> Result<(), GitError> {
    let named = to.join(".git");
    if to != back.path {
        // What the file says may count from where it was.
        write_small(&named, &format!("gitdir: {}\n", back.admin_dir.display()))?;
    }
    write_small(&back.admin_dir.join("gitdir"), &format!("{}\n", named.display()))
}

/// Makes the branch again if it is gone, and puts HEAD on it.
fn attach(repo: &Repo, back: &Trashed, was: &HeadWas) -> Result<(), GitError> {
    let HeadWas::Branch { name, commit } = was else { return Ok(()) };
    let place = back.git_place(repo);
    let git = || Git::write(&place).config("core.hooksPath=/dev/null");
    let branch = name.strip_prefix("refs/heads/").unwrap_or(name);
    if repo.branch(branch)?.is_none() {
        git().args(["update-ref", "-m", "wt: out of the trash", name, commit, ""]).run()?;
    }
    git().args(["symbolic-ref", "-m", "wt: out of the trash", "HEAD", name]).run().map(drop)
}
