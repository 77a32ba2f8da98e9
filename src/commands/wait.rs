//! `wt wait`: until work has ended.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;

use crate::commands::context::Context;
use crate::commands::errand::{self, Errand, Which};
use crate::commands::status::{Line, line};
use crate::commands::stuck::{self, Stuck};
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

/// Waits; tells of each that ends on the way, and what waits for what.
///
/// # Errors
/// When a name has no task; of kind [`Kind::TimedOut`] when the time ran out; of kind
/// [`Kind::Refused`] when the rest waits for what a person has to decide.
pub fn run(ctx: &Context<'_>, request: &Request) -> Result<Outcome, Problem> {
    let errands = request.which.resolve(ctx)?;
    if errands.iter().any(|errand| !errand.task.state.is_final()) {
        start::ensure_running(ctx.store.layout(), ctx.environment)?;
    }
    let mut told = Told::default();
    let mut seen = Seen::default();
    let over = wait::attended((ctx.store.layout(), ctx.environment), request.timeout, || {
        seen = look(ctx, &errands)?;
        told.tell(ctx, &seen, errands.len());
        Ok::<_, Problem>(seen.is_enough(request, errands.len()) || seen.is_hopeless())
    })?;
    let outcome = outcome(ctx, &errands)?;
    if over && (seen.is_enough(request, errands.len()) || outcome.under_way.is_empty()) {
        return Ok(outcome);
    }
    if let Some(stuck) = seen.stuck.first().filter(|_| over) {
        return Err(stuck.problem(ctx)?.data(&outcome));
    }
    let left: Vec<&str> = outcome.under_way.iter().map(|line| line.name.as_str()).collect();
    let text = format!("the time ran out; still under way: {}", left.join(", "));
    Err(Problem::new(Kind::TimedOut, text)
        .hint("see what they do: `wt status`")
        .hint(format!("wait on: `wt wait {}`", left.join(" ")))
        .data(&outcome))
}

/// What a look at the work has shown.
#[derive(Default)]
struct Seen {
    ended: usize,
    /// What has not ended.
    open: usize,
    /// What waits, by name, and for what.
    waiting: Vec<(String, String)>,
    /// What waits for a person's decision.
    stuck: Vec<Stuck>,
}

impl Seen {
    fn is_enough(&self, request: &Request, all: usize) -> bool {
        all == 0 || self.ended == all || (request.any && self.ended > 0)
    }

    /// Nothing more happens by itself.
    fn is_hopeless(&self) -> bool {
        self.open > 0 && self.stuck.len() == self.open
    }
}

fn look(ctx: &Context<'_>, errands: &[Errand]) -> Result<Seen, Problem> {
    let mut seen = Seen::default();
    for errand in errands {
        let now = tasks::by_id(ctx.store.read(), &errand.task.id)?;
        let Some(task) = now.filter(|task| !task.state.is_final()) else {
            seen.ended += 1;
            continue;
        };
        seen.open += 1;
        seen.stuck.extend(stuck::of(ctx.store.read(), &task)?);
        let reason = task.reason.filter(|_| task.state == TaskState::Waiting);
        seen.waiting.extend(reason.map(|reason| (errand.name.clone(), reason)));
    }
    Ok(seen)
}

/// What was told already: somebody sits in front of it, and hears when there is something new.
#[derive(Default)]
struct Told {
    ended: usize,
    waiting: HashMap<String, String>,
}

impl Told {
    fn tell(&mut self, ctx: &Context<'_>, seen: &Seen, all: usize) {
        if seen.ended > self.ended && seen.ended < all {
            ctx.observer.tell(&format!("{} of {all} ended", seen.ended));
        }
        self.ended = seen.ended;
        for (name, reason) in &seen.waiting {
            // That of another number of busy slots is the same reason.
            let kind = reason.split('(').next().unwrap_or_default().to_owned();
            if self.waiting.insert(name.clone(), kind.clone()) != Some(kind) {
                ctx.observer.tell(&format!("{name} waits: {reason}"));
            }
        }
    }
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
