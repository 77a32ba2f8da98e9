//! Ignored files carried over into a new worktree: `.env`, local certificates, and whatever else
//! the settings name.

mod copy;
mod select;

use std::path::{Path, PathBuf};

use crate::domain::observer::Observer;
use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;

pub use copy::DIRECTORY_MAX;
use select::Match;
pub use select::{BadGlob, Globs};

/// What a checkout has to carry over.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The checkout's directory.
    top: PathBuf,
    globs: Globs,
    wanted: Vec<Match>,
    left: Vec<Left>,
    dependencies: Vec<PathBuf>,
}

/// What was carried, and what was not. All paths are relative to the checkout's top.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Carried {
    /// Files and directories that matched and were carried, sorted.
    pub paths: Vec<PathBuf>,
    /// How many files that makes.
    pub files: u64,
    /// What matched and stayed behind, or only in part came along.
    pub left: Vec<Left>,
    /// Directories that a package manager fills, which no glob named: setup makes them anew.
    pub dependencies: Vec<PathBuf>,
}

/// Something that matched and stayed behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// What.
    pub path: PathBuf,
    /// Why, to be read after the path: `is larger than 100 MB, and …`
    pub why: String,
}

/// Finds every ignored, untracked file that a glob names, and whole ignored directories that one
/// names. `from` is a checkout that no agent owns; what is in `apart`, a directory, is not looked
/// at: new worktrees are made there meanwhile. Nothing is changed.
///
/// # Errors
/// When git cannot say what is ignored.
pub fn find(from: &Place, globs: &Globs, apart: &Path) -> Result<Found, GitError> {
    let Some(top) = from.work_tree.as_deref() else { return Ok(Found::default()) };
    let selected = select::select(top, globs, apart);
    let (top, globs) = (top.to_path_buf(), globs.clone());
    let mut found = Found { top, globs, left: selected.left, ..Found::default() };
    let mut asked: Vec<PathBuf> = selected.matches.iter().map(|one| one.path.clone()).collect();
    asked.extend(selected.dependencies.iter().cloned());
    if asked.is_empty() {
        return Ok(found);
    }
    let ignored_ones = ignored(from, &asked)?;
    let dependencies = selected.dependencies.into_iter();
    found.dependencies = dependencies.filter(|path| ignored_ones.contains(path)).collect();
    let (wanted, tracked): (Vec<_>, Vec<_>) =
        selected.matches.into_iter().partition(|one| ignored_ones.contains(&one.path));
    found.wanted = wanted;
    // A directory that is not ignored as a whole may hold files that are.
    let directories = tracked.iter().filter(|one| one.is_dir);
    let inside: Vec<PathBuf> =
        directories.flat_map(|dir| select::files_in(&found.top, &dir.path)).collect();
    if !inside.is_empty() {
        let ignored_ones = ignored(from, &inside)?;
        let files = inside.into_iter().filter(|path| ignored_ones.contains(path));
        found.wanted.extend(files.map(|path| Match { path, is_dir: false }));
    }
    found.wanted.sort();
    Ok(found)
}

/// Carries what was found into a new worktree. What is there already stays as it is; links stay
/// links; a file that vanished meanwhile is no failure; nothing is written through a link that
/// leads out of the new worktree.
///
/// # Errors
/// When the new worktree cannot be written to.
pub fn put(found: &Found, to: &Path, observer: &dyn Observer) -> Result<Carried, GitError> {
    let mut carried = Carried {
        left: found.left.clone(),
        dependencies: found.dependencies.clone(),
        ..Carried::default()
    };
    if !found.wanted.is_empty() {
        copy::copy_all(found, to, observer, &mut carried)?;
    }
    Ok(carried)
}

/// Which of these paths, counted from the checkout's top, git ignores; tracked ones it never does.
///
/// # Errors
/// When git cannot say.
pub fn ignored(
    place: &Place,
    paths: &[PathBuf],
) -> Result<std::collections::BTreeSet<PathBuf>, GitError> {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let mut question = Vec::new();
    for path in paths {
        // Lest a name that begins with `:` be taken for a pathspec.
        question.extend_from_slice(b"./");
        question.extend_from_slice(path.as_os_str().as_bytes());
        question.push(0);
    }
    let git = Git::read(place).args(["check-ignore", "-z", "--stdin"]);
    let answer = git.input(question).answer()?;
    match answer.code {
        Some(0 | 1) => Ok(answer
            .stdout
            .split(|byte| *byte == 0)
            .filter_map(|path| path.strip_prefix(b"./"))
            .map(|path| PathBuf::from(std::ffi::OsString::from_vec(path.to_vec())))
            .collect()),
        // One path that git cannot be asked about (in a submodule, beyond a link that was made
        // meanwhile) spoils the whole answer: without it.
        _ if paths.len() > 1 => {
            let (one, other) = paths.split_at(paths.len() / 2);
            let mut found = ignored(place, one)?;
            found.extend(ignored(place, other)?);
            Ok(found)
        }
        Some(128) => Ok(std::collections::BTreeSet::new()),
        _ => Err(answer.failure()),
    }
}

#[cfg(test)]
mod tests;
