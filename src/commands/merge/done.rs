//! The end of a merge: it lands, is put on record, and told.

use serde::Serialize;

use crate::commands::changed::{Changed, changed_files};
use crate::commands::context::{Context, Here};
use crate::commands::merge::conflicts::shown;
use crate::commands::merge::facts::{Checkout, Facts};
use crate::commands::merge::others::{NowConflicts, now_in_conflict};
use crate::commands::merge::plan::{LeftBehind, commits};
use crate::commands::merge::recover::Step;
use crate::domain::problem::Problem;
use crate::git::command::Git;
use crate::git::diff::{LineCount, Pair, TreeDiff, tree_diffs};
use crate::git::land::proof::{InTheWay, Obstacle};
use crate::git::land::{self, Landed, Landing, Refusal};
use crate::git::place::Place;
use crate::git::scratch::{Hooks, How};
use crate::git::side_objects::Objects;
use crate::git::snapshot::{self, Request as Snapshot};

/// The most paths that are named of those in the way.
const NAMED_MAX: usize = 12;

/// A merge that landed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Merged {
    /// The variant.
    pub variant: String,
    /// Its branch.
    pub branch: String,
    /// The branch merged into.
    pub into: String,
    /// Where that stood before.
    pub old: String,
    /// Where it stands now.
    pub new: String,
    /// In words: `fast-forward`, `merge commit`, `1 commit squashed`, `3 commits rebased`.
    pub how: String,
    /// What changed.
    pub files: Vec<Changed>,
    /// Lines of all files.
    pub lines: LineCount,
    /// Uncommitted paths of the variant that were committed first.
    pub leftovers: usize,
    /// Uncommitted work of the variant that is not part of it.
    pub left_behind: Option<LeftBehind>,
    /// Submodules that now stand at another commit than their files.
    pub submodules: Vec<String>,
    /// Variants that it brought into conflict.
    pub now_conflict: Vec<NowConflicts>,
    /// What a person would do next; a command.
    pub next: String,
}

/// How a landing went.
pub enum Ended {
    /// It landed.
    Merged(Box<Merged>),
    /// The branch holds it all already.
    AlreadyIn,
    /// The branch moved meanwhile. Nothing was changed.
    Moved,
}

/// What becomes of uncommitted work.
#[derive(Debug, Clone, Default)]
pub struct Uncommitted {
    /// So many paths were committed first.
    pub committed: usize,
    /// These stay.
    pub left: Option<LeftBehind>,
}

/// What differs between two commits.
///
/// # Errors
/// When git cannot say.
pub fn differences(here: &Here, old: &str, new: &str) -> Result<TreeDiff, Problem> {
    let repo = &here.repo;
    let place = repo.main_place().unwrap_or_else(|| repo.place());
    let objects = Objects::in_memory(repo)?;
    let pair = [Pair { from: objects.tree_of(old)?, to: objects.tree_of(new)? }];
    let mut answers = tree_diffs(&|| Git::read(&place), &pair, &[], &mut ())?;
    Ok(answers.pop().transpose()?.unwrap_or_default())
}

