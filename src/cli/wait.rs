//! Arguments of `wt wait`.

use std::time::Duration;

use crate::cli::app::App;
use crate::commands::errand::Which;
use crate::commands::wait::{Request, run};
use crate::domain::problem::Problem;
use crate::domain::written;
use crate::ui::printer::Form;

/// Wait until work has ended.
///
/// Exits with 0 when all of it is done, with 1 when some of it failed, was stopped or needs you,
/// with 5 when what is left waits for a task that failed, so that you have to decide, and with 6
/// when the time ran out.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Variants' names, beginnings of task ids, or patterns such as `theme-*`
    tasks: Vec<String>,

    /// Everything that is under way
    #[arg(long, conflicts_with = "tasks")]
    all: bool,

    /// Until one of them has ended
    #[arg(long)]
    any: bool,

    /// At most so long, such as 90s, 10m or 1h30m
    #[arg(long, value_name = "TIME", value_parser = written::duration)]
    timeout: Option<Duration>,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When a name has no task, the time ran out, or not all ended well.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let which = Which { names: self.tasks, all: self.all };
        let request = Request { which, any: self.any, timeout: self.timeout };
        let outcome = run(&app.context()?, &request)?;
        match outcome.problem() {
            // One object on stdout: the problem carries the outcome.
            Some(problem) if app.printer.form() == Form::Json => Err(problem),
            problem => {
                app.print("wait", &outcome)?;
                problem.map_or(Ok(()), Err)
            }
        }
    }
}
