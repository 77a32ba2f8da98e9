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
