//! Locks on refs that a git left which was killed together with its `wt`: as long as they are
//! there, what was begun can neither be finished nor taken back.

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use crate::engine::process::places::standing_in;
use crate::git::error::GitError;
use crate::git::repo::Repo;
use crate::git::worktree;
use crate::store::intents::Intent;

/// File systems tell the time by a clock that ticks less often.
const COARSE: Duration = Duration::from_millis(20);

/// How long a living program may hold a lock on HEAD.
const INSTANT: Duration = Duration::from_secs(1);

/// One lock, as it was seen.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    path: PathBuf,
    inode: u64,
}

/// Removes the locks on refs that came after the intent, if no git works anywhere in the
/// repository: nobody who holds one of them can be alive then. Every git of the intent's owner has
/// been ended before, and the caller holds the repository's lock.
///
/// # Errors
/// When the repository's checkouts cannot be listed.
pub fn clear(repo: &Repo, intent: &Intent) -> Result<(), GitError> {
    let since = SystemTime::from(intent.created_at) - COARSE;
    let seen = locks(repo.common_dir(), since);
    if seen.is_empty() || git_works(repo)? {
        return Ok(());
    }
    // A lock that is still the one that was seen before belongs to nobody who came meanwhile.
    for lock in seen.iter().filter(|lock| look(&lock.path, since).as_ref() == Some(lock)) {
        // One that stays makes the step fail, which is then told.
        std::fs::remove_file(&lock.path).ok();
    }
    Ok(())
}

/// Removes the lock on a worktree's HEAD that a killed git (an agent's own, say) has left, before
/// the worktree is put aside: nobody works there any more.
///
/// # Errors
/// As [`clear`].
pub fn clear_head(repo: &Repo, admin_dir: &Path, now: Timestamp) -> Result<(), GitError> {
    let path = admin_dir.join("HEAD.lock");
    let always = SystemTime::UNIX_EPOCH;
    let Some(seen) = look(&path, always) else { return Ok(()) };
    // Programs that are not called git hold one for an instant.
    let is_new = look(&path, SystemTime::from(now) - INSTANT).is_some();
    if !is_new && !git_works(repo)? && look(&path, always) == Some(seen) {
        std::fs::remove_file(&path).ok();
    }
    Ok(())
}

fn locks(common_dir: &Path, since: SystemTime) -> Vec<Seen> {
    let refs = walkdir::WalkDir::new(common_dir.join("refs")).into_iter().flatten();
    let refs = refs.map(walkdir::DirEntry::into_path);
    let heads = std::fs::read_dir(common_dir.join("worktrees")).into_iter().flatten().flatten();
    let heads = heads.map(|entry| entry.path().join("HEAD.lock"));
    refs.filter(|path| path.extension() == Some(OsStr::new("lock")))
        .chain(heads)
        .chain([common_dir.join("packed-refs.lock")])
        .filter_map(|path| look(&path, since))
        .collect()
}

fn look(path: &Path, since: SystemTime) -> Option<Seen> {
    let meta = path.symlink_metadata().ok().filter(std::fs::Metadata::is_file)?;
    let is_new = meta.modified().is_ok_and(|modified| modified >= since);
    is_new.then(|| Seen { path: path.to_path_buf(), inode: meta.ino() })
}

fn git_works(repo: &Repo) -> Result<bool, GitError> {
    let works = |dir: &Path| standing_in(dir).iter().any(|one| one.name.starts_with("git"));
    let places = worktree::list(repo)?;
    Ok(works(repo.common_dir()) || places.iter().any(|one| works(&one.path)))
}
