//! What a sync leaves word of while it is under way, and what is done when its process died.

use std::path::PathBuf;
use std::time::SystemTime;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::commands::context::{Context, Here};
use crate::domain::problem::Problem;
use crate::domain::sync::SyncWaiting;
use crate::domain::variant::Variant;
use crate::engine::process::identity::{Here as Processes, Liveness, own};
use crate::engine::process::marked;
use crate::git::conflict;
use crate::git::in_place::{self, Stands};
use crate::git::land;
use crate::git::place::Place;
use crate::git::repo::Repo;
use crate::git::scratch::Scratch;
use crate::git::snapshot::{self, Request as Snapshot};
use crate::git::worktree::MARK_VARIABLE;
use crate::store::error::StoreError;
use crate::store::intents::{self, Intent, NewIntent};
use crate::store::lock::Lock;
use crate::store::{syncs, variants};

/// The kind of intent.
pub const KIND: &str = "sync";

/// How long a git that outlived its `wt` may take to end by itself.
const PATIENCE: SignedDuration = SignedDuration::from_secs(10);

/// What is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Syncing {
    /// What is brought into what.
    pub sync: SyncWaiting,
    /// The scratch worktree: its directory and what its registration is locked with.
    pub scratch: Option<(PathBuf, String)>,
    /// The variant's worktree: its git directory and its files.
    pub checkout: (PathBuf, PathBuf),
    /// The commit that is about to land.
    pub lands: Option<String>,
    /// git makes it in the variant's worktree, marked with this, so that its conflicts are there.
    pub in_place: Option<String>,
}

/// A sync of one variant under way, on record until it is closed.
pub struct Step<'a> {
    ctx: &'a Context<'a>,
    /// Where.
    pub here: &'a Here,
    /// Which variant.
    pub variant: &'a Variant,
    /// What is on record.
    pub syncing: Syncing,
    intent: i64,
}

impl<'a> Step<'a> {
    /// Puts a sync on record before anything of it happens.
    ///
    /// # Errors
    /// When another process is syncing the same variant.
    pub fn open(
        ctx: &'a Context<'a>,
        here: &'a Here,
        variant: &'a Variant,
        syncing: Syncing,
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
            let (name, pid) = (&variant.name, other.owner.pid);
            let text = format!("`{name}` is being synced by another process (pid {pid})");
            return Err(Problem::refused(text).hint("see what becomes of it: `wt list`"));
        }
        let (kind, repo, key) = (KIND, &variant.repo, Some(variant.key));
        let new = NewIntent { kind, repo, variant: key, data: &syncing, owner: &owner };
        let now = ctx.clock.now();
        let intent =
            ctx.store.write_durably(|tx| Ok::<_, Problem>(intents::open(tx, &new, now)?))?;
        Ok(Self { ctx, here, variant, syncing, intent })
    }

    /// What it works with.
    pub fn ctx(&self) -> &Context<'a> {
        self.ctx
    }

    /// The variant's worktree.
    pub fn place(&self) -> Place {
        place(&self.here.repo, &self.syncing)
    }

    /// Puts what has changed in `syncing` on record.
    ///
    /// # Errors
    /// The store's.
    pub fn note(&self) -> Result<(), Problem> {
        Ok(self.ctx.store.write_durably(|tx| intents::update(tx, self.intent, &self.syncing))?)
    }

    /// Puts on record that the branch stands at `new`, and is done. Gives the undo record.
    ///
    /// # Errors
    /// The store's, or what [`Self::close`] says.
    pub fn moved(self, new: &str) -> Result<Option<i64>, Problem> {
        self.remove_scratch()?;
        let done = (self.variant, &self.syncing.sync, new);
        moved(self.ctx, done, Some(self.intent))
    }

    /// Takes it off the record: nothing has changed.
    ///
    /// # Errors
    /// When the scratch worktree cannot be removed, or a landing could not be put back: the next
    /// command tries again.
    pub fn close(self) -> Result<(), Problem> {
        let place = self.place();
        if land::is_unfinished(&place) {
            let text = format!("the landing in `{}` is not put back yet", place.dir().display());
            return Err(Problem::failed(text));
        }
        self.remove_scratch()?;
        Ok(self.ctx.store.write_durably(|tx| intents::close(tx, self.intent))?)
    }

    /// Removes the scratch worktree.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove_scratch(&self) -> Result<(), Problem> {
        let Some((path, mark)) = &self.syncing.scratch else { return Ok(()) };
        let _lock = lock(self.ctx, self.variant)?;
        Ok(Scratch::remove(&self.here.repo, path, mark)?)
    }

    /// Leaves the conflicts to somebody: in one transaction it waits, and is under way no more.
    ///
    /// # Errors
    /// The store's.
    pub fn wait(self) -> Result<(), Problem> {
        self.remove_scratch()?;
        wait(self.ctx, (self.variant, &self.syncing.sync), self.intent)
    }

    /// Takes back what git has begun in the worktree, and takes it off the record.
    ///
    /// # Errors
    /// When that fails: the next command tries again.
    pub fn take_back(self) -> Result<(), Problem> {
        in_place::give_up(&self.place())?;
        self.close()
    }
}

