//! A merge from its beginning: leftovers are committed, git merges in a scratch worktree, and what
//! comes of that lands, waits, or is told.

use std::path::PathBuf;

use crate::commands::context::{Context, Here};
use crate::commands::merge::ask::ask;
use crate::commands::merge::before::{Leftovers, commit_leftovers, picked};
use crate::commands::merge::done::{Ended, Uncommitted, differences, finish};
use crate::commands::merge::facts::{Facts, gather};
use crate::commands::merge::plan::{Asked, Plan, Way, decide};
use crate::commands::merge::recover::{Merging, Step, lock};
use crate::commands::merge::waiting::{self, Stored, Waiting};
use crate::commands::merge::{Action, Outcome, Request, conflicts, go_on, rehearse};
use crate::commands::spawn::spot;
use crate::domain::problem::{Kind, Problem};
use crate::domain::variant::Variant;
use crate::git::command::Git;
use crate::git::conflict::Conflict;
use crate::git::integrated::{Integrated, integrated};
use crate::git::place::Place;
use crate::git::scratch::{Brought, Hooks, NewScratch, Scratch, Stopped, Work, bring};
use crate::store::random;

/// How often the target may move while we merge before we give up.
const ATTEMPTS: usize = 3;

/// Merges a variant.
///
/// # Errors
/// Conflicts, a refusal, or what failed.
pub fn start(
    ctx: &Context<'_>,
    here: &Here,
    variant: &Variant,
    request: &Request,
) -> Result<Outcome, Problem> {
    if let Some(waiting) = waiting::of(ctx, variant)? {
        return Err(go_on::still(ctx, here, &waiting)?);
    }
    let way = request.way.unwrap_or_else(|| here.settings().merge.strategy.into());
    let pick = picked(here, variant, &request.pick)?;
    let asked = Asked { way, pick, force: request.force };
    let into = request.into.as_deref();
    let facts = gather(ctx, here, variant, into)?;
    let plan = decide(&facts, &asked)?;
    if request.dry_run {
        return rehearse::rehearse(ctx, here, &facts, plan).map(Outcome::Planned);
    }
    ask(ctx, &plan, request.yes)?;
    let leftovers = Leftovers {
        variant,
        last_task: facts.last_task.as_ref(),
        paths: plan.leftovers,
        left_behind: plan.left_behind.as_ref(),
        not: "merged",
    };
    let uncommitted = commit_leftovers(ctx, here, &leftovers)?;
    let mut seen = (uncommitted.committed == 0).then(|| facts.clone());
    for _ in 0..ATTEMPTS {
        let facts = match seen.take() {
            Some(facts) => facts,
            // Again: the leftovers are committed by now, or the target has moved.
            None => gather(ctx, here, variant, into)?,
        };
        decide(&facts, &asked)?;
        let mut starting = Starting { ctx, here, facts: &facts, plan: &plan, request };
        if let Some(outcome) = starting.once(uncommitted.clone())? {
            return Ok(outcome);
        }
    }
    let text =
        format!("`{}` moved each time that the merge was about to land", facts.target.branch);
    Err(Problem::failed(text).hint("merge again when it rests: the same command"))
}

struct Starting<'a> {
    ctx: &'a Context<'a>,
    here: &'a Here,
    facts: &'a Facts,
    plan: &'a Plan,
    request: &'a Request,
}

