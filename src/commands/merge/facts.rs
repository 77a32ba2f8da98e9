//! What there is to know before a merge is decided on.

use std::path::PathBuf;

use crate::commands::context::{Context, Here};
use crate::domain::problem::Problem;
use crate::domain::task::{Task, TaskState};
use crate::domain::variant::Variant;
use crate::git::changes::{Changes, changes};
use crate::git::history;
use crate::git::operation::{Operation, in_progress};
use crate::git::place::Place;
use crate::git::side_objects::Objects;
use crate::git::upstream::{Upstream, upstream};
use crate::git::worktree::{self, Naming, Worktree, naming};
use crate::store::tasks;

/// Everything a merge is decided by.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What is merged.
    pub variant: Variant,
    /// Where its branch stands.
    pub tip: String,
    /// Its worktree; `None` when it is not there.
    pub worktree: Option<Tree>,
    /// Its tasks that run now.
    pub running: Vec<Task>,
    /// What its last agent was asked, for the message of a commit of leftovers.
    pub last_task: Option<Task>,
    /// What it is merged into.
    pub target: Target,
    /// Commits that the variant has and the target has not.
    pub ahead: u64,
    /// Commits that the target has and the variant has not.
    pub behind: u64,
    /// The commit from which both went on.
    pub base: Option<String>,
}

/// The variant's worktree.
#[derive(Debug, Clone)]
pub struct Tree {
    /// The branch that is checked out in it; `None` when HEAD is detached.
    pub branch: Option<String>,
    /// How many paths are uncommitted.
    pub uncommitted: usize,
    /// What it is in the middle of.
    pub operation: Option<Operation>,
}

/// The branch that is merged into.
#[derive(Debug, Clone)]
pub struct Target {
    /// Without `refs/heads/`.
    pub branch: String,
    /// Where it stands.
    pub commit: String,
    /// The checkouts that are on it.
    pub checkouts: Vec<Checkout>,
    /// A worktree in which it is being rebased.
    pub rebased_in: Option<PathBuf>,
    /// The branch that it follows.
    pub upstream: Option<Upstream>,
}

/// A checkout of the target.
#[derive(Debug, Clone)]
pub struct Checkout {
    /// Where it is.
    pub place: Place,
    /// False when its directory is gone.
    pub there: bool,
    /// What it is in the middle of.
    pub operation: Option<Operation>,
    /// The variant whose worktree it is.
    pub variant: Option<Variant>,
    /// True while that variant's agent is at work.
    pub running: bool,
}

/// Looks at everything.
///
/// # Errors
/// When the target is unknown or no branch, or git cannot say.
pub fn gather(
    ctx: &Context<'_>,
    here: &Here,
    variant: &Variant,
    into: Option<&str>,
) -> Result<Facts, Problem> {
    let target = target(ctx, here, variant, into)?;
    let tip = here.repo.branch(&variant.branch)?.ok_or_else(|| {
        Problem::failed(format!("`{}` has lost its branch `{}`", variant.name, variant.branch))
            .hint("look for damage: `wt doctor`")
    })?;
    let all = tasks::of_variant(ctx.store.read(), variant.key)?;
    let objects = Objects::in_memory(&here.repo)?;
    let distance = history::distance(&objects, &tip, &target.commit)?;
    let base = history::merge_base(&objects, &tip, &target.commit)?;
    Ok(Facts {
        worktree: tree(here, variant)?,
        running: all.iter().filter(|task| task.state == TaskState::Running).cloned().collect(),
        last_task: all.last().cloned(),
        base,
        ahead: distance.ahead as u64,
        behind: distance.behind as u64,
        variant: variant.clone(),
        target,
        tip,
    })
}

fn target(
    ctx: &Context<'_>,
    here: &Here,
    variant: &Variant,
    into: Option<&str>,
) -> Result<Target, Problem> {
    let Some(branch) = into.or(variant.base_branch.as_deref()) else {
        let text = format!("`{}` forked from no branch, so it has none to go into", variant.name);
        let hint = format!("name one: `wt merge {} --into BRANCH`", variant.name);
        return Err(Problem::usage(text).hint(hint));
    };
    if branch == variant.branch {
        let text = format!("`{}` cannot be merged into itself", variant.name);
        return Err(Problem::usage(text).hint("name another branch: `--into BRANCH`"));
    }
    let commit = here.repo.branch(branch)?.ok_or_else(|| no_branch(variant, branch, into))?;
    let worktrees = worktree::list(&here.repo)?;
    let variants = here.variants(ctx)?;
    let mut checkouts = vec![];
    for worktree in worktrees.iter().filter(|worktree| worktree.branch() == Some(branch)) {
        checkouts.push(checkout(ctx, here, worktree, &variants)?);
    }
    let rebased_in = worktrees.iter().find(|worktree| rebases(worktree, branch));
    Ok(Target {
        upstream: upstream(&here.repo, branch)?,
        rebased_in: rebased_in.map(|worktree| worktree.path.clone()),
        branch: branch.to_owned(),
        commit,
        checkouts,
    })
}

fn no_branch(variant: &Variant, branch: &str, into: Option<&str>) -> Problem {
    let problem = Problem::failed(format!("there is no branch `{branch}` to merge into"));
    let problem = match into {
        Some(_) => problem,
        None => problem.detail(format!("`{}` forked from it", variant.name)),
    };
    let name = &variant.name;
    problem.hint(format!("see those there are: `git branch`; then `wt merge {name} --into BRANCH`"))
}

fn checkout(
    ctx: &Context<'_>,
    here: &Here,
    worktree: &Worktree,
    variants: &[Variant],
) -> Result<Checkout, Problem> {
    let place = worktree.place(&here.repo);
    let there = worktree.path.is_dir();
    let variant = variants.iter().find(|variant| variant.admin_dir == worktree.git_dir).cloned();
    let running = match &variant {
        Some(variant) => tasks::of_variant(ctx.store.read(), variant.key)?
            .iter()
            .any(|task| task.state == TaskState::Running),
        None => false,
    };
    let operation = if there { in_progress(&place)? } else { None };
    Ok(Checkout { place, there, operation, variant, running })
}

/// Whether a rebase of the branch is under way there, at whose end git moves the branch.
fn rebases(worktree: &Worktree, branch: &str) -> bool {
    ["rebase-merge", "rebase-apply"].iter().any(|dir| {
        let name = std::fs::read_to_string(worktree.git_dir.join(dir).join("head-name"));
        name.is_ok_and(|name| name.trim_end().strip_prefix("refs/heads/") == Some(branch))
    })
}

/// A variant's worktree; `None` when it is not there, or not that any more.
///
/// # Errors
/// When git cannot say.
pub fn tree(here: &Here, variant: &Variant) -> Result<Option<Tree>, Problem> {
    if naming(&variant.path, &variant.admin_dir) != Naming::Mutual {
        return Ok(None);
    }
    let place = here.place(variant);
    let Changes { branch, entries, .. } = changes(&place)?;
    Ok(Some(Tree { branch, uncommitted: entries.len(), operation: in_progress(&place)? }))
}
