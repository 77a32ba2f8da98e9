//! The decision: whether a merge may be made as asked, and what it takes. Nothing is looked at
//! here and nothing done.

use serde::Serialize;

use crate::commands::merge::facts::{Checkout, Facts, Target};
use crate::domain::problem::Problem;
use crate::domain::settings::MergeStrategy;
use crate::git::operation::Operation;
use crate::git::scratch::How;
use crate::git::upstream::Upstream;

/// In what way a variant becomes part of its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// By moving on where that is enough, else by a merge commit.
    Merge,
    /// By a merge commit in any case.
    NoFf,
    /// By moving on or not at all.
    FfOnly,
    /// As one commit.
    Squash,
    /// Its commits made again on top.
    Rebase,
}

impl From<MergeStrategy> for Way {
    fn from(strategy: MergeStrategy) -> Self {
        match strategy {
            MergeStrategy::Merge => Self::Merge,
            MergeStrategy::Squash => Self::Squash,
            MergeStrategy::Rebase => Self::Rebase,
            MergeStrategy::FfOnly => Self::FfOnly,
        }
    }
}

/// What a person asked for, as far as it decides.
#[derive(Debug, Clone)]
pub struct Asked {
    /// In what way.
    pub way: Way,
    /// Only these commits, in hex.
    pub pick: Vec<String>,
    /// Although the agent is at work.
    pub force: bool,
}

/// What is going to be done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// In what way.
    pub way: Way,
    /// Only these commits, in hex; all if empty.
    pub pick: Vec<String>,
    /// How many uncommitted paths of the variant are committed first.
    pub leftovers: usize,
    /// How many uncommitted paths stay behind, and why.
    pub left_behind: Option<LeftBehind>,
    /// What wants a yes first, in words.
    pub doubt: Option<String>,
    /// What to do about the doubt instead.
    #[serde(skip)]
    pub doubt_hint: Option<String>,
}

/// Uncommitted work of the variant that is not part of the merge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftBehind {
    /// How many paths.
    pub paths: usize,
    /// Why.
    pub why: String,
}

impl Plan {
    /// As git is told.
    pub fn how(&self) -> How {
        match self.way {
            _ if !self.pick.is_empty() => How::Pick(self.pick.clone()),
            Way::Merge | Way::FfOnly => How::Merge { no_ff: false },
            Way::NoFf => How::Merge { no_ff: true },
            Way::Squash => How::Squash,
            Way::Rebase => How::Rebase,
        }
    }
}

/// Decides.
///
/// # Errors
/// Why it may not be, with what to do about it.
pub fn decide(facts: &Facts, asked: &Asked) -> Result<Plan, Problem> {
    let name = &facts.variant.name;
    if let Some(task) = facts.running.first().filter(|_| !asked.force) {
        let text = format!("the agent of `{name}` is still at work (task `{}`)", task.id);
        return Err(Problem::refused(text)
            .hint(format!("wait for it: `wt wait {name} && wt merge {name}`"))
            .hint(format!("end it, its work is kept: `wt stop {name}`"))
            .hint(format!("merge what it has committed so far: `wt merge {name} --force`")));
    }
    target_is_ready(&facts.target)?;
    let (leftovers, left_behind) = uncommitted(facts);
    if facts.base.is_none() && asked.pick.is_empty() {
        let text = format!("`{name}` and `{}` share no history", facts.target.branch);
        return Err(Problem::refused(text)
            .hint(format!("take single commits: `wt merge {name} --pick REV`")));
    }
    if asked.way == Way::FfOnly && asked.pick.is_empty() && facts.behind > 0 {
        let (target, behind) = (&facts.target.branch, commits(facts.behind));
        let text =
            format!("`{target}` cannot just move on to `{name}`: it has {behind} of its own");
        return Err(Problem::refused(text)
            .hint(format!("make a merge commit: `wt merge {name} --no-ff`"))
            .hint(format!("put its commits on top: `wt merge {name} --rebase`")));
    }
    let (doubt, doubt_hint) = match facts.target.upstream.as_ref() {
        Some(upstream) if upstream.behind > 0 => stale(&facts.target, upstream),
        _ => (None, None),
    };
    let (way, pick) = (asked.way, asked.pick.clone());
    Ok(Plan { way, pick, leftovers, left_behind, doubt, doubt_hint })
}

