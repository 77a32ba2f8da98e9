//! `wt stop`: the end of work, with everything it started.

use std::time::Duration;

use serde::Serialize;

use crate::commands::again;
use crate::commands::context::Context;
use crate::commands::errand::{self, Errand, Which};
use crate::commands::status::{Line, line};
use crate::domain::attempt::StopRequest;
use crate::domain::problem::{Kind, Problem};
use crate::domain::task::TaskState;
use crate::domain::variant::{Variant, VariantState};
use crate::engine::process::identity::{Here, Liveness};
use crate::engine::start::{self, Ensured};
use crate::engine::stop::{self, Asked};
use crate::engine::wait;
use crate::git::place::Place;
use crate::git::snapshot;
use crate::store::folder::Folder;
use crate::store::{repos, tasks};

/// How long the end of everything is waited for. The gentle signal, TERM and KILL take a few
/// seconds each; what an agent left is committed after that.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The tasks; none is that of the variant stood in.
    pub which: Which,
    /// Only tell what would be ended.
    pub dry_run: bool,
}

/// What was ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// True when nothing was done.
    pub dry_run: bool,
    /// One for each task, in the order in which it was named.
    pub tasks: Vec<Stopped>,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stopped {
    /// What was done.
    pub how: How,
    /// How many of its processes were told to end; `None` where it had none, or cannot be seen.
    pub processes: Option<u32>,
    /// How many survived even being killed.
    pub survived: u32,
    /// What would have it go on: a command. `None` where nothing was stopped.
    pub next: Option<String>,
    /// How it stands now.
    #[serde(flatten)]
    pub line: Line,
}

/// What was done to end a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// Its processes were ended.
    Stopped,
    /// It had not begun, and never will.
    Unqueued,
    /// It had ended before.
    AlreadyEnded,
}

/// Ends tasks.
///
/// # Errors
/// When a name has no task, one runs where this machine cannot reach it, or does not end.
pub fn run(ctx: &Context<'_>, request: &Request) -> Result<Outcome, Problem> {
    let errands = request.which.resolve(ctx)?;
    if request.dry_run {
        let now = ctx.clock.now();
        let plan = errands.iter().map(|errand| {
            let line = line(ctx, errand, now)?;
            Ok(Stopped { how: intended(errand), processes: None, survived: 0, next: None, line })
        });
        return Ok(Outcome { dry_run: true, tasks: plan.collect::<Result<_, Problem>>()? });
    }
    let here = Here::read();
    if let Some(errand) = errands.iter().find(|errand| runs_elsewhere(&here, errand)) {
        // Before anything is asked of the others.
        return Err(elsewhere(errand));
    }
    let at = ctx.clock.now();
    let by = StopRequest { at, why: "by you".into(), class: None };
    let mut asked = vec![];
    for errand in &errands {
        if errand.task.state == TaskState::Running {
            snapshot(ctx, errand);
        }
        asked.push(stop::ask(&ctx.store, &errand.task.id, &by)?);
    }
    let ensured = start::ensure(ctx.store.layout(), ctx.environment)?;
    for (errand, asked) in errands.iter().zip(&asked) {
        if let Asked::Told(end) = asked {
            if end.holder == Liveness::Elsewhere {
                return Err(elsewhere(errand));
            }
            until_gone(ctx, errand, ensured)?;
        }
    }
    let stopped = errands.iter().zip(asked).map(|(errand, asked)| told(ctx, errand, &asked));
    Ok(Outcome { dry_run: false, tasks: stopped.collect::<Result<_, Problem>>()? })
}

fn runs_elsewhere(here: &Here, errand: &Errand) -> bool {
    let holder = errand.attempt.holder.as_ref();
    errand.task.state == TaskState::Running
        && holder.is_some_and(|holder| here.liveness(holder) == Liveness::Elsewhere)
}

fn intended(errand: &Errand) -> How {
    match errand.task.state {
        TaskState::Running => How::Stopped,
        state if state.is_final() => How::AlreadyEnded,
        _ => How::Unqueued,
    }
}

/// Keeps the worktree as it is, for an agent may tidy up when it is told to end. That it cannot be
/// kept is told, and is no reason to let an agent go on that a person wants stopped.
fn snapshot(ctx: &Context<'_>, errand: &Errand) {
    let taken = || -> Result<(), Problem> {
        let ready = |variant: &&Variant| variant.state == VariantState::Ready;
        let Some(variant) = errand.variant.as_ref().filter(ready) else { return Ok(()) };
        let Some(repo) = repos::by_id(ctx.store.read(), &variant.repo)? else { return Ok(()) };
        let place = Place::checkout(&variant.admin_dir, &repo.common_dir, &variant.path);
        let name = variant.name.as_str();
        snapshot::take(&place, &snapshot::Request::new(name, "stop", ctx.clock.now()))?;
        Ok(())
    };
    if let Err(problem) = taken() {
        ctx.observer.warn(&format!("`{}` could not be kept as it is: {problem}", errand.name));
    }
}

/// Waits until an attempt's processes are gone and, where an engine can do so, what they left was
/// looked at.
fn until_gone(ctx: &Context<'_>, errand: &Errand, ensured: Ensured) -> Result<(), Problem> {
    let folder = Folder::of(ctx.store.layout(), &errand.attempt.id);
    let text = format!("ending `{}`", errand.name);
    let _shown = ctx.observer.begin(&text, None);
    let gone = wait::attended((ctx.store.layout(), ctx.environment), Some(PATIENCE), || {
        let task = tasks::by_id(ctx.store.read(), &errand.task.id)?;
        let told = ensured == Ensured::Later && folder.exit()?.is_some();
        Ok::<_, Problem>(told || task.is_none_or(|task| task.state.is_final()))
    })?;
    if gone {
        return Ok(());
    }
    let text = format!("`{}` has not ended within {} s", errand.name, PATIENCE.as_secs());
    Err(Problem::new(Kind::Failed, text)
        .hint(format!("see what is left of it: `wt status {}`", errand.name)))
}

fn elsewhere(errand: &Errand) -> Problem {
    let text = format!(
        "`{}` runs on another machine, or in another container, that shares this state",
        errand.name
    );
    Problem::refused(text).hint(format!("there: `wt stop {}`", errand.task.id))
}

fn told(ctx: &Context<'_>, errand: &Errand, asked: &Asked) -> Result<Stopped, Problem> {
    let now = tasks::by_id(ctx.store.read(), &errand.task.id)?;
    let now = now.map(|task| errand::errand(ctx, task)).transpose()?.flatten();
    let line = line(ctx, now.as_ref().unwrap_or(errand), ctx.clock.now())?;
    let (how, exit) = match asked {
        Asked::Ended => (How::AlreadyEnded, None),
        Asked::Unqueued => (How::Unqueued, None),
        Asked::Told(end) => (How::Stopped, Folder::of(ctx.store.layout(), &end.attempt.id).exit()?),
    };
    let name = &errand.name;
    let next = || match again::require_hearing(ctx, now.as_ref().unwrap_or(errand)) {
        Ok(()) => format!("wt send {name} \"…\""),
        // It has no session to be told anything in.
        Err(_) => format!("wt retry {name}"),
    };
    Ok(Stopped {
        how,
        next: (how == How::Stopped).then(next),
        processes: exit.as_ref().map(|exit| exit.ended),
        survived: exit.map_or(0, |exit| exit.survived),
        line,
    })
}
