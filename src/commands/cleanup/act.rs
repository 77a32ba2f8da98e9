//! Removing variants, in such a way that the next command finishes what a killed one began.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::commands::cleanup::plan::{BranchFate, Plan, Removal, WorktreeFate};
use crate::commands::cleanup::still_ready;
use crate::commands::context::{Context, Here};
use crate::commands::dead_locks;
use crate::domain::id::RepoId;
use crate::domain::problem::Problem;
use crate::domain::undo::{Record, VariantsMoved};
use crate::domain::variant::VariantState;
use crate::engine::process::identity;
use crate::git::command::Git;
use crate::git::repo::Repo;
use crate::git::snapshot;
use crate::git::trash::{Back, Put, TakenOut, Trashed, put, take_out};
use crate::git::worktree::{forget_vanished, list};
use crate::store::db::Connection;
use crate::store::error::StoreError;
use crate::store::events::{self, NewEvent};
use crate::store::intents::{self, Intent, NewIntent};
use crate::store::undo;
use crate::store::variants::{self, TrashRow};

/// The kind of intent that precedes a removal, and of the record that takes it back.
pub const KIND: &str = "cleanup";

/// How long the trash keeps a variant.
pub const KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A cleanup under way: what the intent holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleanup {
    /// When it began.
    pub at: Timestamp,
    /// Each variant that goes.
    pub going: Vec<Going>,
    /// Whether it can be taken back, or takes something back.
    pub record: Record,
}

/// One variant on its way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Going {
    /// Its key.
    pub key: i64,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its registration.
    pub admin_dir: PathBuf,
    /// Where it goes; `None` when its worktree stays, or is gone already.
    pub trash: Option<PathBuf>,
    /// True when its directory is gone already, and its registration is to go.
    pub vanished: bool,
    /// Its branch, without `refs/heads/`.
    pub branch: String,
    /// Where the branch stands, in hex; `None` when there is no such branch.
    pub tip: Option<String>,
    /// Whether the branch is deleted.
    pub delete_branch: bool,
    /// The ref that keeps its commits.
    pub backup_ref: Option<String>,
}

/// One variant that was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// Its name.
    pub name: String,
    /// Where its worktree was.
    pub path: PathBuf,
    /// Where its worktree is now; `None` when it stayed where it was, or was gone already.
    pub trash: Option<PathBuf>,
    /// Its branch.
    pub branch: String,
    /// Where the branch stood, in hex.
    pub commit: Option<String>,
    /// Whether the branch was deleted.
    pub branch_deleted: bool,
}

/// How it went.
#[derive(Debug, Default)]
pub struct Done {
    /// What was removed.
    pub removed: Vec<Removed>,
    /// Until when it can come back.
    pub expires_at: Option<Timestamp>,
    /// What could not be, if anything: those variants are as they were.
    pub failed: Option<Problem>,
}

/// Removes what the plan says. The caller holds the repository's lock.
///
/// # Errors
/// When it could not even begin: nothing was changed.
pub fn begin(ctx: &Context<'_>, here: &Here, plan: &Plan, record: Record) -> Result<Done, Problem> {
    let Some(row) = &here.row else { return Ok(Done::default()) };
    let at = ctx.clock.now();
    let mut going = vec![];
    for removal in &plan.removals {
        still_ready(ctx, removal.variant.key)?;
        going.push(one_going(here, removal, at)?);
    }
    let cleanup = Cleanup { at, going, record };
    let owner = identity::own()
        .map_err(|error| Problem::failed(format!("cannot tell this process: {error}")))?;
    let id = ctx.store.write_durably(|tx| {
        for going in &cleanup.going {
            variants::transition(tx, going.key, VariantState::Ready, VariantState::Removing)?;
        }
        let variant = match &cleanup.going[..] {
            [one] => Some(one.key),
            _ => None,
        };
        let intent =
            NewIntent { kind: KIND, repo: &row.id, variant, data: &cleanup, owner: &owner };
        intents::open(tx, &intent, at)
    })?;
    carry_out(ctx, &here.repo, (&row.id, id), &cleanup)
}

