//! What there is to know of a variant before it is removed.

use crate::commands::cleanup::plan::{Blocked, BranchFate, Removal, WorktreeFate, counted};
use crate::commands::context::Here;
use crate::domain::problem::Problem;
use crate::domain::task::Task;
use crate::domain::variant::{Variant, VariantState};
use crate::git::changes::count_changes;
use crate::git::command::Git;
use crate::git::integrated::{Integrated, integrated, targets};
use crate::git::repo::Head;
use crate::git::worktree::{Naming, naming, registered_path};

/// Above this many bytes of index, uncommitted changes are not counted in passing: some 15,000
/// files, whose status takes longer than the removal.
const INDEX_MAX: u64 = 1_500_000;

/// A variant, looked at.
#[derive(Debug)]
pub struct Look {
    naming: Naming,
    locked: Option<String>,
    tip: Option<String>,
    /// Where its work is to be found, and how that is known.
    integrated: Option<(Integrated, String)>,
    /// Commits that are nowhere else.
    unmerged: u64,
    /// The branch that they are counted against.
    base: String,
    changes: Option<u64>,
}

/// Looks at a variant: registration, branch, uncommitted changes.
///
/// # Errors
/// When git cannot say.
pub fn look(here: &Here, variant: &Variant) -> Result<Look, Problem> {
    let naming = match naming(&variant.path, &variant.admin_dir) {
        // Moved, and not gone.
        Naming::NoDirectory if is_elsewhere(variant) => Naming::RegistrationElsewhere,
        naming => naming,
    };
    let place = here.place(variant);
    let mutual = naming == Naming::Mutual;
    let tip = here.repo.branch(&variant.branch)?;
    let base = base_name(here, variant);
    let into = targets_of(here, variant, &base)?;
    let found = match &tip {
        Some(tip) => integrated(&here.repo, tip, &into)?,
        None => None,
    };
    let mut loose: Vec<String> = tip.iter().filter(|_| found.is_none()).cloned().collect();
    // An agent may have left the branch and committed elsewhere.
    if mutual && let Head::Detached { commit } = here.repo.head(&place)? {
        let known = tip.iter().chain(&into).cloned().collect::<Vec<_>>();
        if integrated(&here.repo, &commit, &known)?.is_none() {
            loose.push(commit);
        }
    }
    let unmerged = count_loose(here, &loose, &into)?;
    let changes = if mutual { changes(&place)? } else { Some(0) };
    let locked = std::fs::read_to_string(variant.admin_dir.join("locked")).ok();
    Ok(Look {
        naming,
        locked: locked.filter(|_| mutual).map(|reason| reason.trim().to_owned()),
        tip,
        integrated: found.map(|proof| (proof, base.clone())),
        unmerged,
        base,
        changes,
    })
}

fn is_elsewhere(variant: &Variant) -> bool {
    registered_path(&variant.admin_dir).is_some_and(|registered| registered != variant.path)
}

fn base_name(here: &Here, variant: &Variant) -> String {
    if let Some(base) = &variant.base_branch {
        return base.clone();
    }
    let head = here.repo.main_place().and_then(|place| here.repo.head(&place).ok());
    let branch = head.and_then(|head| head.branch().map(str::to_owned));
    branch.unwrap_or_else(|| "HEAD".to_owned())
}

/// The commits that count as a home for its work: its base's, what it was merged into, where it
/// forked.
fn targets_of(here: &Here, variant: &Variant, base: &str) -> Result<Vec<String>, Problem> {
    let mut into = targets(&here.repo, base)?;
    if let Some(merged) = &variant.merged
        && merged.into != base
    {
        into.extend(targets(&here.repo, &merged.into)?);
    }
    if into.is_empty() {
        into.push(variant.fork_commit.clone());
    }
    Ok(into)
}

fn count_loose(here: &Here, loose: &[String], into: &[String]) -> Result<u64, Problem> {
    if loose.is_empty() {
        return Ok(0);
    }
    let asked = Git::read(&here.repo.place()).args(["rev-list", "--count"]).args(loose);
    let text = asked.arg("--not").args(into).text()?;
    // A branch whose commits are all there, but not its files (a base that took them back), still
    // has one thing that is nowhere else: its state.
    Ok(text.parse::<u64>().unwrap_or(1).max(1))
}

