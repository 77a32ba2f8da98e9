//! Arguments of `wt cleanup`.

use crate::cli::app::App;
use crate::commands::cleanup::{Request, Which, run};
use crate::domain::problem::Problem;

/// Remove variants; they can come back for 30 days.
///
/// Whole worktrees go to a trash beside the others, ignored files and all, and `wt restore` brings
/// them back exactly. A branch goes along if wt made it and all it brings is elsewhere. Without a
/// name: the variant you stand in. What an agent wrote, and what came of it, stays readable:
/// `wt logs`, `wt result`.
#[derive(Debug, clap::Args)]
#[command(visible_alias = "rm")]
pub struct Args {
    /// The variants; patterns such as 'theme-*' work
    names: Vec<String>,

    /// Those whose work is in the branch they forked from
    #[arg(long, conflicts_with_all = ["names", "losers", "all"])]
    merged: bool,

    /// Those that lost against the last one merged: unmerged, of the same idea
    #[arg(long, conflicts_with_all = ["names", "all"])]
    losers: bool,

    /// Every variant of this repository
    #[arg(long, conflicts_with = "names")]
    all: bool,

    /// Say what would be done, and do nothing
    #[arg(long, short = 'n')]
    dry_run: bool,

    /// Answer yes to the question whether unfinished work may go
    #[arg(long, short)]
    yes: bool,

    /// Also what is not merged, or still at work (its agent is stopped)
    #[arg(long)]
    force: bool,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When one cannot be removed as asked.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let which = match (self.merged, self.losers, self.all) {
            (true, _, _) => Which::Merged,
            (_, true, _) => Which::Losers,
            (_, _, true) => Which::All,
            _ => Which::Named(self.names),
        };
        let request = Request { which, dry_run: self.dry_run, yes: self.yes, force: self.force };
        app.print("cleanup", &run(&app.context()?, &request)?)
    }
}
