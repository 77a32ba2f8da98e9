//! A merge from its beginning: leftovers are committed, git merges in a scratch worktree, and what
//! comes of that lands, waits, or is told.

use std::path::PathBuf;

use crate::commands::context::{Context, Here};
use crate::commands::merge::ask::ask;
use crate::commands::merge::done::{Ended, Uncommitted, differences, finish};
use crate::commands::merge::facts::{Facts, gather};
use crate::commands::merge::plan::{Asked, LeftBehind, Plan, Way, decide};
use crate::commands::merge::recover::{Merging, Step, lock};
use crate::commands::merge::waiting::{self, Stored, Waiting};
use crate::commands::merge::{Action, Outcome, Request, conflicts, go_on, rehearse};
use crate::commands::spawn::spot;
use crate::domain::problem::{Kind, Problem};
use crate::domain::variant::Variant;
use crate::git::command::Git;
use crate::git::conflict::Conflict;
use crate::git::integrated::{Integrated, integrated};
use crate::git::leftovers::{self, Ended as AgentEnded};
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
        return Err(go_on::still(here, &waiting)?);
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
    let uncommitted = commit_leftovers(ctx, here, &facts, &plan)?;
    for _ in 0..ATTEMPTS {
        // Again: the leftovers are committed by now, and the target may have moved.
        let facts = gather(ctx, here, variant, into)?;
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

/// The commits of `--pick`, in hex: each must be one that the variant has. `HEAD` is the variant's.
fn picked(here: &Here, variant: &Variant, revisions: &[String]) -> Result<Vec<String>, Problem> {
    let place = here.place(variant);
    let mut picked = vec![];
    for revision in revisions {
        let walk = if revision.contains("..") { "--reverse" } else { "--no-walk" };
        let asked = ["rev-list", walk, "--end-of-options", revision, "--"];
        let answer = Git::read(&place).args(asked).answer()?;
        let found: Vec<String> = answer.text().lines().map(str::to_owned).collect();
        if answer.code != Some(0) || found.is_empty() {
            let text = format!("`{revision}` names no commit of `{}`", variant.name);
            let hint = format!("see its commits: `git log {}`", variant.branch);
            return Err(Problem::usage(text).hint(hint));
        }
        for commit in found {
            check_pick(here, variant, &commit)?;
            picked.push(commit);
        }
    }
    Ok(picked)
}

fn check_pick(here: &Here, variant: &Variant, commit: &str) -> Result<(), Problem> {
    let place = here.repo.place();
    let asked = ["merge-base", "--is-ancestor", commit, &format!("refs/heads/{}", variant.branch)];
    let short = commit.get(..7).unwrap_or(commit);
    if Git::read(&place).args(asked).answer()?.code != Some(0) {
        let text = format!("`{short}` is not among the commits of `{}`", variant.name);
        let hint = format!("see them: `git log {}`", variant.branch);
        return Err(Problem::usage(text).hint(hint));
    }
    let asked = ["rev-list", "--parents", "--max-count=1", commit, "--"];
    let parents = Git::read(&place).args(asked).text()?.split(' ').count() - 1;
    if parents > 1 {
        let text = format!("`{short}` is a merge, which cannot be picked");
        return Err(Problem::usage(text).hint("pick the commits that it brought"));
    }
    Ok(())
}

/// Commits what the plan says; what has to stay uncommitted is named.
fn commit_leftovers(
    ctx: &Context<'_>,
    here: &Here,
    facts: &Facts,
    plan: &Plan,
) -> Result<Uncommitted, Problem> {
    let mut result = Uncommitted { committed: 0, left: plan.left_behind.clone() };
    if plan.leftovers > 0 {
        let variant = &facts.variant;
        let subject = facts.last_task.as_ref().map_or("uncommitted work", |task| &task.prompt);
        let ended = AgentEnded {
            branch: &variant.branch,
            task: facts.last_task.as_ref().map(|task| &task.id),
            subject,
            at: None,
        };
        let done = leftovers::commit(&here.place(variant), &ended)?;
        result.committed = done.paths;
        result.left = match (&done.obstacle, done.left.as_slice()) {
            (Some(obstacle), _) => {
                Some(LeftBehind { paths: plan.leftovers, why: obstacle.to_string() })
            }
            (None, []) => None,
            (None, left) => {
                let named = left.iter().map(|one| format!("{} ({})", one.path.display(), one.why));
                let why = named.collect::<Vec<_>>().join(", ");
                Some(LeftBehind { paths: left.len(), why })
            }
        };
        if result.committed > 0 {
            let (paths, name) = (result.committed, &variant.name);
            ctx.observer.tell(&format!("{paths} uncommitted in {name}, committed first"));
        }
    }
    if let Some(left) = &result.left {
        let (paths, why) = (left.paths, &left.why);
        ctx.observer
            .warn(&format!("{paths} uncommitted in {}, not merged: {why}", facts.variant.name));
    }
    Ok(result)
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
        if self.moves_on()? {
            let mut step = Step::open(self.ctx, self.here, variant, merging)?;
            let tip = self.facts.tip.clone();
            let outcome = self.land(&mut step, &tip, uncommitted);
            return closed(step, outcome);
        }
        let hooks = Hooks::of(&hooks_place(self.here, self.facts))?;
        merging.scratch = Some(scratch_at(self.here, variant)?);
        let mut step = Step::open(self.ctx, self.here, variant, merging)?;
        let outcome = self.in_scratch(&mut step, &hooks, uncommitted);
        match outcome {
            Ok(Some(Next::Wait(stored, found))) => self.wait(step, stored, &found),
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
            Brought::Commit(made) => Ok(self.land(step, &made, uncommitted)?.map(Next::done)),
            Brought::Stopped(stopped) => Err(stopped_problem(self.facts, stopped)),
            Brought::Conflicts(found) => {
                if let Some(why) = self.integrated()? {
                    return Ok(Some(Next::done(self.already(why))));
                }
                let base = self.facts.base.clone().unwrap_or_default();
                let files = differences(step, &base, &self.facts.tip)?.files.len();
                let admin_dir = scratch.place().git_dir.clone();
                let stored = stored(step, admin_dir, files);
                Ok(stored.map(|stored| Next::Wait(stored, found)))
            }
        }
    }

    fn land(
        &self,
        step: &mut Step<'_>,
        made: &str,
        uncommitted: Uncommitted,
    ) -> Result<Option<Outcome>, Problem> {
        Ok(match finish(self.ctx, step, (self.facts, made), uncommitted)? {
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
            _ => Err(conflicts::problem(&waiting, found)),
        }
    }

    /// Whether moving the branch on is all there is to do, so that git need not be asked: by what
    /// was asked for, and by the user's own settings.
    fn moves_on(&self) -> Result<bool, Problem> {
        let plain = matches!(self.plan.way, Way::Merge | Way::FfOnly) && self.plan.pick.is_empty();
        if !plain || self.facts.behind > 0 {
            return Ok(false);
        }
        let own = format!("branch.{}.mergeoptions", self.facts.target.branch);
        let listed = Git::read(&self.here.repo.place()).args(["config", "--list", "-z"]).run()?;
        let keys = listed.split(|byte| *byte == 0).map(|entry| {
            let text = String::from_utf8_lossy(entry);
            text.split('\n').next().unwrap_or_default().to_owned()
        });
        let decisive = |key: &String| {
            ["merge.ff", "merge.verifysignatures"].contains(&key.as_str()) || *key == own
        };
        Ok(!keys.into_iter().any(|key| decisive(&key)))
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
    Wait(Stored, Vec<Conflict>),
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
