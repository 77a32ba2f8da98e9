//! Each repository that `wt` knows, and each variant of it.

use crate::commands::context::Context;
use crate::commands::doctor::{Finding, leavings, worktrees};
use crate::domain::problem::Problem;
use crate::git::repo::Repo;
use crate::store::repos::RepoRow;
use crate::store::variants;

/// Looks, but not again at what is known to have moved.
///
/// # Errors
/// The store's, or git's.
pub fn look(
    ctx: &Context<'_>,
    row: &RepoRow,
    moved: Option<&Finding>,
) -> Result<Vec<Finding>, Problem> {
    let told = |variant| moved.is_some_and(|moved| moved.concerns(variant, &row.id));
    if told(None) {
        return Ok(vec![]);
    }
    let about = format!("repository {}", row.name);
    let variants = variants::present(ctx.store.read(), &row.id)?;
    let place = row.common_dir.display();
    let repo = match Repo::open(&row.common_dir) {
        Ok(repo) => repo,
        // Nothing of it is left to be out of step with.
        Err(_) if variants.is_empty() => {
            return Ok(vec![Finding::notable(about, format!("`{place}` is gone"))]);
        }
        Err(_) => {
            let found = format!("`{place}` is gone, and {} variants with it", variants.len());
            let hint = "if it was moved: `wt -C NEW-PLACE doctor --fix`";
            return Ok(vec![Finding::wrong(about, found).hint(hint)]);
        }
    };
    let mut findings = leavings::look(ctx, row, &repo)?;
    for variant in variants.iter().filter(|variant| !told(Some(variant.key))) {
        findings.extend(worktrees::look(row, &repo, variant)?);
    }
    if findings.is_empty() {
        let found = match variants.len() {
            0 => "no variants".to_owned(),
            1 => "1 variant, in its place".to_owned(),
            count => format!("{count} variants, all in their places"),
        };
        findings.push(Finding::fine(about, found));
    }
    Ok(findings)
}
