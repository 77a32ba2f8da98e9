//! A further attempt of a task: `wt send` goes on in the agent's session, `wt retry` starts afresh.

use std::ffi::OsString;

use serde::Serialize;

use crate::agents::environment::passed;
use crate::agents::registry::Registry;
use crate::agents::render::{Rendered, Session, require_login};
use crate::agents::role::Roles;
use crate::agents::template::Says;
use crate::commands::allot;
use crate::commands::context::{Context, Here};
use crate::commands::errand::Errand;
use crate::commands::spawn::crew;
use crate::commands::spawn::spot::Spot;
use crate::domain::attempt::AttemptKind;
use crate::domain::id::{AttemptId, TaskId};
use crate::domain::launch::LaunchSpec;
use crate::domain::problem::Problem;
use crate::domain::task::TaskState;
use crate::domain::usage::SessionTotals;
use crate::domain::variant::{Variant, VariantState};
use crate::domain::waiting::Terms;
use crate::engine::queue::{self, Order};
use crate::engine::relaunch::{Further, relaunch};
use crate::engine::start;
use crate::git::snapshot;
use crate::store::db::Connection;
use crate::store::error::StoreError;
use crate::store::folder::Folder;
use crate::store::lock::Lock;
use crate::store::tasks::Change;
use crate::store::{attempts, holds, random, tasks, terms};

/// How a task is to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How<'a> {
    /// In the agent's session, with these words.
    Told(&'a str),
    /// From the beginning, in the worktree as it is.
    Afresh,
}

/// An attempt that was queued.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Queued {
    /// What can be typed for the task.
    pub name: String,
    /// The task.
    pub task: TaskId,
    /// The new attempt.
    pub attempt: AttemptId,
    /// Its number.
    pub number: u32,
    /// Why there is this attempt.
    pub why: AttemptKind,
    /// The agent.
    pub agent: String,
    /// The session it goes on in, or the one it begins where that is known beforehand.
    pub session: Option<String>,
}

/// Queues a further attempt, and wakes the engine.
///
/// # Errors
/// When the task is under way, its worktree is gone, its agent cannot go on or is not there.
pub fn queue(ctx: &Context<'_>, errand: &Errand, how: How<'_>) -> Result<Queued, Problem> {
    let variant = worktree(errand)?;
    let place = variant.map(|variant| Ok::<_, Problem>((ctx.at(variant)?, variant))).transpose()?;
    // Two that go on at once would prepare the same attempt; the second finds it under way.
    let _lock = Lock::take(&ctx.store.layout().repo_lock(&errand.task.repo))?;
    if how == How::Afresh
        && let Some(queued) = hasten(ctx, errand)?
    {
        return Ok(queued);
    }
    require_ended(ctx, errand, variant)?;
    allot::require_left(ctx, &errand.name, &errand.task.id)?;
    let last = Folder::of(ctx.store.layout(), &errand.attempt.id).spec()?;
    let (rendered, environment) = launch(ctx, errand, &last, place.as_ref(), how)?;
    let spec = &rendered.spec;
    let (kind, prompt) = match how {
        How::Told(words) => (AttemptKind::FollowUp, words),
        How::Afresh => (AttemptKind::Retry, errand.task.prompt.as_str()),
    };
    if let Some((here, variant)) = place.as_ref().filter(|_| kind == AttemptKind::Retry) {
        let name = variant.name.as_str();
        let place = here.place(variant);
        snapshot::take(&place, &snapshot::Request::new(name, "retry", ctx.clock.now()))?;
    }
    let order = Order {
        spec,
        kind,
        prompt,
        input: &rendered.prompt,
        environment: Some(&environment),
        again: None,
        not_before: None,
    };
    queue::prepare(ctx.store.layout(), &order)?;
    if let Err(error) = record(ctx, errand, &order) {
        queue::forget(ctx.store.layout(), spec);
        return Err(error.into());
    }
    start::ensure(ctx.store.layout(), ctx.environment)?;
    Ok(Queued {
        name: errand.name.clone(),
        task: errand.task.id.clone(),
        attempt: spec.attempt.clone(),
        number: spec.attempt.number(),
        why: kind,
        agent: spec.agent.clone(),
        session: spec.session.clone(),
    })
}

/// Whether a task that has ended could be told more words in its session.
///
/// # Errors
/// Why not, with what can be done instead.
pub fn require_hearing(ctx: &Context<'_>, errand: &Errand) -> Result<(), Problem> {
    worktree(errand)?;
    match resumed(ctx, errand)? {
        Some(_) => Ok(()),
        None => Err(no_session(errand)),
    }
}

/// An attempt that waits for its time, as one after a hiccup or a limit does, begins at once.
fn hasten(ctx: &Context<'_>, errand: &Errand) -> Result<Option<Queued>, Problem> {
    let attempt = &errand.attempt;
    let hastened = ctx.store.write_durably(|tx| {
        let waits = attempts::hasten(tx, &attempt.id)?;
        if waits {
            holds::release(tx, &errand.task.agent)?;
            renew(ctx, tx, &errand.task.id)?;
        }
        Ok::<_, StoreError>(waits)
    })?;
    if !hastened {
        return Ok(None);
    }
    start::ensure(ctx.store.layout(), ctx.environment)?;
    Ok(Some(Queued {
        name: errand.name.clone(),
        task: errand.task.id.clone(),
        attempt: attempt.id.clone(),
        number: attempt.number,
        why: attempt.kind,
        agent: errand.task.agent.clone(),
        session: attempt.session.clone(),
    }))
}

