//! When work is to start: after other work, at a time, not after one.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::commands::context::Context;
use crate::commands::errand::{self, Errand};
use crate::domain::id::{RepoId, TaskId};
use crate::domain::moment;
use crate::domain::problem::Problem;
use crate::domain::waiting::{Conditions, Terms};
use crate::engine::schedule::{Awaited, awaited};

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Names of tasks that have to end well before.
    pub after: Vec<String>,
    /// Names of tasks that have to end before, however.
    pub after_any: Vec<String>,
    /// Not before this.
    pub start: Option<Start>,
    /// Not after this, as a person writes a moment.
    pub until: Option<String>,
}

/// When it may start at the earliest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// At a moment, as a person writes it.
    At(String),
    /// So long from now.
    In(Duration),
}

/// When it starts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct When {
    /// The tasks it waits for.
    pub after: Vec<After>,
    /// It starts at this moment or later.
    pub at: Option<Timestamp>,
    /// From this moment on it neither starts nor goes on.
    pub until: Option<Timestamp>,
    /// The branch that its own starts from, as that stands when it starts: that of a task that it
    /// waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub onto: Option<String>,
}

/// A task that is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct After {
    /// What can be typed for it.
    pub name: String,
    /// It.
    pub task: TaskId,
    /// Any end of it counts; without, only its success.
    pub any: bool,
    /// The repository and the branch that it works on, where it has one of its own.
    #[serde(skip)]
    pub branch: Option<(RepoId, String)>,
}

impl Request {
    /// Finds the tasks and reads the times. Warns of a task that has missed already what is waited
    /// for.
    ///
    /// # Errors
    /// An unknown task, no time or one that is over, an end before the start.
    pub fn resolve(&self, ctx: &Context<'_>) -> Result<When, Problem> {
        let mut after = vec![];
        for (names, any) in [(&self.after, false), (&self.after_any, true)] {
            for name in names {
                let errand = errand::single(ctx, Some(name))?;
                warn_if_missed(ctx, &errand, any);
                let branch = errand.variant.map(|variant| (variant.repo, variant.branch));
                after.push(After { name: errand.name, task: errand.task.id, any, branch });
            }
        }
        let (at, until) = self.times(ctx.clock.now())?;
        Ok(When { after, at, until, onto: None })
    }

    /// The moments asked for: the earliest start, and the end.
    ///
    /// # Errors
    /// What is no time, or over, or an end before the start.
    pub fn times(&self, now: Timestamp) -> Result<(Option<Timestamp>, Option<Timestamp>), Problem> {
        let zone = TimeZone::system();
        let read = |flag: &str, text: &str| {
            let refuse = |why: String| Problem::usage(format!("{flag}: {why}"));
            moment::parse(text, now, &zone).map_err(refuse)
        };
        let at = match &self.start {
            None => None,
            Some(Start::At(text)) => Some(read("--at", text)?),
            Some(Start::In(long)) => Some(later(now, *long)?),
        };
        let until = self.until.as_deref().map(|text| read("--until", text)).transpose()?;
        if let (Some(start), Some(end)) = (at.or(Some(now)), until)
            && end <= start
        {
            let text = "it would have to end before it starts: `--until` is not after `--at`";
            return Err(Problem::usage(text));
        }
        Ok((at, until))
    }
}

impl When {
    /// What forks from the branch of a task that it waits for is stacked upon it: it starts from
    /// what is there by then.
    pub fn stack(&mut self, repo: Option<&RepoId>, base: Option<&str>) {
        let same = |after: &&After| {
            let branch = after.branch.as_ref();
            branch.is_some_and(|(known, branch)| Some(known) == repo && Some(&**branch) == base)
        };
        if self.after.iter().any(|after| same(&after)) {
            self.onto = base.map(str::to_owned);
        }
    }

    /// True when it may start at once.
    pub fn is_now(&self) -> bool {
        *self == Self::default()
    }

    /// The same as it is recorded. What is queued from within an attempt has nobody in front of it.
    pub fn conditions(&self, ctx: &Context<'_>) -> Conditions {
        let unattended = ctx.environment.attempt().is_some();
        let (not_before, until) = (self.at, self.until);
        let onto = self.onto.clone();
        let terms = Terms { not_before, until, unattended, onto, ..Terms::default() };
        let after = self.after.iter().map(|after| (after.task.clone(), after.any));
        Conditions { terms, after: after.collect() }
    }
}

fn later(now: Timestamp, long: Duration) -> Result<Timestamp, Problem> {
    let refuse = || Problem::usage("--in: that is too far away");
    let long = SignedDuration::try_from(long).map_err(|_| refuse())?;
    let then = now.checked_add(long).map_err(|_| refuse())?;
    // What the store holds.
    Ok(Timestamp::from_millisecond(then.as_millisecond()).unwrap_or(then))
}

fn warn_if_missed(ctx: &Context<'_>, errand: &Errand, any: bool) {
    if let Some(Awaited::Missed(how)) = awaited(Some(&errand.task), any) {
        let name = &errand.name;
        ctx.observer.warn(&format!(
            "`{name}` {how}: what comes after it waits until you decide, `wt retry {name}` perhaps"
        ));
    }
}