/// Whether the target may be moved at all, whatever is merged into it.
///
/// # Errors
/// Why not.
pub fn target_is_ready(target: &Target) -> Result<(), Problem> {
    let branch = &target.branch;
    if let Some(path) = &target.rebased_in {
        let text = format!("`{branch}` is being rebased in `{}`", path.display());
        return Err(Problem::refused(text).hint(end_of(Operation::Rebase, path)));
    }
    if let [first, second, ..] = target.checkouts.as_slice() {
        let (one, other) = (first.place.dir().display(), second.place.dir().display());
        let text = format!("`{branch}` is checked out twice: in `{one}` and in `{other}`");
        let hint = format!("leave it in one of them: `git -C {other} switch --detach`");
        return Err(Problem::refused(text).hint(hint));
    }
    let Some(checkout) = target.checkouts.first() else { return Ok(()) };
    let path = checkout.place.dir();
    if !checkout.there {
        let text = format!("`{branch}` is checked out in `{}`, which is gone", path.display());
        return Err(Problem::refused(text)
            .hint("bring it back if it is only not mounted")
            .hint(format!("or forget it: `git worktree remove --force {}`", path.display())));
    }
    if let Some(operation) = checkout.operation {
        let text = format!("{operation} is under way in `{}`", path.display());
        return Err(Problem::refused(text).hint(end_of(operation, path)));
    }
    match (&checkout.variant, checkout.running) {
        (Some(variant), true) => {
            let name = &variant.name;
            let text = format!("an agent is at work in `{name}`, where `{branch}` is checked out");
            Err(Problem::refused(text)
                .hint(format!("wait for it: `wt wait {name}`"))
                .hint(format!("or end it: `wt stop {name}`")))
        }
        _ => Ok(()),
    }
}

/// How a person ends what is under way in a checkout.
pub fn end_of(operation: Operation, path: &std::path::Path) -> String {
    let path = path.display();
    let verb = match operation {
        Operation::Merge => "merge",
        Operation::Rebase => "rebase",
        Operation::CherryPick => "cherry-pick",
        Operation::Revert => "revert",
        Operation::Bisect => return format!("end it: `git -C {path} bisect reset`"),
    };
    format!("finish it or give it up: `git -C {path} {verb} --continue` or `--abort`")
}

/// Uncommitted work goes along when its agent has ended and nothing stands against a commit.
fn uncommitted(facts: &Facts) -> (usize, Option<LeftBehind>) {
    let Some(tree) = facts.worktree.as_ref().filter(|tree| tree.uncommitted > 0) else {
        return (0, None);
    };
    let behind = |why: String| (0, Some(LeftBehind { paths: tree.uncommitted, why }));
    if !facts.running.is_empty() {
        return behind("its agent is still at work".to_owned());
    }
    if let Some(operation) = tree.operation {
        return behind(format!("{operation} is under way in its worktree"));
    }
    match &tree.branch {
        Some(branch) if *branch == facts.variant.branch => (tree.uncommitted, None),
        Some(branch) => behind(format!("its worktree is on `{branch}`")),
        None => behind("HEAD of its worktree is detached".to_owned()),
    }
}

/// A local branch that is older than what it follows: merging into it makes both go apart.
fn stale(target: &Target, upstream: &Upstream) -> (Option<String>, Option<String>) {
    let Upstream { name, ahead, behind } = upstream;
    let (branch, behind) = (&target.branch, commits(*behind));
    let doubt = if *ahead == 0 {
        format!("`{branch}` is {behind} behind `{name}`; merged into now, both will have diverged")
    } else {
        let ahead = commits(*ahead);
        format!("`{branch}` and `{name}` have diverged: {ahead} here, {behind} there")
    };
    let place = target.checkouts.first().map(|checkout: &Checkout| checkout.place.dir());
    let hint = match place {
        Some(path) => format!("bring it up to date first: `git -C {} pull`", path.display()),
        None => format!("bring it up to date first: `git fetch . {name}:{branch}`"),
    };
    (Some(doubt), Some(hint))
}

/// `1 commit`, `2 commits`
pub fn commits(count: u64) -> String {
    if count == 1 { "1 commit".to_owned() } else { format!("{count} commits") }
}
