//! What taking a merge or a sync back leaves word of while it is under way, and what is done when
//! its process died.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::commands::context::{Context, Here};
use crate::domain::problem::Problem;
use crate::domain::undo::MergeDone;
use crate::engine::process::identity;
use crate::git::land;
use crate::git::place::Place;
use crate::git::repo::Repo;
use crate::store::intents::{self, Intent, NewIntent};
use crate::store::undo::{self, UndoRow};
use crate::store::variants;

/// The kind of intent.
pub const KIND: &str = "undo";

/// Branches on their way back, with the checkouts that are on them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undoing {
    /// The record that is taken back, by number.
    pub record: i64,
    /// Each branch, without `refs/heads/`, and the commit it goes back to, in hex.
    pub branches: Vec<(String, String)>,
    /// The checkouts that go along: git directory and files.
    pub checkouts: Vec<(PathBuf, PathBuf)>,
}

impl Undoing {
    /// Of one record, with nothing to move yet.
    pub fn of(row: &UndoRow) -> Self {
        Self { record: row.id, branches: vec![], checkouts: vec![] }
    }

    /// Adds a branch, and the checkout that goes along.
    pub fn add(&mut self, branch: &str, to: &str, place: Option<&Place>) {
        self.branches.push((branch.to_owned(), to.to_owned()));
        let dirs = |place: &Place| (place.git_dir.clone(), place.dir().to_path_buf());
        self.checkouts.extend(place.map(dirs));
    }

    fn places(&self, repo: &Repo) -> Vec<Place> {
        let place = |(git_dir, files): &(PathBuf, PathBuf)| {
            Place::checkout(git_dir, repo.common_dir(), files)
        };
        self.checkouts.iter().map(place).filter(|place| place.git_dir.is_dir()).collect()
    }
}

/// Does it between an intent and the record that it was undone. A landing that could not even be
/// put back keeps the intent: the next command tries again.
///
/// # Errors
/// What moving the branches failed of.
pub fn perform(
    ctx: &Context<'_>,
    here: &Here,
    (row, undoing): (&UndoRow, &Undoing),
    act: impl FnOnce() -> Result<(), Problem>,
) -> Result<(), Problem> {
    let owner = identity::own().map_err(|error| Problem::failed(error.to_string()))?;
    let repo = here.row.as_ref().map(|row| &row.id);
    let repo = repo.ok_or_else(|| Problem::failed("this repository is not known"))?;
    let new = NewIntent { kind: KIND, repo, variant: None, data: undoing, owner: &owner };
    let now = ctx.clock.now();
    let intent = ctx.store.write_durably(|tx| intents::open(tx, &new, now))?;
    match act() {
        Ok(()) => undone(ctx, row, intent),
        Err(problem) => {
            if !undoing.places(&here.repo).iter().any(land::is_unfinished) {
                ctx.store.write_durably(|tx| intents::close(tx, intent))?;
            }
            Err(problem)
        }
    }
}

/// Every branch is back: that is recorded, and the intent closed with it.
fn undone(ctx: &Context<'_>, row: &UndoRow, intent: i64) -> Result<(), Problem> {
    let merge: Option<MergeDone> = (row.kind == "merge").then(|| row.data()).transpose()?;
    let now = ctx.clock.now();
    Ok(ctx.store.write_durably(|tx| {
        if let Some(merge) = &merge {
            variants::set_merged(tx, merge.variant, merge.before.as_ref())?;
        }
        undo::mark_undone(tx, row.id, now)?;
        intents::close(tx, intent)
    })?)
}

/// Finishes or takes back one whose process died. The caller holds the repository's lock.
///
/// # Errors
/// When a checkout cannot be put right; the next command tries again.
pub fn recover(ctx: &Context<'_>, repo: &Repo, intent: &Intent) -> Result<String, Problem> {
    let undoing: Undoing = intent.data()?;
    for place in undoing.places(repo) {
        land::recover(&place)?;
    }
    let mut back = 0;
    for (branch, to) in &undoing.branches {
        back += usize::from(repo.branch(branch)?.as_ref() == Some(to));
    }
    let rows = undo::of_repo(ctx.store.read(), &intent.repo)?;
    let row = rows.iter().find(|row| row.id == undoing.record);
    let summary = row.map_or("a step", |row| row.summary.as_str());
    let had = format!("undoing the {summary} had been interrupted");
    if let Some(row) = row.filter(|_| back == undoing.branches.len()) {
        undone(ctx, row, intent.id)?;
        return Ok(format!("{had}, and was finished"));
    }
    ctx.store.write_durably(|tx| intents::close(tx, intent.id))?;
    Ok(match back {
        0 => format!("{had}, and was taken back"),
        some => format!("{had}; {some} of {} branches are back", undoing.branches.len()),
    })
}
