//! Files written byte for byte into a checkout that an agent may have prepared for us.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout};

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;

/// One file as a snapshot holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RawFile {
    mode: Mode,
    object: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    File,
    Program,
    Link,
}

impl RawFile {
    /// From `mode kind object`, as `git ls-tree` says it.
    pub(super) fn of(line: &[u8]) -> Result<Self, GitError> {
        let line = String::from_utf8_lossy(line);
        let mut words = line.split(' ');
        let mode = match words.next() {
            Some("100644") => Some(Mode::File),
            Some("100755") => Some(Mode::Program),
            Some("120000") => Some(Mode::Link),
            _ => None,
        };
        let (Some(mode), Some("blob"), Some(object)) = (mode, words.next(), words.next()) else {
            return Err(GitError::Unexpected { what: "ls-tree".into(), answer: line.to_string() });
        };
        Ok(Self { mode, object: object.to_owned() })
    }

    /// Whether the file on disk is this one already.
    pub(super) fn is_there(
        &self,
        top: &Path,
        path: &Path,
        blobs: &mut Blobs,
    ) -> Result<bool, GitError> {
        let path = top.join(path);
        let Ok(meta) = path.symlink_metadata() else { return Ok(false) };
        if self.mode == Mode::Link {
            let target = std::fs::read_link(&path).map(|target| target.into_os_string().into_vec());
            return Ok(meta.is_symlink() && target.ok() == Some(blobs.read(&self.object)?));
        }
        let program = meta.permissions().mode() & 0o100 != 0;
        if !meta.is_file() || program != (self.mode == Mode::Program) {
            return Ok(false);
        }
        let mut same = Compare { file: BufReader::new(open(&path)?), equal: true };
        blobs.copy(&self.object, &mut same)?;
        let mut more = [0];
        Ok(same.equal && same.file.read(&mut more).map_err(GitError::file("read", path))? == 0)
    }
}

/// Compares what is written to it with a file.
struct Compare {
    file: BufReader<std::fs::File>,
    equal: bool,
}

impl Write for Compare {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut held = vec![0; bytes.len()];
        self.equal = self.equal && self.file.read_exact(&mut held).is_ok() && held == bytes;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn open(path: &Path) -> Result<std::fs::File, GitError> {
    std::fs::File::open(path).map_err(GitError::file("read", path))
}

/// Blobs, read one after another from one git process.
pub(super) struct Blobs {
    child: Child,
    ask: Option<ChildStdin>,
    answer: BufReader<ChildStdout>,
}

impl Blobs {
    pub(super) fn open(place: &Place) -> Result<Self, GitError> {
        let mut child = Git::read(place).args(["cat-file", "--batch"]).start()?;
        let no_pipe = || GitError::Unexpected { what: "cat-file".into(), answer: "no pipe".into() };
        let answer = BufReader::new(child.stdout.take().ok_or_else(no_pipe)?);
        Ok(Self { ask: child.stdin.take(), child, answer })
    }

    fn read(&mut self, object: &str) -> Result<Vec<u8>, GitError> {
        let mut bytes = Vec::new();
        self.copy(object, &mut bytes)?;
        Ok(bytes)
    }

    fn copy(&mut self, object: &str, out: &mut dyn Write) -> Result<(), GitError> {
        let failed = GitError::file("read", object);
        let mut header = String::new();
        let asked = match &mut self.ask {
            Some(ask) => writeln!(ask, "{object}").and_then(|()| ask.flush()),
            None => Ok(()),
        };
        let said = asked.and_then(|()| self.answer.read_line(&mut header));
        let size = match header.trim_end().rsplit_once(" blob ") {
            Some((_, size)) => size.parse::<u64>().ok(),
            None => None,
        };
        let unexpected =
            || GitError::Unexpected { what: "cat-file".into(), answer: header.trim().to_owned() };
        said.and_then(|_| {
            let size = size.ok_or(std::io::ErrorKind::InvalidData)?;
            let copied = std::io::copy(&mut (&mut self.answer).take(size), out)?;
            let mut newline = [0];
            self.answer.read_exact(&mut newline)?;
            if copied == size { Ok(()) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) }
        })
        .map_err(|error| if size.is_none() { unexpected() } else { failed(error) })
    }
}