fn record(ctx: &Context<'_>, errand: &Errand, order: &Order<'_>) -> Result<(), StoreError> {
    let now = ctx.clock.now();
    ctx.store.write_durably(|tx| {
        let states = (errand.task.state, TaskState::Queued);
        tasks::transition(tx, &errand.task.id, states, &Change::default(), now)?;
        // Whoever asks by hand has logged in, or wants to see whether it works by now.
        holds::release(tx, &errand.task.agent)?;
        queue::record_attempt(tx, &errand.task, order, now).map(drop)
    })
}

/// A person asks anew: times that were set before and are over hold nothing up any more.
fn renew(ctx: &Context<'_>, tx: &Connection, task: &TaskId) -> Result<(), StoreError> {
    let (terms, now) = (terms::of(tx, task)?, ctx.clock.now());
    let unattended = ctx.environment.attempt().is_some();
    let until = terms.until.filter(|until| *until > now);
    terms::put(tx, task, &Terms { not_before: None, why: None, until, unattended, ..terms })
}

/// The variant it works in, whose worktree has to be there; `None` for work without one.
fn worktree(errand: &Errand) -> Result<Option<&Variant>, Problem> {
    let name = &errand.name;
    let variant = match &errand.variant {
        Some(variant) => variant,
        None if errand.task.variant.is_none() => return Ok(None),
        None => return Err(Problem::refused(format!("`{name}` has no worktree to go on in"))),
    };
    if variant.state == VariantState::Ready && variant.path.is_dir() {
        return Ok(Some(variant));
    }
    let text = format!("the worktree of `{name}` is gone: `{}`", variant.path.display());
    Err(Problem::refused(text).hint(format!("bring it back: `wt restore {}`", variant.name)))
}

/// Nothing may be under way: neither the task itself nor another one in its worktree.
fn require_ended(
    ctx: &Context<'_>,
    errand: &Errand,
    variant: Option<&Variant>,
) -> Result<(), Problem> {
    let db = ctx.store.read();
    let all = match variant {
        Some(variant) => tasks::of_variant(db, variant.key)?,
        None => tasks::by_id(db, &errand.task.id)?.into_iter().collect(),
    };
    let Some(open) = all.iter().find(|task| !task.state.is_final()) else { return Ok(()) };
    let name = &errand.name;
    let does = if open.state == TaskState::Running { "is at work" } else { "waits to begin" };
    let text = format!("`{name}` {does}; it can be told more once this attempt has ended");
    Err(Problem::refused(text)
        .hint(format!("wait for that: `wt wait {name}`"))
        .hint(format!("or end it now: `wt stop {name}`")))
}

/// Renders the launch with the words, model and permissions of the earlier ones, and gathers the
/// environment of whoever asks now: that of the first may be gone.
fn launch(
    ctx: &Context<'_>,
    errand: &Errand,
    last: &LaunchSpec,
    place: Option<&(Here, &Variant)>,
    how: How<'_>,
) -> Result<(Rendered, Vec<(OsString, OsString)>), Problem> {
    let config = ctx.environment.config_dir();
    let (registry, roles) = match &config {
        Some(dir) => (Registry::load(dir), Roles::load(dir)),
        None => (Registry::built_in(), Roles::built_in()),
    };
    let template = registry.get(&errand.task.agent)?;
    let (resumed, fresh) = (resumed(ctx, errand)?, random::uuid());
    let (session, baseline, prompt) = match how {
        How::Told(words) => {
            let (session, baseline) = resumed.as_ref().ok_or_else(|| no_session(errand))?;
            (Session::Resume(session), *baseline, words)
        }
        How::Afresh => {
            (Session::New(&fresh), SessionTotals::default(), errand.task.prompt.as_str())
        }
    };
    let number = queue::next_attempt(ctx.store.read(), &errand.task.id)?.number();
    let further = Further {
        task: &errand.task,
        last,
        exit: errand.attempt.exit.as_ref(),
        number,
        session: (session, baseline),
        words: prompt,
        times: 1,
    };
    let role = roles.get(&errand.task.role)?;
    let rendered = relaunch((template, role), &further, ctx.environment)?;
    require_login(template, rendered.login)?;
    if rendered.login == Says::Maybe {
        let name = &template.name;
        ctx.observer.warn(&format!("cannot tell whether `{name}` is logged in; going on"));
    }
    let passed = passed(template, ctx.environment);
    let Some((here, variant)) = place else {
        let values = passed.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        return Ok((rendered, values.collect()));
    };
    let spot = Spot {
        name: variant.name.clone(),
        branch: variant.branch.clone(),
        path: variant.path.clone(),
        tip: None,
    };
    let environment = crew::environment(here, &spot, passed)?;
    Ok((rendered, environment))
}

/// The newest session there was, and what it had used in the end.
fn resumed(ctx: &Context<'_>, errand: &Errand) -> Result<Option<(String, SessionTotals)>, Problem> {
    let all = attempts::of_task(ctx.store.read(), &errand.task.id)?;
    let begun = all.into_iter().rev().filter(|attempt| attempt.started_at.is_some());
    let newest = begun.filter_map(|attempt| Some((attempt.session.clone()?, attempt))).next();
    Ok(newest.map(|(session, attempt)| {
        (session, attempt.progress.cumulative.unwrap_or(attempt.baseline))
    }))
}

fn no_session(errand: &Errand) -> Problem {
    let text = format!("`{}` has no session to go on in: its agent told none", errand.name);
    Problem::refused(text).hint(format!("start it afresh: `wt retry {}`", errand.name))
}
