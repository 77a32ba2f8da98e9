//! `wt merge`: the winner into the branch it forked from.
//!
//! First everything is looked at (`facts`) and decided (`plan`); then git makes the merge in a
//! scratch worktree, and only when that is whole does the branch move, and the checkout with it
//! ([`land`](crate::git::land)). Conflicts wait in the scratch worktree: settled by hand or in
//! favour of one side, the merge goes on; or it is given up.

pub(super) mod abort;
mod ask;
pub(super) mod before;
pub(super) mod conflicts;
pub(super) mod done;
mod excerpt;
pub(super) mod facts;
mod go_on;
mod others;
pub(super) mod plan;
pub mod recover;
mod rehearse;
pub(super) mod start;
pub(super) mod waiting;

use std::path::PathBuf;

use serde::Serialize;

use crate::commands::context::{Context, Here, unknown_variant};
use crate::domain::problem::Problem;
use crate::domain::variant::Variant;
use crate::git::conflict::favor::Favor;

pub use abort::Aborted;
pub use conflicts::Stuck;
pub use done::Merged;
pub use others::NowConflicts;
pub use plan::{LeftBehind, Plan, Way};
pub use rehearse::{Expected, Rehearsed};

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The variant; without one, the one stood in, or the only one whose merge waits.
    pub name: Option<String>,
    /// What to do with it.
    pub action: Action,
    /// The branch to merge into; without it the one the variant forked from.
    pub into: Option<String>,
    /// In what way; without it, as the settings say.
    pub way: Option<Way>,
    /// Only these commits of the variant, in this order.
    pub pick: Vec<String>,
    /// The message of the commit that is made.
    pub message: Option<String>,
    /// Say what would happen, and change nothing.
    pub dry_run: bool,
    /// Answers the plan's question.
    pub yes: bool,
    /// Merges although the agent is still at work.
    pub force: bool,
}

/// What to do with a variant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Action {
    /// Merge it.
    #[default]
    Start,
    /// Go on with a merge whose conflicts were settled.
    Continue,
    /// Give up a merge that waits.
    Abort,
    /// Let one side win wherever both changed something, and go on.
    Favor {
        /// Which side.
        side: Favor,
        /// Only in these files or directories, counted from the repository's top; all if empty.
        paths: Vec<PathBuf>,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Outcome {
    /// The branch holds the variant's work.
    Merged(Merged),
    /// It did already; nothing was changed.
    AlreadyIn {
        /// The variant.
        variant: String,
        /// The branch.
        into: String,
        /// In words.
        why: String,
    },
    /// What would happen: `--dry-run`.
    Planned(Rehearsed),
    /// A merge that waited was given up.
    Aborted(Aborted),
}

/// Merges a variant, or goes on with one.
///
/// # Errors
/// Conflicts, a refusal, or what failed. The branch and its checkout are as they were before.
pub fn run(ctx: &Context<'_>, request: &Request) -> Result<Outcome, Problem> {
    let here = ctx.here()?;
    match &request.action {
        Action::Start => {
            let variant = variant(ctx, &here, request.name.as_deref())?;
            start::start(ctx, &here, &variant, request)
        }
        Action::Favor { side, paths } => {
            let chosen = waiting::find(ctx, &here, request.name.as_deref())?;
            if chosen.is_none() && request.name.is_some() {
                let variant = variant(ctx, &here, request.name.as_deref())?;
                return start::start(ctx, &here, &variant, request);
            }
            let waiting = chosen.ok_or_else(waiting::none)?;
            go_on::favor(ctx, &here, waiting, (*side, paths))
        }
        Action::Continue => {
            let waiting = waiting::find(ctx, &here, request.name.as_deref())?;
            go_on::go_on(ctx, &here, waiting.ok_or_else(waiting::none)?)
        }
        Action::Abort => {
            let waiting = waiting::find(ctx, &here, request.name.as_deref())?;
            abort::abort(ctx, &here, waiting.ok_or_else(waiting::none)?)
        }
    }
}

/// The variant of that name. Elsewhere `merge main` means "me into main": here the variant is
/// named, and it knows its base.
fn variant(ctx: &Context<'_>, here: &Here, name: Option<&str>) -> Result<Variant, Problem> {
    let Some(name) = name else { return here.named(ctx, None) };
    let present = here.variants(ctx)?;
    let folded = name.to_ascii_lowercase();
    let found = |variant: &&Variant| variant.name.folded() == folded || variant.branch == name;
    if let Some(variant) = present.iter().find(found) {
        return Ok(variant.clone());
    }
    if here.repo.branch(name)?.is_none() {
        return Err(unknown_variant(name, present.iter().map(|variant| &variant.name)));
    }
    let is_base = |variant: &Variant| variant.base_branch.as_deref() == Some(name);
    let what = "`wt merge` is given what is merged, not what it is merged into";
    let problem = Problem::usage(format!("`{name}` is a branch and no variant: {what}"));
    Err(match &here.variant {
        Some(variant) if is_base(variant) => {
            problem.hint(format!("merge this variant into `{name}`: `wt merge`"))
        }
        _ if present.iter().any(is_base) => {
            problem.hint(format!("merge a variant into `{name}`: `wt merge NAME`"))
        }
        _ => problem
            .hint(format!("make it a variant first: `wt adopt {name}`"))
            .hint(format!("merge a variant into it: `wt merge NAME --into {name}`")),
    })
}
