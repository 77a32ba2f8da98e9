//! `wt wait`: until work has ended.

use std::time::Duration;

use serde::Serialize;

use crate::commands::context::Context;
use crate::commands::errand::{self, Errand, Which};
use crate::commands::status::{Line, line};
use crate::domain::problem::{Kind, Problem};
use crate::domain::task::TaskState;
use crate::engine::{start, wait};
use crate::store::tasks;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The tasks; none is that of the variant stood in.
    pub which: Which,
    /// The end of one of them is enough.
    pub any: bool,
    /// How long at most.
    pub timeout: Option<Duration>,
}

/// How the work stands now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// What has ended, in the order in which it was named.
    pub ended: Vec<Line>,
    /// What has not: with `any`, or when the time ran out.
    pub under_way: Vec<Line>,
}

impl Outcome {
    /// The problem that this is for a script: something ended otherwise than done. `None` when
    /// all is well.
    pub fn problem(&self) -> Option<Problem> {
        let bad: Vec<&Line> =
            self.ended.iter().filter(|line| line.state != TaskState::Done).collect();
        let first = bad.first()?;
        let names: Vec<String> =
            bad.iter().map(|line| format!("`{}` {}", line.name, line.standing.word())).collect();
        let text = format!("not all ended well: {}", names.join(", "));
        let hint = format!("see what it needs: `wt status {}`", first.name);
        Some(Problem::failed(text).hint(hint).data(self))
    }
}

/// Waits; tells of each that ends on the way.
///
/// # Errors
/// When a name has no task; of kind [`Kind::TimedOut`] when the time ran out.
pub fn run(ctx: &Context<'_>, request: &Request) -> Result<Outcome, Problem> {
    let errands = request.which.resolve(ctx)?;
    if errands.iter().any(|errand| !errand.task.state.is_final()) {
        start::ensure_running(ctx.store.layout(), ctx.environment)?;
    }
    let mut told = 0;
    let enough = wait::attended((ctx.store.layout(), ctx.environment), request.timeout, || {
        let ended = ended(ctx, &errands)?;
        tell(ctx, &errands, ended, &mut told);
        let is_enough = if request.any { ended > 0 } else { ended == errands.len() };
        Ok::<_, Problem>(is_enough || errands.is_empty())
    })?;
    let outcome = outcome(ctx, &errands)?;
    if enough {
        return Ok(outcome);
    }
    let left: Vec<&str> = outcome.under_way.iter().map(|line| line.name.as_str()).collect();
    let text = format!("the time ran out; still under way: {}", left.join(", "));
    Err(Problem::new(Kind::TimedOut, text)
        .hint("see what they do: `wt status`")
        .hint(format!("wait on: `wt wait {}`", left.join(" ")))
        .data(&outcome))
}

fn ended(ctx: &Context<'_>, errands: &[Errand]) -> Result<usize, Problem> {
    let mut ended = 0;
    for errand in errands {
        let now = tasks::by_id(ctx.store.read(), &errand.task.id)?;
        ended += usize::from(now.is_none_or(|task| task.state.is_final()));
    }
    Ok(ended)
}

/// Somebody sits in front of it: say when there is something new.
fn tell(ctx: &Context<'_>, errands: &[Errand], ended: usize, told: &mut usize) {
    if ended > *told && ended < errands.len() {
        ctx.observer.tell(&format!("{ended} of {} ended", errands.len()));
    }
    *told = ended;
}

fn outcome(ctx: &Context<'_>, errands: &[Errand]) -> Result<Outcome, Problem> {
    let (mut ended, mut under_way) = (vec![], vec![]);
    let now = ctx.clock.now();
    for errand in errands {
        let task = tasks::by_id(ctx.store.read(), &errand.task.id)?;
        let fresh = task.map(|task| errand::errand(ctx, task)).transpose()?.flatten();
        let line = line(ctx, fresh.as_ref().unwrap_or(errand), now)?;
        if line.state.is_final() { ended.push(line) } else { under_way.push(line) }
    }
    Ok(Outcome { ended, under_way })
}
