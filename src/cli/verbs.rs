//! The verbs, in the order of the help text.

use clap::{Parser, Subcommand};

use crate::cli::app::App;
use crate::cli::globals::Globals;
use crate::cli::{config, pages, path, trust};
use crate::domain::problem::Problem;

/// Try one idea in several variants at once: one git worktree and one coding agent each.
#[derive(Debug, Parser)]
#[command(name = "wt", version, disable_help_subcommand = true, max_term_width = 100)]
pub struct Cli {
    /// Flags that every verb takes.
    #[command(flatten)]
    pub globals: Globals,

    /// What to do.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Print completions for a shell
    Completions(pages::Completions),
    /// Show the settings and where each value comes from
    Config(config::Args),
    /// Print the manual page, or write the pages of all verbs
    Man(pages::Man),
    /// Print where a variant is, for `cd "$(wt path NAME)"`
    Path(path::Args),
    /// See and approve what this repository's wt.toml wants to run
    Trust(trust::Args),
}

impl Verb {
    /// Does it.
    ///
    /// # Errors
    /// What the verb could not do.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        match self {
            Self::Completions(args) => args.run(app),
            Self::Config(args) => args.run(app),
            Self::Man(args) => args.run(app),
            Self::Path(args) => args.run(app),
            Self::Trust(args) => args.run(app),
        }
    }
}
