//! An index of our own beside a checkout's, so that nothing of ours touches the real one until all
//! of it is ready.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nix::fcntl::{Flock, FlockArg};

use crate::git::changes::blocked;
use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::index_copy::copy_index;
use crate::git::place::Place;

mod dead;

pub use dead::{LeftBehind, left_behind, recover};

/// What the directories begin with that hold private indexes, inside a checkout's git directory.
const PREFIX: &str = "wt-index-";
/// How long a call may take: files of many gigabytes are read at a few hundred megabytes a second.
const PATIENCE: Duration = Duration::from_secs(900);
/// Says what the private index is to become, for whoever finds it after our death.
const JOURNAL: &str = "journal";

/// A copy of a checkout's index; gone when dropped.
///
/// It lives in a directory of its own inside the git directory, locked while we live, so that a
/// later process can tell what a killed one left behind ([`recover`]).
#[derive(Debug)]
pub struct PrivateIndex {
    place: Place,
    dir: tempfile::TempDir,
    _alive: Flock<OwnedFd>,
    /// What the real index was when it was copied.
    seen: Option<Stamp>,
    /// Where objects are written instead of into the repository.
    objects: Option<PathBuf>,
}

/// Tells one state of a file from another without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

/// An entry to put into an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// In octal: `100644`, `100755`, `120000` or `160000`.
    pub mode: String,
    /// The object in hex.
    pub object: String,
    /// From the checkout's top.
    pub path: PathBuf,
}

/// What became of an attempt to replace the real index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installed {
    /// It is the real one.
    Yes,
    /// Another git process holds the real one's lock.
    Locked,
    /// The real one was changed since it was copied.
    Changed,
}

impl PrivateIndex {
    /// Copies the index of a checkout; without one, starts with an empty one.
    ///
    /// # Errors
    /// When the git directory cannot be written.
    pub fn copy(place: &Place) -> Result<Self, GitError> {
        let (dir, alive) = directory(&place.git_dir)?;
        let real = place.git_dir.join("index");
        let mut index =
            Self { place: place.clone(), dir, _alive: alive, seen: None, objects: None };
        index.seen = index.take_from(&real)?;
        Ok(index)
    }

    /// Starts with nothing in it, to make trees of given entries. Not to be installed.
    ///
    /// # Errors
    /// When the git directory cannot be written.
    pub fn empty(place: &Place) -> Result<Self, GitError> {
        let (dir, alive) = directory(&place.git_dir)?;
        Ok(Self { place: place.clone(), dir, _alive: alive, seen: None, objects: None })
    }

    /// As it is now, under another name, for a state that differs in a few entries.
    ///
    /// # Errors
    /// When the git directory cannot be written.
    pub fn fork(&self) -> Result<Self, GitError> {
        let (dir, alive) = directory(&self.place.git_dir)?;
        let seen = self.seen.clone();
        let objects = self.objects.clone();
        let fork = Self { place: self.place.clone(), dir, _alive: alive, seen, objects };
        fork.take_from(&self.file())?;
        Ok(fork)
    }

    /// Begins as a copy of another index; gives what that one was, `None` when there is none.
    fn take_from(&self, other: &Path) -> Result<Option<Stamp>, GitError> {
        let mut file = tempfile::NamedTempFile::new_in(self.dir())
            .map_err(GitError::file("write", self.dir()))?;
        let meta = match copy_index(other, file.as_file_mut()) {
            Ok(meta) => meta,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(GitError::file("copy", other)(error)),
        };
        file.persist(self.file())
            .map_err(|error| GitError::file("write", self.file())(error.error))?;
        Ok(Some(Stamp::from(meta)))
    }

    /// Its objects go into this directory, which names the repository's own as an alternate.
    #[must_use]
    pub fn writing_to(mut self, objects: PathBuf) -> Self {
        self.objects = Some(objects);
        self
    }

    /// The file that `GIT_INDEX_FILE` names.
    pub fn file(&self) -> PathBuf {
        self.dir.path().join("index")
    }

