//! Conflicts of a sync, told: to a person with the ways on, and to the variant's agent.

use crate::commands::again::{self, How};
use crate::commands::context::{Context, Here};
use crate::commands::errand;
use crate::commands::merge::abort::abort;
use crate::commands::merge::conflicts::{lines, shown};
use crate::commands::merge::{self, waiting as merges};
use crate::commands::sync::waiting::Waiting;
use crate::commands::sync::{Outcome, Stuck, Synced, What};
use crate::domain::problem::{Kind, Problem};
use crate::domain::sync::SyncWaiting;
use crate::domain::variant::Variant;
use crate::git::conflict::Conflict;
use crate::git::history;
use crate::git::side_objects::Objects;

/// The most files of a variant that are named to a person.
const FILES_MAX: usize = 12;
/// The most files that are named to an agent, which finds the rest by itself.
const TOLD_MAX: usize = 50;

/// What came of a variant whose sync was on record.
///
/// # Errors
/// When git cannot say.
pub fn about(
    here: &Here,
    variant: &Variant,
    sync: &SyncWaiting,
    what: What,
) -> Result<Synced, Problem> {
    let objects = Objects::in_memory(&here.repo)?;
    let distance = history::distance(&objects, &sync.old, &sync.commit)?;
    Ok(Synced {
        variant: variant.name.to_string(),
        branch: sync.branch.clone(),
        from: sync.from.clone(),
        commit: sync.commit.clone(),
        behind: distance.behind as u64,
        what,
    })
}

/// A sync that waits, as it stands.
///
/// # Errors
/// The store's, or git's.
pub fn stuck(ctx: &Context<'_>, waiting: &Waiting) -> Result<Synced, Problem> {
    let Waiting { variant, sync, conflicts } = waiting;
    let stuck = Stuck {
        path: variant.path.clone(),
        rebase: sync.rebase,
        conflicts: conflicts.clone(),
        agent_hears: agent_hears(ctx, variant)?,
    };
    about(&ctx.at(variant)?, variant, sync, What::Conflicts(stuck))
}

/// Whether the agent of a variant could be told to settle conflicts.
///
/// # Errors
/// The store's.
pub fn agent_hears(ctx: &Context<'_>, variant: &Variant) -> Result<bool, Problem> {
    let Some(errand) = errand::of_variant(ctx, variant)? else { return Ok(false) };
    Ok(again::require_hearing(ctx, &errand).is_ok())
}

/// Hands conflicts to the variant's agent: a further attempt in its session. A merge of the variant
/// that waits is given up, for its conflicts are settled here.
///
/// # Errors
/// When the agent cannot be told: the conflicts wait on then.
pub fn hand_over(ctx: &Context<'_>, here: &Here, waiting: Waiting) -> Result<Synced, Problem> {
    let Waiting { variant, sync, conflicts } = waiting;
    let open: Vec<Conflict> = conflicts.into_iter().filter(|conflict| !conflict.settled).collect();
    let name = &variant.name;
    let by_hand = format!("settle them yourself: `cd \"$(wt path {name})\"`; `wt sync --continue`");
    let errand = errand::of_variant(ctx, &variant)?.ok_or_else(|| {
        Problem::refused(format!("`{name}` was made without an agent")).hint(by_hand.clone())
    })?;
    again::require_hearing(ctx, &errand).map_err(|error| error.hint(by_hand))?;
    let attempt = again::queue(ctx, &errand, How::Told(&words(&sync, &open)))?;
    if let Some(merge) = merges::of(ctx, &variant)?
        && let merge::Outcome::Aborted(aborted) = abort(ctx, here, merge)?
    {
        let kept = aborted.kept.map(|kept| format!(", kept in {kept}")).unwrap_or_default();
        ctx.observer.tell(&format!(
            "the merge of {name} that waited is given up{kept}; when its agent is done: wt merge {name}"
        ));
    }
    about(here, &variant, &sync, What::Resolving { attempt, conflicts: open })
}

/// What the agent is told.
fn words(sync: &SyncWaiting, conflicts: &[Conflict]) -> String {
    let SyncWaiting { from, branch, rebase, .. } = sync;
    let short = sync.commit.get(..7).unwrap_or(&sync.commit);
    let (begun, ours, theirs) = if *rebase {
        (
            format!("`{branch}` is being rebased onto `{from}` ({short}) in this worktree"),
            from,
            branch,
        )
    } else {
        (
            format!("`{from}` ({short}) is being merged into `{branch}` in this worktree"),
            branch,
            from,
        )
    };
    let mut text = format!("{begun}, and git could not settle these files:\n\n");
    for conflict in conflicts.iter().take(TOLD_MAX) {
        for line in lines(conflict, ours, theirs) {
            // A long one goes on beneath.
            let begins = if line.starts_with(' ') { "  " } else { "- " };
            text.push_str(&format!("{begins}{line}\n"));
        }
    }
    if conflicts.len() > TOLD_MAX {
        let more = conflicts.len() - TOLD_MAX;
        text.push_str(&format!("- and {more} more: `git diff --name-only --diff-filter=U`\n"));
    }
    let end = if *rebase {
        "`git add` each of them and run `GIT_EDITOR=true git rebase --continue`; settle what \
         conflicts next in the same way, until the rebase is done"
    } else {
        "`git add` each of them and run `git commit --no-edit`"
    };
    text.push_str(&format!(
        "\nBetween `<<<<<<<` and `=======` stands the side of `{ours}`, up to `>>>>>>>` that of \
         `{theirs}`. Resolve every conflict so that what both sides meant is kept, leave no marker \
         behind, and check that the result works. Then {end}. If you cannot commit here, leave the \
         resolved files staged. Do not give it up with `--abort`, and change nothing else.\n"
    ));
    text
}

