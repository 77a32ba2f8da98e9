//! `wt report`: an agent tells how far it is, from inside its own attempt.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::commands::context::Context;
use crate::domain::attempt::{AttemptState, Report};
use crate::domain::id::{AttemptId, TaskId};
use crate::domain::problem::Problem;
use crate::store::error::StoreError;
use crate::store::events::{self, NewEvent};
use crate::store::{attempts, bell, tasks};

/// The longest text that is kept of a phase, a milestone, a reason.
const TEXT_MAX: usize = 300;

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// Whose report it is.
    pub task: TaskId,
    /// The attempt.
    pub attempt: AttemptId,
    /// All that the attempt has told so far.
    pub report: Report,
}

/// Records it with the attempt that this process works in, and with no other. No engine is started
/// in here; one that runs hears of it.
///
/// # Errors
/// When this process works in no attempt of this state, or in one that has ended.
pub fn run(ctx: &Context<'_>, told: Report) -> Result<Outcome, Problem> {
    let outside = || {
        Problem::refused("this is no agent's work, so there is nothing to report on")
            .hint("see what agents report: `wt status`")
    };
    let id = AttemptId::new(ctx.environment.attempt().ok_or_else(outside)?);
    let now = ctx.clock.now();
    let told = clipped(told);
    let recorded = ctx.store.write(|tx| {
        let Some(attempt) = attempts::by_id(tx, &id)? else { return Ok(None) };
        if attempt.state != AttemptState::Running {
            return Ok(Some((attempt, false)));
        }
        let report = attempt.told.clone().unwrap_or_default().followed_by(told.clone(), now);
        attempts::set_told(tx, &id, &report)?;
        let task = tasks::by_id(tx, &attempt.task)?;
        let data = match serde_json::to_value(&told) {
            Ok(Value::Object(data)) => data,
            _ => Map::new(),
        };
        let event = NewEvent {
            kind: "agent-reported",
            repo: task.as_ref().map(|task| &task.repo),
            variant: task.as_ref().and_then(|task| task.variant),
            task: Some(&attempt.task),
            attempt: Some(&id),
            data,
        };
        events::record(tx, now, &event)?;
        let attempt = crate::domain::attempt::Attempt { told: Some(report), ..attempt };
        Ok::<_, StoreError>(Some((attempt, true)))
    })?;
    match recorded {
        None => Err(outside()),
        Some((attempt, false)) => {
            Err(Problem::refused(format!("attempt `{}` has ended", attempt.id)))
        }
        Some((attempt, true)) => {
            bell::ring(&ctx.store.layout().bell())?;
            let report = attempt.told.unwrap_or_default();
            Ok(Outcome { task: attempt.task, attempt: attempt.id, report })
        }
    }
}

/// What an agent says is anybody's text: kept on one line, and not at any length.
fn clipped(told: Report) -> Report {
    let line = |text: String| -> String {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        words.chars().filter(|c| !c.is_control()).take(TEXT_MAX).collect()
    };
    Report {
        phase: told.phase.map(line),
        milestone: told.milestone.map(line),
        blocked: told.blocked.map(line),
        ..told
    }
}