impl Starting<'_> {
    /// One try; `None` when the target moved meanwhile.
    fn once(&mut self, uncommitted: Uncommitted) -> Result<Option<Outcome>, Problem> {
        let Facts { variant, target, .. } = self.facts;
        if self.facts.ahead == 0 {
            let stands = if self.facts.tip == target.commit {
                "stands at the same commit"
            } else {
                "has all of its commits"
            };
            return Ok(Some(self.already(format!("{} {stands}", target.branch))));
        }
        let mut merging = merging(self.facts, self.plan, self.request.message.clone());
        if let Some(hooks) = self.moves_on()? {
            let mut step = Step::open(self.ctx, self.here, variant, merging)?;
            let tip = self.facts.tip.clone();
            let outcome = self.land(&mut step, (&tip, &hooks), uncommitted);
            return closed(step, outcome);
        }
        let hooks = Hooks::of(&hooks_place(self.here, self.facts))?;
        merging.scratch = Some(scratch_at(self.here, variant)?);
        let mut step = Step::open(self.ctx, self.here, variant, merging)?;
        let outcome = self.in_scratch(&mut step, &hooks, uncommitted);
        match outcome {
            Ok(Some(Next::Wait(stored, found))) => self.wait(step, *stored, &found),
            Ok(Some(Next::Done(outcome))) => closed(step, Ok(Some(*outcome))),
            Ok(None) => closed(step, Ok(None)),
            Err(problem) => closed(step, Err(problem)),
        }
    }

    fn in_scratch(
        &mut self,
        step: &mut Step<'_>,
        hooks: &Hooks,
        uncommitted: Uncommitted,
    ) -> Result<Option<Next>, Problem> {
        let scratch = make_scratch(self.ctx, step, hooks.need_files())?;
        match bring(&scratch, hooks, &step.merging.work)? {
            Brought::Nothing => Ok(Some(Next::done(self.already(self.nothing())))),
            Brought::Commit(made) => {
                Ok(self.land(step, (&made, hooks), uncommitted)?.map(Next::done))
            }
            Brought::Stopped(stopped) => Err(stopped_problem(self.facts, stopped)),
            Brought::Conflicts(found) => {
                if let Some(why) = self.integrated()? {
                    return Ok(Some(Next::done(self.already(why))));
                }
                let base = self.facts.base.clone().unwrap_or_default();
                let files = differences(self.here, &base, &self.facts.tip)?.files.len();
                let admin_dir = scratch.place().git_dir.clone();
                let stored = stored(step, admin_dir, files);
                Ok(stored.map(|stored| Next::Wait(Box::new(stored), found)))
            }
        }
    }

    fn land(
        &self,
        step: &mut Step<'_>,
        (made, hooks): (&str, &Hooks),
        uncommitted: Uncommitted,
    ) -> Result<Option<Outcome>, Problem> {
        Ok(match finish(self.ctx, step, (self.facts, made), hooks, uncommitted)? {
            Ended::Merged(merged) => Some(Outcome::Merged(*merged)),
            Ended::AlreadyIn => Some(self.already(self.nothing())),
            Ended::Moved => None,
        })
    }

    /// The merge is left to a person, or to the side that is favoured.
    fn wait(
        &self,
        step: Step<'_>,
        stored: Stored,
        found: &[Conflict],
    ) -> Result<Option<Outcome>, Problem> {
        step.wait(&stored)?;
        let waiting = Waiting { variant: self.facts.variant.clone(), stored };
        match &self.request.action {
            Action::Favor { side, paths } => {
                go_on::favor(self.ctx, self.here, waiting, (*side, paths)).map(Some)
            }
            _ => Err(conflicts::problem(self.ctx, &waiting, found)),
        }
    }

    /// Whether moving the branch on is all there is to do, so that git need not be asked: by what
    /// was asked for, and by the user's own settings. Gives the user's hooks.
    fn moves_on(&self) -> Result<Option<Hooks>, Problem> {
        let plain = matches!(self.plan.way, Way::Merge | Way::FfOnly) && self.plan.pick.is_empty();
        if !plain || self.facts.behind > 0 {
            return Ok(None);
        }
        let repo = &self.here.repo;
        let listed = Git::write(&repo.place()).args(["config", "--list", "-z"]).run()?;
        let entries = listed.split(|byte| *byte == 0);
        let keys = entries.filter_map(|entry| entry.split(|byte| *byte == b'\n').next());
        let keys: Vec<_> = keys.map(String::from_utf8_lossy).collect();
        let says = |name: &str| keys.iter().any(|key| key == name);
        let own = format!("branch.{}.mergeoptions", self.facts.target.branch);
        if says("merge.ff") || says("merge.verifysignatures") || says(&own) {
            return Ok(None);
        }
        Ok(Some(if says("core.hookspath") {
            Hooks::of(&hooks_place(self.here, self.facts))?
        } else {
            Hooks::usual(repo.common_dir())?
        }))
    }

    fn already(&self, why: String) -> Outcome {
        let variant = self.facts.variant.name.to_string();
        Outcome::AlreadyIn { variant, into: self.facts.target.branch.clone(), why }
    }

    fn nothing(&self) -> String {
        format!("merging it would change nothing in {}", self.facts.target.branch)
    }

    /// A branch that came in as one commit looks like a conflict once the target went on.
    fn integrated(&self) -> Result<Option<String>, Problem> {
        let Facts { target, tip, .. } = self.facts;
        let found = integrated(&self.here.repo, tip, std::slice::from_ref(&target.commit))?;
        Ok(found.map(|found| match found {
            Integrated::Squashed { commit } => {
                let short = commit.get(..7).unwrap_or(&commit);
                format!("{} has it as one commit, {short}", target.branch)
            }
            _ => self.nothing(),
        }))
    }
}

