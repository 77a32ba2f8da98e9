//! What a landing keeps while it is at work: a directory in the checkout's git directory with the
//! journal, the old index and the new one.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::git::error::GitError;
use crate::git::index_copy::copy_index;
use crate::git::place::Place;

/// The directory's name.
const NAME: &str = "wt-landing";
/// The first field of a journal, for the day its form changes.
const FORM: &str = "1";

/// What a landing is about, as written down before it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    /// The full reference that moves.
    pub reference: String,
    /// From where, in hex.
    pub old: String,
    /// To where, in hex.
    pub new: String,
    /// Tracked paths among the touched that are not checked out.
    pub absent: Vec<PathBuf>,
    /// Directories that are made, parents before children.
    pub missing: Vec<PathBuf>,
}

/// The directory, locked. git processes started meanwhile hold the lock, too: whoever gets it next
/// knows that none of them is left.
#[derive(Debug)]
pub struct Desk {
    dir: PathBuf,
    index: PathBuf,
    _lock: File,
}

/// Whether a checkout has the directory of a landing.
pub fn is_there(place: &Place) -> bool {
    place.git_dir.join(NAME).is_dir()
}

/// Whose `index.lock` there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexLock {
    /// There is none.
    Nobodys,
    /// It is this desk's.
    Ours,
    /// It is another process's.
    Others,
}

impl Desk {
    /// Makes the directory, or takes over the one that is there, waiting for whoever is at it.
    ///
    /// # Errors
    /// When the git directory cannot be written.
    pub fn open(place: &Place) -> Result<Self, GitError> {
        let dir = place.git_dir.join(NAME);
        loop {
            match std::fs::create_dir(&dir) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(GitError::file("create", &dir)(error)),
            }
            // Its last owner may have removed it while we waited for the lock.
            if let Some(desk) = Self::existing(place)? {
                return Ok(desk);
            }
        }
    }

    /// The directory, if there is one, once nobody is at it any more.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn existing(place: &Place) -> Result<Option<Self>, GitError> {
        let dir = place.git_dir.join(NAME);
        let file = match File::open(&dir) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(GitError::file("open", &dir)(error)),
        };
        file.lock().map_err(GitError::file("lock", &dir))?;
        rustix::io::fcntl_setfd(file.as_fd(), rustix::io::FdFlags::empty())
            .map_err(|errno| GitError::file("lock", &dir)(errno.into()))?;
        let same = dir.symlink_metadata().is_ok_and(|there| {
            file.metadata().is_ok_and(|held| (held.dev(), held.ino()) == (there.dev(), there.ino()))
        });
        let index = place.git_dir.join("index");
        Ok(same.then_some(Self { dir, index, _lock: file }))
    }

    /// The index that the checkout had, once [`Self::keep_index`] has copied it.
    pub fn old_index(&self) -> PathBuf {
        self.dir.join("old-index")
    }

    /// The index that the checkout will have.
    pub fn new_index(&self) -> PathBuf {
        self.dir.join("new-index")
    }

    /// Writes down what is about to happen, so that it survives a loss of power.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, journal: &Journal) -> Result<(), GitError> {
        let mut text = Vec::new();
        for field in [FORM, &journal.reference, &journal.old, &journal.new] {
            text.extend_from_slice(field.as_bytes());
            text.push(0);
        }
        for (kind, paths) in [(b'a', &journal.absent), (b'm', &journal.missing)] {
            for path in paths {
                text.push(kind);
                text.extend_from_slice(path.as_os_str().as_bytes());
                text.push(0);
            }
        }
        self.put("journal", |file| file.write_all(&text))
    }

    /// What was written down; `None` when nothing was, so nothing has happened yet.
    ///
    /// # Errors
    /// When it cannot be read, or a newer version wrote it.
    pub fn journal(&self) -> Result<Option<Journal>, GitError> {
        let path = self.dir.join("journal");
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(GitError::file("read", path)(error)),
        };
        parse(&text).map(Some).ok_or_else(|| GitError::Unexpected {
            what: "landing's journal".into(),
            answer: path.display().to_string(),
        })
    }

    /// Copies the checkout's index, as the old one and as what the new one is made from.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub fn keep_index(&self) -> Result<(), GitError> {
        for name in ["new-index", "old-index"] {
            self.put(name, |file| copy_index(&self.index, file).map(drop))?;
        }
        Ok(())
    }

    /// Takes git's own lock on the checkout's index; false when somebody else has it. The lock
    /// file is a link to one in this directory, which tells it from any other.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn lock_index(&self) -> Result<bool, GitError> {
        let token = self.token();
        if !token.exists() {
            self.put("token", |_| Ok(()))?;
        }
        match std::fs::hard_link(&token, self.lock_path()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Ok(self.index_lock() == IndexLock::Ours)
            }
            Err(error) => Err(GitError::file("lock", &self.index)(error)),
        }
    }

    /// Whose lock there is on the checkout's index.
    pub fn index_lock(&self) -> IndexLock {
        let inode = |path: &Path| path.symlink_metadata().ok().map(|meta| (meta.dev(), meta.ino()));
        match inode(&self.lock_path()) {
            None => IndexLock::Nobodys,
            Some(there) if inode(&self.token()) == Some(there) => IndexLock::Ours,
            Some(_) => IndexLock::Others,
        }
    }

    /// Makes one of the two kept indexes the checkout's, in one step.
    ///
    /// # Errors
    /// When it cannot be renamed.
    pub fn install(&self, index: &Path) -> Result<(), GitError> {
        let file = File::open(index).and_then(|file| file.sync_all());
        file.map_err(GitError::file("write", index))?;
        std::fs::rename(index, &self.index).map_err(GitError::file("replace", &self.index))?;
        sync(self.index.parent().unwrap_or(&self.dir))
    }

    /// Lets go of the index, if its lock is ours, and removes the directory. What is left of it
    /// after a death in between has no journal, and says nothing.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn clear(self) -> Result<(), GitError> {
        if self.index_lock() == IndexLock::Ours {
            let lock = self.lock_path();
            std::fs::remove_file(&lock).map_err(GitError::file("remove", lock))?;
        }
        match std::fs::remove_file(self.dir.join("journal")) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(GitError::file("remove", &self.dir)(error));
            }
            _ => {}
        }
        std::fs::remove_dir_all(&self.dir).map_err(GitError::file("remove", &self.dir))
    }

    fn token(&self) -> PathBuf {
        self.dir.join("token")
    }

    fn lock_path(&self) -> PathBuf {
        self.index.with_file_name("index.lock")
    }

    /// A file that is there whole or not at all.
    fn put(
        &self,
        name: &str,
        write: impl FnOnce(&mut File) -> std::io::Result<()>,
    ) -> Result<(), GitError> {
        let path = self.dir.join(name);
        let failed = |error| GitError::file("write", &path)(error);
        let mut file = tempfile::NamedTempFile::new_in(&self.dir).map_err(failed)?;
        write(file.as_file_mut()).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        sync(&self.dir)
    }
}

