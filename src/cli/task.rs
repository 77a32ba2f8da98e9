//! Arguments of `wt task`.

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::app::App;
use crate::cli::queue::Lane;
use crate::cli::when::When;
use crate::commands::context::Context;
use crate::commands::errand::Which;
use crate::commands::spawn::{PromptFrom, read_all};
use crate::commands::task::{Outcome, Request, run};
use crate::commands::wait;
use crate::domain::budget::Amount;
use crate::domain::problem::Problem;
use crate::domain::written;
use crate::ui::printer::Form;

/// Queue work that needs no variant: a question to an agent, or a command in a lane.
///
/// An agent reads in the checkout you stand in, your uncommitted work included, and may not write:
/// what is to change files is a variant's (`wt spawn`). A command runs there as you would run it,
/// with the variables that you have. `wt logs`, `wt result` and `wt wait` are for both.
///
///   wt task "Where is the session token renewed?"
///   wt task -- make all                          in lane build, beside one more of its kind
///   wt task --lane e2e --after theme-dark -- npm run e2e
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// What the agent is to do; `-` reads it from standard input, without it you are asked
    #[arg(conflicts_with = "command")]
    prompt: Option<String>,

    /// Read the prompt from FILE
    #[arg(long, value_name = "FILE", conflicts_with_all = ["prompt", "command"])]
    prompt_file: Option<PathBuf>,

    /// What the agent is told to be: explorer, or a role of your own that does not write
    #[arg(long, conflicts_with = "command")]
    role: Option<String>,

    /// The agent: claude, codex, gemini, opencode, qwen, aider, or one of your own
    #[arg(long, value_name = "AGENT", conflicts_with = "command")]
    agent: Option<String>,

    /// The model, by the agent's own name for it
    #[arg(long, conflicts_with = "command")]
    model: Option<String>,

    /// The class of work whose parallelism it counts in; without it agent, or build for a command
    #[arg(long, value_name = "LANE")]
    lane: Option<Lane>,

    /// Who goes first when not all may run at once: 1 to 10
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=10))]
    priority: u8,

    /// How long each attempt may take, such as 45m: 20m for an agent if not given
    #[arg(long, value_name = "TIME", value_parser = written::duration)]
    timeout: Option<Duration>,

    /// What all its attempts may use, in tokens (200k) or money (20usd); it is ended when that is
    /// used up
    #[arg(long, value_name = "AMOUNT", conflicts_with = "command")]
    budget: Option<Amount>,

    /// When it is to start.
    #[command(flatten)]
    when: When,

    /// Come back only when it has ended; exits with 1 unless it is done
    #[arg(long)]
    wait: bool,

    /// The command and its arguments, after `--`
    #[arg(last = true, value_name = "CMD")]
    command: Vec<String>,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// Whatever is missing or in the way.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let prompt = match (self.prompt.as_deref(), self.prompt_file) {
            (Some("-"), _) => {
                PromptFrom::Text(read_all(std::io::stdin().lock(), "standard input")?)
            }
            (Some(text), _) => PromptFrom::Text(text.to_owned()),
            (None, Some(file)) => PromptFrom::File(file),
            (None, None) => PromptFrom::Ask,
        };
        let request = Request {
            prompt,
            role: self.role,
            agent: self.agent,
            model: self.model,
            command: self.command,
            lane: self.lane.map(Into::into),
            priority: Some(self.priority),
            timeout: self.timeout,
            when: self.when.into(),
            budget: self.budget,
        };
        let ctx = app.context()?;
        let outcome = run(&ctx, &request)?;
        if self.wait { await_end(app, &ctx, outcome) } else { app.print("task", &outcome) }
    }
}

/// For people it is told at once and its end later; for programs both in one object.
fn await_end(app: &App<'_>, ctx: &Context<'_>, mut outcome: Outcome) -> Result<(), Problem> {
    let json = app.printer.form() == Form::Json;
    if !json {
        app.print("task", &outcome)?;
    }
    let which = Which { names: vec![outcome.task.to_string()], all: false };
    let waited = wait::run(ctx, &wait::Request { which, any: false, timeout: None })?;
    let problem = waited.problem();
    if !json {
        app.print("wait", &waited)?;
        return problem.map_or(Ok(()), Err);
    }
    outcome.waited = Some(waited);
    match problem {
        Some(problem) => Err(problem.data(&outcome)),
        None => app.print("task", &outcome),
    }
}
