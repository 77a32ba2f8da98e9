//! Putting a checkout back as it was before a landing that did not come to its end.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::git::command::Git;
use crate::git::conflict::joined;
use crate::git::error::GitError;
use crate::git::land::desk::{Desk, IndexLock, Journal};
use crate::git::land::disk::{self, Found};
use crate::git::land::refresh;
use crate::git::land::touch::{Touch, between};
use crate::git::place::Place;

/// What had become of a landing that was cut short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovered {
    /// It had landed; only its traces were left.
    Landed,
    /// It had not; the checkout is as it was before.
    PutBack {
        /// What was found at touched paths that was neither the old nor the new version, kept as
        /// objects: path and object in hex.
        kept: Vec<(PathBuf, String)>,
    },
    /// Somebody removed its lock and worked on: the checkout was left alone.
    LeftAlone,
}

/// Looks for a landing that was cut short in a checkout, waits for a living one to end, and
/// finishes or takes back what a dead one left.
///
/// # Errors
/// When something cannot be put back; the journal stays, and the next call tries again.
pub fn recover(place: &Place) -> Result<Option<Recovered>, GitError> {
    let Some(desk) = Desk::existing(place)? else { return Ok(None) };
    let Some(journal) = desk.journal()? else {
        // Nothing had happened yet, or everything had, and it died while clearing up.
        return desk.clear().map(|()| None);
    };
    let reference = journal.reference.as_str();
    let asked = ["rev-parse", "--verify", "--quiet", reference];
    let tip = Git::read(place).args(asked).answer()?.text();
    if tip == journal.new && !desk.new_index().exists() {
        return desk.clear().map(|()| Some(Recovered::Landed));
    }
    put_back(place, desk).map(Some)
}

/// Puts the old files and the old index back.
///
/// # Errors
/// As [`recover`].
pub(super) fn put_back(place: &Place, desk: Desk) -> Result<Recovered, GitError> {
    // The old index goes into its place when all files are back.
    let Some(journal) = desk.journal()?.filter(|_| desk.old_index().exists()) else {
        return desk.clear().map(|()| Recovered::PutBack { kept: vec![] });
    };
    if desk.index_lock() != IndexLock::Ours {
        return desk.clear().map(|()| Recovered::LeftAlone);
    }
    let touches = between(place, &journal.old, &journal.new)?;
    let back = Back { place, desk: &desk, journal: &journal, touches: &touches };
    let kept = back.files()?;
    refresh(place, &desk.old_index())?;
    unlock_references(place, &journal);
    desk.install(&desk.old_index())?;
    desk.clear()?;
    Ok(Recovered::PutBack { kept })
}

struct Back<'a> {
    place: &'a Place,
    desk: &'a Desk,
    journal: &'a Journal,
    touches: &'a [Touch],
}

impl Back<'_> {
    /// Sets every touched path to its old version; what was neither old nor new is kept first.
    fn files(&self) -> Result<Vec<(PathBuf, String)>, GitError> {
        let paths: Vec<&Path> = self.touches.iter().map(|touch| touch.path.as_path()).collect();
        let found = disk::versions(self.place, &paths)?;
        let absent: HashSet<&Path> = self.journal.absent.iter().map(PathBuf::as_path).collect();
        let mut kept = Vec::new();
        let (mut remove, mut write) = (Vec::new(), Vec::new());
        for (touch, found) in self.touches.iter().zip(&found) {
            let path = touch.path.as_path();
            let old = touch.old.as_ref().filter(|_| !absent.contains(path));
            let is_back = match old {
                Some(old) => found.equals(old),
                None => *found == Found::Nothing,
            };
            if is_back {
                continue;
            }
            let known = [&touch.old, &touch.new].into_iter().flatten();
            if !known.into_iter().any(|version| found.same_as(version))
                && let Some(object) = self.keep(path, found)?
            {
                kept.push((path.to_path_buf(), object));
            }
            if old.is_some() {
                write.push(path);
            }
            remove.push(path);
        }
        for path in remove {
            self.remove(path)?;
        }
        for dir in self.journal.missing.iter().rev() {
            // One that holds something stays.
            std::fs::remove_dir(self.place.dir().join(dir)).ok();
        }
        for path in &write {
            self.is_free(path)?;
        }
        self.write(&write)?;
        Ok(kept)
    }

    /// Keeps a file or a link as an object.
    fn keep(&self, path: &Path, found: &Found) -> Result<Option<String>, GitError> {
        let full = self.place.dir().join(path);
        let content = match found {
            Found::Content { kind: disk::Kind::Link, .. } => {
                let target = std::fs::read_link(&full).map_err(GitError::file("read", &full))?;
                target.into_os_string().into_encoded_bytes()
            }
            Found::Content { .. } => std::fs::read(&full).map_err(GitError::file("read", &full))?,
            _ => return Ok(None),
        };
        let asked = ["hash-object", "-w", "--stdin"];
        Git::write(self.place).args(asked).input(content).text().map(Some)
    }

    /// Removes what stands at a touched path: never through a link on the way, and of directories
    /// only empty ones (a submodule's that was to come).
    fn remove(&self, path: &Path) -> Result<(), GitError> {
        if disk::below_link(self.place.dir(), path) {
            return Ok(());
        }
        let full = self.place.dir().join(path);
        match disk::kind(&full)? {
            None => Ok(()),
            Some(disk::Kind::Directory) => {
                std::fs::remove_dir(&full).ok();
                Ok(())
            }
            Some(_) => std::fs::remove_file(&full).map_err(GitError::file("remove", full)),
        }
    }

    /// git would remove a whole directory that is in a file's way, with all that somebody has put
    /// there since.
    fn is_free(&self, path: &Path) -> Result<(), GitError> {
        let full = self.place.dir().join(path);
        let blocked = disk::kind(&full)?.is_some() || disk::below_link(self.place.dir(), path);
        if !blocked {
            return Ok(());
        }
        let source = std::io::Error::other("something else was put in its place; move it away");
        Err(GitError::File { action: "put back", path: full, source })
    }

    /// Checks paths out of the old index, whatever is there.
    fn write(&self, paths: &[&Path]) -> Result<(), GitError> {
        if paths.is_empty() {
            return Ok(());
        }
        Git::write(self.place)
            .config("core.splitIndex=false")
            .env("GIT_INDEX_FILE", self.desk.old_index())
            .args(["checkout-index", "--force", "--quiet", "-u", "-z", "--stdin"])
            .input(joined(paths.iter().copied()))
            .run()
            .map(drop)
    }
}

/// Removes the locks that git leaves on the branch and on HEAD when it is killed together with us.
/// No process of ours is left, and the branch's lock holds our new commit: so it was ours, and an
/// empty one on HEAD, which git locks after it, too.
fn unlock_references(place: &Place, journal: &Journal) {
    let branch = place.common_dir.join(format!("{}.lock", journal.reference));
    let ours = std::fs::read_to_string(&branch).is_ok_and(|text| text.trim_end() == journal.new);
    if !ours {
        return;
    }
    let head = place.git_dir.join("HEAD.lock");
    if head.symlink_metadata().is_ok_and(|meta| meta.is_file() && meta.len() == 0) {
        std::fs::remove_file(&head).ok();
    }
    std::fs::remove_file(&branch).ok();
}
