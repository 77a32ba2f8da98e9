//! What mends each thing that can be out of step. A look has decided on it; here it is rechecked
//! and done.

use std::path::{Path, PathBuf};

use jiff::SignedDuration;

use crate::commands::context::Context;
use crate::commands::{gc, recover};
use crate::domain::id::{AttemptId, RepoId};
use crate::domain::problem::Problem;
use crate::domain::variant::{Variant, VariantState};
use crate::engine::process::marked;
use crate::engine::process::tree::MARK;
use crate::engine::start;
use crate::git::place::Place;
use crate::git::repo::Repo;
use crate::git::trash::{Trashed, purge};
use crate::git::worktree::{self, Naming, naming};
use crate::git::{land, private_index};
use crate::store::error::StoreError;
use crate::store::lock::Lock;
use crate::store::repos::{self, RepoRow};
use crate::store::variants::{self, TrashRow};

/// How long what an agent left running may take to end by itself.
const PATIENCE: SignedDuration = SignedDuration::from_secs(3);

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Mend {
    /// Start the engine.
    StartEngine,
    /// End everything that carries the mark of this attempt.
    EndProcesses(AttemptId),
    /// Record where a variant's worktree and registration are.
    Relocate {
        /// The variant.
        key: i64,
        /// Its worktree.
        path: PathBuf,
        /// Its registration.
        admin_dir: PathBuf,
    },
    /// Tell git and the store where a worktree was moved by hand.
    Repair {
        /// The variant.
        key: i64,
        /// Its worktree.
        path: PathBuf,
    },
    /// Register a worktree again that git has forgotten.
    Register {
        /// The variant.
        key: i64,
    },
    /// Forget a variant whose worktree is not there; branch and commits stay.
    Forget {
        /// The variant.
        key: i64,
    },
    /// Record where a repository was moved, and tell its worktrees.
    RelocateRepo {
        /// The repository.
        repo: RepoId,
        /// Its common directory.
        common_dir: PathBuf,
        /// Its root.
        root: PathBuf,
    },
    /// Finish or take back what dead processes left.
    Recover {
        /// The repository.
        repo: RepoId,
    },
    /// Finish or take back an update of a checkout.
    Checkout(Place),
    /// Remove a lock that nobody holds.
    RemoveLock(PathBuf),
    /// Forget what is not in the trash any more.
    ForgetTrash {
        /// The variant.
        key: i64,
    },
    /// Remove what has expired.
    Purge,
}

impl Mend {
    /// Does it.
    ///
    /// # Errors
    /// When it cannot be done, or does not fit any more.
    pub fn run(&self, ctx: &Context<'_>) -> Result<(), Problem> {
        match self {
            Self::StartEngine => Ok(start::ensure(ctx.store.layout(), ctx.environment).map(drop)?),
            Self::EndProcesses(attempt) => {
                marked::end(MARK, attempt.as_str(), PATIENCE);
                Ok(())
            }
            Self::Relocate { key, path, admin_dir } => with(ctx, *key, |_, variant| {
                if naming(path, admin_dir) != Naming::Mutual {
                    return Err(changed());
                }
                record(ctx, variant.key, path, admin_dir)
            }),
            Self::Repair { key, path } => with(ctx, *key, |_, variant| {
                worktree::name_again(path, &variant.admin_dir)?;
                record(ctx, variant.key, path, &variant.admin_dir)
            }),
            Self::Register { key } => with(ctx, *key, |repo, variant| {
                let admin = worktree::register(repo, &variant.path, &variant.branch)?;
                record(ctx, variant.key, &variant.path, &admin)
            }),
            Self::Forget { key } => with(ctx, *key, |_, variant| forget(ctx, variant)),
            Self::RelocateRepo { repo, common_dir, root } => {
                relocate_repo(ctx, repo, common_dir, root)
            }
            Self::Recover { repo } => {
                let Some(row) = repos::by_id(ctx.store.read(), repo)? else { return Ok(()) };
                recover::pending(ctx, &Repo::open(&row.common_dir)?, &row)?;
                still_open(ctx, &row)
            }
            Self::Checkout(place) => {
                private_index::recover(place)?;
                land::recover(place)?;
                Ok(())
            }
            Self::RemoveLock(lock) => std::fs::remove_file(lock).map_err(|error| {
                Problem::failed(format!("cannot remove `{}`: {error}", lock.display()))
            }),
            Self::ForgetTrash { key } => forget_trash(ctx, *key),
            Self::Purge => {
                let outcome = gc::run(ctx, gc::Request::default())?;
                match outcome.failed.first() {
                    None => Ok(()),
                    Some(first) => Err(Problem::failed(first.clone())),
                }
            }
        }
    }
}

