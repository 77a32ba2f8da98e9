//! What the registration of a worktree in the trash remembers of it: enough to bring it back
//! without our state.

use std::path::Path;

use crate::git::error::GitError;
use crate::git::worktree::{read_small, write_small};

/// The file in the registration.
const FILE: &str = "wt-trash";

/// What HEAD of a worktree was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeadWas {
    /// On a branch (full name) at a commit.
    Branch {
        /// `refs/heads/…`
        name: String,
        /// In hex.
        commit: String,
    },
    /// On a commit itself.
    Detached {
        /// In hex.
        commit: String,
    },
    /// On a branch (full name) without a commit.
    Unborn {
        /// `refs/heads/…`
        name: String,
    },
}

/// Writes it down; a second time changes nothing, since HEAD may be detached by then.
pub(super) fn write(admin_dir: &Path, head: &HeadWas) -> Result<(), GitError> {
    if read(admin_dir)?.is_some() {
        return Ok(());
    }
    let (name, commit) = match head {
        HeadWas::Branch { name, commit } => (name.as_str(), commit.as_str()),
        HeadWas::Detached { commit } => ("detached", commit.as_str()),
        HeadWas::Unborn { name } => (name.as_str(), "none"),
    };
    write_small(&admin_dir.join(FILE), &format!("{commit} {name}\n"))
}

/// What was written down; `None` when nothing was.
pub(super) fn read(admin_dir: &Path) -> Result<Option<HeadWas>, GitError> {
    let Some(text) = read_small(&admin_dir.join(FILE)) else { return Ok(None) };
    let text = String::from_utf8_lossy(&text).trim_end().to_owned();
    let unexpected = || GitError::Unexpected { what: "trash record".into(), answer: text.clone() };
    let (commit, name) = text.split_once(' ').ok_or_else(unexpected)?;
    let (commit, name) = (commit.to_owned(), name.to_owned());
    Ok(Some(match (commit.as_str(), name.as_str()) {
        (_, "detached") => HeadWas::Detached { commit },
        ("none", _) => HeadWas::Unborn { name },
        _ => HeadWas::Branch { name, commit },
    }))
}

/// Forgets it.
pub(super) fn remove(admin_dir: &Path) -> Result<(), GitError> {
    let file = admin_dir.join(FILE);
    match std::fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(GitError::file("remove", file)(error))
        }
        _ => Ok(()),
    }
}
