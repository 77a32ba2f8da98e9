//! When a directory cannot be renamed, because the trash is on another file system: copy, compare,
//! and only then remove.

use std::fs::{FileType, Metadata, Permissions};
use std::io::{BufReader, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use walkdir::{DirEntry, WalkDir};

use crate::git::error::GitError;
use crate::git::worktree::{registration_named_in, same, sync_dir};

/// Copies a directory with links, modes and times, compares the copy with it, and gives it its
/// name only then.
pub(super) fn copy_dir(from: &Path, to: &Path) -> Result<(), GitError> {
    let part = part_of(to);
    if part.symlink_metadata().is_ok() {
        // Of a copy that was killed: nothing names it.
        remove_whole(&part)?;
    }
    for entry in entries(from, false) {
        let entry = entry?;
        copy_entry(&entry, &part.join(below(entry.path(), from)))?;
    }
    // Afterwards, since what is put into a directory changes its time and needs its mode.
    for entry in entries(from, true) {
        let entry = entry?;
        if entry.file_type().is_dir() {
            take_over(&metadata(&entry)?, &part.join(below(entry.path(), from)))?;
        }
    }
    compare(from, &part)?;
    std::fs::rename(&part, to).map_err(GitError::file("rename", &part))?;
    to.parent().map_or(Ok(()), sync_dir)
}

fn part_of(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

fn entries(
    dir: &Path,
    contents_first: bool,
) -> impl Iterator<Item = Result<DirEntry, GitError>> + use<> {
    let top = dir.to_path_buf();
    WalkDir::new(dir).contents_first(contents_first).sort_by_file_name().into_iter().map(
        move |entry| {
            entry.map_err(|error| {
                let path = error.path().unwrap_or(&top).to_path_buf();
                let source = error.into_io_error();
                let source = source.unwrap_or_else(|| std::io::ErrorKind::Other.into());
                GitError::File { action: "read", path, source }
            })
        },
    )
}

fn below<'a>(path: &'a Path, top: &Path) -> &'a Path {
    path.strip_prefix(top).unwrap_or(path)
}

fn metadata(entry: &DirEntry) -> Result<Metadata, GitError> {
    entry.path().symlink_metadata().map_err(GitError::file("read", entry.path()))
}

fn copy_entry(entry: &DirEntry, to: &Path) -> Result<(), GitError> {
    let (from, kind) = (entry.path(), entry.file_type());
    let failed = || GitError::file("copy", from);
    if kind.is_dir() {
        return std::fs::create_dir_all(to).map_err(GitError::file("create", to));
    }
    if kind.is_symlink() {
        let target = std::fs::read_link(from).map_err(failed())?;
        std::os::unix::fs::symlink(target, to).map_err(failed())?;
    } else if kind.is_file() {
        reflink_copy::reflink_or_copy(from, to).map_err(failed())?;
    } else if kind.is_fifo() {
        nix::unistd::mkfifo(to, nix::sys::stat::Mode::S_IRWXU)
            .map_err(|error| failed()(error.into()))?;
    } else {
        // A socket or a device stands for something that is not in it.
        return Ok(());
    }
    take_over(&metadata(entry)?, to)
}

/// Mode and times: the index compares the latter.
fn take_over(meta: &Metadata, to: &Path) -> Result<(), GitError> {
    let failed = || GitError::file("write", to);
    if !meta.is_symlink() {
        std::fs::set_permissions(to, Permissions::from_mode(meta.mode() & 0o7777))
            .map_err(failed())?;
    }
    let times = Timestamps {
        last_access: Timespec { tv_sec: meta.atime(), tv_nsec: meta.atime_nsec() as _ },
        last_modification: Timespec { tv_sec: meta.mtime(), tv_nsec: meta.mtime_nsec() as _ },
    };
    utimensat(CWD, to, &times, AtFlags::SYMLINK_NOFOLLOW).map_err(|error| failed()(error.into()))
}

fn is_kept(kind: FileType) -> bool {
    kind.is_dir() || kind.is_symlink() || kind.is_file() || kind.is_fifo()
}