/// Lands `made`, records and tells it.
///
/// # Errors
/// What is in the way, or failed. Nothing is changed then.
pub fn finish(
    ctx: &Context<'_>,
    step: &mut Step<'_>,
    (facts, made): (&Facts, &str),
    hooks: &Hooks,
    uncommitted: Uncommitted,
) -> Result<Ended, Problem> {
    let work = step.merging.work.clone();
    let diff = differences(step.here, &work.onto, made)?;
    if diff.files.is_empty() && work.how != (How::Merge { no_ff: true }) {
        return Ok(Ended::AlreadyIn);
    }
    let (into, onto) = (&work.into, short(&work.onto));
    let count = commits(facts.ahead);
    let files = counted(diff.files.len(), "file", "files");
    let checkout = facts.target.checkouts.first();
    if !move_branch(ctx, step, checkout, made)? {
        return Ok(Ended::Moved);
    }
    step.record()?;
    ctx.observer.tell(&format!("Step 1  check     {count}, {files}, clean with {into} {onto}"));
    let how = how(&work.how, facts, made);
    let line = format!("{into} {onto}..{}  {how}", short(made));
    ctx.observer.tell(&format!("Step 2  merge     {line}"));
    after(ctx, step, (checkout, hooks))?;
    let ends = (into.as_str(), work.onto.as_str(), made);
    let now_conflict = now_in_conflict(ctx, step.here, step.variant, ends)?;
    let merged = Merged {
        variant: step.variant.name.to_string(),
        branch: step.variant.branch.clone(),
        into: into.clone(),
        old: work.onto.clone(),
        new: made.to_owned(),
        how,
        lines: diff.lines(),
        files: changed_files(&diff),
        leftovers: uncommitted.committed,
        left_behind: uncommitted.left,
        submodules: match checkout {
            Some(checkout) => moved_submodules(&checkout.place, &work.onto, made)?,
            None => vec![],
        },
        next: next(ctx, step)?,
        now_conflict,
    };
    Ok(Ended::Merged(Box::new(merged)))
}

/// Moves the branch, and its checkout if there is one; false when it had moved by itself.
fn move_branch(
    ctx: &Context<'_>,
    step: &mut Step<'_>,
    checkout: Option<&Checkout>,
    made: &str,
) -> Result<bool, Problem> {
    let snapshot = match checkout {
        Some(checkout) => Some(snapshot_of(ctx, checkout)?),
        None => None,
    };
    step.merging.lands = Some((made.to_owned(), snapshot));
    step.note()?;
    let work = &step.merging.work;
    let log = format!("wt merge: {}", step.variant.name);
    let landing = Landing { branch: &work.into, old: &work.onto, new: made, log: &log };
    let landed = match checkout {
        Some(checkout) => land::land(&checkout.place, &landing),
        None => land::land_reference(&step.here.repo.place(), &landing),
    };
    let refusal = match landed? {
        Landed::Yes => return Ok(true),
        Landed::Refused(refusal) => refusal,
    };
    let moved = step.here.repo.branch(&work.into)?.as_deref() != Some(work.onto.as_str());
    match (refusal, checkout) {
        (Refusal::Reference(_) | Refusal::Left, _) if moved => Ok(false),
        (Refusal::Obstacles(found), Some(checkout)) => {
            Err(in_the_way(checkout, &work.into, &found))
        }
        (Refusal::Left, Some(checkout)) => {
            let path = checkout.place.dir().display();
            let text = format!("`{path}` has left `{}` meanwhile", work.into);
            Err(Problem::failed(text).hint("merge again: the same command"))
        }
        (Refusal::Reference(why), _) => {
            let text = format!("`{}` is held by another git process", work.into);
            Err(Problem::failed(text).details(why.lines()).hint("merge again when that has ended"))
        }
        (_, checkout) => {
            let path = checkout.map(|checkout| checkout.place.git_dir.join("index.lock"));
            let path = path.unwrap_or_default();
            let text = "another git process is at work in the checkout";
            Err(Problem::failed(text)
                .detail(format!("its lock is `{}`", path.display()))
                .hint("merge again when it has ended; if none is at work, remove that file"))
        }
    }
}

fn snapshot_of(ctx: &Context<'_>, checkout: &Checkout) -> Result<String, Problem> {
    let name = checkout.place.dir().file_name().map(|name| name.to_string_lossy().into_owned());
    let holder = match &checkout.variant {
        Some(variant) => variant.name.to_string(),
        None if checkout.place.is_main() => "main".to_owned(),
        None => name.unwrap_or_default(),
    };
    let request = Snapshot::new(&holder, "merge", ctx.clock.now());
    Ok(snapshot::take(&checkout.place, &request)?.reference)
}

