//! Arguments of `wt result`.

use crate::cli::app::App;
use crate::commands::result::{Request, run};
use crate::domain::problem::Problem;
use crate::ui::outcome::status;

/// Show what an agent said in the end.
///
/// The answer is printed as the agent wrote it, and nothing else, so that it can be piped. Work
/// that is not done fails with its state and exit code 1, unless `--partial` is given.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A variant's name, or the beginning of a task's id
    task: Option<String>,

    /// Also what it has said so far, or said before it failed
    #[arg(long)]
    partial: bool,

    /// Another attempt than the newest
    #[arg(long, value_name = "N")]
    attempt: Option<u32>,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When there is no such task, or it is not done.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let request = Request { task: self.task, attempt: self.attempt, partial: self.partial };
        let outcome = run(&app.context()?, &request)?;
        app.print("result", &outcome)?;
        if app.printer.form() == crate::ui::printer::Form::Text {
            if outcome.text.is_none() {
                app.printer.story("it said nothing");
            }
            app.printer.story(&status::story(&outcome.line));
        }
        Ok(())
    }
}
