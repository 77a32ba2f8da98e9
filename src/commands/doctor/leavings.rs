//! What dead processes left in a repository: half-done steps, locks, landings cut short.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use crate::commands::context::Context;
use crate::commands::doctor::Finding;
use crate::commands::doctor::mend::Mend;
use crate::domain::problem::Problem;
use crate::engine::process::identity::{Here, Liveness};
use crate::engine::process::places::standing_in;
use crate::git::land;
use crate::git::place::Place;
use crate::git::private_index::{self, LeftBehind};
use crate::git::repo::Repo;
use crate::git::worktree;
use crate::store::intents;
use crate::store::repos::RepoRow;

/// A lock that is younger than this may well be somebody's who is at work.
const STALE: SignedDuration = SignedDuration::from_mins(10);

/// What git locks in its directories.
const LOCKS: &[&str] = &["index.lock", "HEAD.lock", "config.lock", "packed-refs.lock"];

/// Looks; gives nothing when there is nothing.
///
/// # Errors
/// The store's, or git's.
pub fn look(ctx: &Context<'_>, row: &RepoRow, repo: &Repo) -> Result<Vec<Finding>, Problem> {
    let mut findings = vec![];
    let here = Here::read();
    for intent in intents::of_repo(ctx.store.read(), &row.id)? {
        let about = format!("repository {}", row.name);
        match here.liveness(&intent.owner) {
            Liveness::Alive => {}
            Liveness::Dead => {
                let found = format!("a {} was interrupted", intent.kind);
                let mend = Mend::Recover { repo: row.id.clone() };
                findings.push(
                    Finding::wrong(about, found).mended_by("finish it, or take it back", mend),
                );
            }
            Liveness::Elsewhere => {
                let found = format!("a {} is under way on another machine", intent.kind);
                findings.push(Finding::notable(about, found));
            }
        }
    }
    let now = ctx.clock.now();
    for one in worktree::list(repo)? {
        let place = one.place(repo);
        let about = format!("checkout {}", one.path.display());
        let index = private_index::left_behind(&place);
        let mend = Mend::Checkout(place.clone());
        if land::desk::Desk::existing(&place)?.is_some() || index == Some(LeftBehind::Update) {
            let found = "an update of it was interrupted".to_owned();
            findings
                .push(Finding::wrong(&about, found).mended_by("finish it, or take it back", mend));
        } else if index == Some(LeftBehind::Copies) {
            let found = "a copy of its index was left by a command that was killed".to_owned();
            findings.push(Finding::notable(&about, found).mended_by("remove it", mend));
        }
        findings.extend(locks(&place, &about, now));
    }
    Ok(findings)
}

/// Locks of git's that nobody seems to hold.
fn locks(place: &Place, about: &str, now: Timestamp) -> Vec<Finding> {
    let dirs = if place.is_main() { LOCKS } else { &LOCKS[..2] };
    let stale: Vec<PathBuf> = dirs
        .iter()
        .map(|name| place.git_dir.join(name))
        .filter(|lock| age(lock, now).is_some_and(|age| age > STALE))
        .collect();
    if stale.is_empty() || git_works_in(place) {
        return vec![];
    }
    let told = |lock: PathBuf| {
        let found = format!("`{}` was left behind by a git that died", lock.display());
        Finding::wrong(about, found).mended_by("remove it", Mend::RemoveLock(lock))
    };
    stale.into_iter().map(told).collect()
}

fn age(lock: &Path, now: Timestamp) -> Option<SignedDuration> {
    let meta = lock.symlink_metadata().ok().filter(std::fs::Metadata::is_file)?;
    let modified = Timestamp::try_from(meta.modified().ok()?).ok()?;
    Some(now.duration_since(modified))
}

/// Whether any git is at work with this checkout, or in the repository's git directory.
fn git_works_in(place: &Place) -> bool {
    let works = |dir: &Path| standing_in(dir).iter().any(|one| one.name.starts_with("git"));
    works(place.dir()) || works(&place.common_dir)
}
