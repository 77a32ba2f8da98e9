//! Arguments of `wt config`.

use crate::cli::app::App;
use crate::commands::config::{Request, show};
use crate::domain::problem::Problem;

/// Show the settings and where each value comes from.
///
/// Later layers win: built in, ~/.config/wt/config.toml, wt.toml in the repository, WT_* variables
/// (WT_WORKTREE_PATH for worktree.path), flags.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Print every setting with its value and origin
    Show {
        /// One setting, or a group of them: worktree.path, limits
        key: Option<String>,
    },
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When the settings cannot be read, or the key is unknown.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let Verb::Show { key } = self.verb;
        app.print("config", &show(&app.context()?, &Request { key })?)
    }
}
