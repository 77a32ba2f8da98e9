//! Going on with a merge after a person, or an agent, worked on its conflicts.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::git::command::Git;
use crate::git::conflict;
use crate::git::error::GitError;
use crate::git::operation::{Operation, in_progress};
use crate::git::scratch::work::{Brought, How, Session, Stopped, Work};
use crate::git::scratch::{Hooks, Scratch};

/// Takes what was settled in the scratch worktree, and every other change to a tracked file, and
/// goes on: to the end, to the next conflicts, or back to what is not settled yet.
///
/// Work that was brought to its end by hand, with git's own commands, is taken as it is.
///
/// # Errors
/// When git cannot be run.
pub fn resume(scratch: &Scratch, hooks: &Hooks, work: &Work) -> Result<Brought, GitError> {
    let conflicts = conflict::list(scratch.place())?;
    if conflicts.iter().any(|conflict| !conflict.settled) {
        return Ok(Brought::Conflicts(conflicts));
    }
    let untracked = untracked(scratch)?;
    if !untracked.is_empty() {
        return Ok(Brought::Stopped(Stopped::Untracked(untracked)));
    }
    scratch.git().args(["add", "--update", "--", ":/"]).run()?;
    let session = Session { scratch, hooks, work };
    let under_way = in_progress(scratch.place())?;
    let answer = match under_way {
        Some(Operation::Merge) => session.commit()?,
        Some(Operation::Rebase) => session.git()?.args(["rebase", "--continue"]).answer()?,
        Some(Operation::CherryPick) => session.go_on_picking()?,
        _ if session.is_staged()? => session.commit()?,
        _ => {
            let result = session.result()?;
            let given_up = result == Brought::Nothing || session.is_back_at_tip(&result);
            return Ok(if given_up { Brought::Stopped(Stopped::GivenUp) } else { result });
        }
    };
    session.settled(answer)
}

impl Session<'_> {
    fn go_on_picking(&self) -> Result<crate::git::command::Answer, GitError> {
        let answer = self.git()?.args(["cherry-pick", "--continue"]).answer()?;
        self.past_empty_picks(answer)
    }

    /// Where `git rebase --abort` leads.
    fn is_back_at_tip(&self, result: &Brought) -> bool {
        self.work.how == How::Rebase
            && matches!(result, Brought::Commit(commit) if *commit == self.work.tip)
    }
}

fn untracked(scratch: &Scratch) -> Result<Vec<PathBuf>, GitError> {
    let asked = ["ls-files", "--others", "--exclude-standard", "-z"];
    let output = Git::read(scratch.place()).args(asked).run()?;
    let paths = output.split(|byte| *byte == 0).filter(|path| !path.is_empty());
    Ok(paths.map(|path| PathBuf::from(OsStr::from_bytes(path))).collect())
}
