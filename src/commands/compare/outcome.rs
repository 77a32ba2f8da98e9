//! What `wt compare` answers: its JSON, field by field.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::commands::allot::Budgeted;
use crate::commands::compare::choose::Scope;
use crate::commands::compare::missing::Missing;
use crate::commands::compare::overlap::Overlap;
use crate::commands::compare::rank::Criterion;
use crate::commands::compare::warnings::Warning;
use crate::commands::spent::Spent;
use crate::commands::work::Standing;
use crate::domain::id::TaskId;
use crate::domain::usage::Usage;
use crate::git::diff::LineCount;
use crate::git::predict::Prediction;

/// The most conflicting files that are named of one merge; `conflicts` counts all.
const NAMED_MAX: usize = 100;

/// Variants side by side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// How they were chosen.
    pub scope: Scope,
    /// The variants, oldest first or in the order they were named.
    pub variants: Vec<VariantRow>,
    /// Each pair of readable variants, once, in the order of the rows.
    pub pairs: Vec<PairRow>,
    /// Files that several of them touch.
    pub overlap: Overlap,
    /// Files that they touch and that are changed but not committed in the main checkout.
    pub overlap_main: Overlap,
    /// What to look out for, in the order of the rows.
    pub warnings: Vec<Warning>,
    /// Every variant, the one to take first.
    pub order: Vec<OrderRow>,
    /// The names of those in the first place, if they are finished: one, or several that are equal
    /// by all that is known.
    pub suggested: Vec<String>,
    /// What is missing to decide, in the order of the rows.
    pub missing: Vec<Missing>,
}

/// A variant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VariantRow {
    /// Its name.
    pub name: String,
    /// Its branch, without `refs/heads/`.
    pub branch: String,
    /// What it is to be merged into.
    pub base: BaseSide,
    /// How its work stands: `queued`, `waiting`, `running`, `asks`, `done`, `failed`, `stopped`,
    /// `lost`; `none` when no agent was ever asked.
    pub state: State,
    /// The branch that it was merged into, when nothing in it differs since.
    pub merged_into: Option<String>,
    /// Since when, in UTC.
    pub since: Option<Timestamp>,
    /// The task that says so.
    pub task: Option<TaskId>,
    /// The question it ended with, or why its work is where it is.
    pub reason: Option<String>,
    /// The commit checked out in it, in hex.
    pub head: Option<String>,
    /// The commit that its change counts from, in hex: where it and its base parted.
    pub parted_at: Option<String>,
    /// How many paths are uncommitted in it; they count as part of its change.
    pub uncommitted: Option<usize>,
    /// True when its worktree cannot be read, so that only what is committed counts.
    pub worktree_missing: bool,
    /// How many files it changed.
    pub files: Option<usize>,
    /// How many of those are binary, so that they have no lines.
    pub binary_files: Option<usize>,
    /// Lines it added and removed.
    pub lines: Option<LineCount>,
    /// What all attempts in it used.
    pub used: Option<Spent>,
    /// The same as it is shown.
    #[serde(skip)]
    pub usage: Option<Usage>,
    /// What the agent that says how it stands may use, and what was used of that.
    pub budget: Option<Budgeted>,
    /// Whether it merges into its base, uncommitted work included.
    pub with_base: Merging,
    /// How many of the other rows it conflicts with.
    pub conflicts_with: usize,
}

/// How a variant's work stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// No agent was ever asked.
    None,
    /// An agent was.
    Of(Standing),
}

impl State {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Of(standing) => standing.word(),
        }
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// What a variant is to be merged into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BaseSide {
    /// The branch it forked from; `null` when that was a plain commit.
    pub branch: Option<String>,
    /// The commit compared with: where the branch stands, or the fork commit without one.
    pub commit: String,
}

/// Whether a merge would go through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "merge", rename_all = "kebab-case")]
pub enum Merging {
    /// It would.
    Clean,
    /// It would stop.
    Conflicts {
        /// In how many files.
        conflicts: usize,
        /// Those files, at most 100.
        files: Vec<String>,
    },
    /// Nobody can say.
    Unknown {
        /// Why.
        why: String,
    },
}

impl Merging {
    /// True when nobody can say.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }

    pub(super) fn of(prediction: &Prediction) -> Self {
        match prediction {
            Prediction::Clean { .. } => Self::Clean,
            Prediction::Conflicts { files } => Self::Conflicts {
                conflicts: files.len(),
                files: files
                    .iter()
                    .take(NAMED_MAX)
                    .map(|path| path.to_string_lossy().into_owned())
                    .collect(),
            },
            Prediction::Impossible { why } => Self::Unknown { why: why.clone() },
        }
    }
}

/// Two variants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PairRow {
    /// The one that stands first.
    pub a: String,
    /// The other.
    pub b: String,
    /// Whether they merge.
    #[serde(flatten)]
    pub merging: Merging,
}

/// A variant's place in the suggested order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderRow {
    /// From 1; equal ones share it.
    pub place: usize,
    /// The variant's name.
    pub name: String,
    /// By what it comes after the one before it; `null` when it is equal to that, or the first.
    pub behind_by: Option<Criterion>,
    /// What speaks for and against it, in words, first how far its work is.
    pub reasons: Vec<String>,
}
