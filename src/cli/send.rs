//! Arguments of `wt send`.

use crate::cli::app::App;
use crate::commands::send::{Request, run};
use crate::commands::spawn::read_all;
use crate::domain::problem::Problem;

/// Tell an agent more: it goes on in its session, in the same worktree.
///
/// For an agent that asks, and for one that is done and should do more. One that is at work is told
/// once its present attempt has ended well; `wt stop` forgets what waits to be told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A variant's name, or the beginning of a task's id; may be left out inside a variant
    #[arg(value_name = "TASK")]
    first: String,

    /// What to tell it; `-` reads it from standard input
    #[arg(value_name = "MESSAGE")]
    second: Option<String>,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When its agent has no session to go on in.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let (task, words) = match self.second {
            Some(words) => (Some(self.first), words),
            None => (None, self.first),
        };
        let words = match words.as_str() {
            "-" => read_all(std::io::stdin().lock(), "standard input")?,
            _ => words,
        };
        app.print("send", &run(&app.context()?, &Request { task, words })?)
    }
}
