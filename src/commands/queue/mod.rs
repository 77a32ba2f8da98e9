//! `wt queue`: what waits, in which order and for what, over all repositories; and what a person
//! says about it.

pub mod control;
pub mod edit;

use std::cmp::Reverse;

use jiff::Timestamp;
use serde::Serialize;

use crate::agents::registry::Registry;
use crate::commands::context::Context;
use crate::commands::errand::{self, Errand, Stood};
use crate::commands::status::{Line, line};
use crate::commands::when::{After, When};
use crate::domain::id::RepoId;
use crate::domain::problem::Problem;
use crate::domain::task::{FailureClass, Lane, Task, TaskState};
use crate::domain::waiting::{Hold, Pause, Scope};
use crate::engine::limits::{Limits, TASKS};
use crate::engine::start;
use crate::store::{config, dependencies, holds, repos, tasks, terms, throttle};

/// The queue.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// When it was asked; ages count to here.
    pub now: Timestamp,
    /// How much may run at once, and how much does: each lane, then all of them together.
    pub slots: Vec<Slots>,
    /// What is paused, the oldest first.
    pub paused: Vec<Paused>,
    /// The agents that are held.
    pub held: Vec<Held>,
    /// What waits, in the order in which it would start.
    pub waiting: Vec<Waiting>,
}

/// How much of a kind runs at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Slots {
    /// A lane's name, or `tasks` for all lanes together.
    pub what: String,
    /// How many run.
    pub busy: u32,
    /// How many may.
    pub of: u32,
    /// True when that was set by `wt queue parallel`, not by the settings.
    pub set: bool,
}

/// Something that is paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paused {
    /// The lane, for a pause of one.
    pub lane: Option<Lane>,
    /// The repository's name, for a pause of one. Without both, everything is paused.
    pub repository: Option<String>,
    /// Since when.
    pub since: Timestamp,
}

/// An agent that is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// The agent.
    pub agent: String,
    /// What kind its newest failure was.
    pub class: FailureClass,
    /// How many failures there were.
    pub failures: u32,
    /// Since when.
    pub since: Timestamp,
    /// The command that logs in, where that is what it takes.
    pub login: Option<String>,
}

/// A task that waits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Waiting {
    /// Its place, from 1.
    pub place: usize,
    /// Its lane.
    pub lane: Lane,
    /// When it starts, where that was asked for.
    #[serde(flatten)]
    pub when: When,
    /// How it stands.
    #[serde(flatten)]
    pub line: Line,
}

/// Looks at the queue. Starts the engine if something waits and none looks after it.
///
/// # Errors
/// The store's.
pub fn run(ctx: &Context<'_>) -> Result<Outcome, Problem> {
    let db = ctx.store.read();
    let mut open = tasks::open(db)?;
    if !open.is_empty() {
        start::ensure_running(ctx.store.layout(), ctx.environment)?;
    }
    let slots = slots(ctx, &open)?;
    open.retain(|task| task.state != TaskState::Running);
    // As the schedule has it.
    open.sort_by_key(|task| (Reverse(task.priority), task.created_at, task.id.clone()));
    let mut waiting = vec![];
    for (at, task) in open.into_iter().enumerate() {
        if let Some(errand) = errand::errand(ctx, task)? {
            waiting.push(self::waiting(ctx, &errand, at + 1)?);
        }
    }
    let paused = throttle::pauses(db)?;
    Ok(Outcome {
        now: ctx.clock.now(),
        slots,
        paused: paused
            .into_iter()
            .map(|pause| self::paused(ctx, pause))
            .collect::<Result<_, _>>()?,
        held: holds::all(db)?.into_iter().map(|hold| held(ctx, hold)).collect(),
        waiting,
    })
}

/// A task that waits, with its place.
///
/// # Errors
/// The store's.
fn waiting(ctx: &Context<'_>, errand: &Errand, place: usize) -> Result<Waiting, Problem> {
    Ok(Waiting {
        place,
        lane: errand.task.lane,
        when: when(ctx, &errand.task)?,
        line: line(ctx, errand, ctx.clock.now())?,
    })
}