fn compare(from: &Path, copy: &Path) -> Result<(), GitError> {
    let mut count = 0_usize;
    for entry in entries(from, false) {
        let entry = entry?;
        if !is_kept(entry.file_type()) {
            continue;
        }
        count += 1;
        let other = copy.join(below(entry.path(), from));
        if !same_entry(entry.path(), &other)? {
            return Err(differs(entry.path()));
        }
    }
    let copied = entries(copy, false).collect::<Result<Vec<_>, _>>()?.len();
    if count == copied { Ok(()) } else { Err(differs(from)) }
}

fn differs(path: &Path) -> GitError {
    let changed = std::io::Error::other("it changed while it was copied");
    GitError::file("copy", path)(changed)
}

/// Same kind, mode, size, time, target or contents.
fn same_entry(one: &Path, other: &Path) -> Result<bool, GitError> {
    let Ok(copied) = other.symlink_metadata() else { return Ok(false) };
    let meta = one.symlink_metadata().map_err(GitError::file("read", one))?;
    let fits = meta.file_type() == copied.file_type()
        && meta.mode() == copied.mode()
        && (meta.is_dir() || meta.len() == copied.len());
    if !fits {
        return Ok(false);
    }
    if meta.is_symlink() {
        return Ok(std::fs::read_link(one).ok() == std::fs::read_link(other).ok());
    }
    if !meta.is_file() {
        return Ok(true);
    }
    let read = |path: &Path| {
        std::fs::File::open(path).map(BufReader::new).map_err(GitError::file("read", path))
    };
    let (mut one, mut other) = (read(one)?, read(other)?);
    let (mut left, mut right) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let count = one.read(&mut left).map_err(GitError::file("read", "the original"))?;
        if count == 0 {
            return Ok(true);
        }
        let same = other.read_exact(&mut right[..count]).is_ok() && left[..count] == right[..count];
        if !same {
            return Ok(false);
        }
    }
}

/// Removes what is left of a directory that was copied: only what the copy holds just the same,
/// and the name of the registration last of all. Nothing happens when there is no such directory,
/// or it does not name the registration.
pub(super) fn remove_copied(from: &Path, copy: &Path, admin_dir: &Path) -> Result<(), GitError> {
    if !registration_named_in(from).is_some_and(|named| same(&named, admin_dir)) {
        return Ok(());
    }
    let name = from.join(".git");
    for entry in entries(from, true) {
        let entry = entry?;
        let path = entry.path();
        if path == from || path == name {
            continue;
        }
        if entry.file_type().is_dir() {
            writable(path)?;
            std::fs::remove_dir(path).map_err(GitError::file("remove", path))?;
            continue;
        }
        if is_kept(entry.file_type()) && !same_entry(path, &copy.join(below(path, from)))? {
            return Err(differs(path));
        }
        path.parent().map_or(Ok(()), writable)?;
        std::fs::remove_file(path).map_err(GitError::file("remove", path))?;
    }
    std::fs::remove_file(&name).map_err(GitError::file("remove", name))?;
    std::fs::remove_dir(from).map_err(GitError::file("remove", from))
}

/// Removes a directory of ours with everything in it, its `.git` file last.
pub(super) fn remove_whole(dir: &Path) -> Result<(), GitError> {
    let name = dir.join(".git");
    open_up(dir);
    for entry in std::fs::read_dir(dir).map_err(GitError::file("read", dir))?.flatten() {
        let path = entry.path();
        if path == name {
            continue;
        }
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let removed = match is_dir {
            true => std::fs::remove_dir_all(&path),
            false => std::fs::remove_file(&path),
        };
        removed.map_err(GitError::file("remove", path))?;
    }
    std::fs::remove_dir_all(dir).map_err(GitError::file("remove", dir))
}

/// Makes every directory below one that may be emptied. What that fails for is told when it cannot
/// be removed.
fn open_up(dir: &Path) {
    let mut open = vec![dir.to_path_buf()];
    while let Some(dir) = open.pop() {
        writable(&dir).ok();
        let inside = std::fs::read_dir(&dir).into_iter().flatten().flatten();
        let dirs = inside.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        open.extend(dirs.map(|entry| entry.path()));
    }
}

/// Package managers make directories that their owner may not write to.
fn writable(dir: &Path) -> Result<(), GitError> {
    let mode = dir.symlink_metadata().map_err(GitError::file("read", dir))?.mode();
    if mode & 0o700 == 0o700 {
        return Ok(());
    }
    std::fs::set_permissions(dir, Permissions::from_mode(mode & 0o7777 | 0o700))
        .map_err(GitError::file("write", dir))
}
