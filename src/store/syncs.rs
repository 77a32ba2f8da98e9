//! Syncs that stopped at conflicts, which wait in the variants' own worktrees.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::id::RepoId;
use crate::domain::sync::SyncWaiting;
use crate::domain::undo::{SyncDone, SyncMove};
use crate::domain::variant::Variant;
use crate::store::error::StoreError;
use crate::store::events::{self, NewEvent};
use crate::store::{row, undo};

/// Records that a variant's sync waits.
///
/// # Errors
/// The database's.
pub fn put(
    db: &Connection,
    repo: &RepoId,
    (variant, waiting): (i64, &SyncWaiting),
    now: Timestamp,
) -> Result<(), StoreError> {
    db.execute(
        "INSERT INTO syncs (variant, repo, data, created_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (variant) DO UPDATE SET data = excluded.data",
        params![variant, repo.as_str(), row::to_json(waiting)?, row::millis(now)],
    )?;
    Ok(())
}

/// The sync of a variant that waits, if one does.
///
/// # Errors
/// The database's.
pub fn of_variant(db: &Connection, variant: i64) -> Result<Option<SyncWaiting>, StoreError> {
    let read = |row: &Row<'_>| row::json(row, "data");
    let sql = "SELECT data FROM syncs WHERE variant = ?1";
    Ok(db.prepare_cached(sql)?.query_row([variant], read).optional()?)
}

/// The variants of a repository whose syncs wait, by key.
///
/// # Errors
/// The database's.
pub fn of_repo(db: &Connection, repo: &RepoId) -> Result<Vec<i64>, StoreError> {
    let mut query = db.prepare_cached("SELECT variant FROM syncs WHERE repo = ?1 ORDER BY 1")?;
    let rows = query.query_map([repo.as_str()], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// Forgets the sync of a variant: it was settled, or given up.
///
/// # Errors
/// The database's.
pub fn remove(db: &Connection, variant: i64) -> Result<(), StoreError> {
    db.execute("DELETE FROM syncs WHERE variant = ?1", [variant])?;
    Ok(())
}

/// Puts on record that a sync has moved a branch to `new`: so that it can be taken back, as an
/// event, and waiting no more. It joins the record of the same sync, if that is the newest and was
/// not taken back. Gives the record.
///
/// # Errors
/// The database's.
pub fn moved(
    db: &Connection,
    variant: &Variant,
    (sync, new): (&SyncWaiting, &str),
    now: Timestamp,
) -> Result<i64, StoreError> {
    let one = SyncMove {
        variant: variant.key,
        name: variant.name.to_string(),
        branch: sync.branch.clone(),
        old: sync.old.clone(),
        new: new.to_owned(),
        snapshot: sync.snapshot.clone(),
    };
    let event = NewEvent {
        kind: "variant-synced",
        repo: Some(&variant.repo),
        variant: Some(variant.key),
        data: [("from", sync.from.as_str()), ("old", sync.old.as_str()), ("new", new)]
            .map(|(name, value)| (name.to_owned(), value.into()))
            .into_iter()
            .collect(),
        ..NewEvent::default()
    };
    events::record(db, now, &event)?;
    remove(db, variant.key)?;
    let newest = undo::newest(db, &variant.repo)?;
    let same = newest.filter(|row| Some(row.id) == sync.undo && row.undone_at.is_none());
    if let Some(row) = same {
        let mut done: SyncDone = row.data()?;
        done.moves.push(one);
        undo::amend(db, row.id, &summary(&done, &sync.from), &done)?;
        return Ok(row.id);
    }
    let done = SyncDone { moves: vec![one] };
    undo::record(db, &variant.repo, ("sync", &summary(&done, &sync.from)), &done, now)
}

/// `sync of main into a, b`
fn summary(done: &SyncDone, from: &str) -> String {
    let names: Vec<&str> = done.moves.iter().map(|one| one.name.as_str()).collect();
    format!("sync of {from} into {}", names.join(", "))
}
