//! What a variant holds now, uncommitted work included: what compare and diff look at.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::variant::Variant;
use crate::git::changes::{ChangeKind, changes_among};
use crate::git::error::GitError;
use crate::git::place::Place;
use crate::git::repo::Repo;
use crate::git::side_objects::{Objects, SideObjects};
use crate::git::workers;
use crate::git::worktree_tree::{Bounds, LeftOut, WhyLeftOut, worktree_tree};

/// What a variant holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The commit that is checked out, in hex.
    pub head: String,
    /// The branch that is checked out; `None` when HEAD is detached.
    pub branch: Option<String>,
    /// All of it as one commit: `head`, or one upon it among the side objects.
    pub commit: String,
    /// Its tree, in hex.
    pub tree: String,
    /// The worktree's own share of it; `None` when that could not be read, and only what is
    /// committed counts.
    pub worktree: Option<WorktreeState>,
}

/// What is uncommitted in a worktree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorktreeState {
    /// Paths that differ from HEAD, in git's order.
    pub changed: Vec<PathBuf>,
    /// Those of them that are in conflict; their content holds the markers.
    pub unmerged: Vec<PathBuf>,
    /// Those that are not in the tree, and why.
    pub left_out: Vec<LeftOut>,
}

/// What could be found out about a variant.
#[derive(Debug)]
pub struct Looked {
    /// What it holds; `None` when neither its worktree nor its branch can be read.
    pub contents: Option<Contents>,
    /// Why its worktree could not be read.
    pub trouble: Option<String>,
}

/// Looks at the checkouts of variants, as many at once as the machine has processors. What is
/// uncommitted is written beside the repository.
///
/// Of a variant whose worktree is gone or broken, what its branch holds is looked at instead.
pub fn look(
    common_dir: &Path,
    side: &Arc<SideObjects>,
    variants: &[Variant],
    bounds: &Bounds,
) -> Vec<Looked> {
    let open = || {
        let repo = Repo::open(common_dir)?;
        let objects = Objects::beside(&repo, side)?;
        Ok::<_, GitError>((repo, objects))
    };
    workers::each(variants, open, |opened, variant| {
        let (repo, objects) = match opened {
            Ok(opened) => opened,
            Err(why) => return Looked { contents: None, trouble: Some(why.to_string()) },
        };
        let place = Place::checkout(&variant.admin_dir, common_dir, &variant.path);
        match of_checkout(objects, &place, variants.len(), bounds) {
            Ok(contents) => Looked { contents: Some(contents), trouble: None },
            Err(why) => of_branch(repo, objects, &variant.branch, &why),
        }
    })
}

/// What a checkout holds, one of `many` that are looked at at once.
///
/// # Errors
/// When it is gone or broken, or has no commit.
pub fn of_checkout(
    objects: &Objects,
    place: &Place,
    many: usize,
    bounds: &Bounds,
) -> Result<Contents, GitError> {
    // Asked first: a process cannot be started in a directory that is gone.
    std::fs::metadata(place.dir()).map_err(GitError::file("read", place.dir()))?;
    let changes = changes_among(place, many)?;
    let Some(head) = changes.head.clone() else {
        let name = changes.branch.unwrap_or_else(|| "HEAD".into());
        return Err(GitError::NoSuchRevision(name));
    };
    let made = worktree_tree(objects, place, &changes, bounds)?;
    let differs = objects.tree_of(&head)? != made.tree;
    let commit = if differs { objects.commit(&made.tree, Some(&head))? } else { head.clone() };
    let unmerged = changes.entries.iter().filter(|change| change.kind == ChangeKind::Unmerged);
    let worktree = Some(WorktreeState {
        unmerged: unmerged.map(|change| change.path.clone()).collect(),
        changed: changes.entries.iter().map(|change| change.path.clone()).collect(),
        left_out: made.left_out,
    });
    Ok(Contents { head, branch: changes.branch, commit, tree: made.tree, worktree })
}

fn of_branch(repo: &Repo, objects: &Objects, branch: &str, why: &GitError) -> Looked {
    let committed = || -> Result<Contents, GitError> {
        let head = repo.commit(&format!("refs/heads/{branch}"))?;
        let tree = objects.tree_of(&head)?;
        let (commit, branch) = (head.clone(), Some(branch.to_owned()));
        Ok(Contents { head, branch, commit, tree, worktree: None })
    };
    Looked { contents: committed().ok(), trouble: Some(why.to_string()) }
}

/// Why uncommitted work is not in the tree, in words; `None` when all of it is.
pub fn why_left_out(left_out: &[LeftOut]) -> Option<&'static str> {
    let first = &left_out.first()?.why;
    let kind = std::mem::discriminant(first);
    Some(match first {
        _ if left_out.iter().any(|left| std::mem::discriminant(&left.why) != kind) => {
            "for several reasons"
        }
        WhyLeftOut::Repository => "a repository of its own",
        WhyLeftOut::TooLarge { .. } => "too large",
        WhyLeftOut::TooMany => "too many files",
        WhyLeftOut::Unreadable(_) => "unreadable",
    })
}
