//! Merges that wait in their scratch worktrees for a person.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::commands::context::{Context, Here};
use crate::domain::problem::Problem;
use crate::domain::variant::{Variant, VariantState};
use crate::git::scratch::{Scratch, Work};
use crate::store::merges;
use crate::store::variants;

/// What is recorded of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// What is merged into what, and how.
    pub work: Work,
    /// The scratch worktree's directory.
    pub scratch: PathBuf,
    /// Its registration.
    pub admin_dir: PathBuf,
    /// What the registration is locked with.
    pub mark: String,
    /// How many files the variant changes.
    pub files: usize,
}

/// A merge that waits, with its variant.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The variant.
    pub variant: Variant,
    /// What is recorded.
    pub stored: Stored,
}

impl Waiting {
    /// The scratch worktree.
    ///
    /// # Errors
    /// When its directory is gone.
    pub fn scratch(&self, here: &Here) -> Result<Scratch, Problem> {
        let Stored { scratch, admin_dir, mark, .. } = &self.stored;
        if !admin_dir.is_dir() || !scratch.is_dir() {
            let text = format!(
                "the worktree in which the merge of `{}` waits is gone: `{}`",
                self.variant.name,
                scratch.display()
            );
            let name = &self.variant.name;
            return Err(Problem::failed(text).hint(format!(
                "give that merge up and begin again: `wt merge {name} --abort && wt merge {name}`"
            )));
        }
        Ok(Scratch::open(&here.repo, admin_dir, scratch, mark))
    }
}

/// The merge that is meant: that of the named variant, of the scratch worktree stood in, of the
/// variant stood in, or the only one there is.
///
/// # Errors
/// When a name has no variant, or several merges wait and none is named.
pub fn find(
    ctx: &Context<'_>,
    here: &Here,
    name: Option<&str>,
) -> Result<Option<Waiting>, Problem> {
    if let Some(name) = name {
        let variant = here.named(ctx, Some(name))?;
        return of(ctx, &variant);
    }
    let Some(row) = &here.row else { return Ok(None) };
    let mut all = vec![];
    for waiting in merges::of_repo(ctx.store.read(), &row.id)? {
        let Some(variant) = variants::by_key(ctx.store.read(), waiting.variant)? else { continue };
        if matches!(variant.state, VariantState::Ready | VariantState::Removing) {
            all.push(Waiting { variant, stored: waiting.data()? });
        }
    }
    let stood_in = |waiting: &Waiting| {
        let in_variant = here.variant.as_ref().is_some_and(|here| here.key == waiting.variant.key);
        in_variant || stands_in(ctx, &waiting.stored.scratch)
    };
    if let Some(at) = all.iter().position(stood_in) {
        return Ok(Some(all.swap_remove(at)));
    }
    if all.len() < 2 {
        return Ok(all.pop());
    }
    let names: Vec<String> = all.iter().map(|one| format!("`{}`", one.variant.name)).collect();
    let text = format!("several merges wait: {}", names.join(", "));
    let first = all.first().map_or("NAME", |one| one.variant.name.as_str());
    Err(Problem::usage(text).hint(format!("name one: `wt merge {first} --continue`")))
}

fn stands_in(ctx: &Context<'_>, scratch: &Path) -> bool {
    let cwd = std::fs::canonicalize(&ctx.environment.cwd);
    let scratch = std::fs::canonicalize(scratch);
    matches!((cwd, scratch), (Ok(cwd), Ok(scratch)) if cwd.starts_with(&scratch))
}

/// The merge of a variant that waits.
///
/// # Errors
/// The store's.
pub fn of(ctx: &Context<'_>, variant: &Variant) -> Result<Option<Waiting>, Problem> {
    let Some(waiting) = merges::of_variant(ctx.store.read(), variant.key)? else { return Ok(None) };
    Ok(Some(Waiting { variant: variant.clone(), stored: waiting.data()? }))
}

/// The problem that there is nothing to go on with.
pub fn none() -> Problem {
    Problem::failed("no merge waits here").hint("begin one: `wt merge NAME`")
}

/// Records what a merge that waits is about by now.
///
/// # Errors
/// The store's.
pub fn put(ctx: &Context<'_>, waiting: &Waiting) -> Result<(), Problem> {
    let (now, variant) = (ctx.clock.now(), &waiting.variant);
    Ok(ctx
        .store
        .write_durably(|tx| merges::put(tx, &variant.repo, variant.key, &waiting.stored, now))?)
}
