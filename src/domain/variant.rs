//! A variant: one place where one attempt at an idea lives.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::id::RepoId;
use crate::domain::name::VariantName;

/// A variant as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// The row's number, unique for ever: a name may be used again, a row never is.
    pub key: i64,
    /// The repository it belongs to.
    pub repo: RepoId,
    /// Its name, unique (case-folded) among the repository's present variants.
    pub name: VariantName,
    /// The branch checked out in it, without `refs/heads/`.
    pub branch: String,
    /// The worktree's directory, absolute.
    pub path: PathBuf,
    /// The directory under the common dir's `worktrees/` that registers it. Recorded when made,
    /// so that git never has to discover a repository inside a place an agent owns.
    pub admin_dir: PathBuf,
    /// The branch it forked from; `None` when HEAD was detached or a plain commit was given.
    pub base_branch: Option<String>,
    /// The commit it forked from, in hex.
    pub fork_commit: String,
    /// Its idea, if it has one.
    pub idea: Option<Idea>,
    /// Where it is in its life.
    pub state: VariantState,
    /// True when `wt` made the branch, so that `wt` may delete it.
    pub made_branch: bool,
    /// True when `wt` made the worktree, so that `wt` may remove it; an adopted one is only
    /// forgotten.
    pub made_worktree: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was merged, and as what commit.
    pub merged: Option<Merged>,
}

impl Variant {
    /// Its git directory: what `--git-dir` must be for every call about this worktree.
    pub fn git_dir(&self) -> &std::path::Path {
        &self.admin_dir
    }
}

/// The variants that compete, by the name they share.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Idea {
    /// The idea's name.
    pub name: String,
    /// True when it was only derived from the variant's name: nothing destructive acts on a
    /// suggestion without `--force`.
    pub suggested: bool,
}

/// A merge that has landed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// The branch it was merged into.
    pub into: String,
    /// The branch's commit after the merge.
    pub commit: String,
    /// When it landed.
    pub at: Timestamp,
}

/// Where a variant is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VariantState {
    /// Recorded; its worktree may be half made. Recovery finishes or reverses it.
    Creating,
    /// There, and in use.
    Ready,
    /// Being moved to the trash. Recovery finishes it.
    Removing,
    /// In the trash, restorable.
    Trashed,
    /// Gone for good: purged, or its creation was reversed.
    Gone,
}

impl VariantState {
    /// The text kept in the store and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Ready => "ready",
            Self::Removing => "removing",
            Self::Trashed => "trashed",
            Self::Gone => "gone",
        }
    }

    /// True while its name is in use.
    pub fn is_present(self) -> bool {
        matches!(self, Self::Creating | Self::Ready | Self::Removing)
    }

    /// The reverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Creating, Self::Ready, Self::Removing, Self::Trashed, Self::Gone]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}
