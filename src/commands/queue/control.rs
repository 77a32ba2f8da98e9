//! What a person says about the queue as a whole: pause, go on, so many at once, who goes first.

use serde::Serialize;

use crate::commands::context::Context;
use crate::commands::errand::Which;
use crate::commands::queue::{self, Held, Paused, Slots, Waiting, repository};
use crate::domain::problem::Problem;
use crate::domain::task::{Lane, TaskState};
use crate::domain::waiting::Scope;
use crate::engine::limits::TASKS;
use crate::engine::start;
use crate::store::{holds, tasks, throttle};

/// What is paused, or goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    /// Everything.
    #[default]
    All,
    /// One lane, over all repositories.
    Lane(Lane),
    /// The repository stood in.
    Repository,
}

/// What was paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PauseDone {
    /// It.
    pub paused: Paused,
    /// False when it was paused already.
    pub changed: bool,
    /// How many tasks of it run, and go on.
    pub running: usize,
}

/// What goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResumeDone {
    /// False when nothing of the kind was paused or held.
    pub changed: bool,
    /// What is paused still.
    pub paused: Vec<Paused>,
    /// The agents that are held still.
    pub held: Vec<Held>,
    /// How many tasks wait.
    pub waiting: usize,
}

/// How much runs at once from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ParallelDone {
    /// Each lane, then all of them together.
    pub slots: Vec<Slots>,
}

/// Tasks that were changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Changed {
    /// Each with its place in the queue now.
    pub tasks: Vec<Waiting>,
}

/// Pauses the queue or a part of it: nothing of it starts; what runs goes on.
///
/// # Errors
/// The store's; no repository here.
pub fn pause(ctx: &Context<'_>, part: Part) -> Result<PauseDone, Problem> {
    let (scope, now) = (scope(ctx, part)?, ctx.clock.now());
    let changed = ctx.store.write_durably(|tx| throttle::pause(tx, &scope, now))?;
    let db = ctx.store.read();
    let open = tasks::open(db)?;
    let of_it = open.iter().filter(|task| scope.covers(task.lane, &task.repo));
    let running = of_it.filter(|task| task.state == TaskState::Running).count();
    tell_engine(ctx, !open.is_empty())?;
    let known = throttle::pauses(db)?.into_iter().find(|pause| pause.scope == scope);
    let pause = known.ok_or_else(|| Problem::failed("somebody ended the pause meanwhile"))?;
    Ok(PauseDone { paused: queue::paused(ctx, pause)?, changed, running })
}

/// Ends a pause.
///
/// # Errors
/// The store's; no repository here.
pub fn resume(ctx: &Context<'_>, part: Part) -> Result<ResumeDone, Problem> {
    let scope = scope(ctx, part)?;
    let changed = ctx.store.write_durably(|tx| throttle::resume(tx, &scope))?;
    resumed(ctx, changed)
}

/// Lets an agent start again that was held; its failures are forgotten.
///
/// # Errors
/// The store's.
pub fn release(ctx: &Context<'_>, agent: &str) -> Result<ResumeDone, Problem> {
    let changed = ctx.store.write_durably(|tx| holds::release(tx, agent))?;
    if !changed {
        ctx.observer.warn(&format!("`{agent}` was not held"));
    }
    resumed(ctx, changed)
}

fn resumed(ctx: &Context<'_>, changed: bool) -> Result<ResumeDone, Problem> {
    tell_engine(ctx, !tasks::open(ctx.store.read())?.is_empty())?;
    let queue = queue::run(ctx)?;
    let waiting = queue.waiting.len();
    Ok(ResumeDone { changed, paused: queue.paused, held: queue.held, waiting })
}

/// Sets how many run at once: of a lane, or without one of all lanes together. `None` is what the
/// settings say.
///
/// # Errors
/// The store's.
pub fn parallel(
    ctx: &Context<'_>,
    lane: Option<Lane>,
    at_once: Option<u32>,
) -> Result<ParallelDone, Problem> {
    let what = lane.map_or(TASKS, Lane::as_str);
    ctx.store.write_durably(|tx| throttle::set_parallel(tx, what, at_once))?;
    let open = tasks::open(ctx.store.read())?;
    tell_engine(ctx, !open.is_empty())?;
    Ok(ParallelDone { slots: queue::slots(ctx, &open)? })
}

/// Sets who goes first.
///
/// # Errors
/// When a name has no task, or its task does not wait.
pub fn priority(ctx: &Context<'_>, which: &Which, priority: u8) -> Result<Changed, Problem> {
    let errands = which.resolve(ctx)?;
    ctx.store.write_durably(|tx| {
        for errand in &errands {
            if !tasks::set_priority(tx, &errand.task.id, priority)? {
                return Err(begun(&errand.name));
            }
        }
        Ok::<_, Problem>(())
    })?;
    tell_engine(ctx, true)?;
    let mut waiting = queue::run(ctx)?.waiting;
    waiting.retain(|one| errands.iter().any(|errand| errand.task.id == one.line.task));
    Ok(Changed { tasks: waiting })
}

/// The refusal to change what does not wait any more.
pub fn begun(name: &str) -> Problem {
    Problem::refused(format!("`{name}` does not wait any more"))
        .hint(format!("see how it stands: `wt status {name}`"))
}

/// Wakes the engine; without any work there is none to wake.
///
/// # Errors
/// When none can be started.
pub fn tell_engine(ctx: &Context<'_>, work: bool) -> Result<(), Problem> {
    if work {
        start::ensure(ctx.store.layout(), ctx.environment)?;
    }
    Ok(())
}

fn scope(ctx: &Context<'_>, part: Part) -> Result<Scope, Problem> {
    Ok(match part {
        Part::All => Scope::All,
        Part::Lane(lane) => Scope::Lane(lane),
        Part::Repository => Scope::Repo(repository(ctx)?.id),
    })
}
