//! `wt queue edit`: when a task that waits is to start after all.

use crate::commands::context::Context;
use crate::commands::errand::{self, Errand};
use crate::commands::queue::control::{Changed, begun, tell_engine};
use crate::commands::queue::{self};
use crate::commands::when::{self, When};
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::task::TaskState;
use crate::domain::waiting::{Dependency, cycle};
use crate::engine::schedule::{Awaited, awaited};
use crate::store::db::Connection;
use crate::store::{dependencies, tasks, terms};

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The task.
    pub task: String,
    /// What it is to wait for in addition, and its times from now on.
    pub when: when::Request,
    /// It waits for no time any more.
    pub now: bool,
    /// It has no end any more.
    pub no_until: bool,
    /// Go on without these; with none named, without all that ended otherwise than waited for.
    pub skip: Option<Vec<String>>,
    /// Who goes first, 1 to 10.
    pub priority: Option<u8>,
}

/// Changes when a task starts.
///
/// # Errors
/// When it does not wait any more, it would wait for itself, a time is over, or there is nothing
/// to skip or to change.
pub fn run(ctx: &Context<'_>, request: &Request) -> Result<Changed, Problem> {
    let errand = errand::single(ctx, Some(&request.task))?;
    let when = request.when.resolve(ctx)?;
    let nothing = when.is_now() && !request.now && !request.no_until;
    if nothing && request.skip.is_none() && request.priority.is_none() {
        return Err(Problem::usage("nothing is to be changed")
            .hint("see what can be: `wt queue edit --help`"));
    }
    let skipped = skipped(ctx, &errand, request.skip.as_deref())?;
    ctx.store.write_durably(|tx| change(tx, &errand, request, (&when, &skipped)))?;
    tell_engine(ctx, true)?;
    let mut waiting = queue::run(ctx)?.waiting;
    waiting.retain(|one| one.line.task == errand.task.id);
    Ok(Changed { tasks: waiting })
}

fn change(
    tx: &Connection,
    errand: &Errand,
    request: &Request,
    (when, skipped): (&When, &[Dependency]),
) -> Result<(), Problem> {
    let id = &errand.task.id;
    let waits = |state| matches!(state, TaskState::Queued | TaskState::Waiting);
    if !tasks::by_id(tx, id)?.is_some_and(|task| waits(task.state)) {
        return Err(begun(&errand.name));
    }
    for skipped in skipped {
        dependencies::put(tx, skipped)?;
    }
    let known = dependencies::all(tx)?;
    for after in &when.after {
        if let Some(way) = cycle(&known, id, &after.task) {
            return Err(circle(&errand.name, &way));
        }
        let (task, on) = (id.clone(), after.task.clone());
        dependencies::put(tx, &Dependency { task, on, any: after.any, skipped: false })?;
    }
    let mut terms = terms::of(tx, id)?;
    if request.now || when.at.is_some() {
        (terms.not_before, terms.why) = (when.at, None);
    }
    if request.no_until || when.until.is_some() {
        terms.until = when.until;
    }
    terms::put(tx, id, &terms)?;
    if let Some(priority) = request.priority {
        tasks::set_priority(tx, id, priority)?;
    }
    Ok(())
}

fn circle(name: &str, way: &[TaskId]) -> Problem {
    let ids: Vec<&str> = way.iter().map(TaskId::as_str).collect();
    Problem::usage(format!("`{name}` would wait for itself")).detail(ids.join(" → "))
}

/// What is gone on without.
fn skipped(
    ctx: &Context<'_>,
    errand: &Errand,
    skip: Option<&[String]>,
) -> Result<Vec<Dependency>, Problem> {
    let Some(names) = skip else { return Ok(vec![]) };
    let db = ctx.store.read();
    let name = &errand.name;
    let known = dependencies::of_task(db, &errand.task.id)?;
    let mut found = vec![];
    for name_on in names {
        let on = errand::single(ctx, Some(name_on))?;
        let waits = known.iter().find(|known| known.on == on.task.id).cloned();
        let refuse = || Problem::usage(format!("`{name}` does not wait for `{name_on}`"));
        found.push(waits.ok_or_else(refuse)?);
    }
    if names.is_empty() {
        for waits in known {
            let on = tasks::by_id(db, &waits.on)?;
            if matches!(awaited(on.as_ref(), waits.any), Some(Awaited::Missed(_))) {
                found.push(waits);
            }
        }
        if found.is_empty() {
            let text = format!("nothing that `{name}` waits for has failed");
            let hint = format!("name what to go on without: `wt queue edit {name} --skip TASK`");
            return Err(Problem::refused(text).hint(hint));
        }
    }
    Ok(found.into_iter().map(|waits| Dependency { skipped: true, ..waits }).collect())
}
