//! `wt gc`: what the trash has kept long enough is removed for good.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;

use crate::commands::cleanup::act::KEPT_FOR;
use crate::commands::context::Context;
use crate::domain::problem::Problem;
use crate::domain::variant::{Variant, VariantState};
use crate::engine::start;
use crate::git::place::Place;
use crate::git::repo::Repo;
use crate::git::snapshot::{self, Kept};
use crate::git::trash::{Trashed, purge};
use crate::store::lock::Lock;
use crate::store::repos::{self, RepoRow};
use crate::store::variants::{self, TrashRow};

/// What is asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request {
    /// Say what would be removed, and do nothing.
    pub dry_run: bool,
}

/// What was removed, or would be.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Outcome {
    /// True when nothing was done: `--dry-run`.
    pub dry_run: bool,
    /// Variants that cannot come back any more.
    pub purged: Vec<Purged>,
    /// Snapshots that were let go, by ref.
    pub snapshots: Vec<String>,
    /// What could not be removed, and why.
    pub failed: Vec<String>,
}

/// A variant that cannot come back any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Purged {
    /// Its name.
    pub name: String,
    /// Where it was kept.
    pub path: PathBuf,
    /// When it was removed.
    pub removed_at: Timestamp,
}

/// Removes what has expired, in every repository.
///
/// # Errors
/// The store's. What cannot be removed is told, and tried again the next time.
pub fn run(ctx: &Context<'_>, request: Request) -> Result<Outcome, Problem> {
    let mut outcome = Outcome { dry_run: request.dry_run, ..Outcome::default() };
    for row in repos::all(ctx.store.read())? {
        let expired = Expired::of(ctx, &row)?;
        if expired.is_empty() {
            continue;
        }
        if request.dry_run {
            outcome.purged.extend(expired.variants.iter().map(purged));
            outcome.snapshots.extend(expired.refs.into_iter().map(|kept| kept.reference));
            continue;
        }
        // Not held over what may take long: each one is marked as gone first.
        for (variant, trash) in &expired.variants {
            match one(ctx, &row, variant, trash) {
                Ok(true) => outcome.purged.push(purged(&(variant.clone(), trash.clone()))),
                Ok(false) => {
                    let path = trash.path.display();
                    outcome.failed.push(format!("`{path}` is not what was put there; it stays"));
                }
                Err(problem) => outcome.failed.push(format!("{}: {problem}", variant.name)),
            }
        }
        for kept in &expired.refs {
            match snapshot::drop_ref(&Place::bare(&row.common_dir), &kept.reference, &kept.commit) {
                Ok(()) => outcome.snapshots.push(kept.reference.clone()),
                Err(error) => outcome.failed.push(format!("{}: {error}", kept.reference)),
            }
        }
    }
    Ok(outcome)
}

fn purged((variant, trash): &(Variant, TrashRow)) -> Purged {
    Purged {
        name: variant.name.to_string(),
        path: trash.path.clone(),
        removed_at: trash.removed_at,
    }
}

/// Starts the removal of what has expired, if anything has, without waiting for it.
///
/// # Errors
/// The store's.
pub fn when_due(ctx: &Context<'_>) -> Result<(), Problem> {
    if variants::any_expired(ctx.store.read(), ctx.clock.now())? {
        start::in_background(ctx.store.layout(), ctx.environment, &["gc", "--quiet"])?;
    }
    Ok(())
}

/// What has expired in one repository.
#[derive(Debug, Default)]
pub struct Expired {
    /// Variants in the trash, and those whose purge was interrupted.
    pub variants: Vec<(Variant, TrashRow)>,
    /// Snapshots, and refs that keep what nobody can restore by name; those of variants go with
    /// them.
    pub refs: Vec<Kept>,
}

impl Expired {
    /// Looks.
    ///
    /// # Errors
    /// The store's, or git's.
    pub fn of(ctx: &Context<'_>, row: &RepoRow) -> Result<Self, Problem> {
        let now = ctx.clock.now();
        let mut found = Self::default();
        let mut kept = vec![];
        for state in [VariantState::Trashed, VariantState::Gone] {
            for variant in variants::in_state(ctx.store.read(), &row.id, state)? {
                let Some(trash) = variants::trash(ctx.store.read(), variant.key)? else { continue };
                kept.extend(trash.backup_ref.clone());
                if state == VariantState::Gone || trash.expires_at <= now {
                    found.variants.push((variant, trash));
                }
            }
        }
        if Repo::open(&row.common_dir).is_ok() {
            found.refs = snapshot::list(&Place::bare(&row.common_dir))?
                .into_iter()
                .filter(|one| one.at.is_some_and(|at| at + KEPT_FOR <= now))
                .filter(|one| !kept.contains(&one.reference))
                .collect();
        }
        Ok(found)
    }

    /// Whether nothing has.
    pub fn is_empty(&self) -> bool {
        self.variants.is_empty() && self.refs.is_empty()
    }
}

/// Removes one for good; false when what is there is not what was put there.
///
/// # Errors
/// When something cannot be removed.
pub fn one(
    ctx: &Context<'_>,
    row: &RepoRow,
    variant: &Variant,
    trash: &TrashRow,
) -> Result<bool, Problem> {
    if variant.state == VariantState::Trashed {
        // From here on nobody brings half of it back.
        let _lock = Lock::take(&ctx.store.layout().repo_lock(&row.id))?;
        ctx.store.write_durably(|tx| {
            variants::transition(tx, variant.key, VariantState::Trashed, VariantState::Gone)
        })?;
    }
    let gone = Trashed {
        path: variant.path.clone(),
        admin_dir: variant.admin_dir.clone(),
        trash: trash.path.clone(),
        key: variant.key,
    };
    if !purge(&gone)? {
        return Ok(false);
    }
    if let Some(reference) = &trash.backup_ref
        && Repo::open(&row.common_dir).is_ok()
    {
        let place = Place::bare(&row.common_dir);
        // It may have been let go by hand.
        snapshot::drop_ref(&place, reference, &trash.commit).ok();
    }
    Ok(ctx.store.write_durably(|tx| variants::drop_trash(tx, variant.key)).map(|()| true)?)
}
