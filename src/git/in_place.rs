//! A merge or a rebase in a worktree itself, whose conflicts somebody settles there: begun, gone
//! on with, given up, and taken back when it was cut short.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::domain::id::TaskId;
use crate::git::command::{Answer, Git};
use crate::git::conflict::{self, Conflict, joined};
use crate::git::error::GitError;
use crate::git::operation::{Operation, in_progress};
use crate::git::place::Place;
use crate::git::scratch::{Hooks, said};
use crate::git::snapshot::{self, Overwrite, Restored};
use crate::git::worktree::MARK_VARIABLE;

/// What is brought into the branch that is checked out.
#[derive(Debug, Clone, Copy)]
pub struct Bring<'a> {
    /// The branch that comes, without `refs/heads/`.
    pub from: &'a str,
    /// Where it stands, in hex.
    pub commit: &'a str,
    /// The branch that it comes into, without `refs/heads/`.
    pub branch: &'a str,
    /// That branch's own commits are made again on top, instead of a merge.
    pub rebase: bool,
    /// What git is marked with, so that one which outlives us is found.
    pub mark: &'a str,
}

/// What came of beginning, or of going on.
#[derive(Debug, Clone, PartialEq)]
pub enum Came {
    /// It is through: nothing is under way.
    Through,
    /// These are to be settled, or settled and not gone on with.
    Conflicts(Vec<Conflict>),
    /// git stopped without a conflict, in its own words.
    Stopped(Vec<String>),
}

