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
pub use select::{BadGlob, Globs};

/// What is carried, from where, to where.
pub struct Carry<'a> {
    /// The checkout whose ignored files are looked at: one that no agent owns.
    pub from: &'a Place,
    /// The new worktree's directory.
    pub to: &'a Path,
    /// Which ignored files.
    pub globs: &'a Globs,
    /// Hears how far it is.
    pub observer: &'a dyn Observer,
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

/// Carries every ignored, untracked file that a glob names, and whole ignored directories that one
/// names. What is there already stays as it is; links stay links; a file that vanishes meanwhile
/// is no failure; nothing is written through a link that leads out of the new worktree.
///
/// # Errors
/// When git cannot say what is ignored, or the new worktree cannot be written to.
pub fn carry(job: &Carry<'_>) -> Result<Carried, GitError> {
    let Some(top) = job.from.work_tree.as_deref() else { return Ok(Carried::default()) };
    let found = select::select(top, job.globs);
    let mut carried = Carried { left: found.left, ..Carried::default() };
    let dependencies: Vec<PathBuf> = found.dependencies;
    let mut asked: Vec<PathBuf> = found.matches.iter().map(|found| found.path.clone()).collect();
    asked.extend(dependencies.iter().cloned());
    if asked.is_empty() {
        return Ok(carried);
    }
    let ignored = ignored(job.from, &asked)?;
    carried.dependencies = dependencies.into_iter().filter(|path| ignored.contains(path)).collect();
    let (mut wanted, tracked): (Vec<_>, Vec<_>) =
        found.matches.into_iter().partition(|found| ignored.contains(&found.path));
    // A directory that is not ignored as a whole may hold files that are.
    let mut inside: Vec<PathBuf> = vec![];
    for dir in tracked.iter().filter(|found| found.is_dir) {
        inside.extend(select::files_in(top, &dir.path));
    }
    if !inside.is_empty() {
        let ignored = self::ignored(job.from, &inside)?;
        let files = inside.into_iter().filter(|path| ignored.contains(path));
        wanted.extend(files.map(|path| select::Match { path, is_dir: false }));
    }
    wanted.sort();
    copy::copy_all(job, top, &wanted, &mut carried)?;
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
