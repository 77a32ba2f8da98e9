//! Emptying the trash, one worktree at a time.

use crate::git::error::GitError;
use crate::git::trash::{Trashed, copy, is_marked};

/// Removes a worktree in the trash and its registration for good; goes on where a killed process
/// left off. Says whether there is nothing of it any more: what is not marked as ours is left
/// alone.
///
/// The caller has recorded that it is gone, so that nobody brings half of it back.
///
/// # Errors
/// When something cannot be removed.
pub fn purge(gone: &Trashed) -> Result<bool, GitError> {
    if !is_marked(&gone.admin_dir, &gone.mark()) {
        // Without a registration nothing says that the directory is ours.
        return Ok(gone.trash.symlink_metadata().is_err());
    }
    // Half-way back: somebody has yet to finish that.
    if gone.names_registration(&gone.path) {
        return Ok(false);
    }
    // The directory's own name for the registration goes last, so a remainder is still ours.
    let ours = gone.names_registration(&gone.trash);
    if ours {
        copy::remove_whole(&gone.trash)?;
    }
    if gone.trash.symlink_metadata().is_ok() {
        return Ok(false);
    }
    std::fs::remove_dir_all(&gone.admin_dir).map_err(GitError::file("remove", &gone.admin_dir))?;
    // git removes the directory of registrations with the last of them, too.
    gone.admin_dir.parent().map(std::fs::remove_dir);
    // Only when they are empty: the trash, and the directory that it was in beside the others.
    gone.trash.parent().map(std::fs::remove_dir);
    gone.trash.parent().and_then(std::path::Path::parent).map(std::fs::remove_dir);
    Ok(true)
}
