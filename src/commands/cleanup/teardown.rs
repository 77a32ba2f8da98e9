//! The `teardown` commands of the settings, before a variant goes.

use crate::commands::cleanup::plan::{Plan, WorktreeFate};
use crate::commands::context::{Context, Here};
use crate::commands::spawn::crew;
use crate::commands::spawn::spot::Spot;
use crate::commands::trust;
use crate::domain::problem::Problem;
use crate::engine::shell::Shell;

/// Runs them in each worktree that goes to the trash. One that fails is told with its last lines
/// and stops nothing: what it should have cleared away is not in the worktree.
///
/// # Errors
/// When they were not approved: nothing was run then, and nothing removed.
pub fn run(ctx: &Context<'_>, here: &mut Here, plan: &Plan) -> Result<(), Problem> {
    let commands = here.settings().worktree.teardown.clone();
    let going = plan.removals.iter().filter(|one| one.worktree == WorktreeFate::Trash);
    if commands.is_empty() || going.clone().next().is_none() {
        return Ok(());
    }
    trust::ensure(ctx, here)?;
    for removal in going {
        let variant = &removal.variant;
        let (branch, path) = (variant.branch.clone(), variant.path.clone());
        let spot = Spot { name: variant.name.clone(), branch, tip: None, path };
        let environment = crew::environment(here, &spot, ctx.environment.variables().collect())?;
        for command in &commands {
            ctx.observer.tell(&format!("teardown {}: {command}", variant.name));
            let shell = Shell { command, cwd: &variant.path, environment: &environment };
            let ended = shell.run(&mut |line| ctx.observer.tell(&format!("  {line}")));
            let why = match ended {
                Ok(ended) if ended.code == Some(0) => continue,
                Ok(ended) => match ended.code {
                    Some(code) => format!("exited with {code}"),
                    None => "was ended by a signal".to_owned(),
                },
                Err(error) => error.to_string(),
            };
            let text = format!("teardown command `{command}` of {} {why}", variant.name);
            ctx.observer.warn(&format!("{text}; going on"));
        }
    }
    Ok(())
}
