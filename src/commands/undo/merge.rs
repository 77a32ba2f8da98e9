//! Taking back a merge or a sync: the branch, and whatever checkout is on it, go back to where they
//! were.

use crate::commands::context::{Context, Here};
use crate::commands::restore::rewind::require_idle;
use crate::commands::undo::Act;
use crate::commands::undo::under_way::{Undoing, perform};
use crate::domain::problem::Problem;
use crate::domain::undo::{MergeDone, SyncDone};
use crate::domain::variant::VariantState;
use crate::git::command::Git;
use crate::git::land::proof::InTheWay;
use crate::git::land::{self, Landed, Landing, Refusal};
use crate::git::place::Place;
use crate::git::snapshot;
use crate::git::worktree;
use crate::store::undo::UndoRow;
use crate::store::variants;

/// One branch to go back.
struct Back<'a> {
    branch: &'a str,
    /// Where it was before, and goes.
    old: &'a str,
    /// Where the step left it.
    new: &'a str,
    /// Whose commit is kept under a ref of ours: a variant's name.
    holder: &'a str,
}

/// Takes a merge back.
pub(super) fn take_back<'a>(
    ctx: &'a Context<'_>,
    here: &'a Here,
    row: &'a UndoRow,
) -> Result<(Vec<String>, Act<'a>), Problem> {
    let merge: MergeDone = row.data()?;
    let back = Back { branch: &merge.into, old: &merge.old, new: &merge.new, holder: &merge.name };
    let place = check(ctx, here, &back)?;
    let mut changes = vec![told(&back)];
    match variants::by_key(ctx.store.read(), merge.variant)? {
        Some(variant) if variant.state == VariantState::Trashed => changes.push(format!(
            "{} itself is in the trash; it comes back with `wt restore {}`",
            merge.name, merge.name
        )),
        Some(variant) if variant.state == VariantState::Gone => changes.push(format!(
            "{} itself is gone; its commits stay under `{}/{}`",
            merge.name,
            snapshot::REFS,
            merge.name
        )),
        _ => {}
    }
    let act = move || {
        let back =
            Back { branch: &merge.into, old: &merge.old, new: &merge.new, holder: &merge.name };
        let mut undoing = Undoing::of(row);
        undoing.add(back.branch, back.old, place.as_ref());
        perform(ctx, here, (row, &undoing), || go_back(ctx, here, &back, place.as_ref()))
    };
    Ok((changes, Box::new(act)))
}

/// Takes a sync back.
pub(super) fn take_sync_back<'a>(
    ctx: &'a Context<'_>,
    here: &'a Here,
    row: &'a UndoRow,
) -> Result<(Vec<String>, Act<'a>), Problem> {
    let sync: SyncDone = row.data()?;
    let (mut changes, mut places) = (vec![], vec![]);
    for one in &sync.moves {
        let back = Back { branch: &one.branch, old: &one.old, new: &one.new, holder: &one.name };
        places.push(check(ctx, here, &back)?);
        changes.push(told(&back));
    }
    let act = move || {
        let mut undoing = Undoing::of(row);
        for (one, place) in sync.moves.iter().zip(&places) {
            undoing.add(&one.branch, &one.old, place.as_ref());
        }
        perform(ctx, here, (row, &undoing), || {
            for (one, place) in sync.moves.iter().zip(&places) {
                let back =
                    Back { branch: &one.branch, old: &one.old, new: &one.new, holder: &one.name };
                go_back(ctx, here, &back, place.as_ref())?;
            }
            Ok(())
        })
    };
    Ok((changes, Box::new(act)))
}

fn told(back: &Back<'_>) -> String {
    format!("{} goes back from {} to {}", back.branch, short(back.new), short(back.old))
}

fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}

/// Whether it can go back; gives the checkout that goes along, if there is one.
fn check(ctx: &Context<'_>, here: &Here, back: &Back<'_>) -> Result<Option<Place>, Problem> {
    let branch = back.branch;
    let place = worktree::on_branch(&here.repo, branch)?;
    if let Some(place) = &place {
        // One that a killed process began: finished or taken back before anything is judged.
        land::recover(place)?;
    }
    let tip = here.repo.branch(branch)?.ok_or_else(|| {
        Problem::failed(format!("branch `{branch}` is gone, so nothing can be taken back on it"))
    })?;
    if tip == back.old {
        // Killed between the branch's move and our noting it.
        return Ok(None);
    }
    if tip != back.new {
        return Err(moved_on(here, back, &tip)?);
    }
    if let Some(remote) = pushed(here, back)? {
        let revert = format!("make a commit that takes it back: `git revert -m 1 {}`", short(&tip));
        return Err(
            Problem::refused(format!("it was pushed already: `{remote}` has it")).hint(revert)
        );
    }
    let Some(place) = place else { return Ok(None) };
    require_idle(ctx, here, &place)?;
    let obstacles = land::obstacles(&place, back.new, back.old)?;
    match obstacles.is_empty() {
        true => Ok(Some(place)),
        false => Err(refused(&place, &Refusal::Obstacles(obstacles))),
    }
}

