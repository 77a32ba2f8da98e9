//! Commits what an ended agent left uncommitted, so that its work is on its branch.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::domain::id::TaskId;
use crate::git::changes::{Change, ChangeKind, Changes, changes};
use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::objects::commit_tree;
use crate::git::operation::{Operation, in_progress};
use crate::git::place::Place;
use crate::git::private_index::{Entry, Installed, PrivateIndex, recover};
use crate::git::secret;

/// Files above this many bytes are never committed.
pub const SIZE_MAX: u64 = 5_000_000;

/// How often the index may change under us before we give up.
const ATTEMPTS: usize = 3;

/// How long is waited for an index that is held, at first and at most.
const PAUSE: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Whose leftovers, and what the commit says.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// The variant's branch, without `refs/heads/`: nothing is committed anywhere else.
    pub branch: &'a str,
    /// Whose work it is, for the `Wt-Task:` trailer; `None` when no agent ever worked there.
    pub task: Option<&'a TaskId>,
    /// The subject's text after `wip: `; only its first line is used.
    pub subject: &'a str,
    /// When the agent's last process was gone: an index lock that is not younger was left by it
    /// and is removed. `None` respects every lock.
    pub at: Option<SystemTime>,
}

/// What became of the leftovers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Committed {
    /// The commit that was made, in hex; `None` when there was nothing to commit, or an obstacle.
    pub commit: Option<String>,
    /// How many paths it holds.
    pub paths: usize,
    /// What stays in the worktree uncommitted.
    pub left: Vec<Left>,
    /// Why nothing at all was committed although there was something.
    pub obstacle: Option<Obstacle>,
}

/// A path that stays uncommitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// From the worktree's top.
    pub path: PathBuf,
    /// Why.
    pub why: Why,
}

/// Why a path stays uncommitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It is above [`SIZE_MAX`]; so many bytes.
    Large(u64),
    /// Its name is one that secrets have.
    SecretName,
    /// It holds what looks like this: `a private key`.
    SecretText(&'static str),
    /// It is a repository of its own.
    Repository,
    /// It is a submodule at another commit.
    Submodule,
    /// It cannot be read, in the system's or git's words.
    Unreadable(String),
}

/// Why leftovers cannot be committed at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// The worktree is in the middle of something.
    Operation(Operation),
    /// The index holds conflicts.
    Unmerged,
    /// HEAD is on no branch.
    Detached,
    /// HEAD is on another branch.
    OtherBranch(String),
    /// The branch has no commit.
    Unborn,
    /// Another git process holds the index.
    Locked,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Large(bytes) => write!(f, "larger than 5 MB ({} MB)", bytes.div_ceil(1_000_000)),
            Self::SecretName => f.write_str("secrets have such names"),
            Self::SecretText(what) => write!(f, "holds what looks like {what}"),
            Self::Repository => f.write_str("a repository of its own"),
            Self::Submodule => f.write_str("a submodule at another commit"),
            Self::Unreadable(why) => write!(f, "cannot be read: {why}"),
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operation(operation) => write!(f, "{operation} is under way"),
            Self::Unmerged => f.write_str("there are unresolved conflicts"),
            Self::Detached => f.write_str("HEAD is detached"),
            Self::OtherBranch(branch) => write!(f, "HEAD is on `{branch}`"),
            Self::Unborn => f.write_str("the branch has no commit"),
            Self::Locked => f.write_str("another git process holds the index"),
        }
    }
}

/// True when a worktree holds a change against `since`: another tree at HEAD, or anything
/// uncommitted. Ignored files are no change.
///
/// # Errors
/// When git cannot say.
pub fn changed(place: &Place, since: &str) -> Result<bool, GitError> {
    let now = changes(place)?;
    let Some(head) = now.head.as_deref().filter(|_| now.entries.is_empty()) else {
        return Ok(!now.entries.is_empty());
    };
    let answer = Git::read(place).args(["diff-tree", "-r", "--quiet", since, head]).answer()?;
    match answer.code {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        _ => Err(answer.failure()),
    }
}

