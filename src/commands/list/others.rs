//! The worktrees that are no variants.

use std::path::PathBuf;

use serde::Serialize;

use crate::commands::list::Main;
use crate::domain::problem::Problem;
use crate::domain::variant::Variant;
use crate::git::changes::changes;
use crate::git::error::GitError;
use crate::git::history::{Distance, distance};
use crate::git::repo::Repo;
use crate::git::side_objects::Objects;
use crate::git::trash::is_trash_lock;
use crate::git::worktree::{Worktree, WorktreeHead};

/// A worktree that is no variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Other {
    /// Its directory.
    pub path: PathBuf,
    /// Its branch; `None` when HEAD is detached or broken.
    pub branch: Option<String>,
    /// The commit checked out; `None` when that cannot be told.
    pub commit: Option<String>,
    /// Commits that it has and the base has not, and the reverse; `None` when that cannot be told.
    pub distance: Option<Distance>,
    /// Its directory is not there.
    pub gone: bool,
    /// Why it is locked, when it is; an empty text when no reason was given.
    pub locked: Option<String>,
}

/// All of them, in the order of their registrations. Nothing of their files is looked at.
pub(super) fn find(
    repo: &Repo,
    worktrees: Vec<Worktree>,
    present: &[Variant],
    base: Option<&str>,
) -> Result<Vec<Other>, Problem> {
    let is_variant = |one: &Worktree| present.iter().any(|known| known.admin_dir == one.git_dir);
    let is_trash = |one: &Worktree| one.locked.as_deref().is_some_and(is_trash_lock);
    let others: Vec<Worktree> = worktrees
        .into_iter()
        .filter(|one| one.id.is_some() && !is_variant(one) && !is_trash(one))
        .collect();
    if others.is_empty() {
        return Ok(vec![]);
    }
    let objects = Objects::in_memory(repo)?;
    let base = base.map(|base| repo.branch(base)).transpose()?.flatten();
    others.into_iter().map(|one| Ok(other(repo, &objects, one, base.as_deref())?)).collect()
}

fn other(
    repo: &Repo,
    objects: &Objects,
    one: Worktree,
    base: Option<&str>,
) -> Result<Other, GitError> {
    let (branch, commit) = match one.head {
        WorktreeHead::Branch(name) => {
            let commit = repo.branch(&name)?;
            (Some(name), commit)
        }
        WorktreeHead::Detached(commit) => (None, Some(commit)),
        WorktreeHead::Unreadable => (None, None),
    };
    let far = commit.as_deref().zip(base).map(|(commit, base)| distance(objects, commit, base));
    Ok(Other {
        gone: !one.path.is_dir(),
        distance: far.and_then(Result::ok),
        path: one.path,
        locked: one.locked,
        branch,
        commit,
    })
}

/// The main checkout, if there is one.
pub(super) fn main(repo: &Repo) -> Result<Option<Main>, Problem> {
    let Some(place) = repo.main_place() else { return Ok(None) };
    let head = repo.head(&place)?;
    let uncommitted = changes(&place).ok().map(|changes| changes.entries.len());
    Ok(Some(Main {
        path: place.dir().to_path_buf(),
        branch: head.branch().map(str::to_owned),
        commit: head.commit().map(str::to_owned),
        uncommitted,
    }))
}
