//! Copying what was selected. Every step is taken from an open directory to a name in it and never
//! through a link, so that neither side can lead out of its own tree.

use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Timespec, Timestamps};
use rustix::io::Errno;

use crate::domain::observer::{Observer, Progress};
use crate::git::carry::select::{self, Globs, Match};
use crate::git::carry::{Carried, Found, Left};
use crate::git::error::GitError;

/// The size in bytes from which a directory is carried only where the file system clones.
pub const DIRECTORY_MAX: u64 = 100 * 1000 * 1000;

/// How deep a directory may be nested; each level holds two open files.
const DEPTH_MAX: u32 = 100;

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Copies what was found, in order.
///
/// # Errors
/// When the target cannot be written to.
pub(super) fn copy_all(
    found: &Found,
    to: &Path,
    observer: &dyn Observer,
    carried: &mut Carried,
) -> Result<(), GitError> {
    let mut copier = Copier {
        top: &found.top,
        from: open_top(&found.top)?,
        to: open_top(to)?,
        globs: &found.globs,
        clones: None,
        progress: observer.begin("carrying ignored files", None),
        carried,
    };
    for one in &found.wanted {
        copier.item(one)?;
    }
    Ok(())
}

fn open_top(path: &Path) -> Result<OwnedFd, GitError> {
    // The top itself is where the caller says, whatever links lead there.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
        .map_err(|error| GitError::file("open", path)(error.into()))
}

struct Copier<'a> {
    top: &'a Path,
    from: OwnedFd,
    to: OwnedFd,
    globs: &'a Globs,
    /// Whether the file system clones; unknown before the first file that is not empty.
    clones: Option<bool>,
    progress: Box<dyn Progress>,
    carried: &'a mut Carried,
}

/// An entry to copy: the open directories on both sides and its name in them.
struct Entry<'a> {
    from: &'a OwnedFd,
    to: &'a OwnedFd,
    name: &'a OsStr,
    /// From the checkout's top.
    path: &'a Path,
    depth: u32,
}

