//! Arguments of `wt undo`.

use crate::cli::app::App;
use crate::commands::undo::{Request, run};
use crate::domain::problem::Problem;

/// Take the last merge, cleanup, sync or restore back.
///
/// A merge is taken back only while nobody can have built upon it: not once it was pushed, once
/// commits were made on top, or while changes of yours are in the way. Each says what to do then.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// List what was done, the last first
    #[arg(long, short)]
    list: bool,

    /// Say what would be taken back, and do nothing
    #[arg(long, short = 'n', conflicts_with = "list")]
    dry_run: bool,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When it cannot be taken back any more.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let request = Request { list: self.list, dry_run: self.dry_run };
        app.print("undo", &run(&app.context()?, request)?)
    }
}
