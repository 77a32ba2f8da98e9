//! Arguments of `wt stop`.

use crate::cli::app::App;
use crate::commands::errand::Which;
use crate::commands::stop::{Request, run};
use crate::domain::problem::Problem;

/// End work: everything an agent started, also what went into a session of its own.
///
/// An agent that then still reports what it used is interrupted first; then all its processes get
/// TERM, and what is left KILL. What it left uncommitted is committed on its branch, and its
/// worktree stays. A task that has not begun is taken out of the queue.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Variants' names, beginnings of task ids, or patterns such as `theme-*`
    tasks: Vec<String>,

    /// Everything that runs or waits
    #[arg(long, conflicts_with = "tasks")]
    all: bool,

    /// Only tell what would be ended
    #[arg(long)]
    dry_run: bool,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When a name has no task, or something does not end.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let which = Which { names: self.tasks, all: self.all };
        let request = Request { which, dry_run: self.dry_run };
        app.print("stop", &run(&app.context()?, &request)?)
    }
}
