//! What is recorded of something done, so that it can be taken back.

use serde::{Deserialize, Serialize};

use crate::domain::variant::Merged;

/// A merge, as the undo record of kind `merge` holds it.
///
/// Taking it back is a landing in the other direction: `into` from `new` to `old`, together with
/// whatever checkout is on it by then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeDone {
    /// The variant's key.
    pub variant: i64,
    /// Its name then.
    pub name: String,
    /// The branch it was merged into, without `refs/heads/`.
    pub into: String,
    /// Where that branch stood before, in hex.
    pub old: String,
    /// Where it stood after, in hex.
    pub new: String,
    /// What was recorded of the variant's last merge before this one.
    pub before: Option<Merged>,
    /// The snapshot of the checkout that moved along; `None` when the branch was checked out
    /// nowhere.
    pub snapshot: Option<String>,
}

/// Whether a step is something that can be taken back, or itself such a taking back: of the record
/// with this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Record {
    /// It can be taken back.
    Yes,
    /// It takes this back.
    Undoes(i64),
}

/// A cleanup or a restore, as the undo record of that kind holds it: the variants that went, or
/// came back, by key. Taking it back is the other of the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantsMoved {
    /// Their keys, in order.
    pub variants: Vec<i64>,
}

/// A sync, as the undo record of kind `sync` holds it.
///
/// Taking it back is a landing in the other direction on each branch, together with whatever
/// checkout is on it by then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncDone {
    /// Each variant whose branch moved.
    pub moves: Vec<SyncMove>,
}

/// One branch that a sync moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncMove {
    /// The variant's key.
    pub variant: i64,
    /// Its name then.
    pub name: String,
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// Where it stood before, in hex.
    pub old: String,
    /// Where it stood after, in hex.
    pub new: String,
    /// The snapshot of the checkout that moved along.
    pub snapshot: Option<String>,
}
