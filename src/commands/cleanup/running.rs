//! What still works, or waits to work, in a variant that is to go.

use std::time::Duration;

use crate::commands::cleanup::plan::Blocked;
use crate::commands::context::Context;
use crate::domain::attempt::StopRequest;
use crate::domain::problem::Problem;
use crate::domain::task::{Task, TaskState};
use crate::domain::variant::Variant;
use crate::engine::start;
use crate::store::tasks::Change;
use crate::store::{attempts, tasks};

/// How often it is looked whether a task has ended, and how many times.
const LOOK: Duration = Duration::from_millis(40);
const LOOKS: u32 = 1_500;

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
    let now = ctx.clock.now();
    let why = StopRequest { at: now, why: "removed by you".to_owned(), class: None };
    ctx.store.write_durably(|tx| {
        for task in &open {
            match task.state {
                TaskState::Running => {
                    if let Some(attempt) = attempts::latest(tx, &task.id)? {
                        attempts::request_stop(tx, &attempt.id, &why)?;
                    }
                }
                state => {
                    let change = Change { reason: Some(why.why.clone()), ..Change::default() };
                    tasks::transition(tx, &task.id, (state, TaskState::Cancelled), &change, now)?;
                }
            }
        }
        Ok::<_, crate::store::error::StoreError>(())
    })?;
    start::ensure(ctx.store.layout(), ctx.environment)?;
    for _ in 0..LOOKS {
        if open_tasks(ctx, variant)?.is_empty() {
            return Ok(());
        }
        std::thread::sleep(LOOK);
    }
    let text = format!("what works in `{}` has not ended within a minute", variant.name);
    Err(Problem::failed(text).hint(format!("look at it: `wt status {}`", variant.name)))
}
