//! Bringing variants back, in such a way that the next command finishes what a killed one began.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::commands::context::Context;
use crate::commands::restore::list::as_trashed;
use crate::domain::id::RepoId;
use crate::domain::problem::Problem;
use crate::domain::undo::{Record, VariantsMoved};
use crate::domain::variant::{Variant, VariantState};
use crate::engine::process::identity;
use crate::git::command::Git;
use crate::git::repo::Repo;
use crate::git::snapshot;
use crate::git::trash::{Back, TakenOut, take_out};
use crate::store::error::StoreError;
use crate::store::events::{self, NewEvent};
use crate::store::intents::{self, Intent, NewIntent};
use crate::store::undo;
use crate::store::variants::{self, TrashRow};

/// The kind of intent that precedes a restore, and of the record that takes it back.
pub const KIND: &str = "restore";

/// One variant that is to come back: what the intent holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Its key.
    pub key: i64,
    /// Another directory than the one it was in.
    pub to: Option<PathBuf>,
    /// A new branch instead of the one it was on.
    pub branch: Option<String>,
}

/// A restore under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Restore {
    wanted: Vec<Wanted>,
    record: Record,
}

/// One variant that came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// The branch it is on.
    pub branch: String,
}

/// Brings variants back. The caller holds the repository's lock.
///
/// # Errors
/// When one cannot come back; it stays in the trash. Those before it are back, and the problem says
/// so.
pub fn begin(
    ctx: &Context<'_>,
    repo: &Repo,
    wanted: &[Wanted],
    record: Record,
) -> Result<Vec<Restored>, Problem> {
    let Some(first) = wanted.first() else { return Ok(vec![]) };
    let missing = || Problem::failed("it is not in the trash any more");
    let variant = variants::by_key(ctx.store.read(), first.key)?.ok_or_else(missing)?;
    let restore = Restore { wanted: wanted.to_vec(), record };
    let owner = identity::own()
        .map_err(|error| Problem::failed(format!("cannot tell this process: {error}")))?;
    let now = ctx.clock.now();
    let opened = ctx.store.write_durably(|tx| {
        for one in wanted {
            // The name is taken from here on, or the index of names refuses.
            variants::transition(tx, one.key, VariantState::Trashed, VariantState::Creating)?;
        }
        let only = (wanted.len() == 1).then_some(first.key);
        let intent = NewIntent {
            kind: KIND,
            repo: &variant.repo,
            variant: only,
            data: &restore,
            owner: &owner,
        };
        intents::open(tx, &intent, now)
    });
    let intent = opened.map_err(|error| name_taken(ctx, error, wanted))?;
    carry_out(ctx, repo, (&variant.repo, intent), &restore)
}

/// The index of present names is what says no when one is in use again.
fn name_taken(ctx: &Context<'_>, error: StoreError, wanted: &[Wanted]) -> Problem {
    let taken = wanted.iter().find_map(|one| {
        let variant = variants::by_key(ctx.store.read(), one.key).ok().flatten()?;
        let name = variant.name.as_str();
        variants::by_name(ctx.store.read(), &variant.repo, name).ok().flatten()
    });
    match taken {
        Some(other) => {
            Problem::refused(format!("there is another variant `{}` by now", other.name))
                .hint(format!("remove that first: `wt cleanup {}`", other.name))
        }
        None => error.into(),
    }
}

fn carry_out(
    ctx: &Context<'_>,
    repo: &Repo,
    (row, intent): (&RepoId, i64),
    restore: &Restore,
) -> Result<Vec<Restored>, Problem> {
    let (mut back, mut failed) = (vec![], None);
    for wanted in &restore.wanted {
        let Some(variant) = variants::by_key(ctx.store.read(), wanted.key)? else { continue };
        let path = wanted.to.as_ref().unwrap_or(&variant.path).clone();
        let branch = wanted.branch.as_ref().unwrap_or(&variant.branch).clone();
        let trash = variants::trash(ctx.store.read(), wanted.key)?;
        match (variant.state, trash) {
            (VariantState::Creating, Some(trash)) if failed.is_none() => {
                // An error leaves it half-way, and the intent for the next command to go on with.
                if let Some(refused) = one(repo, &variant, &trash, wanted)? {
                    leave(ctx, wanted.key)?;
                    failed = Some(refused);
                    continue;
                }
                settle(ctx, &variant, &trash, wanted)?;
                forget_backup(ctx, repo, &trash);
            }
            (VariantState::Creating, _) => {
                leave(ctx, wanted.key)?;
                continue;
            }
            // A process before us got this far with it.
            (VariantState::Ready, _) => {}
            _ => continue,
        }
        back.push((wanted.key, Restored { name: variant.name.to_string(), path, branch }));
    }
    close(ctx, (row, intent), restore, (&back, failed.is_none()))?;
    let restored: Vec<Restored> = back.into_iter().map(|(_, restored)| restored).collect();
    match failed {
        None => Ok(restored),
        Some(problem) if restored.is_empty() => Err(problem),
        Some(problem) => {
            let names: Vec<&str> = restored.iter().map(|one| one.name.as_str()).collect();
            Err(problem.detail(format!("back already: {}", names.join(", "))).data(&restored))
        }
    }
}