enum Next {
    Done(Box<Outcome>),
    Wait(Box<Stored>, Vec<Conflict>),
}

impl Next {
    fn done(outcome: Outcome) -> Self {
        Self::Done(Box::new(outcome))
    }
}

/// What cannot be cleared away after a failure is left to the next command.
fn closed(
    step: Step<'_>,
    outcome: Result<Option<Outcome>, Problem>,
) -> Result<Option<Outcome>, Problem> {
    match (outcome, step.close()) {
        (Err(problem), _) => Err(problem),
        (Ok(outcome), closed) => closed.map(|()| outcome),
    }
}

/// What goes on record before anything happens.
pub fn merging(facts: &Facts, plan: &Plan, message: Option<String>) -> Merging {
    let checkout = facts.target.checkouts.first();
    let work = Work {
        into: facts.target.branch.clone(),
        onto: facts.target.commit.clone(),
        branch: facts.variant.branch.clone(),
        tip: facts.tip.clone(),
        how: plan.how(),
        message,
    };
    Merging {
        work,
        scratch: None,
        keep: false,
        checkout: checkout.map(|one| (one.place.git_dir.clone(), one.place.dir().to_path_buf())),
        lands: None,
        recorded: false,
    }
}

/// Where the scratch worktree of a variant goes, beside the variants, and its mark. No variant's
/// name begins with a dot.
pub fn scratch_at(here: &Here, variant: &Variant) -> Result<(PathBuf, String), Problem> {
    let path = spot::path(here, &variant.name)?.with_file_name(format!(".merge-{}", variant.name));
    let mark = format!("wt is merging {} {}", variant.name, random::letters(12));
    Ok((path, mark))
}

/// Makes the scratch worktree that is on record.
///
/// # Errors
/// When something is in its place, or git fails.
pub fn make_scratch(ctx: &Context<'_>, step: &Step<'_>, whole: bool) -> Result<Scratch, Problem> {
    let Some((path, mark)) = &step.merging.scratch else {
        return Err(Problem::failed("no place is on record for the merge"));
    };
    if path.symlink_metadata().is_ok() {
        let text = format!("`{}` is in the way, where the merge would be made", path.display());
        return Err(Problem::failed(text).hint("move it away, then merge again"));
    }
    let repo = &step.here.repo;
    let from = repo.main_place().unwrap_or_else(|| repo.place());
    let _lock = lock(ctx, step.variant)?;
    let new = NewScratch { path, at: &step.merging.work.onto, mark, whole };
    Ok(Scratch::make(repo, &from, &new)?)
}

fn stored(step: &Step<'_>, admin_dir: PathBuf, files: usize) -> Option<Stored> {
    let (scratch, mark) = step.merging.scratch.clone()?;
    Some(Stored { work: step.merging.work.clone(), scratch, admin_dir, mark, files })
}

/// Whose hooks count: those of the checkout that will hold the result, unless an agent owns it.
pub fn hooks_place(here: &Here, facts: &Facts) -> Place {
    let checkout = facts.target.checkouts.iter().find(|checkout| checkout.variant.is_none());
    let main = || here.repo.main_place().unwrap_or_else(|| here.repo.place());
    checkout.map_or_else(main, |checkout| checkout.place.clone())
}

/// git stopped, and not for a conflict.
pub fn stopped_problem(facts: &Facts, stopped: Stopped) -> Problem {
    let (name, into) = (&facts.variant.name, &facts.target.branch);
    match stopped {
        Stopped::Said(lines) => {
            let text = format!("git stopped merging `{name}`; `{into}` is untouched");
            Problem::new(Kind::Failed, text)
                .details(lines.into_iter().take(20))
                .hint("put that right, then merge again: the same command")
        }
        Stopped::Untracked(paths) => {
            let text = "files in the merge's worktree would be lost with it";
            let named = paths.iter().take(12).map(|path| conflicts::shown(path));
            Problem::refused(text)
                .details(named)
                .hint(format!("go there: `cd \"$(wt path {name} --merge)\"`"))
                .hint("add them with `git add`, or delete them; then `wt merge --continue`")
        }
        Stopped::GivenUp => {
            let text = format!("the merge of `{name}` was given up in its worktree");
            Problem::failed(text)
                .hint(format!("begin again: `wt merge {name} --abort && wt merge {name}`"))
        }
    }
}
