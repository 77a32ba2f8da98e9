//! Arguments of `wt merge`.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::cli::app::App;
use crate::commands::merge::{Action, Request, Way, run};
use crate::domain::problem::Problem;
use crate::git::conflict::favor::Favor;

/// Merge a variant into the branch it forked from.
///
/// git makes the merge in a worktree apart, with your hooks, signing and merge drivers; your branch
/// and your checkout move only when it is whole, and uncommitted work in other files stays as it
/// is. `wt undo` takes it back. Without a name: the variant you stand in.
///
///   wt merge theme-dark                       move on, or make a merge commit
///   wt merge theme-dark --squash -m "Dark"    one commit
///   wt merge theme-dark --pick HEAD~1 HEAD    only these commits
///   wt merge theme-dark --dry-run             what would come of it
///
/// On conflicts it stops with exit code 3, names them, and your branch is untouched. Then:
///
///   cd "$(wt path theme-dark --merge)"        settle them there, then wt merge --continue
///   wt sync theme-dark --resolve              its agent settles them in its own worktree
///   wt merge theme-dark --favor variant       one side wins wherever both changed something
///   wt merge --abort                          forget it
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// The variant
    name: Option<String>,

    /// Merge into BRANCH instead of the one it forked from
    #[arg(long, value_name = "BRANCH", conflicts_with_all = ["go_on", "abort"])]
    into: Option<String>,

    /// Make one commit of everything
    #[arg(long, group = "way")]
    squash: bool,

    /// Make its commits again on top of the branch
    #[arg(long, group = "way")]
    rebase: bool,

    /// Only move the branch on; refuse if that is not enough
    #[arg(long, group = "way")]
    ff_only: bool,

    /// Make a merge commit in any case
    #[arg(long, group = "way")]
    no_ff: bool,

    /// Only these commits of the variant, or ranges A..B; HEAD is the variant's
    #[arg(long, value_name = "REV", num_args = 1.., group = "way")]
    pick: Vec<String>,

    /// The message of the commit that is made
    #[arg(long, short, value_name = "TEXT", conflicts_with_all = ["rebase", "pick", "go_on", "abort"])]
    message: Option<String>,

    /// Go on after the conflicts were settled
    #[arg(long = "continue", group = "action", conflicts_with = "way")]
    go_on: bool,

    /// Give up a merge that waits; what was settled is kept as a snapshot
    #[arg(long, group = "action", conflicts_with = "way")]
    abort: bool,

    /// Let one side win wherever both changed something, and go on
    #[arg(long, value_name = "SIDE", group = "action")]
    favor: Option<Side>,

    /// With --favor: only in these files and directories
    #[arg(last = true, value_name = "PATH", requires = "favor")]
    paths: Vec<PathBuf>,

    /// Say what would come of it, and change nothing
    #[arg(long, short = 'n', conflicts_with = "action")]
    dry_run: bool,

    /// Answer yes where the plan has a doubt
    #[arg(long, short)]
    yes: bool,

    /// Merge what is committed although the agent is still at work
    #[arg(long)]
    force: bool,
}

/// Which side wins.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Side {
    /// What is merged
    Variant,
    /// What it is merged into
    Base,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// Conflicts, a refusal, or what failed.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        app.print("merge", &run(&app.context()?, &self.request())?)
    }

    fn request(self) -> Request {
        let way = match (self.squash, self.rebase, self.ff_only, self.no_ff) {
            (true, ..) => Some(Way::Squash),
            (_, true, ..) => Some(Way::Rebase),
            (_, _, true, _) => Some(Way::FfOnly),
            (.., true) => Some(Way::NoFf),
            _ => None,
        };
        let action = match (self.go_on, self.abort, self.favor) {
            (true, ..) => Action::Continue,
            (_, true, _) => Action::Abort,
            (.., Some(side)) => {
                let side = match side {
                    Side::Variant => Favor::Variant,
                    Side::Base => Favor::Base,
                };
                Action::Favor { side, paths: self.paths }
            }
            _ => Action::Start,
        };
        Request {
            name: self.name,
            action,
            into: self.into,
            way,
            pick: self.pick,
            message: self.message,
            dry_run: self.dry_run,
            yes: self.yes,
            force: self.force,
        }
    }
}
