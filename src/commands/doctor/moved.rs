//! Whether the place that `wt doctor` was started in is one that was moved: a repository, or a
//! variant's worktree.

use std::path::{Path, PathBuf};

use crate::commands::context::Context;
use crate::commands::doctor::Finding;
use crate::commands::doctor::mend::Mend;
use crate::domain::problem::Problem;
use crate::domain::variant::Variant;
use crate::git::repo::Repo;
use crate::git::worktree::{Naming, naming, registration_named_in};
use crate::store::repos::{self, RepoRow};
use crate::store::variants;

/// Looks; gives nothing when nothing was moved here.
///
/// # Errors
/// The store's.
pub fn look(ctx: &Context<'_>) -> Result<Option<Finding>, Problem> {
    let cwd =
        std::fs::canonicalize(&ctx.environment.cwd).unwrap_or_else(|_| ctx.environment.cwd.clone());
    if variants::holding(ctx.store.read(), &cwd)?.is_some() {
        return Ok(None);
    }
    if let Some(finding) = worktree(ctx, &cwd)? {
        return Ok(Some(finding));
    }
    let Ok((repo, _)) = Repo::discover(&cwd) else { return Ok(None) };
    if repos::by_common_dir(ctx.store.read(), repo.common_dir())?.is_some() {
        return Ok(None);
    }
    for row in repos::all(ctx.store.read())? {
        if row.common_dir.exists() {
            continue;
        }
        let variants = variants::present(ctx.store.read(), &row.id)?;
        if is_the_same(&repo, &row, &variants) {
            let place = repo.root().display();
            let found = format!("was moved from `{}` to `{place}`", row.root.display());
            let mend = Mend::RelocateRepo {
                repo: row.id.clone(),
                common_dir: repo.common_dir().to_path_buf(),
                root: repo.root().to_path_buf(),
            };
            let about = format!("repository {}", row.name);
            return Ok(Some(Finding::wrong(about, found).mended_by("record it there", mend)));
        }
    }
    Ok(None)
}

/// A repository is the one that was recorded elsewhere when it has what was recorded of it: the
/// registrations of its variants and the commits that they forked from.
fn is_the_same(repo: &Repo, row: &RepoRow, variants: &[Variant]) -> bool {
    let has = |variant: &&Variant| {
        let moved = variant.admin_dir.strip_prefix(&row.common_dir);
        moved.is_ok_and(|rest| repo.common_dir().join(rest).is_dir())
            && repo.commit(&variant.fork_commit).is_ok()
    };
    !variants.is_empty() && variants.iter().all(|variant| has(&variant))
}

/// The directory stood in is a variant's worktree that was moved by hand: it names the
/// registration, which still names the old place, where there is nothing.
fn worktree(ctx: &Context<'_>, cwd: &Path) -> Result<Option<Finding>, Problem> {
    let Some((top, admin_dir)) = named_above(cwd) else { return Ok(None) };
    for variant in variants::present_everywhere(ctx.store.read())? {
        let gone = naming(&variant.path, &variant.admin_dir) == Naming::NoDirectory;
        if variant.admin_dir != admin_dir || !gone {
            continue;
        }
        let found = format!("its worktree was moved to `{}`", top.display());
        let mend = Mend::Repair { key: variant.key, path: top };
        let about = format!("variant {}", variant.name);
        return Ok(Some(Finding::wrong(about, found).mended_by("record it there", mend)));
    }
    Ok(None)
}

fn named_above(dir: &Path) -> Option<(PathBuf, PathBuf)> {
    dir.ancestors().find_map(|top| Some((top.to_path_buf(), registration_named_in(top)?)))
}
