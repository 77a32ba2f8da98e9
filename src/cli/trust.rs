//! Arguments of `wt trust`.

use crate::cli::app::App;
use crate::commands::trust::{Request, run};
use crate::domain::problem::Problem;

/// See and approve what this repository's wt.toml wants to run.
///
/// Commands and variables of a wt.toml are used only after you approved their exact text; when it
/// changes, you are asked again. They are read from the main checkout, never from a variant. Your
/// own settings (~/.config/wt/config.toml) need no approval. Where nobody can be asked,
/// WT_TRUST=HASH approves one text for one command.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Approve without being asked
    #[arg(long, short)]
    yes: bool,

    /// Take back every approval for this repository
    #[arg(long, conflicts_with = "yes")]
    revoke: bool,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When nobody is there to approve, or the person says no.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let request = Request { revoke: self.revoke, yes: self.yes };
        app.print("trust", &run(&app.context()?, request)?)
    }
}
