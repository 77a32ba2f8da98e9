//! One variant's sync: a snapshot, its leftovers committed, then git in a scratch worktree; what
//! comes of that lands, or is begun again in the variant's own worktree.

use std::path::PathBuf;

use crate::commands::again;
use crate::commands::context::{Context, Here};
use crate::commands::errand;
use crate::commands::merge::before::{Leftovers, commit_leftovers};
use crate::commands::merge::conflicts::shown;
use crate::commands::merge::done::{Uncommitted, counted, differences, moved_submodules};
use crate::commands::merge::plan::commits;
use crate::commands::spawn::spot;
use crate::commands::sync::facts::{Facts, gather};
use crate::commands::sync::plan::{Decision, decide};
use crate::commands::sync::recover::{Step, Syncing, lock};
use crate::commands::sync::waiting::Waiting;
use crate::commands::sync::{Moved, What, told};
use crate::domain::problem::Problem;
use crate::domain::sync::SyncWaiting;
use crate::domain::variant::Variant;
use crate::git::in_place::{self, Bring, Came, Stands};
use crate::git::land::proof::Obstacle;
use crate::git::land::{self, Landed, Landing, Refusal};
use crate::git::scratch::{Brought, Hooks, How, NewScratch, Scratch, Stopped, Work, bring};
use crate::git::snapshot::{self, Request as Snapshot};
use crate::store::random;

/// How often the branches may move while we work before we give up.
const ATTEMPTS: usize = 3;
/// The most paths that are named of those in the way.
const NAMED_MAX: usize = 12;

/// A sync to be made.
pub struct Making<'a> {
    /// What it works with.
    pub ctx: &'a Context<'a>,
    /// Where.
    pub here: &'a Here,
    /// The variant's commits are made again on top, instead of a merge.
    pub rebase: bool,
    /// Conflicts are for the variant's agent.
    pub resolve: bool,
    /// The undo record of the variants before it.
    pub undo: Option<i64>,
    /// How many uncommitted paths are committed first.
    pub leftovers: usize,
}

/// What git came to in the scratch worktree.
enum Next {
    Land(String),
    Conflicts,
}

