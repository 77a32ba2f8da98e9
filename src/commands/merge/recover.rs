//! What a merge leaves word of while it is under way, and what is done when its process died.

use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::commands::context::{Context, Here};
use crate::domain::problem::Problem;
use crate::domain::undo::MergeDone;
use crate::domain::variant::{Merged, Variant};
use crate::engine::process::identity::{Here as Processes, Liveness, own};
use crate::engine::process::marked;
use crate::git::command::Git;
use crate::git::land::{self, Recovered};
use crate::git::place::Place;
use crate::git::repo::Repo;
use crate::git::scratch::{Scratch, Work};
use crate::git::worktree::MARK_VARIABLE;
use crate::store::events::{self, NewEvent};
use crate::store::intents::{self, Intent, NewIntent};
use crate::store::lock::Lock;
use crate::store::{merges, undo, variants};

/// The kind of intent.
pub const KIND: &str = "merge";

/// How long a git that outlived its `wt` may take to end by itself.
const PATIENCE: SignedDuration = SignedDuration::from_secs(10);

/// What is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merging {
    /// What is merged into what.
    pub work: Work,
    /// The scratch worktree: its directory and what its registration is locked with.
    pub scratch: Option<(PathBuf, String)>,
    /// The scratch worktree holds what a person settled, and outlasts a failure.
    pub keep: bool,
    /// The checkout that moves along: its git directory and its files.
    pub checkout: Option<(PathBuf, PathBuf)>,
    /// The commit that is about to land, and the snapshot that was taken before.
    pub lands: Option<(String, Option<String>)>,
    /// That it landed is on record.
    pub recorded: bool,
}

/// A merge under way, on record until [`Step::close`].
pub struct Step<'a> {
    ctx: &'a Context<'a>,
    /// Where.
    pub here: &'a Here,
    /// Which variant.
    pub variant: &'a Variant,
    /// What is on record.
    pub merging: Merging,
    intent: i64,
}

impl<'a> Step<'a> {
    /// Puts a merge on record before anything of it happens.
    ///
    /// # Errors
    /// When another process is merging the same variant.
    pub fn open(
        ctx: &'a Context<'a>,
        here: &'a Here,
        variant: &'a Variant,
        merging: Merging,
    ) -> Result<Self, Problem> {
        let owner = own().map_err(|error| Problem::failed(error.to_string()))?;
        let _lock = lock(ctx, variant)?;
        let processes = Processes::read();
        let open = intents::of_repo(ctx.store.read(), &variant.repo)?;
        let other = open.iter().find(|intent| {
            intent.kind == KIND
                && intent.variant == Some(variant.key)
                && processes.liveness(&intent.owner) != Liveness::Dead
        });
        if let Some(other) = other {
            let text = format!(
                "`{}` is being merged by another process (pid {})",
                variant.name, other.owner.pid
            );
            return Err(Problem::refused(text).hint("see what becomes of it: `wt list`"));
        }
        let (kind, repo, variant_key) = (KIND, &variant.repo, Some(variant.key));
        let new = NewIntent { kind, repo, variant: variant_key, data: &merging, owner: &owner };
        let now = ctx.clock.now();
        let intent =
            ctx.store.write_durably(|tx| Ok::<_, Problem>(intents::open(tx, &new, now)?))?;
        Ok(Self { ctx, here, variant, merging, intent })
    }

    /// Puts what has changed in `merging` on record.
    ///
    /// # Errors
    /// The store's.
    pub fn note(&self) -> Result<(), Problem> {
        Ok(self.ctx.store.write_durably(|tx| intents::update(tx, self.intent, &self.merging))?)
    }

    /// Removes the scratch worktree, unless it is to be kept, and takes the merge off the record.
    ///
    /// # Errors
    /// When it cannot be removed, or a landing could not be put back: the next command tries again.
    pub fn close(self) -> Result<(), Problem> {
        if let Some(place) = place(&self.here.repo, &self.merging).filter(land::is_unfinished) {
            let text = format!("the landing in `{}` is not put back yet", place.dir().display());
            return Err(Problem::failed(text));
        }
        if !self.merging.keep {
            let _lock = lock(self.ctx, self.variant)?;
            remove_scratch(&self.here.repo, &self.merging)?;
        }
        Ok(self.ctx.store.write_durably(|tx| intents::close(tx, self.intent))?)
    }

    /// Leaves the merge to a person: in one transaction it waits, and is under way no more.
    ///
    /// # Errors
    /// The store's.
    pub fn wait(self, stored: &impl Serialize) -> Result<(), Problem> {
        let (now, variant) = (self.ctx.clock.now(), self.variant);
        Ok(self.ctx.store.write_durably(|tx| {
            merges::put(tx, &variant.repo, variant.key, stored, now)?;
            intents::close(tx, self.intent)
        })?)
    }

    /// Records that it landed.
    ///
    /// # Errors
    /// The store's.
    pub fn record(&mut self) -> Result<(), Problem> {
        record(self.ctx, self.variant, (self.intent, &mut self.merging))
    }
}