fn moved_on(here: &Here, back: &Back<'_>, tip: &str) -> Result<Problem, Problem> {
    let range = format!("{}..{tip}", back.new);
    let asked = ["rev-list", "--count", &range];
    let later = Git::read(&here.repo.place()).args(asked).text()?;
    let branch = back.branch;
    let above = Git::read(&here.repo.place())
        .args(["merge-base", "--is-ancestor", back.new, tip])
        .answer()?;
    let text = if above.code == Some(0) {
        let commits = if later == "1" { "commit was" } else { "commits were" };
        format!("{later} {commits} made on `{branch}` since")
    } else {
        format!("`{branch}` stands at {} by now, somewhere else altogether", short(tip))
    };
    Ok(Problem::refused(text)
        .hint(format!("see them: `git log {}..{branch}`", short(back.new)))
        .hint(by_a_commit(here, back)?))
}

/// What takes it back without moving the branch to where it was.
fn by_a_commit(here: &Here, back: &Back<'_>) -> Result<String, Problem> {
    let asked = ["rev-list", "--parents", "--max-count=1", back.new];
    let parents = Git::read(&here.repo.place()).args(asked).text()?;
    let (old, new) = (short(back.old), short(back.new));
    Ok(match parents.split(' ').count() {
        0..=2 => format!("take it back by commits: `git revert {old}..{new}`"),
        _ => format!("take it back by a commit: `git revert -m 1 {new}`"),
    })
}

/// A remote's branch of that name, or the branch's upstream, that has what is to be taken back. Other
/// branches may well have it: that of the variant itself.
fn pushed(here: &Here, back: &Back<'_>) -> Result<Option<String>, Problem> {
    let place = here.repo.place();
    let full = format!("refs/heads/{}", back.branch);
    let upstream =
        Git::read(&place).args(["for-each-ref", "--format=%(upstream)", &full]).text()?;
    let mut patterns = vec![format!("refs/remotes/*/{}", back.branch)];
    patterns.extend(Some(upstream).filter(|name| !name.is_empty()));
    let asked = ["for-each-ref", "--count=1", "--format=%(refname:short)", "--contains"];
    let found = Git::read(&place).args(asked).arg(back.new).args(&patterns).text()?;
    Ok((!found.is_empty()).then_some(found))
}

fn go_back(
    ctx: &Context<'_>,
    here: &Here,
    back: &Back<'_>,
    place: Option<&Place>,
) -> Result<(), Problem> {
    let repository = here.repo.place();
    if here.repo.branch(back.branch)?.as_deref() == Some(back.old) {
        return Ok(());
    }
    let request = snapshot::Request::new(back.holder, "undo", ctx.clock.now());
    snapshot::keep_commit(&repository, &request, back.new)?;
    let landing = Landing { branch: back.branch, old: back.new, new: back.old, log: "wt: undo" };
    let landed = match place {
        Some(place) => land::land(place, &landing)?,
        None => land::land_reference(&repository, &landing)?,
    };
    match landed {
        Landed::Yes => Ok(()),
        Landed::Refused(why) => Err(refused(place.unwrap_or(&repository), &why)),
    }
}

fn refused(place: &Place, why: &Refusal) -> Problem {
    let dir = place.dir().display();
    match why {
        Refusal::Obstacles(obstacles) => {
            let text = format!("changes of yours in `{dir}` are in the way; nothing was changed");
            let lines = obstacles.iter().map(|obstacle| {
                let what = match obstacle.why {
                    InTheWay::Staged => "staged change",
                    InTheWay::Changed => "change",
                    InTheWay::Untracked => "untracked file",
                    InTheWay::Ignored => "ignored file",
                    InTheWay::Submodule => "submodule",
                };
                format!("{} ({what})", obstacle.path.display())
            });
            Problem::refused(text)
                .details(lines)
                .hint(format!("set them aside: `git -C {dir} stash --include-untracked`"))
        }
        Refusal::Index => Problem::failed(format!(
            "another git process is at work in `{dir}`; nothing was changed"
        ))
        .hint("try again when it has ended: `wt undo`"),
        Refusal::Left => Problem::failed(format!("`{dir}` has left the branch meanwhile"))
            .hint("try again: `wt undo`"),
        Refusal::Reference(why) => Problem::failed(format!("the branch could not be moved: {why}")),
    }
}