fn changed() -> Problem {
    Problem::failed("it has changed meanwhile").hint("look again: `wt doctor`")
}

/// Runs something on a variant under its repository's lock.
fn with(
    ctx: &Context<'_>,
    key: i64,
    act: impl FnOnce(&Repo, &Variant) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let variant = variants::by_key(ctx.store.read(), key)?.ok_or_else(changed)?;
    let row = repos::by_id(ctx.store.read(), &variant.repo)?.ok_or_else(changed)?;
    let _lock = Lock::take(&ctx.store.layout().repo_lock(&row.id))?;
    let variant = variants::by_key(ctx.store.read(), key)?.ok_or_else(changed)?;
    if variant.state != VariantState::Ready {
        return Err(changed());
    }
    act(&Repo::open(&row.common_dir)?, &variant)
}

fn record(ctx: &Context<'_>, key: i64, path: &Path, admin_dir: &Path) -> Result<(), Problem> {
    Ok(ctx.store.write_durably(|tx| variants::relocate(tx, key, path, admin_dir))?)
}

/// Nothing on disk is touched but a registration that names the very place that is gone.
fn forget(ctx: &Context<'_>, variant: &Variant) -> Result<(), Problem> {
    if naming(&variant.path, &variant.admin_dir) == Naming::Mutual {
        return Err(changed());
    }
    ctx.store.write_durably(|tx| {
        variants::transition(tx, variant.key, VariantState::Ready, VariantState::Gone)
    })?;
    Ok(worktree::forget_vanished(&variant.path, &variant.admin_dir)?)
}

fn forget_trash(ctx: &Context<'_>, key: i64) -> Result<(), Problem> {
    let trash = variants::trash(ctx.store.read(), key)?.ok_or_else(changed)?;
    if trash.path.symlink_metadata().is_ok() {
        return Err(changed());
    }
    let variant = variants::by_key(ctx.store.read(), key)?.ok_or_else(changed)?;
    ctx.store.write_durably(|tx| -> Result<(), StoreError> {
        variants::transition(tx, key, VariantState::Trashed, VariantState::Gone)?;
        variants::drop_trash(tx, key)
    })?;
    let gone = Trashed {
        path: variant.path.clone(),
        admin_dir: variant.admin_dir.clone(),
        trash: trash.path.clone(),
        key,
    };
    purge(&gone)?;
    Ok(())
}

/// The worktrees name the repository's old place in their `.git` files, and the store does.
fn relocate_repo(
    ctx: &Context<'_>,
    repo: &RepoId,
    common_dir: &Path,
    root: &Path,
) -> Result<(), Problem> {
    let row = repos::by_id(ctx.store.read(), repo)?.ok_or_else(changed)?;
    let _lock = Lock::take(&ctx.store.layout().repo_lock(repo))?;
    let mut moves = vec![];
    // Worktrees inside of the repository went along with it.
    let now = |path: &Path| match path.strip_prefix(&row.root) {
        Ok(inside) if !path.exists() => root.join(inside),
        _ => path.to_path_buf(),
    };
    let mut all = variants::present(ctx.store.read(), repo)?;
    all.extend(variants::in_state(ctx.store.read(), repo, VariantState::Trashed)?);
    for variant in all {
        let rest = variant.admin_dir.strip_prefix(&row.common_dir).map_err(|_| changed())?;
        let admin_dir = common_dir.join(rest);
        let trash = variants::trash(ctx.store.read(), variant.key)?;
        let trash = trash.map(|trash| TrashRow { path: now(&trash.path), ..trash });
        let kept_at = trash.as_ref().map_or_else(|| now(&variant.path), |row| row.path.clone());
        if kept_at.exists() {
            worktree::follow(&kept_at, &variant.admin_dir, &admin_dir)?;
        }
        moves.push((variant.key, now(&variant.path), admin_dir, trash));
    }
    Ok(ctx.store.write_durably(|tx| -> Result<(), StoreError> {
        for (key, path, admin_dir, trash) in &moves {
            variants::relocate(tx, *key, path, admin_dir)?;
            if let Some(trash) = trash {
                variants::put_trash(tx, trash)?;
            }
        }
        repos::relocate(tx, repo, common_dir, root)
    })?)
}

fn still_open(ctx: &Context<'_>, row: &RepoRow) -> Result<(), Problem> {
    let open = crate::store::intents::of_repo(ctx.store.read(), &row.id)?;
    match open.first() {
        None => Ok(()),
        Some(intent) => {
            let text = format!("a {} of {} is still open", intent.kind, row.name);
            Err(Problem::failed(text).hint("try again when nothing else works there"))
        }
    }
}
