//! Arguments of `wt list`.

use crate::cli::app::App;
use crate::commands::list::{Request, run};
use crate::domain::problem::Problem;

/// List the variants: what became of the work in each, what it changes, what it cost.
///
/// CHANGES counts from where a variant parted from its base, uncommitted work included: files,
/// lines that came, lines that went. The column named after the base counts commits: ↑ those that
/// only the variant has, ↓ those that it has not got. TOKENS and COST say `≥` for what is known in
/// part and `–` for what is not known.
#[derive(Debug, clap::Args)]
#[command(visible_alias = "ls")]
pub struct Args {
    /// Every repository that has variants
    #[arg(long)]
    all: bool,

    /// The long form: places, agents, what they answered
    #[arg(long)]
    tree: bool,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When there is no repository here.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let request = Request { all: self.all, detail: self.tree };
        app.print("list", &run(&app.context()?, request)?)
    }
}
