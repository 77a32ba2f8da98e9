//! A directory of objects that is thrown away: in memory where the system has room there, since
//! thousands of small files cost a disk ten times as much.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};

use crate::git::error::GitError;

/// Where Linux has files in memory.
const MEMORY: &str = "/dev/shm";

/// What the directories begin with.
const PREFIX: &str = "wt-objects-";

/// Objects in a directory of their own; gone when dropped.
///
/// It is locked while we live, so that the next one that is made there can clear away what a
/// killed process left.
#[derive(Debug)]
pub struct Directory {
    dir: tempfile::TempDir,
    in_memory: bool,
    _alive: Flock<OwnedFd>,
}

impl Directory {
    /// In memory if there is twice the room that is needed, else on disk. The alternates are other
    /// directories of objects that it is read together with.
    ///
    /// # Errors
    /// When there is no room for temporary files.
    pub fn quick(bytes: u64, alternates: &[&Path]) -> Result<Self, GitError> {
        let room = rustix::fs::statvfs(MEMORY).ok();
        let room = room.map_or(0, |room| room.f_bavail.saturating_mul(room.f_frsize));
        if room / 2 >= bytes
            && let Ok(made) = Self::make(|| named().tempdir_in(MEMORY), true, alternates)
        {
            return Ok(made);
        }
        Self::on_disk(alternates)
    }

    /// On disk, where temporary files are.
    ///
    /// # Errors
    /// When there is no room for temporary files.
    pub fn on_disk(alternates: &[&Path]) -> Result<Self, GitError> {
        Self::make(|| named().tempdir(), false, alternates)
    }

    fn make(
        create: impl Fn() -> std::io::Result<tempfile::TempDir>,
        in_memory: bool,
        alternates: &[&Path],
    ) -> Result<Self, GitError> {
        let made = loop {
            let dir = create().map_err(GitError::file("create", "a temporary directory"))?;
            // Before it is locked another process may have taken it for abandoned.
            if let Some(alive) = lock(dir.path()).filter(|_| dir.path().exists()) {
                break Self { dir, in_memory, _alive: alive };
            }
        };
        if let Some(beside) = made.dir.path().parent() {
            sweep(beside);
        }
        made.fill(alternates)?;
        Ok(made)
    }

    /// What libgit2 takes for a bare repository; git is told of the objects alone.
    fn fill(&self, alternates: &[&Path]) -> Result<(), GitError> {
        let made = self;
        let (root, info) = (made.dir.path(), made.objects().join("info"));
        for dir in [&info, &root.join("refs")] {
            std::fs::create_dir_all(dir).map_err(GitError::file("create", dir))?;
        }
        let mut list = Vec::new();
        for alternate in alternates {
            list.extend_from_slice(alternate.as_os_str().as_bytes());
            list.push(b'\n');
        }
        let files: [(PathBuf, &[u8]); 3] = [
            (root.join("HEAD"), b"ref: refs/heads/none\n"),
            (root.join("config"), b"[core]\nbare = true\n"),
            (info.join("alternates"), &list),
        ];
        for (path, bytes) in files {
            std::fs::write(&path, bytes).map_err(GitError::file("write", path))?;
        }
        Ok(())
    }

    /// Whether what is written there takes memory.
    pub fn is_in_memory(&self) -> bool {
        self.in_memory
    }

    /// The objects themselves.
    pub fn objects(&self) -> PathBuf {
        self.dir.path().join("objects")
    }

    /// A handle of libgit2's that writes here.
    ///
    /// # Errors
    /// libgit2's.
    pub fn open(&self) -> Result<git2::Repository, GitError> {
        Ok(git2::Repository::open_bare(self.dir.path())?)
    }
}

fn named() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX);
    builder
}

fn lock(dir: &Path) -> Option<Flock<OwnedFd>> {
    let dir = File::open(dir).ok()?;
    Flock::lock(dir.into(), FlockArg::LockExclusiveNonblock).ok()
}

/// Clears away our own directories whose process is dead; a killed one cannot.
fn sweep(beside: &Path) {
    let Ok(entries) = std::fs::read_dir(beside) else { return };
    let me = rustix::process::geteuid().as_raw();
    for entry in entries.flatten() {
        if !entry.file_name().as_bytes().starts_with(PREFIX.as_bytes()) {
            continue;
        }
        let path = entry.path();
        let ours = path.symlink_metadata().is_ok_and(|meta| meta.is_dir() && meta.uid() == me);
        if let Some(_dead) = ours.then(|| lock(&path)).flatten() {
            std::fs::remove_dir_all(&path).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_dead_left_is_cleared_away() {
        let beside = tempfile::tempdir().unwrap();
        let create = || named().tempdir_in(beside.path());
        let alive = Directory::make(create, false, &[]).unwrap();
        let (dead, other) = (beside.path().join("wt-objects-dead"), beside.path().join("mine"));
        std::fs::create_dir_all(dead.join("objects/ab")).unwrap();
        std::fs::create_dir(&other).unwrap();
        std::os::unix::fs::symlink(&other, beside.path().join("wt-objects-link")).unwrap();
        let next = Directory::make(create, false, &[]).unwrap();
        assert!(!dead.exists() && other.exists());
        assert!(alive.objects().is_dir() && next.objects().is_dir());
    }

    #[test]
    fn what_does_not_fit_into_memory_goes_to_disk() {
        let own = tempfile::tempdir().unwrap();
        let huge = Directory::quick(u64::MAX, &[own.path()]).unwrap();
        assert!(!huge.is_in_memory());
        let room = rustix::fs::statvfs(MEMORY).map_or(0, |room| room.f_bavail * room.f_frsize);
        let small = Directory::quick(1, &[own.path()]).unwrap();
        assert_eq!(small.is_in_memory(), room > 1 && small.objects().starts_with(MEMORY));
        let repo = small.open().unwrap();
        let blob = repo.blob(b"x").unwrap();
        assert!(huge.open().unwrap().find_blob(blob).is_err());
        let both = Directory::on_disk(&[&small.objects()]).unwrap();
        assert!(both.open().unwrap().find_blob(blob).is_ok());
    }
}
