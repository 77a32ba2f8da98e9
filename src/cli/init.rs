//! Arguments of `wt init`.

use crate::cli::app::App;
use crate::commands::init::{Request, run};
use crate::domain::problem::Problem;

/// Propose settings for this repository: a wt.toml made of what is in it.
///
/// Never writes over a file. What it proposes to run is run only after you approved it: `wt trust`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When there is a file already.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        app.print("init", &run(&app.context()?, Request { dry_run: self.dry_run })?)
    }
}
