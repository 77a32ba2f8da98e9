//! The decision: whether a variant may be synced, and what it takes. Nothing is looked at here and
//! nothing done.

use crate::commands::merge::plan::end_of;
use crate::commands::sync::facts::Facts;
use crate::domain::problem::Problem;
use crate::domain::task::TaskState;
use crate::domain::variant::Variant;

/// What is going to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: the variant has everything.
    UpToDate,
    /// The base is brought in.
    Sync {
        /// How many uncommitted paths are committed first.
        leftovers: usize,
    },
}

/// Decides.
///
/// # Errors
/// Why it may not be, with what to do about it.
pub fn decide(facts: &Facts) -> Result<Decision, Problem> {
    let (name, path) = (&facts.variant.name, facts.variant.path.display());
    if facts.behind == 0 {
        return Ok(Decision::UpToDate);
    }
    if let Some(task) = &facts.open {
        return Err(at_work(&facts.variant, task.state));
    }
    if facts.base.is_none() {
        let text = format!("`{name}` and `{}` share no history", facts.from);
        return Err(Problem::refused(text)
            .hint("bring one in that it does share some with: `--from BRANCH`"));
    }
    let Some(tree) = &facts.worktree else {
        let text = format!("the worktree of `{name}` is gone: `{path}`");
        return Err(Problem::refused(text).hint("look for damage: `wt doctor`"));
    };
    if let Some(operation) = tree.operation {
        let text = format!("{operation} is under way in `{path}`");
        return Err(Problem::refused(text).hint(end_of(operation, &facts.variant.path)));
    }
    let branch = &facts.variant.branch;
    if tree.branch.as_ref() != Some(branch) {
        let where_it_is = match &tree.branch {
            Some(other) => format!("is on `{other}`"),
            None => "has a detached HEAD".to_owned(),
        };
        let text = format!("the worktree of `{name}` {where_it_is}, not on its branch `{branch}`");
        return Err(
            Problem::refused(text).hint(format!("put it back: `git -C {path} switch {branch}`"))
        );
    }
    Ok(Decision::Sync { leftovers: tree.uncommitted })
}

/// The refusal while its agent is at work, or may begin at any moment.
pub fn at_work(variant: &Variant, state: TaskState) -> Problem {
    let name = &variant.name;
    if state == TaskState::Running {
        return Problem::refused(format!("the agent of `{name}` is at work"))
            .hint(format!("wait for it: `wt wait {name} && wt sync {name}`"))
            .hint(format!("end it, its work is kept: `wt stop {name}`"));
    }
    Problem::refused(format!("the agent of `{name}` waits to begin, and may do so at any moment"))
        .hint(format!("wait for it: `wt wait {name} && wt sync {name}`"))
        .hint(format!("take it out of the queue: `wt stop {name}`"))
}