    /// A directory of our own beside it, gone when this is dropped.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Makes it one whole file, if it is split (`core.splitIndex`) into one of its own and a shared
    /// one that git may remove later.
    ///
    /// # Errors
    /// When git fails to write it.
    pub fn make_whole(&self) -> Result<(), GitError> {
        let entries = std::fs::read_dir(&self.place.git_dir).into_iter().flatten().flatten();
        let shared = |name: OsString| name.as_bytes().starts_with(b"sharedindex.");
        if entries.map(|entry| entry.file_name()).any(shared) {
            self.git().args(["update-index", "--no-split-index", "--force-write-index"]).run()?;
        }
        Ok(())
    }

    /// A call that uses this index instead of the real one and runs no hook.
    pub fn git(&self) -> Git {
        let git = Git::write(&self.place)
            .within(PATIENCE)
            .config("core.hooksPath=/dev/null")
            .config("core.splitIndex=false")
            .env("GIT_INDEX_FILE", self.file());
        self.objects.iter().fold(git, |git, objects| git.env("GIT_OBJECT_DIRECTORY", objects))
    }

    /// Takes paths out, whether there or not.
    ///
    /// # Errors
    /// When git cannot be run.
    pub fn remove(&self, paths: &[&Path]) -> Result<(), GitError> {
        if paths.is_empty() {
            return Ok(());
        }
        let asked = ["update-index", "--force-remove", "-z", "--stdin"];
        self.git().args(asked).input(joined(paths)).run().map(drop)
    }

    /// Puts entries in as they are given, whatever the checkout holds.
    ///
    /// # Errors
    /// When git refuses one.
    pub fn set(&self, entries: &[Entry]) -> Result<(), GitError> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut input = Vec::new();
        for entry in entries {
            input.extend_from_slice(format!("{} {}\t", entry.mode, entry.object).as_bytes());
            input.extend_from_slice(entry.path.as_os_str().as_bytes());
            input.push(0);
        }
        let asked = ["update-index", "-z", "--replace", "--index-info"];
        self.git().args(asked).input(input).run().map(drop)
    }

    /// Takes paths in as they are in the checkout, through git's own filters; one that is gone is
    /// taken out.
    ///
    /// Gives the paths that git could not take (a filter that fails, a file that may not be read),
    /// each with git's words; all others are in.
    ///
    /// # Errors
    /// When git itself cannot be run.
    pub fn add(&self, paths: &[&Path]) -> Result<Vec<(PathBuf, String)>, GitError> {
        // A directory that took the place of a file: its own files are paths of their own, and git
        // refuses it instead of taking the file out.
        let replaced = |path: &Path| {
            let dir = self.place.dir().join(path);
            dir.symlink_metadata().is_ok_and(|meta| meta.is_dir())
                && dir.join(".git").symlink_metadata().is_err()
        };
        let (gone, there): (Vec<&Path>, Vec<&Path>) = paths.iter().partition(|path| replaced(path));
        self.remove(&gone)?;
        self.take(&there)
    }

    fn take(&self, paths: &[&Path]) -> Result<Vec<(PathBuf, String)>, GitError> {
        if paths.is_empty() {
            return Ok(vec![]);
        }
        let asked = ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"];
        let answer = self.git().args(asked).input(joined(paths)).answer();
        let answer = answer.map_err(|error| blocked(&self.place, error))?;
        match (answer.code, paths) {
            (Some(0), _) => Ok(vec![]),
            (_, [one]) => Ok(vec![(one.to_path_buf(), answer.reason())]),
            // It takes all or nothing: halve until those that it cannot take stand alone.
            (_, many) => {
                let (first, second) = many.split_at(many.len() / 2);
                let mut failed = self.take(first)?;
                failed.extend(self.take(second)?);
                Ok(failed)
            }
        }
    }

    /// Writes its entries as a tree and gives the tree's id.
    ///
    /// # Errors
    /// When an entry is unmerged or its object is missing.
    pub fn write_tree(&self) -> Result<String, GitError> {
        self.git().arg("write-tree").text()
    }

    /// Makes it the checkout's real index, under git's own lock, with `meanwhile` done in between:
    /// both happen, or neither.
    ///
    /// `meanwhile` moves `reference` to `commit`; after a death in between, [`recover`] looks at
    /// the reference to know on which side of it we died. `abandoned` is a time before which every
    /// process that may have locked this index is known to be dead.
    ///
    /// # Errors
    /// What `meanwhile` says, or a file that cannot be written; the real index is unchanged then.
    pub fn install(
        &self,
        reference: &str,
        commit: &str,
        abandoned: Option<SystemTime>,
        meanwhile: impl FnOnce() -> Result<(), GitError>,
    ) -> Result<Installed, GitError> {
        let (file, real) = (self.file(), self.place.git_dir.join("index"));
        let lock = lock_of(&real);
        let journal = self.dir.path().join(JOURNAL);
        sync(&file)?;
        let text = format!("{commit} {reference}\n");
        std::fs::write(&journal, text).map_err(GitError::file("write", &journal))?;
        sync(&journal)?;
        if let Some(before) = abandoned {
            let stale = lock.symlink_metadata().and_then(|lock| lock.modified());
            if stale.is_ok_and(|at| at <= before) {
                std::fs::remove_file(&lock).map_err(GitError::file("remove", &lock))?;
            }
        }
        // A link is made or refused in one step, and its inode tells later whose lock it is.
        match std::fs::hard_link(&file, &lock) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(Installed::Locked),
            Err(source) => return Err(GitError::File { action: "lock", path: real, source }),
        }
        let unlock = || std::fs::remove_file(&lock).ok();
        if Stamp::of(&real)? != self.seen {
            unlock();
            return Ok(Installed::Changed);
        }
        if let Err(error) = meanwhile() {
            unlock();
            return Err(error);
        }
        std::fs::rename(&lock, &real).map_err(GitError::file("replace", &real))?;
        sync(&self.place.git_dir)?;
        Ok(Installed::Yes)
    }
}

