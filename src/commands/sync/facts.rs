//! What there is to know before a variant is synced.

use crate::commands::context::{Context, Here};
use crate::commands::merge::facts::{Tree, tree};
use crate::domain::problem::Problem;
use crate::domain::task::Task;
use crate::domain::variant::Variant;
use crate::git::history;
use crate::git::side_objects::Objects;
use crate::git::upstream::{Upstream, upstream};
use crate::store::tasks;

/// Everything a sync is decided by.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What is synced.
    pub variant: Variant,
    /// Where its branch stands, in hex.
    pub tip: String,
    /// Its worktree; `None` when it is not there.
    pub worktree: Option<Tree>,
    /// A task of it that is not at its end.
    pub open: Option<Task>,
    /// What its last agent was asked, for the message of a commit of leftovers.
    pub last_task: Option<Task>,
    /// The branch that is brought in, without `refs/heads/`.
    pub from: String,
    /// Where that stands, in hex.
    pub commit: String,
    /// The branch that that one follows.
    pub upstream: Option<Upstream>,
    /// Commits that the variant has and the other branch has not.
    pub ahead: u64,
    /// Commits that the other branch has and the variant has not.
    pub behind: u64,
    /// The commit from which both went on.
    pub base: Option<String>,
}

/// Looks at everything.
///
/// # Errors
/// When there is no branch to bring in, or git cannot say.
pub fn gather(
    ctx: &Context<'_>,
    here: &Here,
    variant: &Variant,
    from: Option<&str>,
) -> Result<Facts, Problem> {
    let name = &variant.name;
    let Some(branch) = from.or(variant.base_branch.as_deref()) else {
        let text = format!("`{name}` forked from no branch, so there is none to bring in");
        return Err(Problem::usage(text).hint(format!("name one: `wt sync {name} --from BRANCH`")));
    };
    if branch == variant.branch {
        let text = format!("`{branch}` cannot be brought into itself");
        return Err(Problem::usage(text).hint("name another branch: `--from BRANCH`"));
    }
    let commit = here.repo.branch(branch)?.ok_or_else(|| {
        let problem = Problem::failed(format!("there is no branch `{branch}` to bring in"));
        let problem = match from {
            Some(_) => problem,
            None => problem.detail(format!("`{name}` forked from it")),
        };
        problem.hint(format!("see those there are: `git branch`; then `wt sync {name} --from B`"))
    })?;
    let tip = here.repo.branch(&variant.branch)?.ok_or_else(|| {
        Problem::failed(format!("`{name}` has lost its branch `{}`", variant.branch))
            .hint("look for damage: `wt doctor`")
    })?;
    let all = tasks::of_variant(ctx.store.read(), variant.key)?;
    let objects = Objects::in_memory(&here.repo)?;
    let distance = history::distance(&objects, &tip, &commit)?;
    Ok(Facts {
        worktree: tree(here, variant)?,
        open: all.iter().find(|task| !task.state.is_final()).cloned(),
        last_task: all.last().cloned(),
        base: history::merge_base(&objects, &tip, &commit)?,
        upstream: upstream(&here.repo, branch)?,
        ahead: distance.ahead as u64,
        behind: distance.behind as u64,
        variant: variant.clone(),
        from: branch.to_owned(),
        commit,
        tip,
    })
}
