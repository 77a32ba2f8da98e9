//! What each variant changes, and how far it is from its base.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use crate::commands::contents::{Contents, Looked};
use crate::commands::list::Seen;
use crate::domain::problem::Problem;
use crate::domain::variant::Variant;
use crate::git::diff::{Pair, TreeDiff, tree_diffs};
use crate::git::error::GitError;
use crate::git::history::{distance, merge_base};
use crate::git::repo::Repo;
use crate::git::side_objects::{Objects, SideObjects};
use crate::git::worktree_tree::WhyLeftOut;

/// What a variant changes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Changes {
    /// Files that differ from where it parted from its base.
    pub files: usize,
    /// Lines that only it has.
    pub added: u64,
    /// Lines that only its base has.
    pub removed: u64,
    /// Files of these that are binary, and have no lines.
    pub binary: usize,
    /// Paths that are uncommitted; `None` when its worktree cannot be read.
    pub uncommitted: Option<usize>,
    /// Uncommitted paths whose content is not counted, so that there is more than is said.
    pub not_counted: Vec<NotCounted>,
}

/// An uncommitted path whose content is not counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotCounted {
    /// From the worktree's top.
    pub path: PathBuf,
    /// Why: `is a repository of its own`.
    pub why: String,
}

/// What git says of each variant that was looked at, as far as its history goes.
///
/// # Errors
/// When the repository cannot be read.
pub(super) fn of_each(
    repo: &Repo,
    side: &Arc<SideObjects>,
    variants: &[Variant],
    looked: &[Looked],
) -> Result<Vec<Seen>, Problem> {
    let objects = Objects::beside(repo, side)?;
    let mut tips = HashMap::new();
    let mut all = vec![];
    for (variant, looked) in variants.iter().zip(looked) {
        let Some(contents) = &looked.contents else {
            all.push((Seen::default(), None));
            continue;
        };
        let tip = tip(repo, variant, &mut tips)?;
        // A base that shares no history with it any more can only be told from, not counted.
        let distance = distance(&objects, &contents.head, &tip).ok();
        let parted = merge_base(&objects, &contents.head, &tip).ok().flatten();
        let parted = parted.unwrap_or_else(|| variant.fork_commit.clone());
        let from = objects.tree_of(&parted).ok();
        let pair = from.map(|from| Pair { from, to: contents.tree.clone() });
        all.push((Seen { distance, ..Seen::default() }, pair));
    }
    let mut diffs = differences(&objects, all.iter().filter_map(|(_, pair)| pair.as_ref()))?;
    let answers = all.into_iter().zip(looked).map(|((mut seen, pair), looked)| {
        let diff = pair.and_then(|pair| diffs.get_mut(&pair).cloned().flatten());
        seen.changes = diff.zip(looked.contents.as_ref()).map(|(d, c)| changes(&d, c));
        seen
    });
    Ok(answers.collect())
}

/// The commit that a variant is counted against: its base's tip, or where it forked when no branch
/// is known or the branch is gone.
fn tip(
    repo: &Repo,
    variant: &Variant,
    known: &mut HashMap<String, Option<String>>,
) -> Result<String, GitError> {
    let Some(base) = &variant.base_branch else { return Ok(variant.fork_commit.clone()) };
    if !known.contains_key(base) {
        known.insert(base.clone(), repo.branch(base)?);
    }
    let tip = known.get(base).cloned().flatten();
    Ok(tip.unwrap_or_else(|| variant.fork_commit.clone()))
}

/// Each pair's difference, by one process for all, none for those that hold the same; `None` for
/// one that cannot be compared.
fn differences<'p>(
    objects: &Objects,
    pairs: impl Iterator<Item = &'p Pair>,
) -> Result<BTreeMap<Pair, Option<TreeDiff>>, GitError> {
    let mut found: BTreeMap<Pair, Option<TreeDiff>> =
        pairs.map(|pair| (pair.clone(), Some(TreeDiff::default()))).collect();
    let asked: Vec<Pair> = found.keys().filter(|pair| pair.from != pair.to).cloned().collect();
    if !asked.is_empty() {
        let diffs = tree_diffs(&|| objects.git(), &asked, &[], &mut ())?;
        found.extend(asked.into_iter().zip(diffs.into_iter().map(Result::ok)));
    }
    Ok(found)
}

fn changes(diff: &TreeDiff, contents: &Contents) -> Changes {
    let lines = diff.lines();
    let left_out = contents.worktree.iter().flat_map(|worktree| &worktree.left_out);
    Changes {
        files: diff.files.len(),
        added: lines.added,
        removed: lines.removed,
        binary: diff.files.iter().filter(|file| file.lines.is_none()).count(),
        uncommitted: contents.worktree.as_ref().map(|worktree| worktree.changed.len()),
        not_counted: left_out
            .map(|left| NotCounted { path: left.path.clone(), why: why(&left.why) })
            .collect(),
    }
}

fn why(why: &WhyLeftOut) -> String {
    match why {
        WhyLeftOut::Repository => "is a repository of its own".into(),
        WhyLeftOut::TooLarge { bytes } => format!("is too large to look into ({bytes} bytes)"),
        WhyLeftOut::TooMany => "comes after too many others".into(),
        WhyLeftOut::Unreadable(said) => format!("cannot be read: {said}"),
    }
}
