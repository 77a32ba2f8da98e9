//! The trash: what has expired, and what should be there and is not.

use crate::commands::context::Context;
use crate::commands::doctor::Finding;
use crate::commands::doctor::mend::Mend;
use crate::commands::gc::Expired;
use crate::domain::problem::Problem;
use crate::domain::variant::VariantState;
use crate::store::{repos, variants};

/// Looks.
///
/// # Errors
/// The store's, or git's.
pub fn look(ctx: &Context<'_>) -> Result<Vec<Finding>, Problem> {
    let (mut findings, mut expired, mut kept) = (vec![], 0, 0);
    for row in repos::all(ctx.store.read())? {
        let found = Expired::of(ctx, &row)?;
        expired += found.variants.len() + found.refs.len();
        for variant in variants::in_state(ctx.store.read(), &row.id, VariantState::Trashed)? {
            let Some(trash) = variants::trash(ctx.store.read(), variant.key)? else { continue };
            if trash.path.symlink_metadata().is_ok() {
                kept += 1;
                continue;
            }
            let found = format!("`{}` is gone, so it cannot come back", trash.path.display());
            let words = match &trash.backup_ref {
                Some(reference) => format!("forget it; its commits stay under {reference}"),
                None => "forget it".to_owned(),
            };
            let about = format!("trash {}/{}", row.name, variant.name);
            let mend = Mend::ForgetTrash { key: variant.key };
            findings.push(Finding::wrong(about, found).mended_by(words, mend));
        }
    }
    if expired > 0 {
        let found = format!("{expired} things are older than 30 days");
        findings
            .push(Finding::notable("trash", found).mended_by("remove them for good", Mend::Purge));
    }
    if findings.is_empty() {
        let variants = if kept == 1 { "variant" } else { "variants" };
        findings.push(Finding::fine("trash", format!("{kept} {variants}, none expired")));
    }
    Ok(findings)
}
