//! Files that differ, as answers name them.

use serde::Serialize;

use crate::git::diff::{LineCount, Status, TreeDiff};

/// A file that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// From the top; bytes that are no UTF-8 are replaced.
    pub path: String,
    /// What it was called before, if it was renamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_path: Option<String>,
    /// How it changed.
    pub status: Status,
    /// How many lines; `None` of a binary file.
    pub lines: Option<LineCount>,
}

/// The files of a difference, in its order.
pub fn changed_files(diff: &TreeDiff) -> Vec<Changed> {
    let files = diff.files.iter().map(|file| Changed {
        path: file.path.to_string_lossy().into_owned(),
        old_path: file.old_path.as_ref().map(|path| path.to_string_lossy().into_owned()),
        status: file.status,
        lines: file.lines,
    });
    files.collect()
}
