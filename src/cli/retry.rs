//! Arguments of `wt retry`.

use crate::cli::app::App;
use crate::commands::errand::Which;
use crate::commands::retry::run;
use crate::domain::problem::Problem;

/// Start a task afresh: the same words, a new session, in its worktree as it is now.
///
/// The worktree is snapshotted first: `wt restore` lists what was kept. A task that `wt` tries again
/// by itself and that waits for its time (a pause, the reset of a limit) begins at once.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Variants' names, beginnings of task ids, or patterns such as `theme-*`
    tasks: Vec<String>,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When a task is under way, or its agent is not there.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let which = Which { names: self.tasks, all: false };
        app.print("retry", &run(&app.context()?, &which)?)
    }
}
