//! Arguments of `wt compare`.

use crate::cli::app::App;
use crate::commands::compare::{Request, run};
use crate::domain::problem::Problem;

/// Put variants side by side: size, cost, conflicts with the base and with each other.
///
/// Uncommitted work counts. Below the rows: files that several touch, what to look out for (tests
/// that are gone, lock files, CI), which variant to take and why, and what is missing to decide.
/// Nothing is changed.
///
/// Without a name: the idea of the variant you stand in, else the newest idea that several
/// variants share, else all variants.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Variants, by names or patterns (`theme-*`)
    names: Vec<String>,

    /// The variants of this idea
    #[arg(long, value_name = "IDEA", conflicts_with_all = ["names", "all"])]
    idea: Option<String>,

    /// Every variant of the repository
    #[arg(long, conflicts_with = "names")]
    all: bool,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When there is nothing to compare.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let request = Request { names: self.names, idea: self.idea, all: self.all };
        app.print("compare", &run(&app.context()?, request)?)
    }
}
