//! The verbs, in the order of the help text.

use clap::{Parser, Subcommand};

use crate::cli::app::App;
use crate::cli::globals::Globals;
use crate::cli::{
    adopt, budget, cleanup, compare, config, demo, diff, doctor, gc, init, list, logs, merge,
    pages, path, queue, report, restore, result, retry, send, spawn, status, stop, sync, task,
    trust, undo, wait,
};
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

/// What to do. The help text of each is the doc comment of its arguments.
#[derive(Debug, Subcommand)]
#[allow(missing_docs, reason = "a comment here would replace the longer help text of the verb")]
pub enum Verb {
    Adopt(adopt::Args),
    Budget(budget::Args),
    Cleanup(cleanup::Args),
    Compare(compare::Args),
    Completions(pages::Completions),
    Config(config::Args),
    Demo(demo::Args),
    Diff(diff::Args),
    Doctor(doctor::Args),
    Gc(gc::Args),
    Init(init::Args),
    List(list::Args),
    Man(pages::Man),
    Logs(logs::Args),
    Merge(Box<merge::Args>),
    Path(path::Args),
    Queue(queue::Args),
    Report(report::Args),
    Restore(restore::Args),
    #[command(visible_alias = "retrieve")]
    Result(result::Args),
    Retry(retry::Args),
    Send(send::Args),
    Spawn(Box<spawn::Args>),
    Status(status::Args),
    Stop(stop::Args),
    Sync(sync::Args),
    Task(Box<task::Args>),
    Trust(trust::Args),
    Undo(undo::Args),
    Wait(wait::Args),
}

impl Verb {
    /// Does it.
    ///
    /// # Errors
    /// What the verb could not do.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        match self {
            Self::Adopt(args) => args.run(app),
            Self::Budget(args) => args.run(app),
            Self::Cleanup(args) => args.run(app),
            Self::Compare(args) => args.run(app),
            Self::Completions(args) => args.run(app),
            Self::Config(args) => args.run(app),
            Self::Demo(args) => args.run(app),
            Self::Diff(args) => args.run(app),
            Self::Doctor(args) => args.run(app),
            Self::Gc(args) => args.run(app),
            Self::Init(args) => args.run(app),
            Self::List(args) => args.run(app),
            Self::Man(args) => args.run(app),
            Self::Logs(args) => args.run(app),
            Self::Merge(args) => args.run(app),
            Self::Path(args) => args.run(app),
            Self::Queue(args) => args.run(app),
            Self::Report(args) => args.run(app),
            Self::Restore(args) => args.run(app),
            Self::Result(args) => args.run(app),
            Self::Retry(args) => args.run(app),
            Self::Send(args) => args.run(app),
            Self::Spawn(args) => args.run(app),
            Self::Status(args) => args.run(app),
            Self::Stop(args) => args.run(app),
            Self::Sync(args) => args.run(app),
            Self::Task(args) => args.run(app),
            Self::Trust(args) => args.run(app),
            Self::Undo(args) => args.run(app),
            Self::Wait(args) => args.run(app),
        }
    }
}
