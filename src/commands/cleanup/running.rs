//! What still works, or waits to work, in a variant that is to go.

use std::time::Duration;

use crate::commands::cleanup::plan::Blocked;
use crate::commands::context::Context;
use crate::domain::attempt::StopRequest;
use crate::domain::problem::Problem;
use crate::domain::task::{Task, TaskState};
use crate::domain::variant::Variant;
use crate::engine::{start, stop, wait};
use crate::store::tasks;

/// How long the end of a variant's processes is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A variant's tasks that are not at their end.
///
/// # Errors
/// The store's.
pub fn open_tasks(ctx: &Context<'_>, variant: &Variant) -> Result<Vec<Task>, Problem> {
    let all = tasks::of_variant(ctx.store.read(), variant.key)?;
    Ok(all.into_iter().filter(|task| !task.state.is_final()).collect())
}

/// A variant in which somebody works goes only by force.
pub fn blocked(variant: &Variant, tasks: &[Task]) -> Option<Blocked> {
    let task = tasks.iter().find(|task| task.state == TaskState::Running).or(tasks.first())?;
    let (why, follow) = match task.state {
        TaskState::Running => ("its agent is at work", "follow it: `wt logs -f"),
        _ => ("its task waits to be started", "see what for: `wt status"),
    };
    let name = &variant.name;
    Some(Blocked {
        name: name.to_string(),
        why: why.to_owned(),
        force_passes: true,
        hints: vec![format!("{follow} {name}`"), format!("end it: `wt stop {name}`")],
    })
}

/// Stops a variant's tasks and waits until the last of their processes is gone.
///
/// # Errors
/// When one does not end within a minute.
pub fn stop(ctx: &Context<'_>, variant: &Variant) -> Result<(), Problem> {
    let open = open_tasks(ctx, variant)?;
    if open.is_empty() {
        return Ok(());
    }
    let at = ctx.clock.now();
    let why = StopRequest { at, why: "removed by you".to_owned(), class: None };
    for task in &open {
        stop::ask(&ctx.store, &task.id, &why)?;
    }
    start::ensure(ctx.store.layout(), ctx.environment)?;
    let gone = || open_tasks(ctx, variant).map(|open| open.is_empty());
    if wait::attended((ctx.store.layout(), ctx.environment), Some(PATIENCE), gone)? {
        return Ok(());
    }
    let text = format!("what works in `{}` has not ended within a minute", variant.name);
    Err(Problem::failed(text).hint(format!("look at it: `wt status {}`", variant.name)))
}
