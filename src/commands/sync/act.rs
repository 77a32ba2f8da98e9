//! Syncing variants: looked at and decided first, then one after the other.

use crate::commands::context::{Context, Here};
use crate::commands::sync::facts::{Facts, gather};
use crate::commands::sync::make::Making;
use crate::commands::sync::plan::{Decision, at_work, decide};
use crate::commands::sync::waiting::{self, Waiting};
use crate::commands::sync::{Outcome, Request, Synced, What, rehearse, told};
use crate::domain::problem::Problem;
use crate::domain::settings::MergeStrategy;
use crate::domain::variant::Variant;

/// What is to be done about one variant.
enum Turn {
    /// The base is brought in.
    Sync(Box<Facts>, usize),
    /// Its conflicts wait already.
    Waits(Box<Waiting>),
    /// Nothing.
    Over(Box<Synced>),
}

/// Syncs variants.
///
/// # Errors
/// A refusal before anything is changed; of a single variant also what failed.
pub fn start(ctx: &Context<'_>, here: &Here, request: &Request) -> Result<Outcome, Problem> {
    let chosen = request.which.resolve(ctx, here)?;
    let alone = chosen.len() == 1;
    let mut turns = vec![];
    for variant in &chosen {
        turns.push(match look(ctx, here, request, variant) {
            Err(problem) if request.which.all && !alone => Turn::Over(Box::new(Synced {
                variant: variant.name.to_string(),
                branch: variant.branch.clone(),
                from: request.from.clone().or(variant.base_branch.clone()).unwrap_or_default(),
                commit: String::new(),
                behind: 0,
                what: What::Failed { error: problem },
            })),
            looked => looked?,
        });
    }
    tell_stale(ctx, &turns);
    let strategy = here.settings().merge.strategy;
    let rebase = request.rebase.unwrap_or(strategy == MergeStrategy::Rebase);
    let (mut variants, mut undo) = (vec![], None);
    for turn in turns {
        let synced = match turn {
            Turn::Over(synced) => *synced,
            Turn::Waits(waiting) => waits(ctx, here, *waiting, request)?,
            Turn::Sync(facts, leftovers) if request.dry_run => {
                rehearse::rehearse(ctx, here, &facts, (rebase, leftovers))?
            }
            Turn::Sync(facts, leftovers) => {
                let mut making =
                    Making { ctx, here, rebase, resolve: request.resolve, undo, leftovers };
                let made = making.run(&facts);
                undo = making.undo;
                match made {
                    Err(problem) if !alone => synced(&facts, What::Failed { error: problem }),
                    made => synced(&facts, made?),
                }
            }
        };
        variants.push(synced);
    }
    Ok(Outcome { dry_run: request.dry_run, variants })
}

/// What came of a variant, from what was known of it before.
pub fn synced(facts: &Facts, what: What) -> Synced {
    Synced {
        variant: facts.variant.name.to_string(),
        branch: facts.variant.branch.clone(),
        from: facts.from.clone(),
        commit: facts.commit.clone(),
        behind: facts.behind,
        what,
    }
}

fn look(
    ctx: &Context<'_>,
    here: &Here,
    request: &Request,
    variant: &Variant,
) -> Result<Turn, Problem> {
    if let Some(waiting) = waiting::of(ctx, here, variant)? {
        return Ok(Turn::Waits(Box::new(waiting)));
    }
    let facts = gather(ctx, here, variant, request.from.as_deref())?;
    Ok(match decide(&facts) {
        Ok(Decision::Sync { leftovers }) => Turn::Sync(Box::new(facts), leftovers),
        Ok(Decision::UpToDate) => Turn::Over(Box::new(synced(&facts, What::UpToDate))),
        Err(_) if request.which.all && facts.open.is_some() => {
            let why = facts.open.as_ref().map(|task| at_work(variant, task.state).message);
            let why = why.unwrap_or_default();
            Turn::Over(Box::new(synced(&facts, What::PassedOver { why })))
        }
        Err(problem) => return Err(problem),
    })
}

/// A sync that waits already: handed to its agent, or told again.
fn waits(
    ctx: &Context<'_>,
    here: &Here,
    waiting: Waiting,
    request: &Request,
) -> Result<Synced, Problem> {
    if request.resolve && !request.dry_run {
        return told::hand_over(ctx, here, waiting);
    }
    told::stuck(ctx, &waiting)
}

/// A local branch that is older than what it follows brings less than one may think.
fn tell_stale(ctx: &Context<'_>, turns: &[Turn]) {
    let mut told: Vec<&str> = vec![];
    for turn in turns {
        let Turn::Sync(facts, _) = turn else { continue };
        let Some(upstream) = facts.upstream.as_ref().filter(|upstream| upstream.behind > 0) else {
            continue;
        };
        if !told.contains(&facts.from.as_str()) {
            let (from, commits) =
                (&facts.from, crate::commands::merge::plan::commits(upstream.behind));
            ctx.observer.warn(&format!(
                "`{from}` is {commits} behind `{}`, which are not brought in",
                upstream.name
            ));
            told.push(from);
        }
    }
}