fn one(
    repo: &Repo,
    variant: &Variant,
    trash: &TrashRow,
    wanted: &Wanted,
) -> Result<Option<Problem>, Problem> {
    let trashed = as_trashed(variant, trash);
    let to = wanted.to.as_ref().unwrap_or(&variant.path);
    let back = Back { to, branch: wanted.branch.as_deref() };
    match take_out(repo, &trashed, &back)? {
        TakenOut::Done => {}
        refused => return Ok(Some(refusal(variant, trash, to, &refused))),
    }
    // HEAD was somewhere else, so the branch did not come back with it.
    let branch = wanted.branch.as_ref().unwrap_or(&variant.branch);
    if !trash.commit.is_empty() && repo.branch(branch)?.is_none() {
        let full = format!("refs/heads/{branch}");
        let asked = ["update-ref", "-m", "wt: restore", &full, &trash.commit, ""];
        Git::write(&repo.place()).args(asked).run()?;
    }
    Ok(None)
}

fn refusal(
    variant: &Variant,
    trash: &TrashRow,
    to: &std::path::Path,
    refused: &TakenOut,
) -> Problem {
    let name = &variant.name;
    let as_branch = format!("bring it back on a new branch: `wt restore {name} --branch NAME`");
    match refused {
        TakenOut::Taken => {
            Problem::refused(format!("`{}` exists by now; it was not touched", to.display()))
                .hint(format!("bring it back to another place: `wt restore {name} --to DIR`"))
        }
        TakenOut::BranchMoved { branch, at } => Problem::refused(format!(
            "branch `{branch}` stands at {} by now, and stood at {} when `{name}` was removed",
            short(at),
            short(&trash.commit)
        ))
        .hint(as_branch),
        TakenOut::BranchInUse { branch, at } => {
            Problem::refused(format!("branch `{branch}` is checked out at `{}`", at.display()))
                .hint(as_branch)
        }
        TakenOut::Submodules => Problem::refused(format!(
            "`{name}` has submodules, which only work where they were made"
        ))
        .hint(format!("free `{}`, then: `wt restore {name}`", variant.path.display())),
        TakenOut::NotThere | TakenOut::Done => {
            Problem::failed(format!("`{name}` is not at `{}` any more", trash.path.display())).hint(
                match &trash.backup_ref {
                    Some(_) => format!(
                        "its commits are still there: `git branch {} {}`",
                        variant.branch,
                        short(&trash.commit)
                    ),
                    None => "look for damage: `wt doctor`".to_owned(),
                },
            )
        }
    }
}

fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}

/// Records that it is back, in one transaction.
fn settle(
    ctx: &Context<'_>,
    variant: &Variant,
    trash: &TrashRow,
    wanted: &Wanted,
) -> Result<(), Problem> {
    let now = ctx.clock.now();
    ctx.store.write_durably(|tx| -> Result<(), StoreError> {
        variants::transition(tx, variant.key, VariantState::Creating, VariantState::Ready)?;
        if let Some(to) = &wanted.to {
            variants::relocate(tx, variant.key, to, &variant.admin_dir)?;
        }
        if let Some(branch) = &wanted.branch {
            variants::set_branch(tx, variant.key, branch)?;
        }
        variants::drop_trash(tx, trash.variant)?;
        let mut data = serde_json::Map::new();
        data.insert("name".into(), variant.name.to_string().into());
        let (repo, key) = (Some(&variant.repo), Some(variant.key));
        let event =
            NewEvent { kind: "variant-restored", repo, variant: key, data, ..NewEvent::default() };
        events::record(tx, now, &event).map(drop)
    })?;
    Ok(())
}

fn leave(ctx: &Context<'_>, key: i64) -> Result<(), Problem> {
    Ok(ctx.store.write_durably(|tx| {
        variants::transition(tx, key, VariantState::Creating, VariantState::Trashed)
    })?)
}

/// The branch holds its commits again. A ref that stays because of an error is found by doctor.
fn forget_backup(ctx: &Context<'_>, repo: &Repo, trash: &TrashRow) {
    let Some(reference) = &trash.backup_ref else { return };
    if let Err(error) = snapshot::drop_ref(&repo.place(), reference, &trash.commit) {
        ctx.observer.warn(&format!("`{reference}` could not be removed: {error}"));
    }
}

fn close(
    ctx: &Context<'_>,
    (row, intent): (&RepoId, i64),
    restore: &Restore,
    (back, all): (&[(i64, Restored)], bool),
) -> Result<(), Problem> {
    let now = ctx.clock.now();
    Ok(ctx.store.write_durably(|tx| {
        match restore.record {
            Record::Undoes(id) if all => undo::mark_undone(tx, id, now)?,
            Record::Yes if !back.is_empty() => {
                let names: Vec<&str> = back.iter().map(|(_, one)| one.name.as_str()).collect();
                let summary = format!("restored {}", names.join(", "));
                let moved = VariantsMoved { variants: back.iter().map(|(key, _)| *key).collect() };
                undo::record(tx, row, (KIND, &summary), &moved, now)?;
            }
            _ => {}
        }
        intents::close(tx, intent)
    })?)
}

/// Finishes a restore whose process died. The caller holds the repository's lock.
///
/// # Errors
/// When it has to be tried again.
pub fn recover(ctx: &Context<'_>, repo: &Repo, intent: &Intent) -> Result<String, Problem> {
    let restore: Restore = intent.data()?;
    let restored = carry_out(ctx, repo, (&intent.repo, intent.id), &restore)?;
    let names: Vec<&str> = restored.iter().map(|one| one.name.as_str()).collect();
    Ok(format!("an interrupted restore was finished: {}", names.join(", ")))
}
