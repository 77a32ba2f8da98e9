//! Arguments of `wt adopt`.

use crate::cli::app::App;
use crate::commands::adopt::{Request, run};
use crate::domain::problem::Problem;

/// Make an existing branch or worktree a variant.
///
/// A branch gets a worktree of its own. A worktree, given by its directory or its branch, stays
/// where it is. What was yours before stays yours: `wt cleanup` deletes neither an adopted branch
/// nor an adopted worktree, it only forgets them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The branch, or the directory of a worktree
    #[arg(value_name = "BRANCH|PATH")]
    what: String,

    /// The variant's name, instead of one made of the branch
    #[arg(long)]
    name: Option<String>,

    /// The branch it will be merged into, instead of the main checkout's
    #[arg(long, value_name = "BRANCH")]
    base: Option<String>,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When it is neither, is a variant already, or is the main checkout.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let request = Request { what: self.what, name: self.name, base: self.base };
        app.print("adopt", &run(&app.context()?, &request)?)
    }
}
