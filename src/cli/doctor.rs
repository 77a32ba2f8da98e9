//! Arguments of `wt doctor`.

use crate::cli::app::App;
use crate::commands::doctor::{Request, heal, run};
use crate::domain::problem::Problem;

/// Find and mend what is out of step between wt, git and the disk.
///
/// Looks at git, the state directory, the engine, every repository and variant that wt knows, what
/// killed commands left behind, and the trash. After you moved a repository or a variant's
/// worktree, run it there. Exits with 4 when something stays out of step.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Mend what can be mended without being asked
    #[arg(long)]
    fix: bool,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When something stays out of step.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let request = Request { fix: self.fix };
        // Before anything else uses the database: it may be none any more.
        let healed = heal(app.environment, request)?;
        app.print("doctor", &run(&app.context()?, request, healed)?)
    }
}
