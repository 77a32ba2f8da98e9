//! Arguments of `wt queue`.

use clap::{Subcommand, ValueEnum};

use crate::cli::app::App;
use crate::cli::when::When;
use crate::commands::errand::Which;
use crate::commands::queue::control::{self, Part};
use crate::commands::queue::{edit, run};
use crate::domain::problem::Problem;
use crate::domain::task;

/// See what waits, in which order and for what; pause it, go on, and change the order.
///
///   wt queue                             what waits, over all repositories
///   wt queue pause --lane build          start no builds; what runs goes on
///   wt queue parallel 3 agent            so many agents at once, whatever the settings say
///   wt queue priority 9 theme-dark       who goes first
///   wt queue edit docs --at 22:00        when it starts after all
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, args_conflicts_with_subcommands = true)]
pub struct Args {
    /// What to do; without it, the queue is shown.
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Start nothing new; what runs goes on
    Pause {
        /// What is paused.
        #[command(flatten)]
        part: PartArgs,
    },
    /// Start again what was paused, or what an agent's failures hold up
    Resume {
        /// What goes on.
        #[command(flatten)]
        part: PartArgs,
        /// Release an agent that was held since it failed too often
        #[arg(long, value_name = "AGENT", conflicts_with_all = ["lane", "repo"])]
        agent: Option<String>,
    },
    /// Run so many at once, until you say otherwise: of a lane, else of all lanes together
    Parallel {
        /// A number, or `default` for what the settings say
        #[arg(value_parser = at_once)]
        at_once: AtOnce,
        /// Of this lane alone
        lane: Option<Lane>,
    },
    /// Set who goes first
    Priority {
        /// 1 to 10; higher goes first
        #[arg(value_parser = clap::value_parser!(u8).range(1..=10))]
        priority: u8,
        /// Variants' names, beginnings of task ids, or patterns such as `theme-*`
        tasks: Vec<String>,
    },
    /// Change when a task that waits is to start
    Edit(Box<EditArgs>),
}

#[derive(Debug, clap::Args)]
struct PartArgs {
    /// One lane, over all repositories
    #[arg(long, value_name = "LANE")]
    lane: Option<Lane>,

    /// The repository you stand in
    #[arg(long, conflicts_with = "lane")]
    repo: bool,
}

#[derive(Debug, clap::Args)]
struct EditArgs {
    /// A variant's name, or the beginning of a task's id
    task: String,

    /// When it is to start.
    #[command(flatten)]
    when: When,

    /// Wait for no time any more
    #[arg(long, conflicts_with_all = ["at", "start_in"])]
    now: bool,

    /// It has no end any more
    #[arg(long, conflicts_with = "until")]
    no_until: bool,

    /// Go on without these tasks; with none named, without all that failed
    #[arg(long, value_name = "TASK", num_args = 0.., value_delimiter = ',')]
    skip: Option<Vec<String>>,

    /// Who goes first: 1 to 10
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=10))]
    priority: Option<u8>,
}

/// A class of work with its own parallelism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Lane {
    /// Agents
    Agent,
    /// Builds and unit tests
    Build,
    /// End-to-end tests
    E2e,
}

impl From<Lane> for task::Lane {
    fn from(lane: Lane) -> Self {
        match lane {
            Lane::Agent => Self::Agent,
            Lane::Build => Self::Build,
            Lane::E2e => Self::E2e,
        }
    }
}

/// How many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AtOnce {
    So(u32),
    Default,
}

fn at_once(text: &str) -> Result<AtOnce, String> {
    if text == "default" {
        return Ok(AtOnce::Default);
    }
    let count: u32 = text.parse().map_err(|_| "a number, or `default`".to_owned())?;
    match count {
        0 => Err("to start nothing at all: `wt queue pause`".to_owned()),
        count => Ok(AtOnce::So(count)),
    }
}

impl PartArgs {
    fn part(&self) -> Part {
        match (self.lane, self.repo) {
            (Some(lane), _) => Part::Lane(lane.into()),
            (None, true) => Part::Repository,
            (None, false) => Part::All,
        }
    }
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// Whatever is missing or in the way.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let ctx = app.context()?;
        match self.verb {
            None => app.print("queue", &run(&ctx)?),
            Some(Verb::Pause { part }) => {
                app.print("queue-pause", &control::pause(&ctx, part.part())?)
            }
            Some(Verb::Resume { agent: Some(agent), .. }) => {
                app.print("queue-resume", &control::release(&ctx, &agent)?)
            }
            Some(Verb::Resume { part, agent: None }) => {
                app.print("queue-resume", &control::resume(&ctx, part.part())?)
            }
            Some(Verb::Parallel { at_once, lane }) => {
                let count = match at_once {
                    AtOnce::So(count) => Some(count),
                    AtOnce::Default => None,
                };
                let done = control::parallel(&ctx, lane.map(Into::into), count)?;
                app.print("queue-parallel", &done)
            }
            Some(Verb::Priority { priority, tasks }) => {
                let which = Which { names: tasks, all: false };
                app.print("queue-priority", &control::priority(&ctx, &which, priority)?)
            }
            Some(Verb::Edit(args)) => app.print("queue-edit", &edit::run(&ctx, &args.request())?),
        }
    }
}

impl EditArgs {
    fn request(self) -> edit::Request {
        edit::Request {
            task: self.task,
            when: self.when.into(),
            now: self.now,
            no_until: self.no_until,
            skip: self.skip,
            priority: self.priority,
        }
    }
}
