//! Arguments of `wt path`.

use crate::cli::app::App;
use crate::commands::path::{Request, run};
use crate::domain::problem::Problem;

/// Print where a variant is, for `cd "$(wt path NAME)"`.
///
/// Without a name: the variant you stand in, else the main checkout.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The variant
    name: Option<String>,

    /// The worktree in which its merge waits for you, after conflicts
    #[arg(long)]
    merge: bool,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When there is no such variant.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let outcome = run(&app.context()?, Request { name: self.name, merge: self.merge })?;
        app.print("path", &outcome)
    }
}
