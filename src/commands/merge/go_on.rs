//! Going on with a merge that waited for a person, or in favour of one side.

use std::path::{Path, PathBuf};

use crate::commands::context::{Context, Here};
use crate::commands::merge::done::{Ended, Uncommitted, finish};
use crate::commands::merge::facts::{Facts, gather};
use crate::commands::merge::plan::target_is_ready;
use crate::commands::merge::recover::{Merging, Step};
use crate::commands::merge::start::{hooks_place, stopped_problem};
use crate::commands::merge::waiting::Waiting;
use crate::commands::merge::{Outcome, conflicts};
use crate::domain::problem::{Kind, Problem};
use crate::git::conflict::favor::{Favor, can_settle, settle};
use crate::git::conflict::{self, Conflict};
use crate::git::scratch::{Brought, Hooks, Scratch, replay, resume};

/// How often the target may move while we go on before we give up.
const ATTEMPTS: usize = 3;

/// The problem that a merge still waits, as it stands now.
///
/// # Errors
/// When its worktree is gone.
pub fn still(ctx: &Context<'_>, here: &Here, waiting: &Waiting) -> Result<Problem, Problem> {
    let found = conflict::list(waiting.scratch(here)?.place())?;
    Ok(conflicts::problem(ctx, waiting, &found))
}

/// Goes on with what was settled: to the end, or to what is not settled yet.
///
/// # Errors
/// The conflicts that are left, or what is in the way. What was settled is kept.
pub fn go_on(ctx: &Context<'_>, here: &Here, waiting: Waiting) -> Result<Outcome, Problem> {
    let scratch = waiting.scratch(here)?;
    let into = waiting.stored.work.into.clone();
    let facts = gather(ctx, here, &waiting.variant, Some(&into))?;
    target_is_ready(&facts.target)?;
    if facts.tip != waiting.stored.work.tip {
        let name = &waiting.variant.name;
        let warning = format!("`{name}` has gone on since; what came later is not part of this");
        ctx.observer.warn(&warning);
    }
    let step = Step::open(ctx, here, &waiting.variant, merging(&waiting, &facts))?;
    let hooks = Hooks::of(&hooks_place(here, &facts))?;
    let mut going = GoingOn { ctx, here, scratch: &scratch, hooks: &hooks };
    going.finish(step, &waiting, facts)
}

fn merging(waiting: &Waiting, facts: &Facts) -> Merging {
    let stored = &waiting.stored;
    let checkout = facts.target.checkouts.first();
    Merging {
        work: stored.work.clone(),
        scratch: Some((stored.scratch.clone(), stored.mark.clone())),
        keep: true,
        checkout: checkout.map(|one| (one.place.git_dir.clone(), one.place.dir().to_path_buf())),
        lands: None,
        recorded: false,
    }
}

struct GoingOn<'a> {
    ctx: &'a Context<'a>,
    here: &'a Here,
    scratch: &'a Scratch,
    hooks: &'a Hooks,
}

impl GoingOn<'_> {
    fn finish(
        &mut self,
        mut step: Step<'_>,
        waiting: &Waiting,
        facts: Facts,
    ) -> Result<Outcome, Problem> {
        let result = self.made(&mut step, waiting, facts);
        if matches!(&result, Ok(Outcome::Merged(_) | Outcome::AlreadyIn { .. })) {
            step.merging.keep = false;
            step.note()?;
        }
        match result {
            Ok(outcome @ Outcome::AlreadyIn { .. }) => {
                super::abort::forget(self.ctx, &waiting.variant)?;
                step.close().map(|()| outcome)
            }
            Ok(outcome) => step.close().map(|()| outcome),
            Err(problem) => {
                // What cannot be closed now is left to the next command.
                step.close().ok();
                Err(problem)
            }
        }
    }

    fn made(
        &mut self,
        step: &mut Step<'_>,
        waiting: &Waiting,
        mut facts: Facts,
    ) -> Result<Outcome, Problem> {
        let mut brought = resume(self.scratch, self.hooks, &step.merging.work)?;
        for _ in 0..ATTEMPTS {
            let made = match brought {
                Brought::Commit(made) => made,
                Brought::Nothing => return Ok(already(step, &facts)),
                Brought::Stopped(stopped) => return Err(stopped_problem(&facts, stopped)),
                Brought::Conflicts(found) => return self.stuck(step, waiting, &found),
            };
            if facts.target.commit != step.merging.work.onto {
                let (into, work) = (&facts.target.branch, step.merging.work.clone());
                let line = format!("{into} has moved on; what was settled is made again on top");
                self.ctx.observer.tell(&line);
                let onto = facts.target.commit.clone();
                (step.merging.work, brought) =
                    replay(self.scratch, self.hooks, (&work, &made), &onto)?;
                step.note()?;
                continue;
            }
            match finish(self.ctx, step, (&facts, &made), self.hooks, Uncommitted::default())? {
                Ended::Merged(merged) => return Ok(Outcome::Merged(*merged)),
                Ended::AlreadyIn => return Ok(already(step, &facts)),
                Ended::Moved => {}
            }
            let into = Some(step.merging.work.into.clone());
            facts = gather(self.ctx, self.here, step.variant, into.as_deref())?;
            brought = Brought::Commit(made);
        }
        let text =
            format!("`{}` moved each time that the merge was about to land", facts.target.branch);
        Err(Problem::failed(text).hint("go on when it rests: `wt merge --continue`"))
    }

    /// Back to waiting, on its new ground if it has one.
    fn stuck(
        &self,
        step: &Step<'_>,
        waiting: &Waiting,
        found: &[Conflict],
    ) -> Result<Outcome, Problem> {
        let mut waiting = waiting.clone();
        if waiting.stored.work != step.merging.work {
            waiting.stored.work = step.merging.work.clone();
            super::waiting::put(self.ctx, &waiting)?;
        }
        Err(conflicts::problem(self.ctx, &waiting, found))
    }
}