impl Stamp {
    /// `None` when there is no such file.
    fn of(path: &Path) -> Result<Option<Self>, GitError> {
        match path.symlink_metadata() {
            Ok(found) => Ok(Some(Self::from(found))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(GitError::File { action: "read", path: path.into(), source }),
        }
    }
}

impl From<Metadata> for Stamp {
    fn from(found: Metadata) -> Self {
        let modified = (found.mtime(), found.mtime_nsec());
        Self { inode: found.ino(), size: found.size(), modified }
    }
}

fn directory(git_dir: &Path) -> Result<(tempfile::TempDir, Flock<OwnedFd>), GitError> {
    dead::sweep(git_dir);
    let made = || tempfile::Builder::new().prefix(PREFIX).tempdir_in(git_dir);
    loop {
        let dir = made().map_err(GitError::file("write", git_dir))?;
        // Between making and locking it a cleaner may have taken it for an abandoned one.
        if let Some(alive) = open(dir.path()).ok().and_then(lock).filter(|_| dir.path().exists()) {
            return Ok((dir, alive));
        }
    }
}

fn joined(paths: &[&Path]) -> Vec<u8> {
    let mut input = Vec::new();
    for path in paths {
        input.extend_from_slice(path.as_os_str().as_bytes());
        input.push(0);
    }
    input
}

fn open(dir: &Path) -> std::io::Result<OwnedFd> {
    Ok(File::open(dir)?.into())
}

fn lock(dir: OwnedFd) -> Option<Flock<OwnedFd>> {
    Flock::lock(dir, FlockArg::LockExclusiveNonblock).ok()
}

fn lock_of(index: &Path) -> PathBuf {
    let mut name = OsString::from(index);
    name.push(".lock");
    name.into()
}

fn sync(path: &Path) -> Result<(), GitError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(GitError::file("write", path))
}
