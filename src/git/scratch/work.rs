//! Making the merge: git's own `merge`, `rebase` or `cherry-pick`, in a scratch worktree.

use serde::{Deserialize, Serialize};

use crate::git::command::{Answer, Git};
use crate::git::conflict::{self, Conflict};
use crate::git::error::GitError;
use crate::git::operation::in_progress;
use crate::git::scratch::{Hooks, Scratch};

/// The most subjects that the message of a squash lists.
const SUBJECTS_MAX: usize = 100;

/// What is to become part of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// The branch merged into, without `refs/heads/`.
    pub into: String,
    /// Where it stands, in hex. The scratch worktree stands there, too.
    pub onto: String,
    /// The branch that is merged, without `refs/heads/`.
    pub branch: String,
    /// Where it stands, in hex.
    pub tip: String,
    /// In what way.
    pub how: How,
    /// The commit's message, where one is made that has none yet.
    pub message: Option<String>,
}

/// In what way something becomes part of a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// By a merge commit, or by moving on where that is enough.
    Merge {
        /// A merge commit in any case.
        no_ff: bool,
    },
    /// As one commit.
    Squash,
    /// Its commits made again on top.
    Rebase,
    /// Some of its commits made again on top: in hex, in this order.
    Pick(Vec<String>),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Brought {
    /// The branch merged into is to stand at this commit, in hex.
    Commit(String),
    /// There was nothing to bring.
    Nothing,
    /// Some paths are for a person to settle; the scratch worktree holds everything.
    Conflicts(Vec<Conflict>),
    /// git stopped without a conflict.
    Stopped(Stopped),
}

/// Why git stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// A hook, signing, or something else that git itself names.
    Said(Vec<String>),
    /// Files in the scratch worktree that nobody added, and that would be lost with it.
    Untracked(Vec<std::path::PathBuf>),
    /// The work was given up by hand in the scratch worktree.
    GivenUp,
}

/// Makes it.
///
/// # Errors
/// When git cannot be run, or the branch that is merged moved meanwhile.
pub fn bring(scratch: &Scratch, hooks: &Hooks, work: &Work) -> Result<Brought, GitError> {
    let session = Session { scratch, hooks, work };
    let answer = match &work.how {
        How::Merge { no_ff } => session.merge(*no_ff)?,
        How::Squash => session.squash()?,
        How::Rebase => session.rebase()?,
        How::Pick(commits) => session.pick(commits)?,
    };
    session.settled(answer)
}

/// Everything that a step needs.
pub(super) struct Session<'a> {
    pub(super) scratch: &'a Scratch,
    pub(super) hooks: &'a Hooks,
    pub(super) work: &'a Work,
}

