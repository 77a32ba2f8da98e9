//! Arguments of `wt gc`.

use crate::cli::app::App;
use crate::commands::gc::{Request, run};
use crate::domain::problem::Problem;

/// Remove for good what has been in the trash for 30 days.
///
/// That happens by itself after a cleanup; this does it now, for every repository, and lets go of
/// snapshots as old as that.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Say what would be removed, and do nothing
    #[arg(long, short = 'n')]
    dry_run: bool,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// The store's.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        app.print("gc", &run(&app.context()?, Request { dry_run: self.dry_run })?)
    }
}
