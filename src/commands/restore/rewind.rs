//! A checkout goes back to a snapshot of it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::commands::context::{Context, Here};
use crate::domain::id::RepoId;
use crate::domain::problem::Problem;
use crate::domain::undo::Record;
use crate::domain::variant::{Merged, Variant};
use crate::engine::process::identity;
use crate::git::command::Git;
use crate::git::operation::in_progress;
use crate::git::place::Place;
use crate::git::repo::Repo;
use crate::git::snapshot::{self, Kept, Overwrite, Restored};
use crate::git::worktree;
use crate::store::intents::{self, Intent, NewIntent};
use crate::store::{tasks, undo, variants};

/// The kind of intent that precedes it, and of the record that takes it back.
pub const KIND: &str = "rewind";

/// A checkout on its way to a snapshot: what the intent and the record hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewind {
    /// Whose checkout it is: a variant's name, or `main`.
    pub holder: String,
    /// The branch that the checkout is on, without `refs/heads/`.
    pub branch: String,
    /// Where the branch stood, in hex.
    pub tip: String,
    /// Where the snapshot has it, in hex.
    pub base: String,
    /// The snapshot.
    pub snapshot: String,
    /// The snapshot of how it was before.
    pub before: String,
    /// Merges that it takes away from the branch, or gives back to it.
    #[serde(default)]
    pub merges: Vec<MergeMoved>,
    /// Whether it can be taken back, or takes something back.
    pub record: Record,
}

/// What is on record of a variant's merge, as the branch it went into moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeMoved {
    /// The variant's key.
    pub variant: i64,
    /// What was on record.
    pub before: Option<Merged>,
    /// What is then.
    pub after: Option<Merged>,
}

/// A checkout that went back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rewound {
    /// Its directory.
    pub path: PathBuf,
    /// The branch it is on.
    pub branch: String,
    /// Where the branch stands now, in hex.
    pub commit: String,
    /// The ref that keeps how it was before.
    pub before: String,
    /// What that does not hold.
    pub not_held: Vec<String>,
}

/// Takes a checkout back to the snapshot that a ref, or the end of its name, names. How it is now
/// is kept in a snapshot of its own first.
///
/// # Errors
/// When there is no such snapshot, its checkout is not there, or changes are in the way.
pub fn run(ctx: &Context<'_>, here: &Here, wanted: &str, force: bool) -> Result<Rewound, Problem> {
    let kept = find(here, wanted)?;
    let (place, branch, base) = checkout(ctx, here, &kept)?;
    let changes = if force { Changes::Overwrite } else { Changes::Refuse };
    let merges = taken_away(ctx, here, &branch, &base)?;
    let (snapshot, record) = (kept.commit.clone(), Record::Yes);
    let plan = Plan { branch, base, snapshot, changes, merges, record };
    begin(ctx, &here.repo, &place, (&kept.holder, plan))
}

/// Merges of variants into a branch that it does not have any more when it stands at `base`.
fn taken_away(
    ctx: &Context<'_>,
    here: &Here,
    branch: &str,
    base: &str,
) -> Result<Vec<MergeMoved>, Problem> {
    let mut found = vec![];
    for variant in here.variants(ctx)? {
        let Some(merged) = variant.merged.filter(|merged| merged.into == branch) else { continue };
        let asked = ["merge-base", "--is-ancestor", &merged.commit, base];
        if Git::read(&here.repo.place()).args(asked).answer()?.code == Some(1) {
            found.push(MergeMoved { variant: variant.key, before: Some(merged), after: None });
        }
    }
    Ok(found)
}

/// What is to be done, before the present state is kept.
struct Plan {
    branch: String,
    base: String,
    snapshot: String,
    changes: Changes,
    merges: Vec<MergeMoved>,
    record: Record,
}

/// What becomes of uncommitted changes in the way; they are kept in either case.
enum Changes {
    Refuse,
    Overwrite,
    /// They are overwritten when they are those of this snapshot, and nothing came since.
    OverwriteThose(String),
}

impl Changes {
    fn as_rule(&self, repo: &Repo, before: &str) -> Result<Overwrite, Problem> {
        Ok(match self {
            Self::Refuse => Overwrite::Refuse,
            Self::Overwrite => Overwrite::Snapshotted,
            Self::OverwriteThose(snapshot) => {
                let trees = [before, snapshot].map(|commit| format!("{commit}^{{tree}}"));
                let told = Git::read(&repo.place()).arg("rev-parse").args(trees).text()?;
                match told.split_once('\n') {
                    Some((now, then)) if now == then => Overwrite::Snapshotted,
                    _ => Overwrite::Refuse,
                }
            }
        })
    }
}