fn already(step: &Step<'_>, facts: &Facts) -> Outcome {
    let (variant, into) = (step.variant.name.to_string(), facts.target.branch.clone());
    Outcome::AlreadyIn { variant, why: format!("merging it would change nothing in {into}"), into }
}

/// Lets one side win, everywhere or in some files, and goes on if that settles everything.
///
/// # Errors
/// What is not settled by that, each with what to do about it.
pub fn favor(
    ctx: &Context<'_>,
    here: &Here,
    waiting: Waiting,
    (side, paths): (Favor, &[PathBuf]),
) -> Result<Outcome, Problem> {
    let scratch = waiting.scratch(here)?;
    let found = conflict::list(scratch.place())?;
    let open: Vec<&Conflict> = found.iter().filter(|conflict| !conflict.settled).collect();
    let chosen = choose(ctx, here, &open, paths)?;
    settle(scratch.place(), &chosen, side)?;
    let taken = chosen.iter().filter(|conflict| can_settle(conflict)).count();
    if taken > 0 {
        let side = match side {
            Favor::Variant => waiting.variant.name.as_str(),
            Favor::Base => waiting.stored.work.into.as_str(),
        };
        let files = if taken == 1 { "1 file".to_owned() } else { format!("{taken} files") };
        ctx.observer.tell(&format!("settled {files} in favour of {side}"));
    }
    let beyond = conflicts::beyond_favor(&found, &waiting.stored.scratch);
    let result = go_on(ctx, here, waiting);
    result.map_err(|problem| match problem.kind {
        Kind::Conflicts => problem.details(beyond),
        _ => problem,
    })
}

/// The conflicts that the paths name: a file, or a directory with all in it. They count from where
/// the command stands.
fn choose<'c>(
    ctx: &Context<'_>,
    here: &Here,
    open: &[&'c Conflict],
    paths: &[PathBuf],
) -> Result<Vec<&'c Conflict>, Problem> {
    if paths.is_empty() {
        return Ok(open.to_vec());
    }
    let below = here.standing.work_tree.as_deref().and_then(|top| {
        let (cwd, top) = (canonical(&ctx.environment.cwd), canonical(top));
        cwd.strip_prefix(top).ok().map(Path::to_path_buf)
    });
    let below = below.unwrap_or_default();
    let mut chosen: Vec<&Conflict> = vec![];
    for path in paths {
        let wanted: PathBuf = below.join(path).components().collect();
        let named: Vec<&&Conflict> =
            open.iter().filter(|conflict| conflict.path.starts_with(&wanted)).collect();
        if named.is_empty() {
            let text = format!("`{}` is not among the files in conflict", path.display());
            let names = open.iter().take(12).map(|conflict| conflicts::shown(&conflict.path));
            return Err(Problem::usage(text).details(names).hint("name one of those above"));
        }
        chosen.extend(named.into_iter().copied());
    }
    chosen.dedup_by(|one, other| one.path == other.path);
    Ok(chosen)
}

fn canonical(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}
