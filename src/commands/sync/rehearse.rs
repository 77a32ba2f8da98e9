//! `--dry-run`: the sync is made in a scratch worktree, without hooks and unsigned, looked at, and
//! thrown away.

use crate::commands::context::{Context, Here};
use crate::commands::merge::done::differences;
use crate::commands::sync::act::synced;
use crate::commands::sync::facts::Facts;
use crate::commands::sync::make::{make_scratch, scratch_at, work};
use crate::commands::sync::recover::{Step, Syncing};
use crate::commands::sync::{Expected, Planned, Synced, What};
use crate::domain::problem::Problem;
use crate::domain::sync::SyncWaiting;
use crate::git::land;
use crate::git::scratch::{Brought, Hooks, Stopped, bring};

/// Finds out what a sync would do. Nothing lasts.
///
/// # Errors
/// When git fails.
pub fn rehearse(
    ctx: &Context<'_>,
    here: &Here,
    facts: &Facts,
    (rebase, leftovers): (bool, usize),
) -> Result<Synced, Problem> {
    let variant = &facts.variant;
    let sync = SyncWaiting {
        from: facts.from.clone(),
        commit: facts.commit.clone(),
        branch: variant.branch.clone(),
        old: facts.tip.clone(),
        rebase,
        snapshot: None,
        undo: None,
    };
    let syncing = Syncing {
        sync,
        scratch: Some(scratch_at(here, variant)?),
        checkout: (variant.admin_dir.clone(), variant.path.clone()),
        lands: None,
        in_place: None,
    };
    let step = Step::open(ctx, here, variant, syncing)?;
    let expected = found(&step, facts, rebase);
    step.close()?;
    let planned = Planned { rebase, leftovers, left_behind: None, expected: expected? };
    Ok(synced(facts, What::Planned(planned)))
}

fn found(step: &Step<'_>, facts: &Facts, rebase: bool) -> Result<Expected, Problem> {
    let new = if facts.ahead == 0 {
        facts.commit.clone()
    } else {
        let work = work(facts, rebase);
        let scratch = make_scratch(step, &work.onto, false)?;
        match bring(&scratch, &Hooks::none(), &work)? {
            Brought::Commit(made) => made,
            Brought::Nothing => work.onto,
            Brought::Conflicts(conflicts) => return Ok(Expected::Conflicts { conflicts }),
            Brought::Stopped(Stopped::Said(said)) => return Ok(Expected::Stops { said }),
            Brought::Stopped(_) => return Ok(Expected::Stops { said: vec![] }),
        }
    };
    let diff = differences(step.here, &facts.tip, &new)?;
    Ok(Expected::Syncs {
        files: diff.files.len(),
        lines: diff.lines(),
        obstacles: land::obstacles(&step.place(), &facts.tip, &new)?,
    })
}