impl Making<'_> {
    /// Makes it.
    ///
    /// # Errors
    /// What is in the way, or failed. Branch and worktree are as before, but that leftovers may be
    /// committed.
    pub fn run(&mut self, facts: &Facts) -> Result<What, Problem> {
        let (ctx, here, variant) = (self.ctx, self.here, &facts.variant);
        let request = Snapshot::new(variant.name.as_str(), "sync", ctx.clock.now());
        let snapshot = snapshot::take(&here.place(variant), &request)?.reference;
        let leftovers = Leftovers {
            variant,
            last_task: facts.last_task.as_ref(),
            paths: self.leftovers,
            left_behind: None,
            not: "committed",
        };
        let uncommitted = commit_leftovers(ctx, here, &leftovers)?;
        let mut seen = (uncommitted.committed == 0).then(|| facts.clone());
        for _ in 0..ATTEMPTS {
            let facts = match seen.take() {
                Some(facts) => facts,
                None => gather(ctx, here, variant, Some(&facts.from))?,
            };
            if decide(&facts)? == Decision::UpToDate {
                return Ok(What::UpToDate);
            }
            if let Some(what) = self.once(&facts, &snapshot, &uncommitted)? {
                return Ok(what);
            }
        }
        let text = format!("`{}` moved each time that the sync was about to land", variant.branch);
        Err(Problem::failed(text).hint("sync again when it rests: the same command"))
    }

    /// One try; `None` when a branch moved meanwhile.
    fn once(
        &mut self,
        facts: &Facts,
        snapshot: &str,
        uncommitted: &Uncommitted,
    ) -> Result<Option<What>, Problem> {
        let hooks = hooks(self.here)?;
        let syncing = self.syncing(facts, snapshot)?;
        let mut step = Step::open(self.ctx, self.here, &facts.variant, syncing)?;
        match self.brought(&mut step, facts, &hooks) {
            Err(problem) => {
                // What cannot be cleared away now is left to the next command.
                step.close().ok();
                Err(problem)
            }
            Ok(Next::Land(new)) => self.land(step, (facts, &new, &hooks), uncommitted),
            Ok(Next::Conflicts) => self.in_place(step, facts, &hooks),
        }
    }

    fn syncing(&self, facts: &Facts, snapshot: &str) -> Result<Syncing, Problem> {
        let variant = &facts.variant;
        Ok(Syncing {
            sync: SyncWaiting {
                from: facts.from.clone(),
                commit: facts.commit.clone(),
                branch: variant.branch.clone(),
                old: facts.tip.clone(),
                rebase: self.rebase,
                snapshot: Some(snapshot.to_owned()),
                undo: self.undo,
            },
            scratch: Some(scratch_at(self.here, variant)?),
            checkout: (variant.admin_dir.clone(), variant.path.clone()),
            lands: None,
            in_place: None,
        })
    }

    /// Lets git make it in a scratch worktree, where that takes more than moving on.
    fn brought(&self, step: &mut Step<'_>, facts: &Facts, hooks: &Hooks) -> Result<Next, Problem> {
        if facts.ahead == 0 {
            return Ok(Next::Land(facts.commit.clone()));
        }
        let work = work(facts, self.rebase);
        let scratch = make_scratch(step, &work.onto, hooks.need_files())?;
        match bring(&scratch, hooks, &work)? {
            Brought::Commit(made) => Ok(Next::Land(made)),
            // Every commit of the variant is in the base already.
            Brought::Nothing if self.rebase => Ok(Next::Land(facts.commit.clone())),
            Brought::Nothing => Err(Problem::failed(format!(
                "git made nothing of bringing `{}` into `{}`",
                facts.from, facts.variant.name
            ))),
            Brought::Conflicts(_) => {
                if self.resolve {
                    self.require_hearing(&facts.variant)?;
                }
                Ok(Next::Conflicts)
            }
            Brought::Stopped(stopped) => Err(stopped_problem(facts, stopped)),
        }
    }

    /// Before anything is begun that only its agent should end.
    fn require_hearing(&self, variant: &Variant) -> Result<(), Problem> {
        let by_hand = format!("settle the conflicts yourself: `wt sync {}`", variant.name);
        match errand::of_variant(self.ctx, variant)? {
            Some(errand) => {
                again::require_hearing(self.ctx, &errand).map_err(|error| error.hint(by_hand))
            }
            None => {
                let text = format!(
                    "`{}` was made without an agent, so none can settle its conflicts",
                    variant.name
                );
                Err(Problem::refused(text).hint(by_hand))
            }
        }
    }

    /// Moves the branch and the worktree; `None` when the branch had moved by itself.
    fn land(
        &mut self,
        mut step: Step<'_>,
        (facts, new, hooks): (&Facts, &str, &Hooks),
        uncommitted: &Uncommitted,
    ) -> Result<Option<What>, Problem> {
        let (variant, place) = (&facts.variant, step.place());
        let diff = differences(self.here, &facts.tip, new)?;
        step.syncing.lands = Some(new.to_owned());
        step.note()?;
        let log = format!("wt sync: {}", facts.from);
        let landing = Landing { branch: &variant.branch, old: &facts.tip, new, log: &log };
        let refusal = match land::land(&place, &landing) {
            Ok(Landed::Yes) => None,
            Ok(Landed::Refused(refusal)) => Some(refusal),
            Err(error) => {
                step.close().ok();
                return Err(error.into());
            }
        };
        if let Some(refusal) = refusal {
            let stood = self.here.repo.branch(&variant.branch)?;
            step.close()?;
            if stood.as_deref() != Some(facts.tip.as_str()) {
                return Ok(None);
            }
            return Err(refused(variant, &refusal));
        }
        let snapshot = step.syncing.sync.snapshot.clone();
        self.undo = step.moved(new)?;
        if let Some(said) = hooks.run(&place, "post-merge", &["0"])? {
            let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
            self.ctx.observer.warn(&format!("synced, but the hook `post-merge` failed: {last}"));
        }
        Ok(Some(What::Synced(Moved {
            how: how(facts, new, self.rebase),
            files: diff.files.len(),
            lines: diff.lines(),
            leftovers: uncommitted.committed,
            left_behind: uncommitted.left.clone(),
            submodules: moved_submodules(&place, &facts.tip, new)?,
            old: facts.tip.clone(),
            new: new.to_owned(),
            snapshot,
        })))
    }

    /// Begins it again in the variant's own worktree, where its conflicts wait.
    fn in_place(
        &mut self,
        mut step: Step<'_>,
        facts: &Facts,
        hooks: &Hooks,
    ) -> Result<Option<What>, Problem> {
        let mark = format!("wt is syncing {} {}", facts.variant.name, random::letters(12));
        step.remove_scratch()?;
        step.syncing.in_place = Some(mark.clone());
        step.note()?;
        let bring = Bring {
            from: &facts.from,
            commit: &facts.commit,
            branch: &facts.variant.branch,
            rebase: self.rebase,
            mark: &mark,
        };
        match in_place::begin(&step.place(), hooks, &bring)? {
            // It did conflict a moment ago: whatever has settled it since, it is through.
            Came::Through => {
                let (branch, commit) = (&facts.variant.branch, &facts.commit);
                if let Stands::Done(tip) = in_place::stands(&step.place(), branch, commit)? {
                    self.undo = step.moved(&tip)?;
                }
                Ok(None)
            }
            Came::Stopped(said) => {
                step.take_back()?;
                Err(stopped_problem(facts, Stopped::Said(said)))
            }
            Came::Conflicts(conflicts) => {
                let sync = step.syncing.sync.clone();
                step.wait()?;
                let waiting = Waiting { variant: facts.variant.clone(), sync, conflicts };
                let synced = if self.resolve {
                    told::hand_over(self.ctx, self.here, waiting)?
                } else {
                    told::stuck(self.ctx, &waiting)?
                };
                Ok(Some(synced.what))
            }
        }
    }
}