impl Session<'_> {
    /// A call that changes the scratch worktree, with the user's hooks.
    pub(super) fn git(&self) -> Result<Git, GitError> {
        self.hooks.apply(self.scratch.git(), &self.scratch.place().git_dir.join("wt-hooks"))
    }

    fn merge(&self, no_ff: bool) -> Result<Answer, GitError> {
        let options = self.branch_options()?;
        let mut git = self.git()?.arg("merge").args(options).args(["--no-edit", "--no-stat"]);
        git = git.args(["--into-name", &self.work.into]);
        if no_ff {
            git = git.arg("--no-ff");
        }
        if let Some(message) = &self.work.message {
            git = git.args(["-m", message]);
        }
        git.arg(self.name()?).answer()
    }

    /// `branch.<name>.mergeOptions`, which git heeds only while that branch is checked out.
    fn branch_options(&self) -> Result<Vec<String>, GitError> {
        let key = format!("branch.{}.mergeOptions", self.work.into);
        let answer = Git::read(self.scratch.place()).args(["config", "--get", &key]).answer()?;
        let words = shlex::split(&answer.text());
        Ok(words.filter(|_| answer.code == Some(0)).unwrap_or_default())
    }

    /// What git is told to merge. The branch's name stands in the message and beside conflicts,
    /// unless something else goes by the same name.
    fn name(&self) -> Result<String, GitError> {
        let (branch, tip) = (&self.work.branch, &self.work.tip);
        let asked = ["rev-parse", "--verify", "--quiet", "--end-of-options"];
        let question = format!("{branch}^{{commit}}");
        let answer = Git::read(self.scratch.place()).args(asked).arg(question).answer()?;
        let same = answer.code == Some(0) && answer.text() == *tip && !branch.starts_with('-');
        Ok(if same { branch.clone() } else { tip.clone() })
    }

    fn squash(&self) -> Result<Answer, GitError> {
        let name = self.name()?;
        let options = ["merge", "--squash", "--no-stat", "--ff"];
        let answer = self.git()?.args(options).arg(name).answer()?;
        if answer.code == Some(0) && self.is_staged()? { self.commit() } else { Ok(answer) }
    }

    fn rebase(&self) -> Result<Answer, GitError> {
        let Work { onto, tip, .. } = self.work;
        let options = ["rebase", "--no-autostash", "--no-update-refs", "--no-stat"];
        self.git()?.args(options).args([onto, tip]).answer()
    }

    fn pick(&self, commits: &[String]) -> Result<Answer, GitError> {
        let answer = self.git()?.arg("cherry-pick").args(commits).answer()?;
        self.past_empty_picks(answer)
    }

    /// git stops at a picked commit that changes nothing any more.
    pub(super) fn past_empty_picks(&self, mut answer: Answer) -> Result<Answer, GitError> {
        while answer.code == Some(1) && answer.stderr.contains("is now empty") {
            answer = self.git()?.args(["cherry-pick", "--skip"]).answer()?;
        }
        Ok(answer)
    }

    pub(super) fn is_staged(&self) -> Result<bool, GitError> {
        let asked = ["diff-index", "--cached", "--quiet", "HEAD", "--"];
        let answer = Git::read(self.scratch.place()).args(asked).answer()?;
        match answer.code {
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            _ => Err(answer.failure()),
        }
    }

    /// Commits what is staged. Of a merge git has the message already; a squash is given one.
    pub(super) fn commit(&self) -> Result<Answer, GitError> {
        let git = self.git()?.arg("commit");
        if self.work.how != How::Squash {
            return git.answer();
        }
        let message = match &self.work.message {
            Some(message) => message.clone(),
            None => self.squash_message()?,
        };
        git.args(["-F", "-"]).input(message).answer()
    }

    /// The message of the only commit, or the subjects of all.
    fn squash_message(&self) -> Result<String, GitError> {
        let Work { onto, tip, branch, .. } = self.work;
        let place = self.scratch.place();
        let range = format!("{onto}..{tip}");
        let asked = ["log", "--no-merges", "--reverse", "-z", "--format=%B", &range];
        let output = Git::read(place).args(asked).run()?;
        let texts = output.split(|byte| *byte == 0).filter(|text| !text.is_empty());
        let texts: Vec<_> = texts.map(String::from_utf8_lossy).collect();
        if let [only] = texts.as_slice() {
            return Ok(only.clone().into_owned());
        }
        let mut message = format!("Squash branch '{branch}'\n\n");
        for text in texts.iter().take(SUBJECTS_MAX) {
            message.push_str(&format!("* {}\n", text.lines().next().unwrap_or_default()));
        }
        if texts.len() > SUBJECTS_MAX {
            message.push_str(&format!("* and {} more\n", texts.len() - SUBJECTS_MAX));
        }
        Ok(message)
    }

    /// What the last step has led to.
    pub(super) fn settled(&self, answer: Answer) -> Result<Brought, GitError> {
        if answer.code != Some(0) {
            let conflicts = conflict::list(self.scratch.place())?;
            if conflicts.is_empty() {
                return Ok(stopped(&answer));
            }
            self.scratch.fill()?;
            return Ok(Brought::Conflicts(conflicts));
        }
        let result = self.result()?;
        // The user's options may say `--no-commit`, or `--squash`.
        let begun = || Ok::<_, GitError>(in_progress(self.scratch.place())?.is_some());
        if result != Brought::Nothing || !(self.is_staged()? || begun()?) {
            return Ok(result);
        }
        let answer = self.commit()?;
        if answer.code == Some(0) { self.result() } else { Ok(stopped(&answer)) }
    }

    pub(super) fn result(&self) -> Result<Brought, GitError> {
        let asked = ["rev-list", "--parents", "--max-count=1", "HEAD"];
        let line = Git::read(self.scratch.place()).args(asked).text()?;
        let mut commits = line.split(' ');
        let head = commits.next().unwrap_or_default().to_owned();
        if head == self.work.onto {
            return Ok(Brought::Nothing);
        }
        let (first, second) = (commits.next(), commits.next());
        let foreign =
            second.is_some_and(|second| first == Some(&self.work.onto) && second != self.work.tip);
        if foreign && matches!(self.work.how, How::Merge { .. }) {
            let what = "merge".into();
            let answer = format!("`{}` moved while it was merged", self.work.branch);
            return Err(GitError::Unexpected { what, answer });
        }
        Ok(Brought::Commit(head))
    }
}

/// Stopped, with what git said.
pub(super) fn stopped(answer: &Answer) -> Brought {
    Brought::Stopped(Stopped::Said(said(answer)))
}

/// What git said when it stopped, without what is no use to a person who does not stand there.
pub fn said(answer: &Answer) -> Vec<String> {
    let stdout = answer.text();
    let noise = |line: &&str| {
        !line.trim().is_empty()
            && !["hint: ", "Not committing merge"].iter().any(|b| line.starts_with(b))
    };
    let lines = answer.stderr.lines().chain(stdout.lines()).filter(noise).map(str::to_owned);
    lines.collect()
}