/// The lock around worktree registrations of the variant's repository.
///
/// # Errors
/// When it cannot be taken.
pub fn lock(ctx: &Context<'_>, variant: &Variant) -> Result<Lock, Problem> {
    Ok(Lock::take(&ctx.store.layout().repo_lock(&variant.repo))?)
}

/// The checkout that moves along.
fn place(repo: &Repo, merging: &Merging) -> Option<Place> {
    let (git_dir, files) = merging.checkout.as_ref()?;
    Some(Place::checkout(git_dir, repo.common_dir(), files))
}

fn remove_scratch(repo: &Repo, merging: &Merging) -> Result<(), Problem> {
    let Some((path, mark)) = &merging.scratch else { return Ok(()) };
    Scratch::remove(repo, path, mark)?;
    Ok(())
}

/// On the variant, for undo, as an event, and no longer waiting: all in one transaction.
fn record(
    ctx: &Context<'_>,
    variant: &Variant,
    (intent, merging): (i64, &mut Merging),
) -> Result<(), Problem> {
    let Some((commit, snapshot)) = &merging.lands else { return Ok(()) };
    let (now, into) = (ctx.clock.now(), merging.work.into.clone());
    let done = MergeDone {
        variant: variant.key,
        name: variant.name.to_string(),
        into: into.clone(),
        old: merging.work.onto.clone(),
        new: commit.clone(),
        before: variant.merged.clone(),
        snapshot: snapshot.clone(),
    };
    let merged = Merged { into: into.clone(), commit: commit.clone(), at: now };
    let summary = format!("merge of {} into {into}", variant.name);
    let event = NewEvent {
        kind: "variant-merged",
        repo: Some(&variant.repo),
        variant: Some(variant.key),
        data: [("into", &done.into), ("old", &done.old), ("new", &done.new)]
            .map(|(name, value)| (name.to_owned(), value.as_str().into()))
            .into_iter()
            .collect(),
        ..NewEvent::default()
    };
    merging.recorded = true;
    Ok(ctx.store.write_durably(|tx| {
        variants::set_merged(tx, variant.key, Some(&merged))?;
        undo::record(tx, &variant.repo, ("merge", &summary), &done, now)?;
        events::record(tx, now, &event)?;
        merges::remove(tx, variant.key)?;
        intents::update(tx, intent, &*merging)
    })?)
}

/// Finishes or takes back a merge whose process died. Says what became of it. The caller holds the
/// repository's lock.
///
/// # Errors
/// When something cannot be put right; the next command tries again.
pub fn recover(ctx: &Context<'_>, repo: &Repo, intent: &Intent) -> Result<String, Problem> {
    let mut merging: Merging = intent.data()?;
    if let Some((_, mark)) = &merging.scratch {
        marked::end(MARK_VARIABLE, mark, PATIENCE);
    }
    let recovered = match place(repo, &merging) {
        Some(place) if place.git_dir.is_dir() => land::recover(&place)?,
        _ => None,
    };
    let variant = intent.variant.map(|key| variants::by_key(ctx.store.read(), key));
    let variant = variant.transpose()?.flatten();
    let name = variant.as_ref().map_or_else(|| "a variant".to_owned(), |v| format!("`{}`", v.name));
    let into = merging.work.into.clone();
    let landed = has_landed(repo, &merging)?;
    if let Some(variant) = variant.as_ref().filter(|_| landed && !merging.recorded) {
        record(ctx, variant, (intent.id, &mut merging))?;
    }
    if landed || !merging.keep {
        remove_scratch(repo, &merging)?;
    }
    ctx.store.write_durably(|tx| intents::close(tx, intent.id))?;
    let had = format!("merging {name} into `{into}` had been interrupted");
    Ok(match (landed, merging.keep) {
        (true, _) => format!("{had}, and was finished"),
        (false, true) => format!("{had}; it waits as before: `wt merge --continue`"),
        (false, false) => format!("{had}, and was taken back"),
    } + &told(recovered, merging.checkout.as_ref().map(|(_, files)| files.as_path())))
}

/// Whether the branch has the commit that was about to land.
fn has_landed(repo: &Repo, merging: &Merging) -> Result<bool, Problem> {
    let Some((commit, _)) = &merging.lands else { return Ok(false) };
    let Some(tip) = repo.branch(&merging.work.into)? else { return Ok(false) };
    let asked = ["merge-base", "--is-ancestor", commit, &tip];
    Ok(tip == *commit || Git::read(&repo.place()).args(asked).answer()?.code == Some(0))
}

/// What there is to tell of the checkout.
fn told(recovered: Option<Recovered>, files: Option<&Path>) -> String {
    match (recovered, files) {
        (Some(Recovered::LeftAlone), Some(files)) => format!(
            "; somebody has removed its lock on `{}`, which was left as it is: see `git status`",
            files.display()
        ),
        (Some(Recovered::PutBack { kept }), _) if !kept.is_empty() => {
            let kept = kept.iter().map(|(path, object)| {
                format!(
                    "`{}` (`git cat-file -p {}`)",
                    path.display(),
                    &object[..object.len().min(12)]
                )
            });
            format!(
                "; kept aside, being neither old nor new: {}",
                kept.collect::<Vec<_>>().join(", ")
            )
        }
        _ => String::new(),
    }
}
