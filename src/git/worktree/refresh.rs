//! Repairing the index of a new worktree.
//!
//! Files checked out within a second of the index's own time stay "racy": git reads them again at
//! every status, and a status without optional locks never repairs that. One refresh a second later
//! does; twenty statuses then took a third of the time.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;

/// Stands in a registration until its index was refreshed.
const NEW: &str = "wt-new";

/// Remembers that this worktree's index has yet to be refreshed.
///
/// # Errors
/// When the registration cannot be written to.
pub fn mark_new(admin_dir: &Path) -> Result<(), GitError> {
    let mark = admin_dir.join(NEW);
    std::fs::write(&mark, "").map_err(GitError::file("write", mark))
}

/// Whether this worktree's index has yet to be refreshed.
pub fn is_new(admin_dir: &Path) -> bool {
    admin_dir.join(NEW).symlink_metadata().is_ok()
}

/// Refreshes the index of a worktree that was made more than a second ago, once; says whether it
/// did. Takes the index's lock, so only for a worktree in which nobody is at work.
///
/// # Errors
/// git's own; the next call tries again.
pub fn refresh_when_due(place: &Place, now: Timestamp) -> Result<bool, GitError> {
    let mark = place.git_dir.join(NEW);
    let Ok(made) = std::fs::metadata(&mark).and_then(|meta| meta.modified()) else {
        return Ok(false);
    };
    let made = Timestamp::try_from(made).unwrap_or(now);
    // Whole seconds, since that is what git compares.
    if now.as_second() <= made.as_second().saturating_add(1)
        && now.duration_since(made) >= SignedDuration::ZERO
    {
        return Ok(false);
    }
    // Exit code 1 means that a file differs: also refreshed.
    let answer = Git::write(place).args(["update-index", "-q", "--refresh"]).answer()?;
    if !matches!(answer.code, Some(0 | 1)) {
        return Err(answer.failure());
    }
    std::fs::remove_file(&mark).map_err(GitError::file("remove", mark))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    #[test]
    fn an_index_is_refreshed_once_and_not_too_early() {
        let sample = Sample::new();
        sample.git(&["worktree", "add", "-q", "../a"]);
        let admin_dir = sample.repo().common_dir().join("worktrees/a");
        let place = Place::checkout(&admin_dir, sample.repo().common_dir(), sample.beside("a"));
        assert!(!refresh_when_due(&place, Timestamp::MAX).unwrap());
        mark_new(&admin_dir).unwrap();
        std::fs::write(sample.beside("a").join("a.txt"), "changed").unwrap();
        let now = Timestamp::try_from(
            std::fs::metadata(admin_dir.join(NEW)).unwrap().modified().unwrap(),
        );
        let now = now.unwrap();
        assert!(!refresh_when_due(&place, now).unwrap());
        assert!(refresh_when_due(&place, now + SignedDuration::from_secs(2)).unwrap());
        assert!(!refresh_when_due(&place, Timestamp::MAX).unwrap());
    }
}
