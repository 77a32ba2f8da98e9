//! Arguments of `wt spawn`.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use crate::cli::app::App;
use crate::cli::when::{self, When};
use crate::commands::context::Context;
use crate::commands::errand::Which;
use crate::commands::spawn::{CrewRequest, Outcome, PromptFrom, Request, read_all, run};
use crate::commands::wait;
use crate::domain::budget::Amount;
use crate::domain::problem::Problem;
use crate::domain::settings::Permissions;
use crate::domain::written;
use crate::ui::printer::Form;

/// Make a variant: a worktree and a branch of its own, and an agent at work in it.
///
/// Returns at once; the agent works in the background. Follow it with `wt logs -f NAME`, see all of
/// them with `wt list`.
///
///   wt spawn theme-dark "Implement a bold dark theme"
///   wt spawn theme --variants 3 "Implement a theme"       theme-1, theme-2, theme-3
///   wt spawn fix --agents claude:2,codex:1 "Fix #12"      two of one, one of another
///   wt spawn bump --exec -- npm update                    any command as the agent
///   wt spawn docs --after theme-dark "Document it"        once that has ended well
///   wt spawn top --after base --from base "Go on"         from what base has come to by then
///   wt spawn big --at 22:00 --until 06:00 "Rewrite it"    in the night alone
///   git diff | wt spawn review -                          the prompt from a pipe
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// The variant's name, also part of its directory and branch
    name: String,

    /// What the agent is to do; `-` reads it from standard input, without it you are asked
    prompt: Option<String>,

    /// Read the prompt from FILE
    #[arg(long, value_name = "FILE", conflicts_with = "prompt")]
    prompt_file: Option<PathBuf>,

    /// The agent: claude, codex, gemini, opencode, qwen, aider, or one of your own
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,

    /// The model, by the agent's own name for it
    #[arg(long)]
    model: Option<String>,

    /// What the agent is told to be
    #[arg(long)]
    role: Option<String>,

    /// What the agent may do without asking
    #[arg(long, value_name = "LEVEL")]
    permissions: Option<Level>,

    /// How long each attempt may take, such as 45m: by its role (an engineer 30m) if not given
    #[arg(long, value_name = "TIME", value_parser = written::duration, conflicts_with = "no_agent")]
    timeout: Option<Duration>,

    /// A command that must pass in the worktree before the work counts as done
    #[arg(long, value_name = "CMD", conflicts_with = "no_agent")]
    verify: Option<String>,

    /// When the agent's usage limit is reached, go on by itself once it is reset
    #[arg(long, conflicts_with = "no_agent")]
    park: bool,

    /// Fork from REV instead of what is checked out here; a variant's name goes, too
    #[arg(long, value_name = "REV")]
    from: Option<String>,

    /// Take the uncommitted work of this checkout along; it also stays here
    #[arg(long)]
    with_changes: bool,

    /// Come back only when the agents have ended; exits with 1 unless all is done
    #[arg(long, conflicts_with = "no_agent")]
    wait: bool,

    /// The idea that this variant competes in
    #[arg(long, value_name = "IDEA")]
    idea: Option<String>,

    /// Who goes first when not all may run at once: 1 to 10
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=10))]
    priority: u8,

    /// When its agent is to start.
    #[command(flatten)]
    when: When,

    /// What all of it may use, every attempt and the whole fan-out: tokens (200k) or money (20usd);
    /// the work is ended when it is used up
    #[arg(long, value_name = "AMOUNT", conflicts_with = "no_agent")]
    budget: Option<Amount>,

    /// So many variants of one prompt: NAME-1 to NAME-N
    #[arg(long, value_name = "N", conflicts_with = "agents")]
    variants: Option<u32>,

    /// A variant for each agent: claude:2,codex:1
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = counted, conflicts_with = "agent")]
    agents: Vec<(String, u32)>,

    /// Make the variant alone
    #[arg(
        long,
        conflicts_with_all = ["agent", "agents", "model", "role", "permissions", "exec"],
        conflicts_with_all = when::NAMES,
    )]
    no_agent: bool,

    /// The command after `--` is the agent
    #[arg(long, requires = "command", conflicts_with_all = ["agent", "agents", "model"])]
    exec: bool,

    /// The command of --exec and its arguments
    #[arg(last = true, value_name = "CMD", requires = "exec")]
    command: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Level {
    /// Read only
    Read,
    /// Edit, and run commands, in its worktree
    Work,
    /// Anything that you may
    Full,
}

impl From<Level> for Permissions {
    fn from(level: Level) -> Self {
        match level {
            Level::Read => Self::Read,
            Level::Work => Self::Work,
            Level::Full => Self::Full,
        }
    }
}

fn counted(text: &str) -> Result<(String, u32), String> {
    let (name, count) = match text.trim().split_once(':') {
        Some((name, count)) => {
            (name, count.parse().map_err(|_| format!("`{count}` is no number"))?)
        }
        None => (text.trim(), 1),
    };
    match (name, count) {
        ("", _) => Err("an agent has a name: claude:2,codex:1".into()),
        (_, 0) => Err(format!("`{text}` asks for none")),
        (name, count) => Ok((name.to_owned(), count)),
    }
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
        let crew = CrewRequest {
            none: self.no_agent,
            agent: self.agent,
            agents: self.agents,
            variants: self.variants,
            model: self.model,
            role: self.role,
            permissions: self.permissions.map(Into::into),
            timeout: self.timeout,
            verify: self.verify,
            park: self.park,
            command: self.command,
        };
        let request = Request {
            name: self.name,
            prompt,
            crew,
            from: self.from,
            with_changes: self.with_changes,
            idea: self.idea,
            priority: Some(self.priority),
            when: self.when.into(),
            budget: self.budget,
        };
        let ctx = app.context()?;
        let outcome = run(&ctx, &request)?;
        if self.wait { await_end(app, &ctx, outcome) } else { app.print("spawn", &outcome) }
    }
}

/// For people the variants are told at once and their ends later; for programs both in one object.
fn await_end(app: &App<'_>, ctx: &Context<'_>, mut outcome: Outcome) -> Result<(), Problem> {
    let json = app.printer.form() == Form::Json;
    if !json {
        app.print("spawn", &outcome)?;
    }
    let engaged = outcome.variants.iter().filter_map(|variant| variant.agent.as_ref());
    let which = Which { names: engaged.map(|agent| agent.task.clone()).collect(), all: false };
    let waited = wait::run(ctx, &wait::Request { which, any: false, timeout: None })?;
    let problem = waited.problem();
    if !json {
        app.print("wait", &waited)?;
        return problem.map_or(Ok(()), Err);
    }
    outcome.waited = Some(waited);
    match problem {
        Some(problem) => Err(problem.data(&outcome)),
        None => app.print("spawn", &outcome),
    }
}