/// Whose hooks count: the main checkout's, which no agent owns.
///
/// # Errors
/// When git cannot be asked.
pub fn hooks(here: &Here) -> Result<Hooks, Problem> {
    Ok(Hooks::of(&here.repo.main_place().unwrap_or_else(|| here.repo.place()))?)
}

/// As git is told in a scratch worktree.
pub fn work(facts: &Facts, rebase: bool) -> Work {
    let variant = (facts.variant.branch.clone(), facts.tip.clone());
    let base = (facts.from.clone(), facts.commit.clone());
    let ((into, onto), (branch, tip), how) = if rebase {
        (base, variant, How::Rebase)
    } else {
        (variant, base, How::Merge { no_ff: false })
    };
    Work { into, onto, branch, tip, how, message: None }
}

/// Where the scratch worktree of a variant goes, beside the variants, and its mark. No variant's
/// name begins with a dot.
pub fn scratch_at(here: &Here, variant: &Variant) -> Result<(PathBuf, String), Problem> {
    let path = spot::path(here, &variant.name)?.with_file_name(format!(".sync-{}", variant.name));
    let mark = format!("wt is syncing {} {}", variant.name, random::letters(12));
    Ok((path, mark))
}

/// Makes the scratch worktree that is on record.
///
/// # Errors
/// When something is in its place, or git fails.
pub fn make_scratch(step: &Step<'_>, at: &str, whole: bool) -> Result<Scratch, Problem> {
    let Some((path, mark)) = &step.syncing.scratch else {
        return Err(Problem::failed("no place is on record for the sync"));
    };
    if path.symlink_metadata().is_ok() {
        let text = format!("`{}` is in the way, where the sync would be made", path.display());
        return Err(Problem::failed(text).hint("move it away, then sync again"));
    }
    let repo = &step.here.repo;
    let from = repo.main_place().unwrap_or_else(|| repo.place());
    let _lock = lock(step.ctx(), step.variant)?;
    Ok(Scratch::make(repo, &from, &NewScratch { path, at, mark, whole })?)
}

/// git stopped, and not for a conflict.
pub fn stopped_problem(facts: &Facts, stopped: Stopped) -> Problem {
    let lines = match stopped {
        Stopped::Said(lines) => lines,
        Stopped::Untracked(paths) => paths.iter().map(|path| shown(path)).collect(),
        Stopped::GivenUp => vec![],
    };
    let (from, name) = (&facts.from, &facts.variant.name);
    Problem::failed(format!("git stopped bringing `{from}` into `{name}`; nothing was changed"))
        .details(lines.into_iter().take(20))
        .hint("put that right, then sync again: the same command")
}

fn refused(variant: &Variant, refusal: &Refusal) -> Problem {
    let path = variant.path.display();
    match refusal {
        Refusal::Obstacles(found) => in_the_way(variant, found),
        Refusal::Reference(why) => {
            let text = format!("`{}` is held by another git process", variant.branch);
            Problem::failed(text).details(why.lines()).hint("sync again when that has ended")
        }
        Refusal::Left => Problem::failed(format!("`{path}` has left `{}`", variant.branch))
            .hint("sync again: the same command"),
        Refusal::Index => {
            let lock = variant.admin_dir.join("index.lock");
            Problem::failed(format!("another git process is at work in `{path}`"))
                .detail(format!("its lock is `{}`", lock.display()))
                .hint("sync again when it has ended; if none is at work, remove that file")
        }
    }
}

fn in_the_way(variant: &Variant, obstacles: &[Obstacle]) -> Problem {
    let count = counted(obstacles.len(), "path", "paths");
    let path = variant.path.display();
    let text = format!("the sync would touch {count} in `{path}` that hold uncommitted work");
    let mut problem = Problem::refused(text).data(obstacles);
    for obstacle in obstacles.iter().take(NAMED_MAX) {
        problem = problem.detail(format!("{}  {}", shown(&obstacle.path), obstacle.why));
    }
    if obstacles.len() > NAMED_MAX {
        problem = problem.detail(format!("… and {} more", obstacles.len() - NAMED_MAX));
    }
    problem.hint("commit them there, or move them away; then sync again: the same command")
}

fn how(facts: &Facts, new: &str, rebase: bool) -> String {
    if new == facts.commit {
        "fast-forward".to_owned()
    } else if rebase {
        format!("{} rebased", commits(facts.ahead))
    } else {
        "merge commit".to_owned()
    }
}
