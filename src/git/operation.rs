//! What a checkout is in the middle of.

use std::fmt;

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;

/// A step of git's that was begun in a checkout and neither finished nor given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `git merge`
    Merge,
    /// `git rebase`, or `git am`
    Rebase,
    /// `git cherry-pick`
    CherryPick,
    /// `git revert`
    Revert,
    /// `git bisect`
    Bisect,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Merge => "a merge",
            Self::Rebase => "a rebase",
            Self::CherryPick => "a cherry-pick",
            Self::Revert => "a revert",
            Self::Bisect => "a bisect",
        })
    }
}

/// What git keeps in the git directory of a checkout during each.
const MARKS: &[(&str, Operation)] = &[
    ("rebase-merge", Operation::Rebase),
    ("rebase-apply", Operation::Rebase),
    ("MERGE_HEAD", Operation::Merge),
    ("CHERRY_PICK_HEAD", Operation::CherryPick),
    ("REVERT_HEAD", Operation::Revert),
    ("BISECT_LOG", Operation::Bisect),
];

/// The operation that a checkout is in the middle of.
///
/// # Errors
/// When git cannot be asked, which only a reftable repository needs.
pub fn in_progress(place: &Place) -> Result<Option<Operation>, GitError> {
    let here = |name: &str| place.git_dir.join(name).symlink_metadata().is_ok();
    if let Some((_, operation)) = MARKS.iter().find(|(name, _)| here(name)) {
        return Ok(Some(*operation));
    }
    if here("reftable") {
        // There these two are refs, and no files.
        for (name, operation) in &MARKS[3..5] {
            let asked = ["rev-parse", "--verify", "--quiet", name];
            if Git::read(place).args(asked).answer()?.code == Some(0) {
                return Ok(Some(*operation));
            }
        }
    }
    Ok(None)
}
