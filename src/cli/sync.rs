//! Arguments of `wt sync`.

use crate::cli::app::App;
use crate::commands::select::Selection;
use crate::commands::sync::{Action, Request, problem, run};
use crate::domain::problem::Problem;
use crate::ui::printer::Form;

/// Bring the branch that variants forked from into them.
///
/// git makes the merge in a worktree apart; a variant's branch and worktree move only when it is
/// whole. Its uncommitted work is kept as a snapshot and committed first. `wt undo` takes it back.
/// A variant whose agent is at work is refused, with --all passed over. Without a name: the variant
/// you stand in.
///
///   wt sync theme-dark              merge the base in
///   wt sync --all --rebase          make their commits again on top of it
///   wt sync --all --dry-run         what would come of it
///
/// What conflicts waits in the variant's own worktree, and it exits with 3. Then:
///
///   cd "$(wt path theme-dark)"      settle it there, then wt sync --continue
///   wt sync theme-dark --resolve    its agent settles it
///   wt sync theme-dark --abort      forget it
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Variants' names, or patterns such as `theme-*`
    names: Vec<String>,

    /// Every variant of the repository
    #[arg(long, conflicts_with = "names")]
    all: bool,

    /// Bring in BRANCH instead of the one each forked from
    #[arg(long, value_name = "BRANCH", conflicts_with = "action")]
    from: Option<String>,

    /// Make the variants' commits again on top of the branch
    #[arg(long, conflicts_with = "action")]
    rebase: bool,

    /// Merge, although the settings say to rebase
    #[arg(long, conflicts_with_all = ["rebase", "action"])]
    merge: bool,

    /// Hand conflicts to the variant's agent: it goes on in its session and settles them
    #[arg(long, conflicts_with = "action")]
    resolve: bool,

    /// Go on after the conflicts were settled
    #[arg(long = "continue", group = "action")]
    go_on: bool,

    /// Give up a sync that waits; what was settled is kept as a snapshot
    #[arg(long, group = "action")]
    abort: bool,

    /// Say what would come of it, and change nothing
    #[arg(long, short = 'n', conflicts_with = "action")]
    dry_run: bool,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// Conflicts, a refusal, or what failed.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let outcome = run(&app.context()?, &self.request())?;
        match problem(&outcome) {
            // One object on stdout: the problem carries the outcome.
            Some(problem) if app.printer.form() == Form::Json => Err(problem),
            problem => {
                app.print("sync", &outcome)?;
                problem.map_or(Ok(()), Err)
            }
        }
    }

    fn request(self) -> Request {
        let action = match (self.go_on, self.abort) {
            (true, _) => Action::Continue,
            (_, true) => Action::Abort,
            _ => Action::Start,
        };
        Request {
            which: Selection { names: self.names, all: self.all },
            action,
            from: self.from,
            rebase: (self.rebase || self.merge).then_some(self.rebase),
            resolve: self.resolve,
            dry_run: self.dry_run,
        }
    }
}
