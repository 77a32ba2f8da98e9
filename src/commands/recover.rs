//! What a process that died left half done, finished or reversed by the next command.

use std::time::Duration;

use jiff::SignedDuration;

use crate::commands::cleanup;
use crate::commands::context::Context;
use crate::commands::dead_locks;
use crate::commands::merge;
use crate::commands::restore;
use crate::commands::spawn::undo;
use crate::commands::sync;
use crate::commands::undo::under_way;
use crate::domain::problem::Problem;
use crate::engine::process::identity::{Here, Liveness, own};
use crate::engine::process::marked;
use crate::git::mark;
use crate::git::repo::Repo;
use crate::store::intents::{self, Intent};
use crate::store::lock::Lock;
use crate::store::repos::RepoRow;

/// How often, and how long apart, the lock is tried for.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(5);

/// How long a git that outlived its `wt` may take to end once it is told to.
const PATIENCE: SignedDuration = SignedDuration::from_secs(10);

/// Finishes or reverses every step of this repository whose process is dead, once no git that it
/// had started is at work any more. Steps of living processes are their own business, and those of
/// other machines nobody's here. While another process is at work on the repository, the next
/// command does it.
///
/// A step that cannot be put right is told and left as it is; the command goes on.
///
/// # Errors
/// The store's.
pub fn pending(ctx: &Context<'_>, repo: &Repo, row: &RepoRow) -> Result<(), Problem> {
    let open = intents::of_repo(ctx.store.read(), &row.id)?;
    if open.is_empty() {
        return Ok(());
    }
    let here = Here::read();
    let orphaned: Vec<Intent> =
        open.into_iter().filter(|intent| here.liveness(&intent.owner) == Liveness::Dead).collect();
    if orphaned.is_empty() {
        return Ok(());
    }
    let Some(_lock) = lock(ctx, row)? else { return Ok(()) };
    let me = own().map_err(|error| Problem::failed(error.to_string()))?;
    for intent in &orphaned {
        let started_by = mark::started_by(intent.owner.pid, intent.owner.start_time);
        marked::end(mark::STARTED_BY, &started_by, PATIENCE);
        if !ctx.store.write_durably(|tx| intents::take_over(tx, intent, &me))? {
            continue;
        }
        dead_locks::clear(repo, intent)?;
        match one(ctx, repo, intent) {
            Ok(Some(said)) => ctx.observer.tell(&said),
            Ok(None) => {}
            Err(problem) => ctx.observer.warn(&format!("{problem}; see `wt doctor`")),
        }
    }
    Ok(())
}

/// The repository's lock, unless another process is at work there. What a killed `wt` had just
/// begun to start holds it for a moment longer than `wt` itself.
fn lock(ctx: &Context<'_>, row: &RepoRow) -> Result<Option<Lock>, Problem> {
    let path = ctx.store.layout().repo_lock(&row.id);
    for _ in 0..TRIES {
        if let Some(lock) = Lock::try_take(&path)? {
            return Ok(Some(lock));
        }
        std::thread::sleep(PAUSE);
    }
    Ok(None)
}

/// Puts one step right, by its kind; says what became of it. A kind that this version does not know
/// is left to the one that does.
fn one(ctx: &Context<'_>, repo: &Repo, intent: &Intent) -> Result<Option<String>, Problem> {
    match intent.kind.as_str() {
        cleanup::act::KIND => cleanup::act::recover(ctx, repo, intent).map(Some),
        merge::recover::KIND => merge::recover::recover(ctx, repo, intent).map(Some),
        restore::act::KIND => restore::act::recover(ctx, repo, intent).map(Some),
        restore::rewind::KIND => restore::rewind::recover(ctx, repo, intent).map(Some),
        sync::recover::KIND => sync::recover::recover(ctx, repo, intent).map(Some),
        undo::KIND => undo::recover(ctx, repo, intent).map(Some),
        under_way::KIND => under_way::recover(ctx, repo, intent).map(Some),
        _ => Ok(None),
    }
}
