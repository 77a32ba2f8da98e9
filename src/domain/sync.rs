//! A sync that stopped at conflicts, which wait in the variant's own worktree.

use serde::{Deserialize, Serialize};

/// What is on record of it until somebody has settled them or given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncWaiting {
    /// The branch that is brought in, without `refs/heads/`.
    pub from: String,
    /// Where that stood, in hex.
    pub commit: String,
    /// The variant's branch, without `refs/heads/`.
    pub branch: String,
    /// Where that stood, in hex.
    pub old: String,
    /// The variant's commits are made again on top, instead of a merge.
    pub rebase: bool,
    /// The ref of the snapshot that was taken before.
    pub snapshot: Option<String>,
    /// The undo record of the same sync, if another variant of it has moved already.
    pub undo: Option<i64>,
}
