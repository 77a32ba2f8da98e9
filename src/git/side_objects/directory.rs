//! A directory of objects that is thrown away: in memory where the system has room there, since
//! thousands of small files cost a disk ten times as much.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::git::error::GitError;

/// Where Linux has files in memory.
const MEMORY: &str = "/dev/shm";

/// Objects in a directory of their own; gone when dropped.
#[derive(Debug)]
pub struct Directory {
    dir: tempfile::TempDir,
    in_memory: bool,
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
            && let Ok(dir) = named().tempdir_in(MEMORY)
            && let Ok(made) = Self::fill(dir, true, alternates)
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
        let made = named().tempdir();
        let dir = made.map_err(GitError::file("create", "a temporary directory"))?;
        Self::fill(dir, false, alternates)
    }

    /// What libgit2 takes for a bare repository; git is told of the objects alone.
    fn fill(
        dir: tempfile::TempDir,
        in_memory: bool,
        alternates: &[&Path],
    ) -> Result<Self, GitError> {
        let made = Self { dir, in_memory };
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
        Ok(made)
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
    builder.prefix("wt-objects-");
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

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
