//! Snapshots: HEAD, index, tracked and untracked files of a checkout, kept under
//! `refs/wt/backup/<holder>/<time>-<why>` before something destructive.
//!
//! Two commits, shaped as `git stash` shapes its own, so that git alone can read them, too: the
//! worktree as it is (tracked and untracked files byte for byte, no filter applied), whose parents
//! are HEAD and the index; the index as a tree, whose parents are HEAD and a commit that holds the
//! index file itself and the stages of a conflict.

mod raw;
mod restore;
mod take;

use std::fmt;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::operation::Operation;
use crate::git::place::Place;

pub use restore::{About, Overwrite, Restored, about, restore};
pub use take::take;

/// Where all of them are.
pub const REFS: &str = "refs/wt/backup";

/// Files above this many bytes are not held unless the caller says otherwise.
pub const SIZE_MAX: u64 = 100_000_000;

/// What to take a snapshot of, and before what.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Whose: a variant's name, or `main`.
    pub holder: &'a str,
    /// Before what: `merge`, `sync`, `retry`, `stop`; a ref's component.
    pub why: &'a str,
    /// When.
    pub at: Timestamp,
    /// Files above this many bytes are named and not held.
    pub size_max: u64,
}

impl<'a> Request<'a> {
    /// A snapshot with the usual limit.
    pub fn new(holder: &'a str, why: &'a str, at: Timestamp) -> Self {
        Self { holder, why, at, size_max: SIZE_MAX }
    }
}

/// A snapshot that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The ref that keeps it.
    pub reference: String,
    /// What the ref names, in hex.
    pub commit: String,
    /// What it does not hold, to be told before anything destructive.
    pub not_held: Vec<NotHeld>,
    /// The unfinished operation whose state files it does not hold.
    pub operation: Option<Operation>,
}

/// Something in a checkout that a snapshot does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotHeld {
    /// From the checkout's top.
    pub path: PathBuf,
    /// Why.
    pub why: WhyNot,
}

/// Why a snapshot does not hold something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyNot {
    /// It is a repository of its own.
    Repository,
    /// It is a submodule, whose files are in a repository of its own.
    Submodule,
    /// It is larger than allowed; so many bytes.
    Large(u64),
    /// It is neither a file nor a link: a pipe, a socket, a device.
    Special,
    /// It cannot be read, in git's words.
    Unreadable(String),
}

impl fmt::Display for WhyNot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repository => f.write_str("a repository of its own"),
            Self::Submodule => f.write_str("a submodule's files"),
            Self::Large(bytes) => write!(f, "{} MB", bytes.div_ceil(1_000_000)),
            Self::Special => f.write_str("neither a file nor a link"),
            Self::Unreadable(why) => write!(f, "cannot be read: {why}"),
        }
    }
}

/// A snapshot as its ref tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The ref, in full.
    pub reference: String,
    /// What it names, in hex.
    pub commit: String,
    /// Whose it is.
    pub holder: String,
    /// Before what it was taken.
    pub why: String,
    /// When; `None` when the ref's name is not one of ours.
    pub at: Option<Timestamp>,
}

/// Every snapshot of a repository, by holder, the oldest first.
///
/// # Errors
/// When git cannot say.
pub fn list(repository: &Place) -> Result<Vec<Kept>, GitError> {
    let asked = ["for-each-ref", "--format=%(objectname) %(refname)", REFS];
    let text = Git::read(repository).args(asked).text()?;
    Ok(text.lines().filter_map(kept).collect())
}

fn kept(line: &str) -> Option<Kept> {
    let (commit, reference) = line.split_once(' ')?;
    let rest = reference.strip_prefix(REFS)?.strip_prefix('/')?;
    let (holder, name) = rest.rsplit_once('/')?;
    let (time, why) = name.split_once('-').unwrap_or((name, ""));
    // What tells apart those of the same moment.
    let why = why.split('+').next().unwrap_or(why);
    let at = jiff::fmt::strtime::parse(TIME, time).and_then(|time| time.to_datetime());
    Some(Kept {
        reference: reference.to_owned(),
        commit: commit.to_owned(),
        holder: holder.to_owned(),
        why: why.to_owned(),
        at: at.and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC)).map(|at| at.timestamp()).ok(),
    })
}

/// Lets go of a snapshot, if it is still the one that was seen. git's own collection then frees
/// what nothing else holds.
///
/// # Errors
/// When the ref moved.
pub fn drop_ref(repository: &Place, reference: &str, commit: &str) -> Result<(), GitError> {
    quiet_write(repository).args(["update-ref", "-d", reference, commit]).run().map(drop)
}

/// Keeps a commit alive under a ref of ours, without anything of a checkout: what a removed branch
/// stood at. Gives the ref.
///
/// # Errors
/// When the commit is missing.
pub fn keep_commit(
    repository: &Place,
    request: &Request<'_>,
    commit: &str,
) -> Result<String, GitError> {
    create_ref(repository, request, commit)
}

/// How often another process may take the same name before us.
const RACES_MAX: usize = 20;

/// The times in refs' names, in UTC.
const TIME: &str = "%Y%m%dT%H%M%S.%3fZ";

fn create_ref(place: &Place, request: &Request<'_>, commit: &str) -> Result<String, GitError> {
    let time = request.at.strftime(TIME);
    let stem = format!("{REFS}/{}/{time}-{}", request.holder, request.why);
    let mut reference = stem.clone();
    for _ in 0..RACES_MAX {
        // An empty old value: it must not exist.
        let asked = ["update-ref", "-m", "wt: snapshot", &reference, commit, ""];
        let answer = quiet_write(place).args(asked).answer()?;
        if answer.code == Some(0) {
            return Ok(reference);
        }
        if !answer.stderr.contains("already exists") {
            return Err(answer.failure());
        }
        reference = format!("{stem}+{}", last_of(place, &stem)? + 1);
    }
    let what = "update-ref".into();
    Err(GitError::Unexpected { what, answer: format!("`{reference}` exists each time") })
}

/// The number of the last snapshot of one moment; the first has none in its name.
fn last_of(place: &Place, stem: &str) -> Result<u64, GitError> {
    let asked = ["for-each-ref", "--format=%(refname)", &format!("{stem}*")];
    let names = Git::read(place).args(asked).text()?;
    let numbers = names.lines().filter_map(|name| name.strip_prefix(stem)?.strip_prefix('+'));
    Ok(numbers.filter_map(|number| number.parse().ok()).max().unwrap_or(1))
}

/// Changes refs without running the user's hooks: nothing of theirs moves.
fn quiet_write(place: &Place) -> Git {
    Git::write(place).config("core.hooksPath=/dev/null")
}

#[cfg(test)]
mod tests;
