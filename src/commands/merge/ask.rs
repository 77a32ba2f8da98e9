//! Asking, where a plan holds a doubt. A clean one asks nothing.

use crate::commands::context::Context;
use crate::commands::merge::plan::Plan;
use crate::domain::problem::Problem;

/// Goes on with a plan that holds no doubt, or to which somebody says yes.
///
/// # Errors
/// A refusal, when the answer is no or nobody is there.
pub fn ask(ctx: &Context<'_>, plan: &Plan, yes: bool) -> Result<(), Problem> {
    let Some(doubt) = plan.doubt.as_ref().filter(|_| !yes) else { return Ok(()) };
    match ctx.person.confirm(doubt, "Merge all the same?") {
        Some(true) => Ok(()),
        Some(false) => Err(Problem::refused("nothing was merged")),
        None => {
            let problem = Problem::refused(doubt.clone()).data(plan);
            let problem = match &plan.doubt_hint {
                Some(hint) => problem.hint(hint.clone()),
                None => problem,
            };
            Err(problem.hint("merge all the same: the same command with `--yes`"))
        }
    }
}