fn one_going(here: &Here, removal: &Removal, at: Timestamp) -> Result<Going, Problem> {
    let variant = &removal.variant;
    let name = variant.name.as_str();
    let mut backup_ref = None;
    if let Some(tip) = removal.tip.as_ref().filter(|_| removal.worktree != WorktreeFate::Stays) {
        let request = snapshot::Request::new(name, KIND, at);
        backup_ref = Some(snapshot::keep_commit(&here.repo.place(), &request, tip)?);
    }
    let deleted = [BranchFate::Missing, BranchFate::Stays];
    Ok(Going {
        key: variant.key,
        name: name.to_owned(),
        path: variant.path.clone(),
        admin_dir: variant.admin_dir.clone(),
        trash: (removal.worktree == WorktreeFate::Trash)
            .then(|| free_place(&variant.path, name, variant.key)),
        vanished: removal.worktree == WorktreeFate::Vanished,
        branch: variant.branch.clone(),
        tip: removal.tip.clone(),
        delete_branch: !deleted.contains(&removal.branch_fate),
        backup_ref,
    })
}

/// Somebody may have put something where it would go.
fn free_place(path: &Path, name: &str, key: i64) -> PathBuf {
    let wanted = Trashed::place_for(path, name, key);
    let taken = |place: &Path| place.symlink_metadata().is_ok();
    if !taken(&wanted) {
        return wanted;
    }
    let others = (2..).map(|number| Trashed::place_for(path, &format!("{name}.{number}"), key));
    others.take(100).find(|place| !taken(place)).unwrap_or(wanted)
}

impl Going {
    /// It as the trash knows it; `None` when it does not go there.
    pub fn trashed(&self) -> Option<Trashed> {
        Some(Trashed {
            path: self.path.clone(),
            admin_dir: self.admin_dir.clone(),
            trash: self.trash.clone()?,
            key: self.key,
        })
    }
}

/// Does what the intent says, or the rest of it, and closes it. The repository's lock is held.
///
/// # Errors
/// When it has to be tried again by the next command.
fn carry_out(
    ctx: &Context<'_>,
    repo: &Repo,
    (row, intent): (&RepoId, i64),
    cleanup: &Cleanup,
) -> Result<Done, Problem> {
    let mut done = Done::default();
    let mut failed = vec![];
    for going in &cleanup.going {
        let variant = variants::by_key(ctx.store.read(), going.key)?;
        let mut branch_deleted = going.delete_branch;
        match variant.map(|variant| variant.state) {
            Some(VariantState::Removing) => match remove(ctx, repo, going) {
                Ok(deleted) => {
                    branch_deleted = deleted;
                    settle(ctx, going, cleanup.at)?;
                }
                Err(problem) => {
                    put_back(repo, going)?;
                    keep(ctx, repo, going)?;
                    failed.push((going.name.clone(), problem));
                    continue;
                }
            },
            // A process before us got this far with it.
            Some(VariantState::Trashed | VariantState::Gone) => {}
            _ => continue,
        }
        done.removed.push(Removed { branch_deleted, ..going.removed() });
    }
    let keys: Vec<i64> = cleanup
        .going
        .iter()
        .filter(|going| !failed.iter().any(|(name, _)| *name == going.name))
        .map(|going| going.key)
        .collect();
    ctx.store.write_durably(|tx| {
        match cleanup.record {
            Record::Undoes(id) if failed.is_empty() => undo::mark_undone(tx, id, cleanup.at)?,
            Record::Yes if !keys.is_empty() => {
                let summary = summary(&done.removed);
                let moved = VariantsMoved { variants: keys.clone() };
                undo::record(tx, row, (KIND, &summary), &moved, cleanup.at)?;
            }
            _ => {}
        }
        intents::close(tx, intent)
    })?;
    let in_trash = done.removed.iter().any(|removed| removed.trash.is_some());
    done.expires_at = in_trash.then(|| cleanup.at + KEPT_FOR);
    done.failed = told(&done, failed);
    Ok(done)
}

impl Going {
    fn removed(&self) -> Removed {
        Removed {
            name: self.name.clone(),
            path: self.path.clone(),
            trash: self.trash.clone(),
            branch: self.branch.clone(),
            commit: self.tip.clone(),
            branch_deleted: self.delete_branch,
        }
    }
}

fn summary(removed: &[Removed]) -> String {
    let names: Vec<&str> = removed.iter().map(|one| one.name.as_str()).collect();
    format!("removed {}", names.join(", "))
}