/// In whose name it is gone on with.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    /// A person, with the user's hooks and signing.
    Person(&'a Hooks),
    /// Nobody: an agent of this task has ended, so neither hooks nor signing.
    Task(&'a TaskId),
}

/// Begins. The caller has seen that nothing is under way, and has taken a snapshot.
///
/// # Errors
/// When git cannot be run.
pub fn begin(place: &Place, hooks: &Hooks, bring: &Bring<'_>) -> Result<Came, GitError> {
    let git = hooks.apply(Git::write(place).env(MARK_VARIABLE, bring.mark), &own(place))?;
    let name = name(place, bring)?;
    let answer = if bring.rebase {
        let options = ["rebase", "--no-autostash", "--no-update-refs", "--no-stat"];
        git.args(options).arg(name).answer()?
    } else {
        let options = ["merge", "--no-edit", "--no-stat", "--into-name", bring.branch];
        git.args(options).arg(name).answer()?
    };
    came(place, &answer)
}

/// What git is told to bring: the branch's name stands in the message and beside conflicts, unless
/// something else goes by the same name.
fn name(place: &Place, bring: &Bring<'_>) -> Result<String, GitError> {
    let asked = ["rev-parse", "--verify", "--quiet", "--end-of-options"];
    let question = format!("{}^{{commit}}", bring.from);
    let answer = Git::read(place).args(asked).arg(question).answer()?;
    let same = answer.code == Some(0) && answer.text() == bring.commit;
    let plain = same && !bring.from.starts_with('-');
    Ok(if plain { bring.from.to_owned() } else { bring.commit.to_owned() })
}

/// Goes on with a merge or a rebase whose conflicts are settled: each path of them was changed or
/// staged, and holds no marker any more. Otherwise changes nothing.
///
/// # Errors
/// When git cannot be run.
pub fn go_on(place: &Place, by: By<'_>) -> Result<Came, GitError> {
    let Some(operation) = in_progress(place)? else { return Ok(Came::Through) };
    let found = open(place)?;
    if found.iter().any(|conflict| !conflict.settled) {
        return Ok(Came::Conflicts(found));
    }
    stage(place, &found)?;
    let mut git = match by {
        By::Person(hooks) => hooks.apply(Git::write(place), &own(place))?,
        By::Task(_) => {
            Git::write(place).config("core.hooksPath=/dev/null").config("commit.gpgSign=false")
        }
    };
    git = match operation {
        Operation::Merge => git.arg("commit"),
        Operation::Rebase => git.args(["rebase", "--continue"]),
        other => return Ok(Came::Stopped(vec![format!("{other} is under way")])),
    };
    if let (By::Task(task), Operation::Merge) = (by, operation) {
        git = git.arg("--trailer").arg(format!("Wt-Task: {task}"));
    }
    came(place, &git.answer()?)
}

/// Every path that is not settled, and those that are but were not gone on with. One that was
/// staged with a conflict still marked in it is not settled.
///
/// # Errors
/// When git cannot be asked.
pub fn open(place: &Place) -> Result<Vec<Conflict>, GitError> {
    let mut found = conflict::list(place)?;
    found.extend(conflict::staged_with_markers(place)?);
    Ok(found)
}

fn stage(place: &Place, found: &[Conflict]) -> Result<(), GitError> {
    if found.is_empty() {
        return Ok(());
    }
    let paths = joined(found.iter().map(|conflict| conflict.path.as_path()));
    let asked = ["add", "--all", "--pathspec-from-file=-", "--pathspec-file-nul"];
    Git::write(place).arg("--literal-pathspecs").args(asked).input(paths).run().map(drop)
}

fn came(place: &Place, answer: &Answer) -> Result<Came, GitError> {
    if answer.code == Some(0) {
        return Ok(Came::Through);
    }
    let found = conflict::list(place)?;
    Ok(if found.is_empty() { Came::Stopped(said(answer)) } else { Came::Conflicts(found) })
}

fn own(place: &Place) -> PathBuf {
    place.git_dir.join("wt-hooks")
}

/// Gives it up: branch, index and files are as they were before it began, but for what was
/// uncommitted in other files. The caller has taken a snapshot.
///
/// # Errors
/// When git cannot do it.
pub fn give_up(place: &Place) -> Result<(), GitError> {
    let git = Git::write(place).config("core.hooksPath=/dev/null");
    match in_progress(place)? {
        Some(Operation::Merge) => git.args(["merge", "--abort"]).run().map(drop),
        Some(Operation::Rebase) => git.args(["rebase", "--abort"]).run().map(drop),
        _ => Ok(()),
    }
}

/// How something that was begun in place stands by now.
#[derive(Debug, Clone, PartialEq)]
pub enum Stands {
    /// It is under way.
    UnderWay,
    /// The branch has what was brought; it stands at this commit, in hex.
    Done(String),
    /// The branch has not: it was given up.
    GivenUp,
}

/// Says how what was begun stands: by the worktree, and by whether the branch has `commit`.
///
/// # Errors
/// When git cannot be asked.
pub fn stands(place: &Place, branch: &str, commit: &str) -> Result<Stands, GitError> {
    if matches!(in_progress(place)?, Some(Operation::Merge | Operation::Rebase)) {
        return Ok(Stands::UnderWay);
    }
    let reference = format!("refs/heads/{branch}");
    let asked = ["rev-parse", "--verify", "--quiet", &reference];
    let answer = Git::read(place).args(asked).answer()?;
    if answer.code != Some(0) {
        return Ok(Stands::GivenUp);
    }
    let tip = answer.text();
    let asked = ["merge-base", "--is-ancestor", commit, &tip];
    let has = Git::read(place).args(asked).answer()?.code == Some(0);
    Ok(if has { Stands::Done(tip) } else { Stands::GivenUp })
}

/// Takes back what was cut short while it began, by the snapshot that was taken before: whatever
/// git had changed by then. No git is at work there any more. `since` is when it began: nobody else
/// has written there, so a lock that is not older is git's own.
///
/// # Errors
/// When something cannot be put back; it can be called again.
pub fn take_back(
    place: &Place,
    (branch, snapshot): (&str, &str),
    since: SystemTime,
) -> Result<(), GitError> {
    unlock(&place.git_dir.join("index.lock"), since);
    unlock(&place.git_dir.join("HEAD.lock"), since);
    for operation in ["merge", "rebase"] {
        // Only its own state is forgotten: files and index come from the snapshot.
        Git::write(place).args([operation, "--quit"]).answer()?;
    }
    let reference = format!("refs/heads/{branch}");
    Git::write(place).args(["symbolic-ref", "HEAD", &reference]).run()?;
    let tip = Git::read(place).args(["rev-parse", "--verify", &reference]).text()?;
    let commit = Git::read(place).args(["rev-parse", "--verify", snapshot]).text()?;
    match snapshot::restore(place, &commit, &tip, Overwrite::Snapshotted)? {
        Restored::Done => Ok(()),
        _ => Err(GitError::Unexpected {
            what: "put back".into(),
            answer: format!("another git process is at work in `{}`", place.dir().display()),
        }),
    }
}

fn unlock(lock: &Path, since: SystemTime) {
    let ours = lock.symlink_metadata().and_then(|meta| meta.modified()).is_ok_and(|at| at >= since);
    if ours {
        std::fs::remove_file(lock).ok();
    }
}

#[cfg(test)]
mod tests;
