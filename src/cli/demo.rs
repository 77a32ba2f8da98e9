//! Arguments of `wt demo`.

use std::path::PathBuf;

use crate::cli::app::App;
use crate::commands::demo::{Request, run};
use crate::domain::problem::Problem;
use crate::ui::outcome::demo::Stage;
use crate::ui::printer::Form;

/// Show the whole way on a small sample, with a scripted agent.
///
/// Makes a small web shop in a temporary folder and takes three variants of its theme through
/// spawn, list, compare, merge and cleanup. The agent acts out built-in scenarios: no model is
/// asked, so it needs no key and no network, and costs nothing. Your own repositories, state and
/// settings are not touched. The folder is kept, for you to look around in.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to play: a folder that does not exist yet
    folder: Option<PathBuf>,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When the sample cannot be made, or one of its commands fails.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let form = app.printer.form();
        let mut flags = match form {
            Form::Json => vec!["--json"],
            Form::Quiet => vec!["--quiet"],
            Form::Text => vec![],
        };
        if app.no_color {
            flags.push("--no-color");
        }
        let request = Request {
            folder: self.folder,
            flags,
            collect: form == Form::Json,
            program: app.printer.program().to_owned(),
        };
        let outcome = run(app.environment, &Stage::new(app.printer), &request)?;
        app.print("demo", &outcome)
    }
}
