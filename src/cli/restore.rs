//! Arguments of `wt restore`.

use std::path::PathBuf;

use crate::cli::app::App;
use crate::commands::restore::{Request, run};
use crate::domain::problem::Problem;

/// Bring removed variants back, or list what can come back.
///
/// A variant comes back to the path and branch it was removed from, with its index, its untracked
/// and its ignored files exactly as they were. Without a name: what can come back, until when, and
/// the snapshots that were taken of checkouts before something destructive.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The variants, by name or by the id in the list
    names: Vec<String>,

    /// Another directory than the one it was in
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,

    /// A new branch, when the one it was on has moved or is in use
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,

    /// Take the checkout that a snapshot was taken of back to it; REF as listed, or its end
    #[arg(long, value_name = "REF", conflicts_with_all = ["names", "to", "branch"])]
    snapshot: Option<String>,

    /// Overwrite changes in the snapshot's way; they are kept in a snapshot first
    #[arg(long, requires = "snapshot")]
    force: bool,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When something is in the way.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let request = Request {
            names: self.names,
            to: self.to,
            branch: self.branch,
            snapshot: self.snapshot,
            force: self.force,
        };
        app.print("restore", &run(&app.context()?, &request)?)
    }
}