/// Commits what is uncommitted in the worktree on its branch: through a private index, unsigned,
/// without hooks, with the subject `wip: …` and the trailer `Wt-Task:`.
///
/// Only for when the last process of the agent is gone. Files above [`SIZE_MAX`], what looks like a
/// secret and nested repositories stay in place and are told; afterwards `git status` shows those
/// and nothing else. A death at any instant leaves the worktree as it was, or committed, after the
/// next call.
///
/// # Errors
/// When git fails; nothing is changed then.
pub fn commit(place: &Place, ended: &Ended) -> Result<Committed, GitError> {
    recover(place)?;
    for _ in 0..ATTEMPTS {
        let found = changes(place)?;
        if found.entries.is_empty() {
            return Ok(Committed::default());
        }
        if let Some(obstacle) = obstacle(place, &found, ended.branch)? {
            return Ok(Committed { obstacle: Some(obstacle), ..Committed::default() });
        }
        if let Some(committed) = attempt(place, ended, &found)? {
            return Ok(committed);
        }
    }
    Ok(Committed { obstacle: Some(Obstacle::Locked), ..Committed::default() })
}

/// As [`commit`], and again for as long as `patience` while another git process holds the index:
/// an editor that refreshes it holds it for a moment.
///
/// # Errors
/// As [`commit`].
pub fn commit_when_free(
    place: &Place,
    ended: &Ended,
    patience: Duration,
) -> Result<Committed, GitError> {
    let (mut left, mut pause) = (patience, PAUSE);
    loop {
        let done = commit(place, ended)?;
        if done.obstacle != Some(Obstacle::Locked) || left.is_zero() {
            return Ok(done);
        }
        std::thread::sleep(pause.min(left));
        left = left.saturating_sub(pause);
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

fn obstacle(place: &Place, found: &Changes, branch: &str) -> Result<Option<Obstacle>, GitError> {
    if let Some(operation) = in_progress(place)? {
        return Ok(Some(Obstacle::Operation(operation)));
    }
    if found.entries.iter().any(|entry| entry.kind == ChangeKind::Unmerged) {
        return Ok(Some(Obstacle::Unmerged));
    }
    Ok(match &found.branch {
        None => Some(Obstacle::Detached),
        Some(other) if other != branch => Some(Obstacle::OtherBranch(other.clone())),
        Some(_) if found.head.is_none() => Some(Obstacle::Unborn),
        Some(_) => None,
    })
}

/// `None` when the index changed meanwhile.
fn attempt(place: &Place, ended: &Ended, found: &Changes) -> Result<Option<Committed>, GitError> {
    let Some(head) = &found.head else { return Ok(None) };
    let (mut take, mut left) = sorted(place, found)?;
    let index = PrivateIndex::copy(place)?;
    for (path, why) in fill(&index, &take)? {
        take.retain(|change| change.path != path);
        left.push(Left { path, why: Why::Unreadable(why) });
    }
    if take.is_empty() {
        return Ok(Some(Committed { left, ..Committed::default() }));
    }
    let tree = tree_without(&index, found, &left)?;
    if tree == Git::read(place).args(["rev-parse", &format!("{head}^{{tree}}")]).text()? {
        return Ok(Some(Committed { left, ..Committed::default() }));
    }
    let new = commit_tree(place, &tree, &[head], &message(ended))?;
    let reference = format!("refs/heads/{}", ended.branch);
    let installed = index.install(&reference, &new, ended.at, || {
        Git::write(place)
            .config("core.hooksPath=/dev/null")
            .args(["update-ref", "-m", "wt: leftovers", &reference, &new, head])
            .run()
            .map(drop)
    })?;
    Ok(match installed {
        Installed::Yes => {
            Some(Committed { commit: Some(new), paths: take.len(), left, obstacle: None })
        }
        Installed::Locked => {
            Some(Committed { left, obstacle: Some(Obstacle::Locked), ..Committed::default() })
        }
        Installed::Changed => None,
    })
}

/// What to commit, and what stays.
fn sorted<'a>(place: &Place, found: &'a Changes) -> Result<(Vec<&'a Change>, Vec<Left>), GitError> {
    let (mut take, mut left) = (vec![], vec![]);
    for change in &found.entries {
        match reason_to_leave(place, change)? {
            Some(why) => left.push(Left { path: change.path.clone(), why }),
            None => take.push(change),
        }
    }
    Ok((take, left))
}

fn reason_to_leave(place: &Place, change: &Change) -> Result<Option<Why>, GitError> {
    let before = match &change.kind {
        ChangeKind::Repository => return Ok(Some(Why::Repository)),
        ChangeKind::Tracked(tracked) if tracked.submodule => return Ok(Some(Why::Submodule)),
        // What a staged file holds is not committed once the file is gone.
        ChangeKind::Tracked(tracked) if tracked.deleted => return Ok(None),
        ChangeKind::Tracked(tracked) => Some(&tracked.in_head.1),
        ChangeKind::Untracked | ChangeKind::Unmerged => None,
    };
    let file = place.dir().join(&change.path);
    let Ok(found) = file.symlink_metadata() else { return Ok(None) };
    if secret::named(&change.path) {
        return Ok(Some(Why::SecretName));
    }
    if !found.is_file() {
        return Ok(None);
    }
    if found.size() > SIZE_MAX {
        return Ok(Some(Why::Large(found.size())));
    }
    let text = match std::fs::read(&file) {
        Ok(text) => text,
        Err(error) => return Ok(Some(Why::Unreadable(error.to_string()))),
    };
    let mut held = secret::held(&text);
    if let Some(object) = before.filter(|object| !held.is_empty() && !is_zero(object)) {
        // A sample key that the project itself has committed is no secret of the agent's.
        let known = secret::held(&Git::read(place).args(["cat-file", "blob", object]).run()?);
        held.retain(|what| !known.contains(what));
    }
    Ok(held.first().map(|what| Why::SecretText(what)))
}

/// Takes the changes into the index; gives what git could not take.
fn fill(index: &PrivateIndex, take: &[&Change]) -> Result<Vec<(PathBuf, String)>, GitError> {
    let gone = |change: &&Change| matches!(&change.kind, ChangeKind::Tracked(t) if t.deleted);
    let (gone, there): (Vec<&Change>, Vec<&Change>) = take.iter().partition(|change| gone(change));
    // First, so that a file in the place of a former directory finds the place free.
    let gone: Vec<&Path> = gone.iter().map(|change| change.path.as_path()).collect();
    index.remove(&gone)?;
    let there: Vec<&Path> = there.iter().map(|change| change.path.as_path()).collect();
    index.add(&there)
}

/// The index as a tree, in which what stays uncommitted is as HEAD has it.
fn tree_without(index: &PrivateIndex, found: &Changes, left: &[Left]) -> Result<String, GitError> {
    let (mut absent, mut as_head) = (vec![], vec![]);
    for change in &found.entries {
        let ChangeKind::Tracked(tracked) = &change.kind else { continue };
        if !tracked.staged || left.iter().all(|left| left.path != change.path) {
            continue;
        }
        let (mode, object) = tracked.in_head.clone();
        if is_zero(&object) {
            absent.push(change.path.as_path());
        } else {
            as_head.push(Entry { mode, object, path: change.path.clone() });
        }
    }
    if absent.is_empty() && as_head.is_empty() {
        return index.write_tree();
    }
    let fork = index.fork()?;
    fork.remove(&absent)?;
    fork.set(&as_head)?;
    fork.write_tree()
}

fn is_zero(object: &str) -> bool {
    object.bytes().all(|byte| byte == b'0')
}

fn message(ended: &Ended) -> String {
    let subject = ended.subject.lines().map(str::trim).find(|line| !line.is_empty());
    let clean: String = subject
        .unwrap_or("what the agent left uncommitted")
        .chars()
        .filter(|c| !c.is_control())
        .take(72)
        .collect();
    let trailer = ended.task.map(|task| format!("\nWt-Task: {task}\n")).unwrap_or_default();
    format!("wip: {clean}\n{trailer}")
}

#[cfg(test)]
mod tests;
