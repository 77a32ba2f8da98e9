//! `wt cleanup`: variants go, and can come back.
//!
//! Decided first, as a plan that `--dry-run` prints; then refused, or asked, or done: worktrees are
//! renamed into the trash, branches deleted whose work is elsewhere, and all of it is one step for
//! `wt undo`. Transcripts and results stay.

pub mod act;
pub mod choose;
mod look;
pub mod plan;
mod running;
mod teardown;

use jiff::Timestamp;
use serde::Serialize;

use crate::commands::cleanup::act::Removed;
use crate::commands::cleanup::choose::choose;
use crate::commands::cleanup::plan::{Blocked, Plan, Removal};
use crate::commands::context::{Context, Here};
use crate::commands::gc;
use crate::domain::problem::Problem;
use crate::domain::undo::Record;
use crate::domain::variant::VariantState;
use crate::engine::process::places::standing_in;
use crate::store::lock::Lock;
use crate::store::variants;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Which variants.
    pub which: Which,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
    /// Answers the plan's question.
    pub yes: bool,
    /// Passes the refusals that name it.
    pub force: bool,
}

/// Which variants are to go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Which {
    /// Names and globs; none: the one stood in.
    Named(Vec<String>),
    /// Those whose work is in the branch they forked from.
    Merged,
    /// The unmerged members of the last merged variant's idea.
    Losers,
    /// Every one.
    #[default]
    All,
}

/// What was done, or would be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// True when nothing was done: `--dry-run`.
    pub dry_run: bool,
    /// What would be removed, in order; with `dry_run` alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub plan: Vec<Removal>,
    /// What could not be removed without more; with `dry_run` alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blocked: Vec<Blocked>,
    /// What was removed.
    pub removed: Vec<Removed>,
    /// What was passed over, and why.
    pub skipped: Vec<Skipped>,
    /// Until when all of it can come back.
    pub restorable_until: Option<Timestamp>,
    /// Where the person stands is in the trash now: the directory to go to.
    pub stood_in: Option<std::path::PathBuf>,
}

/// A variant that was passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Its name.
    pub name: String,
    /// Why, in words.
    pub why: String,
}

/// Removes variants.
///
/// # Errors
/// When one cannot be removed as asked: nothing was removed then, unless the problem says so.
pub fn run(ctx: &Context<'_>, request: &Request) -> Result<Outcome, Problem> {
    let mut here = ctx.here()?;
    let chosen = choose(ctx, &here, request)?;
    let plan = Plan::of(ctx, &here, &chosen, request.force)?;
    let skipped = plan.skipped.clone();
    let mut outcome = Outcome {
        dry_run: request.dry_run,
        plan: vec![],
        blocked: vec![],
        removed: vec![],
        skipped,
        restorable_until: None,
        stood_in: None,
    };
    if request.dry_run {
        (outcome.plan, outcome.blocked) = (plan.removals, plan.blocked);
        return Ok(outcome);
    }
    plan.refuse_blocked()?;
    if plan.removals.is_empty() {
        return Ok(outcome);
    }
    ask(ctx, &plan, request)?;
    let plan = plan.stop(ctx, &here, &chosen)?;
    teardown::run(ctx, &mut here, &plan)?;
    let lock = lock(ctx, &here)?;
    let done = act::begin(ctx, &here, &plan, Record::Yes)?;
    drop(lock);
    gc::when_due(ctx)?;
    outcome.removed = done.removed;
    outcome.restorable_until = done.expires_at;
    warn_of_processes(ctx, &outcome.removed);
    outcome.stood_in = stood_in(ctx, &here, &outcome.removed);
    match done.failed {
        None => Ok(outcome),
        Some(problem) => Err(problem.data(&outcome)),
    }
}

fn ask(ctx: &Context<'_>, plan: &Plan, request: &Request) -> Result<(), Problem> {
    if request.yes || !plan.needs_yes() {
        return Ok(());
    }
    let lines = plan.lines();
    let question = match plan.removals.len() {
        1 => "Remove it?".to_owned(),
        count => format!("Remove these {count}?"),
    };
    match ctx.person.confirm(&lines.join("\n"), &question) {
        Some(true) => Ok(()),
        Some(false) => Err(Problem::refused("nothing was removed")),
        None => {
            Err(Problem::refused("this removes unfinished work, and nobody is here to say yes")
                .details(lines)
                .hint("say it beforehand: the same command with `--yes`")
                .data(&plan.removals))
        }
    }
}

/// What somebody else started there goes on in the trash, and nobody would look for it there.
fn warn_of_processes(ctx: &Context<'_>, removed: &[Removed]) {
    for one in removed {
        let Some(trash) = &one.trash else { continue };
        let standing = standing_in(trash);
        if !standing.is_empty() {
            let shown: Vec<String> =
                standing.iter().take(5).map(|who| format!("{} ({})", who.name, who.pid)).collect();
            let text = format!("still at work in what was {}: {}", one.name, shown.join(", "));
            ctx.observer.warn(&text);
        }
    }
}

/// The directory to go to, when the one the person stands in went to the trash.
fn stood_in(ctx: &Context<'_>, here: &Here, removed: &[Removed]) -> Option<std::path::PathBuf> {
    let cwd = &ctx.environment.cwd;
    let moved = removed.iter().any(|one| one.trash.is_some() && cwd.starts_with(&one.path));
    moved.then(|| here.repo.root().to_path_buf())
}

/// Takes the repository's lock for a step that is under way.
///
/// # Errors
/// When it cannot be taken.
pub(crate) fn lock(ctx: &Context<'_>, here: &Here) -> Result<Lock, Problem> {
    let Some(row) = &here.row else {
        return Err(Problem::failed("this repository has no variant"));
    };
    Ok(Lock::take(&ctx.store.layout().repo_lock(&row.id))?)
}

/// Goes on only while a variant is still as the plan saw it.
fn still_ready(ctx: &Context<'_>, key: i64) -> Result<(), Problem> {
    match variants::by_key(ctx.store.read(), key)? {
        Some(variant) if variant.state == VariantState::Ready => Ok(()),
        Some(variant) => Err(Problem::failed(format!(
            "variant `{}` is {} by now: another command was faster",
            variant.name,
            variant.state.as_str()
        ))),
        None => Err(Problem::failed(format!("variant {key} is gone"))),
    }
}
