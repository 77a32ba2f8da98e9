//! `--dry-run`: the merge is made in a scratch worktree, without hooks and unsigned, looked at, and
//! thrown away.

use serde::Serialize;

use crate::commands::context::{Context, Here};
use crate::commands::merge::conflicts::Stuck;
use crate::commands::merge::done::differences;
use crate::commands::merge::facts::Facts;
use crate::commands::merge::plan::Plan;
use crate::commands::merge::recover::Step;
use crate::commands::merge::start::{make_scratch, merging, scratch_at};
use crate::domain::problem::Problem;
use crate::git::diff::LineCount;
use crate::git::land::{self, proof::Obstacle};
use crate::git::scratch::{Brought, Hooks, Stopped, bring};

/// What a merge would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rehearsed {
    /// The variant.
    pub variant: String,
    /// The branch it would go into.
    pub into: String,
    /// Where that stands.
    pub onto: String,
    /// Commits that the variant has and the branch has not.
    pub commits: u64,
    /// What would be done.
    pub plan: Plan,
    /// What would come of it, leftovers left out.
    pub expected: Expected,
}

/// What would come of a merge.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Expected {
    /// It would go through.
    Merges {
        /// By moving the branch on.
        fast_forward: bool,
        /// How many files would change.
        files: usize,
        /// How many lines.
        lines: LineCount,
        /// What would be in the way, in the checkout of the branch.
        obstacles: Vec<Obstacle>,
    },
    /// It would stop.
    Conflicts(Stuck),
    /// There is nothing to merge.
    Nothing,
    /// All there is to merge is not committed yet, and was not looked into.
    Leftovers,
    /// git would stop for another reason.
    Stops {
        /// In git's words.
        said: Vec<String>,
    },
}

/// Finds out what a merge would do. Nothing lasts.
///
/// # Errors
/// When git fails.
pub fn rehearse(
    ctx: &Context<'_>,
    here: &Here,
    facts: &Facts,
    plan: Plan,
) -> Result<Rehearsed, Problem> {
    let expected = match (facts.ahead, plan.leftovers) {
        (0, 0) => Expected::Nothing,
        (0, _) => Expected::Leftovers,
        _ => tried(ctx, here, facts, &plan)?,
    };
    Ok(Rehearsed {
        variant: facts.variant.name.to_string(),
        into: facts.target.branch.clone(),
        onto: facts.target.commit.clone(),
        commits: facts.ahead,
        plan,
        expected,
    })
}

fn tried(ctx: &Context<'_>, here: &Here, facts: &Facts, plan: &Plan) -> Result<Expected, Problem> {
    let mut merging = merging(facts, plan, None);
    merging.scratch = Some(scratch_at(here, &facts.variant)?);
    let step = Step::open(ctx, here, &facts.variant, merging)?;
    let expected = found(ctx, &step, facts);
    step.close()?;
    expected
}

fn found(ctx: &Context<'_>, step: &Step<'_>, facts: &Facts) -> Result<Expected, Problem> {
    let scratch = make_scratch(ctx, step, false)?;
    let work = &step.merging.work;
    Ok(match bring(&scratch, &Hooks::none(), work)? {
        Brought::Nothing => Expected::Nothing,
        Brought::Stopped(Stopped::Said(said)) => Expected::Stops { said },
        Brought::Stopped(_) => Expected::Stops { said: vec![] },
        Brought::Conflicts(conflicts) => {
            let base = facts.base.clone().unwrap_or_default();
            Expected::Conflicts(Stuck {
                variant: facts.variant.name.to_string(),
                into: work.into.clone(),
                onto: work.onto.clone(),
                scratch: scratch.place().dir().to_path_buf(),
                files: differences(step.here, &base, &work.tip)?.files.len(),
                conflicts,
            })
        }
        Brought::Commit(made) => {
            let diff = differences(step.here, &work.onto, &made)?;
            let obstacles = match facts.target.checkouts.first() {
                Some(checkout) => land::obstacles(&checkout.place, &work.onto, &made)?,
                None => vec![],
            };
            Expected::Merges {
                fast_forward: made == work.tip,
                files: diff.files.len(),
                lines: diff.lines(),
                obstacles,
            }
        }
    })
}