impl Copier<'_> {
    fn item(&mut self, found: &Match) -> Result<(), GitError> {
        let path = &found.path;
        if found.is_dir && self.is_too_big(path)? {
            let size = DIRECTORY_MAX / 1_000_000;
            self.leave(
                path,
                format!("is larger than {size} MB, and this file system does not clone"),
            );
            return Ok(());
        }
        let Some(name) = path.file_name() else { return Ok(()) };
        let Some((from, to)) = self.parents(path)? else { return Ok(()) };
        self.progress.item(&path.to_string_lossy());
        let before = self.carried.files;
        self.entry(&Entry { from: &from, to: &to, name, path, depth: 0 })?;
        if self.carried.files > before || found.is_dir {
            self.carried.paths.push(path.clone());
        }
        Ok(())
    }

    /// Opens the directory that holds an item, on both sides, made on the target's as it is on the
    /// other. `None` when it is gone, or when the way there leads through a link.
    fn parents(&mut self, path: &Path) -> Result<Option<(OwnedFd, OwnedFd)>, GitError> {
        let mut from = clone_of(&self.from, self.top)?;
        let mut to = clone_of(&self.to, path)?;
        for name in path.parent().into_iter().flat_map(Path::iter) {
            let Ok(next) = rustix::fs::openat(&from, name, DIRECTORY, Mode::empty()) else {
                return Ok(None);
            };
            let mode = rustix::fs::fstat(&next).map_or(0o755, |stat| stat.st_mode & 0o777);
            match make_dir(&to, name, mode | 0o700, path)? {
                Some(made) => (from, to) = (next, made),
                None => {
                    self.leave(path, "would be carried through a link of the new worktree".into());
                    return Ok(None);
                }
            }
        }
        Ok(Some((from, to)))
    }

    fn entry(&mut self, entry: &Entry<'_>) -> Result<(), GitError> {
        let Ok(stat) = rustix::fs::statat(entry.from, entry.name, AtFlags::SYMLINK_NOFOLLOW) else {
            return Ok(());
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => self.file(entry),
            FileType::Symlink => self.link(entry, &stat),
            FileType::Directory => self.directory(entry),
            _ => {
                self.leave(entry.path, "is neither a file, a directory nor a link".into());
                Ok(())
            }
        }
    }

    fn file(&mut self, entry: &Entry<'_>) -> Result<(), GitError> {
        // Without waiting, in case that a FIFO took its place meanwhile.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let from = match rustix::fs::openat(entry.from, entry.name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT | Errno::LOOP) => return Ok(()),
            Err(error) => return self.unreadable(entry, error),
        };
        let failed = |error| GitError::file("copy", entry.path)(error);
        let meta = from.metadata().map_err(failed)?;
        if !meta.is_file() {
            return Ok(());
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let to = match rustix::fs::openat(entry.to, entry.name, flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) => File::from(file),
            // The commit brought one along.
            Err(Errno::EXIST) => return Ok(()),
            Err(error) => return Err(failed(error.into())),
        };
        self.content(&from, &to).map_err(failed)?;
        to.set_permissions(std::fs::Permissions::from_mode(meta.mode() & 0o777)).map_err(failed)?;
        set_times(&to, &meta).map_err(failed)?;
        self.counted();
        Ok(())
    }

    fn content(&mut self, mut from: &File, mut to: &File) -> std::io::Result<()> {
        if self.clones != Some(false) && from.metadata()?.len() > 0 {
            let cloned = reflink_copy::reflink_file(from, to).is_ok();
            self.clones = Some(cloned);
            if cloned {
                return Ok(());
            }
        }
        std::io::copy(&mut from, &mut to).map(|_| ())
    }

    fn link(&mut self, entry: &Entry<'_>, stat: &rustix::fs::Stat) -> Result<(), GitError> {
        let Ok(target) = rustix::fs::readlinkat(entry.from, entry.name, Vec::new()) else {
            return Ok(());
        };
        match rustix::fs::symlinkat(&target, entry.to, entry.name) {
            Ok(()) => {}
            Err(Errno::EXIST) => return Ok(()),
            Err(error) => return Err(GitError::file("copy", entry.path)(error.into())),
        }
        let time = |tv_sec, tv_nsec| Timespec { tv_sec, tv_nsec };
        let times = Timestamps {
            last_access: time(stat.st_atime, stat.st_atime_nsec as _),
            last_modification: time(stat.st_mtime, stat.st_mtime_nsec as _),
        };
        // A link's time matters to nobody enough to fail for.
        rustix::fs::utimensat(entry.to, entry.name, &times, AtFlags::SYMLINK_NOFOLLOW).ok();
        self.counted();
        Ok(())
    }

    fn directory(&mut self, entry: &Entry<'_>) -> Result<(), GitError> {
        let from = match rustix::fs::openat(entry.from, entry.name, DIRECTORY, Mode::empty()) {
            Ok(dir) => dir,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(()),
            Err(error) => return self.unreadable(entry, error),
        };
        if is_somebodys_worktree(&from) {
            self.leave(entry.path, "is a worktree or submodule of its own".into());
            return Ok(());
        }
        if entry.depth > DEPTH_MAX {
            self.leave(entry.path, format!("is nested deeper than {DEPTH_MAX} directories"));
            return Ok(());
        }
        let meta = clone_of(&from, entry.path).map(File::from)?;
        let meta = meta.metadata().map_err(GitError::file("copy", entry.path))?;
        let Some(to) = make_dir(entry.to, entry.name, 0o700, entry.path)? else {
            self.leave(entry.path, "would be carried through a link of the new worktree".into());
            return Ok(());
        };
        for name in names(&from) {
            let name = OsStr::from_bytes(name.to_bytes());
            let path = entry.path.join(name);
            if !self.globs.take_back(&path) {
                let depth = entry.depth + 1;
                self.entry(&Entry { from: &from, to: &to, name, path: &path, depth })?;
            }
        }
        let to = File::from(to);
        let failed = |error| GitError::file("copy", entry.path)(error);
        to.set_permissions(std::fs::Permissions::from_mode(meta.mode() & 0o777)).map_err(failed)?;
        set_times(&to, &meta).map_err(failed)
    }

    /// Whether a directory is too big to be copied, and cannot be cloned either.
    fn is_too_big(&mut self, path: &Path) -> Result<bool, GitError> {
        let mut total = 0;
        for file in select::sizes_in(&self.top.join(path)) {
            if self.clones.is_none() && file.size > 0 {
                self.clones = Some(self.try_clone(&file.path)?);
            }
            if self.clones == Some(true) {
                return Ok(false);
            }
            total += file.size;
            if total > DIRECTORY_MAX {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Clones one file into a file of the target that has no name.
    fn try_clone(&self, path: &Path) -> Result<bool, GitError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let Ok(from) = rustix::fs::open(path, flags, Mode::empty()) else { return Ok(false) };
        let flags = OFlags::WRONLY | OFlags::TMPFILE | OFlags::CLOEXEC;
        let Ok(to) = rustix::fs::openat(&self.to, ".", flags, Mode::RUSR | Mode::WUSR) else {
            return Ok(false);
        };
        Ok(reflink_copy::reflink_file(&File::from(from), &File::from(to)).is_ok())
    }

    fn counted(&mut self) {
        self.carried.files += 1;
        self.progress.at(self.carried.files);
    }

    fn unreadable(&mut self, entry: &Entry<'_>, error: Errno) -> Result<(), GitError> {
        self.leave(entry.path, format!("cannot be read: {}", std::io::Error::from(error)));
        Ok(())
    }

    fn leave(&mut self, path: &Path, why: String) {
        self.carried.left.push(Left { path: path.to_path_buf(), why });
    }
}

/// Opens a directory of the target, made if it is not there; `None` when something else is.
fn make_dir(
    parent: &OwnedFd,
    name: &OsStr,
    mode: u32,
    path: &Path,
) -> Result<Option<OwnedFd>, GitError> {
    let failed = |error: Errno| GitError::file("create", path)(error.into());
    match rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(mode)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(failed(error)),
    }
    match rustix::fs::openat(parent, name, DIRECTORY, Mode::empty()) {
        Ok(dir) => Ok(Some(dir)),
        Err(Errno::NOTDIR | Errno::LOOP) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// A linked worktree and a submodule have a file `.git` that names a registration: a second
/// directory with the same one would be taken for it.
fn is_somebodys_worktree(dir: &OwnedFd) -> bool {
    rustix::fs::statat(dir, ".git", AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) != FileType::Directory)
}

fn names(dir: &OwnedFd) -> Vec<std::ffi::CString> {
    let Ok(entries) = Dir::read_from(dir) else { return vec![] };
    let real = |name: &CStr| !matches!(name.to_bytes(), b"." | b"..");
    let names = entries.filter_map(Result::ok).map(|entry| entry.file_name().to_owned());
    names.filter(|name| real(name)).collect()
}

fn clone_of(dir: &OwnedFd, path: &Path) -> Result<OwnedFd, GitError> {
    dir.as_fd().try_clone_to_owned().map_err(GitError::file("open", PathBuf::from(path)))
}

fn set_times(file: &File, meta: &std::fs::Metadata) -> std::io::Result<()> {
    let mut times = std::fs::FileTimes::new().set_modified(meta.modified()?);
    if let Ok(accessed) = meta.accessed() {
        times = times.set_accessed(accessed);
    }
    file.set_times(times)
}