/// What a person has to see to, if anything: conflicts, or variants that failed.
pub fn problem(outcome: &Outcome) -> Option<Problem> {
    let stuck: Vec<(&Synced, &Stuck)> = outcome.variants.iter().filter_map(conflicting).collect();
    let failed = outcome.variants.iter().find_map(|synced| match &synced.what {
        What::Failed { error } => Some(error),
        _ => None,
    });
    match (stuck.as_slice(), failed) {
        ([], None) => None,
        ([], Some(error)) => {
            let failed = outcome.variants.iter();
            let failed = failed.filter(|one| matches!(one.what, What::Failed { .. })).count();
            let all = outcome.variants.len();
            let text = format!("{failed} of {all} variants could not be synced");
            Some(Problem::new(error.kind, text).data(outcome))
        }
        ([one], _) => Some(conflicts(outcome, &[*one], headline(one))),
        (several, _) => {
            let (count, all) = (several.len(), outcome.variants.len());
            let text =
                format!("{count} of {all} variants conflict; each waits in its own worktree");
            Some(conflicts(outcome, several, text))
        }
    }
}

fn conflicting(synced: &Synced) -> Option<(&Synced, &Stuck)> {
    match &synced.what {
        What::Conflicts(stuck) => Some((synced, stuck)),
        _ => None,
    }
}

/// `1 file of theme-light conflicts with main 9c1e0aa; main untouched`
fn headline((synced, stuck): &(&Synced, &Stuck)) -> String {
    let open = stuck.conflicts.iter().filter(|conflict| !conflict.settled).count();
    let (name, from) = (&synced.variant, &synced.from);
    let short = synced.commit.get(..7).unwrap_or(&synced.commit);
    match open {
        0 => format!("every file of {name} is settled; the sync with {from} {short} waits"),
        1 => format!("1 file of {name} conflicts with {from} {short}; {from} untouched"),
        open => format!("{open} files of {name} conflict with {from} {short}; {from} untouched"),
    }
}

fn conflicts(outcome: &Outcome, stuck: &[(&Synced, &Stuck)], text: String) -> Problem {
    let mut problem = Problem::new(Kind::Conflicts, text).data(outcome);
    for (synced, stuck) in stuck {
        let (ours, theirs) = sides(synced, stuck);
        let open = stuck.conflicts.iter().filter(|conflict| !conflict.settled);
        for conflict in open.clone().take(FILES_MAX) {
            problem = problem.details(lines(conflict, ours, theirs));
        }
        if open.clone().count() > FILES_MAX {
            problem = problem.detail(format!("… and {} more", open.count() - FILES_MAX));
        }
        let settled = stuck.conflicts.iter().filter(|conflict| conflict.settled);
        for conflict in settled.take(FILES_MAX) {
            let path = shown(&conflict.path);
            problem = problem.detail(format!("{path}  settled, not yet gone on with"));
        }
    }
    ways(problem, stuck)
}

/// The side that the other is merged into, and the one that is merged: a rebase turns them round.
fn sides<'s>(synced: &'s Synced, stuck: &Stuck) -> (&'s str, &'s str) {
    let (name, from) = (synced.variant.as_str(), synced.from.as_str());
    if stuck.rebase { (from, name) } else { (name, from) }
}

fn ways(problem: Problem, stuck: &[(&Synced, &Stuck)]) -> Problem {
    let names = |of: &dyn Fn(&Stuck) -> bool| {
        let names = stuck.iter().filter(|(_, stuck)| of(stuck));
        names.map(|(synced, _)| synced.variant.as_str()).collect::<Vec<_>>().join(" ")
    };
    let first = stuck.first().map_or("NAME", |(synced, _)| synced.variant.as_str());
    let all = names(&|_| true);
    let open = |stuck: &Stuck| stuck.conflicts.iter().any(|conflict| !conflict.settled);
    if !stuck.iter().any(|(_, stuck)| open(stuck)) {
        return problem
            .hint(format!("look at it  `cd \"$(wt path {first})\"`"))
            .hint(format!("go on       `wt sync {all} --continue`"))
            .hint(format!("forget it   `wt sync {all} --abort`"));
    }
    let hearing = names(&|stuck| stuck.agent_hears && open(stuck));
    let mut problem =
        problem.hint(format!("yourself   `cd \"$(wt path {first})\"`; edit; `wt sync --continue`"));
    if !hearing.is_empty() {
        problem = problem.hint(format!("the agent  `wt sync {hearing} --resolve`"));
    }
    problem.hint(format!("forget it  `wt sync {all} --abort`"))
}
