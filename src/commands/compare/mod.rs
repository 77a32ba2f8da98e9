//! `wt compare`: variants side by side, each with its base and with each other, uncommitted work
//! included; what to look out for, which one to take, and what is missing to decide.
//!
//! Nothing is written into the repository: uncommitted work and predicted merges live among side
//! objects that are thrown away with the answer.
//!
//! # JSON
//! `kind` is `compare`; the fields are those of [`Outcome`], in its order. Everything is there
//! however many variants there are: each pair of them stands in `pairs` once. Paths are text; bytes
//! that are no UTF-8 are replaced. A `null` is not known, which is never the same as zero.

mod assemble;
mod choose;
mod gather;
mod missing;
mod outcome;
mod overlap;
pub mod rank;
mod test_lines;
mod warnings;

use crate::commands::context::Context;
use crate::domain::problem::Problem;

pub use choose::{ChosenBy, Scope};
pub use missing::Missing;
pub use outcome::{BaseSide, Merging, OrderRow, Outcome, PairRow, State, VariantRow};
pub use overlap::{Overlap, Shared};
pub use warnings::{Warning, WarningKind};

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Names and globs.
    pub names: Vec<String>,
    /// The variants of this idea.
    pub idea: Option<String>,
    /// Every variant of the repository.
    pub all: bool,
}

/// Compares variants. Those that cannot be read are told as such and cost no other one.
///
/// # Errors
/// When there is none to compare, a name has none, or git cannot be run at all.
pub fn run(ctx: &Context<'_>, request: Request) -> Result<Outcome, Problem> {
    let here = ctx.here()?;
    let (variants, scope) = choose::choose(ctx, &here, request)?;
    let found = gather::gather(ctx, &here, &variants)?;
    Ok(assemble::assemble(&variants, scope, found))
}