impl Drop for Blobs {
    fn drop(&mut self) {
        // End of input ends it.
        self.ask.take();
        std::io::copy(&mut self.answer, &mut std::io::sink()).ok();
        self.child.wait().ok();
    }
}

/// What makes a path impossible to write: a parent that is a link or a file, or a directory in its
/// place that holds something. What is going to be removed is no obstacle.
pub(super) fn obstacle(top: &Path, path: &Path, gone: &BTreeSet<PathBuf>) -> Option<PathBuf> {
    let mut parents: Vec<&Path> = path.ancestors().skip(1).collect();
    parents.reverse();
    for parent in parents.into_iter().filter(|parent| !parent.as_os_str().is_empty()) {
        match top.join(parent).symlink_metadata() {
            Ok(meta) if !meta.is_dir() => {
                return (!gone.contains(parent)).then(|| parent.to_path_buf());
            }
            Ok(_) => {}
            Err(_) => return None,
        }
    }
    let here = top.join(path);
    if !here.symlink_metadata().is_ok_and(|meta| meta.is_dir()) {
        return None;
    }
    walkdir::WalkDir::new(&here).into_iter().find_map(|entry| match entry {
        Ok(entry) if entry.file_type().is_dir() => None,
        Ok(entry) => {
            let held = entry.path().strip_prefix(top).ok()?;
            (!gone.contains(held)).then(|| held.to_path_buf())
        }
        Err(_) => Some(path.to_path_buf()),
    })
}

/// Removes files, and the directories that are empty then.
pub(super) fn remove(top: &Path, gone: &BTreeSet<PathBuf>) -> Result<(), GitError> {
    for path in gone {
        let file = top.join(path);
        match std::fs::remove_file(&file) {
            Ok(()) => {}
            // It is gone, or a directory is in its place, or a parent is none.
            Err(_) if !file.symlink_metadata().is_ok_and(|meta| !meta.is_dir()) => continue,
            Err(error) => return Err(GitError::file("remove", file)(error)),
        }
        for parent in path.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty()) {
            if std::fs::remove_dir(top.join(parent)).is_err() {
                break;
            }
        }
    }
    Ok(())
}

/// Writes files one by one, each complete or not at all.
pub(super) fn write(place: &Place, files: &BTreeMap<PathBuf, RawFile>) -> Result<(), GitError> {
    let mut blobs = Blobs::open(place)?;
    for (path, raw) in files {
        let file = place.dir().join(path);
        let Some(parent) = file.parent() else { continue };
        std::fs::create_dir_all(parent).map_err(GitError::file("create", parent))?;
        if file.symlink_metadata().is_ok_and(|meta| meta.is_dir()) {
            remove_empty(&file)?;
        }
        let fail = |error| GitError::file("write", &file)(error);
        if raw.mode == Mode::Link {
            let target = blobs.read(&raw.object)?;
            let link = |temporary: &Path| {
                std::os::unix::fs::symlink(OsStr::from_bytes(&target), temporary)
            };
            let made = tempfile::Builder::new().prefix(".wt-").make_in(parent, link);
            made.map_err(fail)?.persist(&file).map_err(|error| fail(error.error))?;
            continue;
        }
        let bits = if raw.mode == Mode::Program { 0o777 } else { 0o666 };
        let permissions = std::fs::Permissions::from_mode(bits);
        let made =
            tempfile::Builder::new().prefix(".wt-").permissions(permissions).tempfile_in(parent);
        let mut made = made.map_err(fail)?;
        blobs.copy(&raw.object, &mut made)?;
        made.persist(&file).map_err(|error| fail(error.error))?;
    }
    Ok(())
}

/// Only directories are in it: [`obstacle`] has looked.
fn remove_empty(dir: &Path) -> Result<(), GitError> {
    for entry in walkdir::WalkDir::new(dir).contents_first(true).into_iter().flatten() {
        std::fs::remove_dir(entry.path()).map_err(GitError::file("remove", entry.path()))?;
    }
    Ok(())
}