/// The lock around worktree registrations of the variant's repository.
///
/// # Errors
/// When it cannot be taken.
pub fn lock(ctx: &Context<'_>, variant: &Variant) -> Result<Lock, Problem> {
    Ok(Lock::take(&ctx.store.layout().repo_lock(&variant.repo))?)
}

fn place(repo: &Repo, syncing: &Syncing) -> Place {
    let (git_dir, files) = &syncing.checkout;
    Place::checkout(git_dir, repo.common_dir(), files)
}

fn wait(
    ctx: &Context<'_>,
    (variant, sync): (&Variant, &SyncWaiting),
    intent: i64,
) -> Result<(), Problem> {
    let now = ctx.clock.now();
    Ok(ctx.store.write_durably(|tx| {
        syncs::put(tx, &variant.repo, (variant.key, sync), now)?;
        intents::close(tx, intent)
    })?)
}

/// For undo, as an event, waiting no more and under way no more: all in one transaction. Gives the
/// undo record; without an intent nothing happens, and `None` is given, when it does not wait any
/// more.
///
/// # Errors
/// The store's.
pub fn moved(
    ctx: &Context<'_>,
    (variant, sync, new): (&Variant, &SyncWaiting, &str),
    intent: Option<i64>,
) -> Result<Option<i64>, Problem> {
    let now = ctx.clock.now();
    Ok(ctx.store.write_durably(|tx| {
        if intent.is_none() && syncs::of_variant(tx, variant.key)?.is_none() {
            // Another process has put it on record meanwhile.
            return Ok(None);
        }
        let id = syncs::moved(tx, variant, (sync, new), now)?;
        if let Some(intent) = intent {
            intents::close(tx, intent)?;
        }
        Ok::<_, StoreError>(Some(id))
    })?)
}

/// Finishes or takes back a sync whose process died. Says what became of it. The caller holds the
/// repository's lock.
///
/// # Errors
/// When something cannot be put right; the next command tries again.
pub fn recover(ctx: &Context<'_>, repo: &Repo, intent: &Intent) -> Result<String, Problem> {
    let syncing: Syncing = intent.data()?;
    let marks = syncing.scratch.iter().map(|(_, mark)| mark).chain(&syncing.in_place);
    for mark in marks {
        marked::end(MARK_VARIABLE, mark, PATIENCE);
    }
    if let Some((path, mark)) = &syncing.scratch {
        Scratch::remove(repo, path, mark)?;
    }
    let variant = intent.variant.map(|key| variants::by_key(ctx.store.read(), key));
    let there = syncing.checkout.0.is_dir() && syncing.checkout.1.is_dir();
    let Some(variant) = variant.transpose()?.flatten().filter(|_| there) else {
        ctx.store.write_durably(|tx| intents::close(tx, intent.id))?;
        return Ok("a sync had been interrupted, and its variant is gone".to_owned());
    };
    let place = place(repo, &syncing);
    land::recover(&place)?;
    let had = format!("syncing `{}` had been interrupted", variant.name);
    let sync = &syncing.sync;
    let began = syncing.in_place.is_some();
    if (syncing.lands.is_some() || began)
        && let Stands::Done(tip) = in_place::stands(&place, &sync.branch, &sync.commit)?
    {
        moved(ctx, (&variant, sync, &tip), Some(intent.id))?;
        return Ok(format!("{had}, and was finished"));
    }
    if began && !conflict::list(&place)?.is_empty() {
        wait(ctx, (&variant, sync), intent.id)?;
        let name = &variant.name;
        return Ok(format!("{had}; its conflicts wait: `wt sync {name} --continue`"));
    }
    if let Some(before) = sync.snapshot.as_ref().filter(|_| began) {
        // Somebody may have worked there since.
        let request = Snapshot::new(variant.name.as_str(), "sync", ctx.clock.now());
        snapshot::take(&place, &request)?;
        let since = SystemTime::from(intent.created_at);
        in_place::take_back(&place, (&sync.branch, before), since)?;
    }
    ctx.store.write_durably(|tx| intents::close(tx, intent.id))?;
    Ok(format!("{had}, and was taken back"))
}
