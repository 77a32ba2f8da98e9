//! What can come back.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;

use crate::commands::context::{Context, Here};
use crate::domain::problem::Problem;
use crate::domain::variant::{Variant, VariantState};
use crate::git::snapshot;
use crate::git::trash::Trashed;
use crate::store::variants::{self, TrashRow};

/// A removed variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restorable {
    /// Its name.
    pub name: String,
    /// What tells it from others of its name: what `wt restore` takes, too.
    pub id: String,
    /// The branch it was on.
    pub branch: String,
    /// Where the branch stood, in hex; `None` when it was gone already.
    pub commit: Option<String>,
    /// Where it was.
    pub path: PathBuf,
    /// When it was removed.
    pub removed_at: Timestamp,
    /// When it may be purged.
    pub expires_at: Timestamp,
    /// False when what was kept is not there any more.
    pub complete: bool,
    #[serde(skip)]
    pub(super) key: i64,
}

/// A snapshot of a checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Whose: a variant's name, or `main`.
    pub holder: String,
    /// Before what it was taken.
    pub why: String,
    /// When; `None` when that is not known.
    pub at: Option<Timestamp>,
    /// The ref that keeps it: a commit of all files, with the index beneath it.
    pub reference: String,
}

/// A variant in the trash, as the trash knows it.
pub(super) fn as_trashed(variant: &Variant, row: &TrashRow) -> Trashed {
    Trashed {
        path: variant.path.clone(),
        admin_dir: variant.admin_dir.clone(),
        trash: row.path.clone(),
        key: variant.key,
    }
}

/// Removed variants of this repository, the last removed first.
///
/// # Errors
/// The store's.
pub fn trashed(ctx: &Context<'_>, here: &Here) -> Result<Vec<Restorable>, Problem> {
    let Some(repo) = &here.row else { return Ok(vec![]) };
    let mut found = vec![];
    for variant in variants::in_state(ctx.store.read(), &repo.id, VariantState::Trashed)? {
        let Some(row) = variants::trash(ctx.store.read(), variant.key)? else { continue };
        let id = row.path.file_name().map(|name| name.to_string_lossy().into_owned());
        found.push(Restorable {
            id: id.unwrap_or_else(|| format!("{}-{}", variant.name, variant.key)),
            complete: as_trashed(&variant, &row).is_there(),
            name: variant.name.to_string(),
            branch: variant.branch,
            commit: Some(row.commit).filter(|commit| !commit.is_empty()),
            path: variant.path,
            removed_at: row.removed_at,
            expires_at: row.expires_at,
            key: variant.key,
        });
    }
    found.sort_by_key(|one| (std::cmp::Reverse(one.removed_at), std::cmp::Reverse(one.key)));
    Ok(found)
}

/// The removed variant of that name (the last one removed, when there are several) or that id.
///
/// # Errors
/// When there is none.
pub fn find(ctx: &Context<'_>, here: &Here, name: &str) -> Result<Restorable, Problem> {
    let all = trashed(ctx, here)?;
    let folded = name.to_ascii_lowercase();
    let by = |key: fn(&Restorable) -> &str| {
        all.iter().find(|one| key(one).to_ascii_lowercase() == folded).cloned()
    };
    if let Some(found) = by(|one| &one.name).or_else(|| by(|one| &one.id)) {
        return Ok(found);
    }
    let present = here.variants(ctx)?.into_iter().any(|variant| variant.name.folded() == folded);
    Err(if present {
        Problem::failed(format!("variant `{name}` is there, and was not removed"))
            .hint(format!("go there: `cd \"$(wt path {name})\"`"))
    } else {
        Problem::failed(format!("no variant `{name}` is in the trash"))
            .hint("see what can come back: `wt restore`")
    })
}

/// What refs were made before that keep a commit alone.
const COMMITS: &[&str] = &["cleanup", "undo"];

/// Snapshots of checkouts, the newest first; refs that keep a commit alone are none.
///
/// # Errors
/// When git cannot say.
pub fn snapshots(here: &Here) -> Result<Vec<Kept>, Problem> {
    let mut all: Vec<Kept> = snapshot::list(&here.repo.place())?
        .into_iter()
        .filter(|kept| !COMMITS.contains(&kept.why.as_str()))
        .map(|kept| Kept {
            holder: kept.holder,
            why: kept.why,
            at: kept.at,
            reference: kept.reference,
        })
        .collect();
    all.sort_by_key(|kept| std::cmp::Reverse(kept.at));
    Ok(all)
}
