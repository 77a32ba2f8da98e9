//! What killed processes of ours left of their private indexes.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::fcntl::Flock;
use rustix::fd::OwnedFd;

use super::{JOURNAL, PREFIX, lock, lock_of, open};
use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;

/// What was left in a checkout's git directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftBehind {
    /// Copies of the index, in nobody's way: whoever makes the next one removes them.
    Copies,
    /// An index that was about to be installed, and the lock on the real one.
    Update,
}

/// What killed processes of ours left in a checkout's git directory for [`recover`].
pub fn left_behind(place: &Place) -> Option<LeftBehind> {
    let dead = abandoned(&place.git_dir);
    let real = place.git_dir.join("index");
    let update = dead.iter().any(|(dir, _)| holds_lock(dir, &real));
    dead.first()?;
    Some(if update { LeftBehind::Update } else { LeftBehind::Copies })
}

/// Puts right what a killed process of ours left in a checkout's git directory: an index that was
/// about to be installed is installed if its commit landed and dropped if not; copies go.
///
/// What a living process works on is left alone.
///
/// # Errors
/// When git cannot say whether the commit landed; nothing is changed then.
pub fn recover(place: &Place) -> Result<(), GitError> {
    for (dir, _stale) in abandoned(&place.git_dir) {
        finish(place, &dir)?;
        std::fs::remove_dir_all(&dir).map_err(GitError::file("remove", &dir))?;
    }
    Ok(())
}

/// Removes the copies that nobody will ever need. An update is left to [`recover`].
pub(super) fn sweep(git_dir: &Path) {
    let real = git_dir.join("index");
    for (dir, _stale) in abandoned(git_dir) {
        if !holds_lock(&dir, &real) {
            // One that cannot be removed is in nobody's way either.
            std::fs::remove_dir_all(&dir).ok();
        }
    }
}

/// The directories whose processes are dead, each locked so that nobody else takes it up.
fn abandoned(git_dir: &Path) -> Vec<(PathBuf, Flock<OwnedFd>)> {
    let entries = std::fs::read_dir(git_dir).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().as_bytes().starts_with(PREFIX.as_bytes()))
        .filter_map(|entry| Some((entry.path(), open(&entry.path()).ok().and_then(lock)?)))
        .collect()
}

/// The lock is ours when it is the very file in the directory of the dead.
fn holds_lock(dir: &Path, real: &Path) -> bool {
    let inode = |path: &Path| path.symlink_metadata().map(|found| (found.dev(), found.ino())).ok();
    let ours = inode(&dir.join("index"));
    ours.is_some() && ours == inode(&lock_of(real))
}

fn finish(place: &Place, dir: &Path) -> Result<(), GitError> {
    let real = place.git_dir.join("index");
    if !holds_lock(dir, &real) {
        return Ok(());
    }
    let held = lock_of(&real);
    let text = std::fs::read_to_string(dir.join(JOURNAL)).unwrap_or_default();
    let landed = match text.trim_end().split_once(' ') {
        Some((commit, reference)) => {
            let asked = ["rev-parse", "--verify", "--quiet", reference];
            Git::read(place).args(asked).answer()?.text() == commit
        }
        None => false,
    };
    let done = if landed { std::fs::rename(&held, &real) } else { std::fs::remove_file(&held) };
    done.map_err(GitError::file("replace", &real))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_the_dead_go_and_those_of_the_living_stay() {
        let dir = tempfile::tempdir().unwrap();
        let git_dir = dir.path().canonicalize().unwrap();
        let place = Place::checkout(&git_dir, &git_dir, &git_dir);
        let [dead, alive, half] = ["dead", "alive", "half"].map(|name| {
            let dir = git_dir.join(format!("{PREFIX}{name}"));
            std::fs::create_dir(&dir).unwrap();
            std::fs::write(dir.join("index"), name).unwrap();
            dir
        });
        let held = lock(open(&alive).unwrap()).unwrap();
        assert_eq!(left_behind(&place), Some(LeftBehind::Copies));
        std::fs::hard_link(half.join("index"), git_dir.join("index.lock")).unwrap();
        assert_eq!(left_behind(&place), Some(LeftBehind::Update));
        sweep(&git_dir);
        assert!(!dead.exists() && alive.exists() && half.exists());
        recover(&place).unwrap();
        assert!(alive.exists() && !half.exists() && !git_dir.join("index.lock").exists());
        assert_eq!(left_behind(&place), None);
        drop(held);
    }
}