fn find(here: &Here, wanted: &str) -> Result<Kept, Problem> {
    let all = snapshot::list(&here.repo.place())?;
    let mut found = all.into_iter().filter(|kept| kept.reference.ends_with(wanted));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Problem::failed(format!("there is no snapshot `{wanted}`"))
            .hint("see those there are: `wt restore`")),
        (Some(one), Some(other)) => {
            Err(Problem::usage(format!("`{wanted}` names several snapshots"))
                .details([one.reference, other.reference])
                .hint("give the whole name"))
        }
    }
}

/// The checkout that the snapshot was taken of, its branch and where the snapshot has that.
fn checkout(
    ctx: &Context<'_>,
    here: &Here,
    kept: &Kept,
) -> Result<(Place, String, String), Problem> {
    let look = format!("look at it: `git show {}`", kept.reference);
    let elsewhere =
        |why: &str| Problem::refused(format!("`{}` {why}", kept.reference)).hint(look.clone());
    let about = snapshot::about(&here.repo.place(), &kept.commit)
        .map_err(|_| elsewhere("keeps a commit alone, and no checkout"))?;
    let (Some(branch), Some(base)) = (about.branch, about.base) else {
        return Err(elsewhere("was taken of a checkout that was on no branch"));
    };
    let Some(place) = worktree::on_branch(&here.repo, &branch)? else {
        let text = format!("was taken of a checkout on `{branch}`, and none is on it now");
        return Err(elsewhere(&text));
    };
    require_idle(ctx, here, &place)?;
    Ok((place, branch, base))
}

/// Goes on only when nobody is in the middle of something in a checkout.
///
/// # Errors
/// Who is, or what.
pub fn require_idle(ctx: &Context<'_>, here: &Here, place: &Place) -> Result<(), Problem> {
    if let Some(variant) = at_work(ctx, here, place)? {
        let name = variant.name;
        return Err(Problem::refused(format!("an agent is at work in `{name}`"))
            .hint(format!("end it first: `wt stop {name}`")));
    }
    if let Some(operation) = in_progress(place)? {
        let text = format!("{operation} is under way in `{}`", place.dir().display());
        return Err(Problem::refused(text).hint("finish it, or give it up, first"));
    }
    Ok(())
}

/// The variant of that checkout, if something works in it.
fn at_work(ctx: &Context<'_>, here: &Here, place: &Place) -> Result<Option<Variant>, Problem> {
    let variant = variants::holding(ctx.store.read(), place.dir())?;
    let variant = variant.filter(|one| here.row.as_ref().is_some_and(|row| row.id == one.repo));
    let Some(variant) = variant else { return Ok(None) };
    let all = tasks::of_variant(ctx.store.read(), variant.key)?;
    Ok(all.iter().any(|task| !task.state.is_final()).then_some(variant))
}

fn begin(
    ctx: &Context<'_>,
    repo: &Repo,
    place: &Place,
    (holder, plan): (&str, Plan),
) -> Result<Rewound, Problem> {
    let now = ctx.clock.now();
    let gone = || Problem::failed(format!("branch `{}` is gone", plan.branch));
    let tip = repo.branch(&plan.branch)?.ok_or_else(gone)?;
    let before = snapshot::take(place, &snapshot::Request::new(holder, "restore", now))?;
    let rewind = Rewind {
        holder: holder.to_owned(),
        branch: plan.branch,
        tip,
        base: plan.base,
        snapshot: plan.snapshot,
        before: before.commit.clone(),
        merges: plan.merges,
        record: plan.record,
    };
    let owner = identity::own()
        .map_err(|error| Problem::failed(format!("cannot tell this process: {error}")))?;
    let row = row_of(ctx, repo)?;
    let intent = ctx.store.write_durably(|tx| {
        let new = NewIntent { kind: KIND, repo: &row, variant: None, data: &rewind, owner: &owner };
        intents::open(tx, &new, now)
    })?;
    let rule = plan.changes.as_rule(repo, &rewind.before)?;
    let restored = snapshot::restore(place, &rewind.snapshot, &rewind.tip, rule)?;
    match restored {
        Restored::Done => close(ctx, (&row, intent), &rewind)?,
        refused => {
            // Nothing was changed, so what was kept of it is there twice.
            ctx.store.write_durably(|tx| intents::close(tx, intent))?;
            snapshot::drop_ref(&repo.place(), &before.reference, &before.commit)?;
            return Err(refusal(place, &refused));
        }
    }
    let not_held = before.not_held.iter();
    Ok(Rewound {
        path: place.dir().to_path_buf(),
        branch: rewind.branch,
        commit: rewind.base,
        before: before.reference,
        not_held: not_held.map(|one| format!("{} ({})", one.path.display(), one.why)).collect(),
    })
}