fn in_the_way(checkout: &Checkout, into: &str, obstacles: &[Obstacle]) -> Problem {
    let path = checkout.place.dir().display();
    let count = counted(obstacles.len(), "path", "paths");
    let text = format!("the merge would touch {count} in `{path}` that hold work of yours");
    let mut problem = Problem::refused(text).data(obstacles);
    for obstacle in obstacles.iter().take(NAMED_MAX) {
        problem = problem.detail(format!("{}  {}", shown(&obstacle.path), obstacle.why));
    }
    if obstacles.len() > NAMED_MAX {
        problem = problem.detail(format!("… and {} more", obstacles.len() - NAMED_MAX));
    }
    let tracked =
        |obstacle: &Obstacle| matches!(obstacle.why, InTheWay::Staged | InTheWay::Changed);
    if obstacles.iter().any(tracked) {
        problem = problem.hint(format!("commit them on `{into}`, or put them away: `git stash`"));
    }
    if !obstacles.iter().all(tracked) {
        problem = problem.hint("move the others away, or delete them");
    }
    problem.hint("then merge again: the same command")
}

/// What git does in a checkout once files have changed in it. That a hook fails changes nothing
/// any more.
fn after(
    ctx: &Context<'_>,
    step: &Step<'_>,
    (checkout, hooks): (Option<&Checkout>, &Hooks),
) -> Result<(), Problem> {
    let Some(checkout) = checkout else { return Ok(()) };
    let squash = if step.merging.work.how == How::Squash { "1" } else { "0" };
    let said = hooks.run(&checkout.place, "post-merge", &[squash])?;
    if let Some(said) = said {
        let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        ctx.observer.warn(&format!("merged, but the hook `post-merge` failed: {last}"));
    }
    Ok(())
}

fn how(how: &How, facts: &Facts, made: &str) -> String {
    match how {
        How::Merge { .. } if made == facts.tip => "fast-forward".to_owned(),
        How::Merge { .. } => "merge commit".to_owned(),
        How::Squash => format!("{} squashed", commits(facts.ahead)),
        How::Rebase => format!("{} rebased", commits(facts.ahead)),
        How::Pick(picked) => format!("{} picked", commits(picked.len() as u64)),
    }
}

/// Submodules among what changed in a checkout: landing leaves their files alone.
///
/// # Errors
/// When git cannot say.
pub fn moved_submodules(place: &Place, old: &str, new: &str) -> Result<Vec<String>, Problem> {
    if place.dir().join(".gitmodules").symlink_metadata().is_err() {
        return Ok(vec![]);
    }
    let touches = land::touch::between(place, old, new)?;
    let moved = touches.iter().filter(|touch| {
        let there = place.dir().join(&touch.path).join(".git").symlink_metadata().is_ok();
        there && touch.new.as_ref().is_some_and(|new| new.is_submodule())
    });
    Ok(moved.map(|touch| shown(&touch.path)).collect())
}

/// The rest of an idea goes first, else the variant itself.
fn next(ctx: &Context<'_>, step: &Step<'_>) -> Result<String, Problem> {
    let own = format!("wt cleanup {}", step.variant.name);
    let Some(idea) = &step.variant.idea else { return Ok(own) };
    let variants = step.here.variants(ctx)?;
    let rivals = variants.iter().filter(|other| other.key != step.variant.key);
    let rivals = rivals.filter(|other| other.merged.is_none()).filter_map(|it| it.idea.as_ref());
    let rivals: Vec<bool> =
        rivals.filter(|it| it.name == idea.name).map(|it| it.suggested).collect();
    Ok(if rivals.is_empty() {
        own
    } else if idea.suggested || rivals.contains(&true) {
        "wt cleanup --losers --force".to_owned()
    } else {
        "wt cleanup --losers".to_owned()
    })
}

fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}

/// `1 file`, `2 files`
pub fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