/// When a task starts, where that was asked for.
fn when(ctx: &Context<'_>, task: &Task) -> Result<When, Problem> {
    let db = ctx.store.read();
    let terms = terms::of(db, &task.id)?;
    let mut after = vec![];
    for known in dependencies::of_task(db, &task.id)?.into_iter().filter(|known| !known.skipped) {
        let on = tasks::by_id(db, &known.on)?;
        let errand = on.map(|on| errand::errand(ctx, on)).transpose()?.flatten();
        let branch = errand.as_ref().and_then(|errand| errand.variant.as_ref());
        let branch = branch.map(|variant| (variant.repo.clone(), variant.branch.clone()));
        let name = errand.map_or_else(|| known.on.to_string(), |errand| errand.name);
        after.push(After { name, task: known.on, any: known.any, branch });
    }
    Ok(When { after, at: terms.not_before, until: terms.until, onto: terms.onto })
}

/// How much of each kind runs, and may.
fn slots(ctx: &Context<'_>, open: &[Task]) -> Result<Vec<Slots>, Problem> {
    let said = throttle::parallel(ctx.store.read())?;
    let limits = Limits::of(&config::of_user(ctx.environment)?.limits, &said);
    let count = |lane: Option<Lane>| {
        let runs = open.iter().filter(|task| task.state == TaskState::Running);
        let count = runs.filter(|task| lane.is_none_or(|lane| task.lane == lane)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    };
    let set = |what: &str| said.iter().any(|(known, _)| known == what);
    let lanes = limits.lanes.iter().map(|(lane, of)| Slots {
        what: lane.as_str().to_owned(),
        busy: count(Some(*lane)),
        of: *of,
        set: set(lane.as_str()),
    });
    let all = Slots { what: TASKS.into(), busy: count(None), of: limits.tasks, set: set(TASKS) };
    Ok(lanes.chain([all]).collect())
}

fn paused(ctx: &Context<'_>, pause: Pause) -> Result<Paused, Problem> {
    let (lane, repo) = match pause.scope {
        Scope::All => (None, None),
        Scope::Lane(lane) => (Some(lane), None),
        Scope::Repo(repo) => (None, Some(repo)),
    };
    let named = repo.as_ref().map(|id| repos::by_id(ctx.store.read(), id)).transpose()?.flatten();
    let repository = repo.map(|id| named.map_or_else(|| id.to_string(), |row| row.name));
    Ok(Paused { lane, repository, since: pause.at })
}

fn held(ctx: &Context<'_>, hold: Hold) -> Held {
    let registry = match ctx.environment.config_dir() {
        Some(dir) => Registry::load(&dir),
        None => Registry::built_in(),
    };
    let template = registry.get(&hold.agent).ok().filter(|_| hold.class == FailureClass::Auth);
    let login = template.and_then(|template| template.login.command.clone());
    let Hold { agent, class, failures, at } = hold;
    Held { agent, class, failures, since: at, login }
}

/// Warns that what was queued just now waits for a person's word, and which.
///
/// # Errors
/// The store's.
pub fn warn_if_held_up(
    ctx: &Context<'_>,
    (repo, lane): (&RepoId, Lane),
    agents: &[&str],
) -> Result<(), Problem> {
    let db = ctx.store.read();
    let pauses = throttle::pauses(db)?;
    if let Some(pause) = pauses.iter().find(|pause| pause.scope.covers(lane, repo)) {
        let (part, flag) = match &pause.scope {
            Scope::All => ("the queue".to_owned(), String::new()),
            Scope::Lane(lane) => {
                (format!("lane {}", lane.as_str()), format!(" --lane {}", lane.as_str()))
            }
            Scope::Repo(_) => ("this repository".to_owned(), " --repo".to_owned()),
        };
        ctx.observer.warn(&format!("{part} is paused; go on: `wt queue resume{flag}`"));
    }
    for hold in holds::all(db)?.iter().filter(|hold| agents.contains(&hold.agent.as_str())) {
        let (agent, class) = (&hold.agent, hold.class.as_str());
        ctx.observer.warn(&format!(
            "{agent} is held, since it failed ({class}); release it: \
             `wt queue resume --agent {agent}`"
        ));
    }
    Ok(())
}

/// The repository that a command stands in, for a word about it.
///
/// # Errors
/// When it stands in none that `wt` knows.
fn repository(ctx: &Context<'_>) -> Result<repos::RepoRow, Problem> {
    Stood::of(ctx)?.repo.ok_or_else(|| {
        Problem::usage("this is no repository in which anything was ever queued")
            .hint("name one: `wt -C DIR queue …`")
    })
}