fn row_of(ctx: &Context<'_>, repo: &Repo) -> Result<RepoId, Problem> {
    let found = crate::store::repos::by_common_dir(ctx.store.read(), repo.common_dir())?;
    found.map(|row| row.id).ok_or_else(|| Problem::failed("this repository is not known"))
}

fn refusal(place: &Place, refused: &Restored) -> Problem {
    let dir = place.dir().display();
    match refused {
        Restored::InTheWay(paths) => {
            let text = format!("changes in `{dir}` are in the way; nothing was changed");
            Problem::refused(text)
                .details(paths.iter().take(20).map(|path| path.display().to_string()))
                .hint("overwrite them, kept in a snapshot first: the same with `--force`")
        }
        _ => Problem::failed(format!("another git process is at work in `{dir}`"))
            .hint("try again when it has ended"),
    }
}

fn close(ctx: &Context<'_>, (row, intent): (&RepoId, i64), rewind: &Rewind) -> Result<(), Problem> {
    let now = ctx.clock.now();
    Ok(ctx.store.write_durably(|tx| {
        for merge in &rewind.merges {
            variants::set_merged(tx, merge.variant, merge.after.as_ref())?;
        }
        match rewind.record {
            Record::Undoes(id) => undo::mark_undone(tx, id, now)?,
            Record::Yes => {
                let summary = format!("took {} back to a snapshot", rewind.branch);
                undo::record(tx, row, (KIND, &summary), rewind, now)?;
            }
        }
        intents::close(tx, intent)
    })?)
}

/// Takes a rewind back: the checkout goes to how it was before.
///
/// # Errors
/// When something happened in it since.
pub fn take_back(
    ctx: &Context<'_>,
    here: &Here,
    (rewind, id): (&Rewind, i64),
) -> Result<(), Problem> {
    let branch = &rewind.branch;
    let Some(place) = worktree::on_branch(&here.repo, branch)? else {
        return Err(Problem::refused(format!("no checkout is on `{branch}` any more")));
    };
    if here.repo.branch(branch)?.as_deref() != Some(&rewind.base) {
        return Err(Problem::refused(format!("commits were made on `{branch}` since"))
            .hint(format!("see them: `git log {branch}`")));
    }
    let plan = Plan {
        branch: branch.clone(),
        base: rewind.tip.clone(),
        snapshot: rewind.before.clone(),
        changes: Changes::OverwriteThose(rewind.snapshot.clone()),
        merges: rewind.merges.iter().map(turned).collect(),
        record: Record::Undoes(id),
    };
    begin(ctx, &here.repo, &place, (&rewind.holder, plan)).map(drop)
}

fn turned(merge: &MergeMoved) -> MergeMoved {
    let MergeMoved { variant, before, after } = merge.clone();
    MergeMoved { variant, before: after, after: before }
}

/// Finishes one whose process died. The caller holds the repository's lock.
///
/// # Errors
/// When it has to be tried again.
pub fn recover(ctx: &Context<'_>, repo: &Repo, intent: &Intent) -> Result<String, Problem> {
    let rewind: Rewind = intent.data()?;
    let branch = &rewind.branch;
    let tip = repo.branch(branch)?.unwrap_or_default();
    let place = worktree::on_branch(repo, branch)?;
    let Some(place) = place.filter(|_| tip == rewind.tip || tip == rewind.base) else {
        // It went on without us; how it was is still kept.
        ctx.store.write_durably(|tx| intents::close(tx, intent.id))?;
        return Ok(format!("an interrupted restore of {branch} was given up: it has moved on"));
    };
    match snapshot::restore(&place, &rewind.snapshot, &tip, Overwrite::Snapshotted)? {
        Restored::Done => {
            close(ctx, (&intent.repo, intent.id), &rewind)?;
            Ok(format!("an interrupted restore of {branch} was finished"))
        }
        refused => Err(refusal(&place, &refused)),
    }
}
