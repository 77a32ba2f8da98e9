//! Which variants a cleanup is about.

use crate::commands::cleanup::{Request, Skipped, Which};
use crate::commands::context::{Context, Here};
use crate::commands::select::Selection;
use crate::domain::problem::Problem;
use crate::domain::variant::Variant;
use crate::store::variants;

/// The variants, and how they came to be meant.
#[derive(Debug, Default)]
pub struct Chosen {
    /// In the order they will go.
    pub variants: Vec<Variant>,
    /// Those passed over before anything was looked at.
    pub skipped: Vec<Skipped>,
    /// A filter found them, so one that does not fit is passed over and no refusal.
    pub filtered: bool,
    /// They lost against a merged one, so not being merged is what is expected of them.
    pub losers: bool,
}

/// Chooses.
///
/// # Errors
/// When a name has no variant, or there is no merge to have lost against.
pub fn choose(ctx: &Context<'_>, here: &Here, request: &Request) -> Result<Chosen, Problem> {
    Ok(match &request.which {
        Which::Named(names) => {
            let variants = Selection::of(names.clone()).resolve(ctx, here)?;
            Chosen { variants, ..Chosen::default() }
        }
        Which::All => Chosen { variants: here.variants(ctx)?, ..Chosen::default() },
        Which::Merged => {
            Chosen { variants: here.variants(ctx)?, filtered: true, ..Chosen::default() }
        }
        Which::Losers => {
            let variants = losers(ctx, here, request.force)?;
            Chosen { variants, losers: true, ..Chosen::default() }
        }
    })
}

/// The unmerged members, older than the merge, of the last merged variant's idea.
fn losers(ctx: &Context<'_>, here: &Here, force: bool) -> Result<Vec<Variant>, Problem> {
    let no_merge = || {
        Problem::failed("nothing was merged here yet, so nothing has lost")
            .hint("merge the best one: `wt merge NAME`")
            .hint("or name what is to go: `wt cleanup NAME…`")
    };
    let row = here.row.as_ref().ok_or_else(no_merge)?;
    let winner = variants::last_merged(ctx.store.read(), &row.id)?.ok_or_else(no_merge)?;
    let merged_at = winner.merged.as_ref().map(|merged| merged.at);
    let Some(idea) = &winner.idea else {
        let text = format!("`{}`, the last one merged, competed with none", winner.name);
        return Err(Problem::failed(text).hint("name what is to go: `wt cleanup NAME…`"));
    };
    let is_loser = |variant: &Variant| {
        variant.key != winner.key
            && variant.merged.is_none()
            && Some(variant.created_at) <= merged_at
            && variant.idea.as_ref().is_some_and(|other| other.name == idea.name)
    };
    let found: Vec<Variant> = here.variants(ctx)?.into_iter().filter(is_loser).collect();
    let suggested = |variant: &Variant| variant.idea.as_ref().is_some_and(|idea| idea.suggested);
    if !force && !found.is_empty() && (idea.suggested || found.iter().any(suggested)) {
        let names: Vec<String> = found.iter().map(|variant| variant.name.to_string()).collect();
        let text = format!("idea `{}` was only suggested by the names of its variants", idea.name);
        return Err(Problem::refused(text)
            .detail(format!("lost against {}: {}", winner.name, names.join(", ")))
            .hint("if these are the losers: `wt cleanup --losers --force`")
            .hint(format!("or name them: `wt cleanup {}`", names.join(" "))));
    }
    Ok(found)
}
