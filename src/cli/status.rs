//! Arguments of `wt status`.

use crate::cli::app::App;
use crate::commands::status::{Request, detail, run};
use crate::domain::problem::Problem;
use crate::ui::watch::watch;

/// Show the work: what needs you, what runs, what waits and why, what came of today.
///
/// With a TASK (a variant's name, or the beginning of a task's id): everything about it, each of
/// its attempts with how it ended, what it used, and where its files are.
#[derive(Debug, clap::Args)]
#[command(visible_alias = "st")]
pub struct Args {
    /// One task, by its variant's name or the beginning of its id
    task: Option<String>,

    /// Only what needs you
    #[arg(long, conflicts_with = "task")]
    needs_you: bool,

    /// Every repository, not only this one
    #[arg(long, conflicts_with = "task")]
    all: bool,

    /// Draw it again whenever something changes
    #[arg(long)]
    watch: bool,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When there is no such task.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let ctx = app.context()?;
        let request = Request { all: self.all, only_needs_you: self.needs_you };
        let layout = ctx.store.layout();
        match (self.task, self.watch) {
            (Some(task), false) => app.print("task", &detail::run(&ctx, &task)?),
            (Some(task), true) => watch(app.printer, layout, || detail::run(&ctx, &task)),
            (None, false) => app.print("status", &run(&ctx, &request)?),
            (None, true) => watch(app.printer, layout, || run(&ctx, &request)),
        }
    }
}