/// Moves the worktree and deletes the branch; says whether it did the latter.
fn remove(ctx: &Context<'_>, repo: &Repo, going: &Going) -> Result<bool, Problem> {
    if let Some(trashed) = going.trashed() {
        dead_locks::clear_head(repo, &going.admin_dir, ctx.clock.now())?;
        match put(repo, &trashed)? {
            Put::Done => {}
            refused => return Err(refusal(going, &refused)),
        }
    } else if going.vanished {
        forget_vanished(&going.path, &going.admin_dir)?;
    }
    let Some(tip) = going.tip.as_ref().filter(|_| going.delete_branch) else { return Ok(false) };
    let checked_out = list(repo)?.iter().any(|other| other.branch() == Some(&going.branch));
    if checked_out || repo.branch(&going.branch)?.as_deref() != Some(tip) {
        // In use elsewhere, moved, or gone: not ours to delete any more.
        return Ok(false);
    }
    let full = format!("refs/heads/{}", going.branch);
    Git::write(&repo.place()).args(["update-ref", "-d", &full, tip]).run()?;
    Ok(true)
}

fn refusal(going: &Going, refused: &Put) -> Problem {
    let path = going.path.display();
    let why = match refused {
        Put::Locked(reason) => format!("its worktree was locked meanwhile: {reason}"),
        Put::Holds(other) => format!("another checkout is inside of it: `{}`", other.display()),
        _ => format!("`{path}` and git's registration of it do not name each other any more"),
    };
    Problem::failed(why).hint("see and mend it: `wt doctor`")
}

/// Records that it is gone, in one transaction.
fn settle(ctx: &Context<'_>, going: &Going, at: Timestamp) -> Result<(), Problem> {
    ctx.store.write_durably(|tx| -> Result<(), StoreError> {
        let to = match &going.trash {
            Some(path) => {
                let row = TrashRow {
                    variant: going.key,
                    path: path.clone(),
                    commit: going.tip.clone().unwrap_or_default(),
                    backup_ref: going.backup_ref.clone(),
                    removed_at: at,
                    expires_at: at + KEPT_FOR,
                };
                variants::put_trash(tx, &row)?;
                VariantState::Trashed
            }
            None => VariantState::Gone,
        };
        variants::transition(tx, going.key, VariantState::Removing, to)?;
        event(tx, "variant-removed", going, at)
    })?;
    Ok(())
}

fn event(db: &Connection, kind: &str, going: &Going, at: Timestamp) -> Result<(), StoreError> {
    let mut data = serde_json::Map::new();
    data.insert("name".into(), going.name.clone().into());
    let variant = Some(going.key);
    events::record(db, at, &NewEvent { kind, variant, data, ..NewEvent::default() }).map(drop)
}

/// Undoes what was done to a worktree before a step failed; nothing if nothing was.
fn put_back(repo: &Repo, going: &Going) -> Result<(), Problem> {
    let Some(trashed) = going.trashed() else { return Ok(()) };
    match take_out(repo, &trashed, &Back { to: &going.path, branch: None })? {
        TakenOut::Done | TakenOut::NotThere => Ok(()),
        _ => Err(Problem::failed(format!("`{}` is half-way to the trash", going.name))
            .hint("see and mend it: `wt doctor`")),
    }
}

/// Takes back what was prepared for a variant that stays.
fn keep(ctx: &Context<'_>, repo: &Repo, going: &Going) -> Result<(), Problem> {
    ctx.store.write_durably(|tx| {
        variants::transition(tx, going.key, VariantState::Removing, VariantState::Ready)
    })?;
    if let (Some(reference), Some(tip)) = (&going.backup_ref, &going.tip) {
        snapshot::drop_ref(&repo.place(), reference, tip)?;
    }
    Ok(())
}

fn told(done: &Done, failed: Vec<(String, Problem)>) -> Option<Problem> {
    let (name, first) = failed.first()?;
    let mut problem = Problem::failed(format!("`{name}` was not removed: {}", first.message));
    problem.hints.clone_from(&first.hints);
    problem = problem.details(failed.iter().skip(1).map(|(name, why)| format!("{name}: {why}")));
    if !done.removed.is_empty() {
        let names: Vec<&str> = done.removed.iter().map(|one| one.name.as_str()).collect();
        problem = problem.detail(format!("removed: {}", names.join(", ")));
    }
    Some(problem)
}

/// Finishes a cleanup whose process died. The caller holds the repository's lock.
///
/// # Errors
/// When it has to be tried again.
pub fn recover(ctx: &Context<'_>, repo: &Repo, intent: &Intent) -> Result<String, Problem> {
    let cleanup: Cleanup = intent.data()?;
    let done = carry_out(ctx, repo, (&intent.repo, intent.id), &cleanup)?;
    match done.failed {
        Some(problem) => Err(problem),
        None => Ok(format!("an interrupted cleanup was finished: {}", summary(&done.removed))),
    }
}
