//! Making a finished merge again on top of a branch that moved meanwhile, so that what a person
//! settled is not asked for twice.

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::scratch::work::{Brought, How, Session, Work, stopped};
use crate::git::scratch::{Hooks, Scratch};

/// Takes `made`, which was made on top of `work.onto`, to `onto`. Gives the work with its new
/// ground, and what came of it: there may be conflicts with what the branch brought meanwhile.
///
/// # Errors
/// When git cannot be run.
pub fn replay(
    scratch: &Scratch,
    hooks: &Hooks,
    (work, made): (&Work, &str),
    onto: &str,
) -> Result<(Work, Brought), GitError> {
    let moved = Work { onto: onto.to_owned(), ..work.clone() };
    let session = Session { scratch, hooks, work: &moved };
    let brought = match work.how {
        How::Merge { .. } => session.merge_again(made)?,
        _ => {
            let options = ["rebase", "--no-autostash", "--no-update-refs", "--no-stat", "--onto"];
            let answer = session.git()?.args(options).args([onto, &work.onto, made]).answer()?;
            session.settled(answer)?
        }
    };
    Ok((moved, brought))
}

impl Session<'_> {
    /// A merge of the branch with the new ground, whose content is what the made one had changed on
    /// the old ground.
    fn merge_again(&self, made: &str) -> Result<Brought, GitError> {
        let Work { onto, tip, into, .. } = self.work;
        self.git()?.args(["checkout", "--quiet", "--detach", onto]).run()?;
        let own = ["merge", "--no-ff", "--no-commit", "--strategy=ours", "--into-name", into];
        self.git()?.args(own).arg(tip).run()?;
        let message = Git::read(self.scratch.place()).args(["log", "-1", "--format=%B", made]);
        let message = message.run()?;
        let again = ["cherry-pick", "--no-commit", "--mainline=1", made];
        let answer = self.git()?.args(again).answer()?;
        // The pick has left its own words there.
        let path = self.scratch.place().git_dir.join("MERGE_MSG");
        std::fs::write(&path, message).map_err(GitError::file("write", path))?;
        if answer.code != Some(0) {
            return self.settled(answer);
        }
        let answer = self.commit()?;
        if answer.code == Some(0) { self.result() } else { Ok(stopped(&answer)) }
    }
}
