//! `wt sync`: the base into variants.
//!
//! As in a merge, git makes it in a scratch worktree, and a variant's branch and worktree move only
//! when it is whole. What conflicts is then begun again in the variant's own worktree, where a
//! person or its agent settles it; no other checkout is ever touched.

mod act;
mod facts;
mod go_on;
mod make;
mod plan;
pub mod recover;
mod rehearse;
mod told;
pub mod waiting;

use std::path::PathBuf;

use serde::Serialize;

use crate::commands::again::Queued;
use crate::commands::context::Context;
use crate::commands::merge::plan::LeftBehind;
use crate::commands::select::Selection;
use crate::domain::problem::Problem;
use crate::git::conflict::Conflict;
use crate::git::diff::LineCount;
use crate::git::land::proof::Obstacle;

pub use told::{agent_hears, problem};

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Which variants.
    pub which: Selection,
    /// What to do with them.
    pub action: Action,
    /// The branch that is brought in; without it the one each forked from.
    pub from: Option<String>,
    /// Make their commits again on top (true), or merge; without it, as the settings say.
    pub rebase: Option<bool>,
    /// Hand conflicts to the variants' agents.
    pub resolve: bool,
    /// Say what would come of it, and change nothing.
    pub dry_run: bool,
}

/// What to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Action {
    /// Bring the base in.
    #[default]
    Start,
    /// Go on where conflicts were settled.
    Continue,
    /// Give up where they wait.
    Abort,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// True when nothing was changed: `--dry-run`.
    pub dry_run: bool,
    /// One for each variant, in the order in which they were named.
    pub variants: Vec<Synced>,
}

/// What came of one variant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Synced {
    /// Its name.
    pub variant: String,
    /// Its branch.
    pub branch: String,
    /// The branch that is brought in.
    pub from: String,
    /// Where that stands, in hex.
    pub commit: String,
    /// How many of its commits the variant had not.
    pub behind: u64,
    /// What came of it.
    #[serde(flatten)]
    pub what: What,
}

/// What came of a sync.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum What {
    /// The variant had everything already.
    UpToDate,
    /// Its branch, and its worktree with it, have moved.
    Synced(Moved),
    /// Conflicts wait in its worktree.
    Conflicts(Stuck),
    /// Its agent was told to settle them.
    Resolving {
        /// The attempt that was queued.
        attempt: Queued,
        /// What it is to settle.
        conflicts: Vec<Conflict>,
    },
    /// A sync that waited was given up.
    GivenUp {
        /// The ref that keeps how its worktree stood.
        kept: String,
    },
    /// What would come of it: `--dry-run`.
    Planned(Planned),
    /// It was passed over, with `--all`.
    PassedOver {
        /// In words.
        why: String,
    },
    /// It could not be done, and nothing of it was changed.
    Failed {
        /// Why.
        error: Problem,
    },
}

/// A branch that moved.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Moved {
    /// Where it stood, in hex.
    pub old: String,
    /// Where it stands, in hex.
    pub new: String,
    /// In words: `fast-forward`, `merge commit`, `2 commits rebased`.
    pub how: String,
    /// How many files changed in the worktree.
    pub files: usize,
    /// How many lines.
    pub lines: LineCount,
    /// Uncommitted paths that were committed first.
    pub leftovers: usize,
    /// Uncommitted work that stays so.
    pub left_behind: Option<LeftBehind>,
    /// Submodules that now stand at another commit than their files.
    pub submodules: Vec<String>,
    /// The ref of the snapshot that was taken before.
    pub snapshot: Option<String>,
}

/// A sync that waits for its conflicts to be settled.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stuck {
    /// The worktree in which it waits: the variant's own.
    pub path: PathBuf,
    /// True when its commits are made again on top of the base, false for a merge.
    pub rebase: bool,
    /// What is not settled, or settled and not gone on with.
    pub conflicts: Vec<Conflict>,
    /// Whether its agent could be told to settle them.
    pub agent_hears: bool,
}

/// What a sync would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Planned {
    /// True when its commits would be made again on top of the base, false for a merge.
    pub rebase: bool,
    /// How many uncommitted paths would be committed first; not looked into.
    pub leftovers: usize,
    /// Uncommitted work that would stay so.
    pub left_behind: Option<LeftBehind>,
    /// What would come of it.
    pub expected: Expected,
}

/// What would come of a sync.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Expected {
    /// It would go through.
    Syncs {
        /// How many files would change.
        files: usize,
        /// How many lines.
        lines: LineCount,
        /// What would be in the way, in the worktree.
        obstacles: Vec<Obstacle>,
    },
    /// It would stop.
    Conflicts {
        /// At these.
        conflicts: Vec<Conflict>,
    },
    /// git would stop for another reason.
    Stops {
        /// In git's words.
        said: Vec<String>,
    },
}

/// Brings the base into variants, or goes on with that.
///
/// # Errors
/// Of a single variant what is in the way; of several those refusals that come before anything is
/// changed. Conflicts are part of the outcome ([`problem`]).
pub fn run(ctx: &Context<'_>, request: &Request) -> Result<Outcome, Problem> {
    let here = ctx.here()?;
    match request.action {
        Action::Start => act::start(ctx, &here, request),
        Action::Continue => go_on::each(ctx, &here, &request.which, go_on::go_on),
        Action::Abort => go_on::each(ctx, &here, &request.which, go_on::abort),
    }
}