fn changes(place: &crate::git::place::Place) -> Result<Option<u64>, Problem> {
    let index = place.git_dir.join("index");
    if index.metadata().is_ok_and(|meta| meta.len() > INDEX_MAX) {
        return Ok(None);
    }
    Ok(Some(count_changes(place)?))
}

impl Look {
    /// Whether something of it is in no other branch.
    pub fn is_unmerged(&self) -> bool {
        self.unmerged > 0
    }

    /// Files with uncommitted changes.
    pub fn changes(&self) -> Option<u64> {
        self.changes
    }

    /// Whether it had work, and all of that is in its base.
    pub fn was_merged(&self, variant: &Variant) -> bool {
        let worked = self.tip.as_deref() != Some(&variant.fork_commit);
        (worked || variant.merged.is_some()) && self.integrated.is_some() && !self.is_unmerged()
    }

    /// What is in the way of removing it. That a loser is not merged is no surprise.
    pub fn blocked(&self, variant: &Variant, lost: bool) -> Vec<Blocked> {
        let block = |why: String, force_passes, hints: &[String]| Blocked {
            name: variant.name.to_string(),
            why,
            force_passes,
            hints: hints.to_vec(),
        };
        if variant.state == VariantState::Creating {
            let wait = ["see when it is ready: `wt list`".to_owned()];
            return vec![block("it is being made just now".to_owned(), false, &wait)];
        }
        let path = variant.path.display();
        let doctor = "see and mend it: `wt doctor`".to_owned();
        let mut found = vec![];
        match self.naming {
            _ if !variant.made_worktree => {}
            Naming::Mutual => {}
            Naming::NoDirectory if variant.path.parent().is_some_and(|dir| dir.is_dir()) => {}
            Naming::NoDirectory => {
                let why = format!("`{path}` is not there; is its disk missing?");
                found.push(block(why, true, &[]));
            }
            Naming::NoRegistration => {
                let why = format!("git has no worktree at `{path}` any more, so it is not ours");
                found.push(block(why, false, &[doctor]));
            }
            Naming::RegistrationElsewhere => {
                let why = match registered_path(&variant.admin_dir) {
                    Some(there) => format!("git has it at `{}` now", there.display()),
                    None => format!("git has it elsewhere than at `{path}` now"),
                };
                found.push(block(why, false, &[doctor]));
            }
            Naming::DirectoryElsewhere => {
                let why = format!("`{path}` belongs to another repository by now");
                found.push(block(why, false, &[doctor]));
            }
        }
        if let Some(reason) = self.locked.as_ref().filter(|_| variant.made_worktree) {
            let reason = if reason.is_empty() { "without a reason" } else { reason };
            let why = format!("its worktree is locked: {reason}");
            found.push(block(why, false, &[format!("unlock it: `git worktree unlock {path}`")]));
        }
        if self.is_unmerged() && variant.made_worktree && !lost {
            let commits = counted(self.unmerged, "commit");
            let verb = if self.unmerged == 1 { "is" } else { "are" };
            let why = format!("{commits} {verb} not in `{}`", self.base);
            let look = format!("look at it: `wt diff {}`", variant.name);
            let merge = format!("merge it first: `wt merge {}`", variant.name);
            found.push(block(why, true, &[look, merge]));
        }
        found
    }

    /// What removing it does.
    pub fn removal(&self, variant: &Variant, tasks: &[Task]) -> Removal {
        let worktree = match self.naming {
            _ if !variant.made_worktree => WorktreeFate::Stays,
            Naming::NoDirectory => WorktreeFate::Vanished,
            _ => WorktreeFate::Trash,
        };
        let branch_fate = match (&self.tip, &self.integrated) {
            (None, _) => BranchFate::Missing,
            _ if !variant.made_branch || !variant.made_worktree => BranchFate::Stays,
            (_, Some((proof, into))) => {
                BranchFate::Integrated { proof: proof.clone(), into: into.clone() }
            }
            (_, None) => BranchFate::Unmerged,
        };
        Removal {
            name: variant.name.to_string(),
            path: variant.path.clone(),
            worktree,
            branch: variant.branch.clone(),
            branch_fate,
            unmerged: self.unmerged,
            changes: self.changes,
            stops: tasks.iter().map(|task| task.id.to_string()).collect(),
            variant: variant.clone(),
            tip: self.tip.clone(),
        }
    }
}