fn parse(text: &[u8]) -> Option<Journal> {
    let mut fields = text.strip_suffix(b"\0")?.split(|byte| *byte == 0);
    let mut word = || std::str::from_utf8(fields.next()?).ok().map(str::to_owned);
    if word()? != FORM {
        return None;
    }
    let (reference, old, new) = (word()?, word()?, word()?);
    let mut journal = Journal { reference, old, new, absent: vec![], missing: vec![] };
    for field in fields {
        let (kind, path) = field.split_first()?;
        let path = PathBuf::from(OsStr::from_bytes(path));
        match kind {
            b'a' => journal.absent.push(path),
            b'm' => journal.missing.push(path),
            _ => return None,
        }
    }
    Some(journal)
}

fn sync(dir: &Path) -> Result<(), GitError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(GitError::file("write", dir))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::command::Git;
    use crate::git::sample::Sample;

    #[test]
    fn a_journal_is_read_as_it_was_written() {
        let sample = Sample::new();
        let desk = Desk::open(&sample.place()).unwrap();
        assert_eq!(desk.journal().unwrap(), None);
        let journal = Journal {
            reference: "refs/heads/main".into(),
            old: "aa".into(),
            new: "bb".into(),
            absent: vec!["x y".into(), PathBuf::from(OsStr::from_bytes(b"\xff\n"))],
            missing: vec!["d".into(), "d/e".into()],
        };
        desk.write(&journal).unwrap();
        assert_eq!(desk.journal().unwrap(), Some(journal));
        desk.clear().unwrap();
        assert!(Desk::existing(&sample.place()).unwrap().is_none());
    }

    #[test]
    fn only_our_own_index_lock_is_taken_for_ours() {
        let sample = Sample::new();
        let desk = Desk::open(&sample.place()).unwrap();
        assert_eq!(desk.index_lock(), IndexLock::Nobodys);
        assert!(desk.lock_index().unwrap());
        assert_eq!(desk.index_lock(), IndexLock::Ours);
        let add = Git::write(&sample.place()).args(["add", "-A"]).answer().unwrap();
        assert!(add.stderr.contains("index.lock"), "{}", add.stderr);
        std::fs::remove_file(desk.lock_path()).unwrap();
        std::fs::write(desk.lock_path(), "theirs").unwrap();
        assert_eq!(desk.index_lock(), IndexLock::Others);
        assert!(!desk.lock_index().unwrap());
        let lock = desk.lock_path();
        desk.clear().unwrap();
        assert_eq!(std::fs::read_to_string(lock).unwrap(), "theirs");
    }

    #[test]
    fn a_git_that_outlives_us_keeps_the_lock() {
        let sample = Sample::new();
        let desk = Desk::open(&sample.place()).unwrap();
        let mut child = Git::read(&sample.place()).args(["cat-file", "--batch"]).start().unwrap();
        drop(desk);
        let dir = File::open(sample.path.join(".git").join(NAME)).unwrap();
        assert!(dir.try_lock().is_err());
        drop(child.stdin.take());
        child.wait().unwrap();
        // What another test starts at this very moment may hold it a little longer.
        dir.lock().unwrap();
    }
}
