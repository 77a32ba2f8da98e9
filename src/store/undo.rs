//! What can be taken back: one row for each merge, cleanup, sync and restore.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::id::RepoId;
use crate::store::error::StoreError;
use crate::store::row;

/// Something that was done and can be taken back.
#[derive(Debug, Clone, PartialEq)]
pub struct UndoRow {
    /// Its number.
    pub id: i64,
    /// `merge`, `cleanup`, `sync`, `restore`.
    pub kind: String,
    /// One line for people.
    pub summary: String,
    /// What exactly, by kind.
    pub data: serde_json::Value,
    /// When it was done.
    pub at: Timestamp,
    /// When it was taken back.
    pub undone_at: Option<Timestamp>,
}

impl UndoRow {
    /// What exactly, as the kind's own type.
    ///
    /// # Errors
    /// When it was written by a version that meant something else.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        serde_json::from_value(self.data.clone())
            .map_err(|error| StoreError::BadRow { what: "undo record", text: error.to_string() })
    }
}

/// Records something done, in the transaction that closes its intent.
///
/// # Errors
/// The database's.
pub fn record(
    db: &Connection,
    repo: &RepoId,
    (kind, summary): (&str, &str),
    data: &impl Serialize,
    now: Timestamp,
) -> Result<i64, StoreError> {
    db.execute(
        "INSERT INTO undo (repo, kind, summary, data, at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![repo.as_str(), kind, summary, row::to_json(data)?, row::millis(now)],
    )?;
    Ok(db.last_insert_rowid())
}

/// Replaces what a record says: another part of the same step was done.
///
/// # Errors
/// The database's.
pub fn amend(
    db: &Connection,
    id: i64,
    summary: &str,
    data: &impl Serialize,
) -> Result<(), StoreError> {
    let sql = "UPDATE undo SET summary = ?2, data = ?3 WHERE id = ?1";
    db.execute(sql, params![id, summary, row::to_json(data)?])?;
    Ok(())
}

/// The newest record of a repository.
///
/// # Errors
/// The database's.
pub fn newest(db: &Connection, repo: &RepoId) -> Result<Option<UndoRow>, StoreError> {
    let sql = "SELECT * FROM undo WHERE repo = ?1 ORDER BY id DESC LIMIT 1";
    Ok(db.prepare_cached(sql)?.query_row([repo.as_str()], read).optional()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<UndoRow> {
    Ok(UndoRow {
        id: row.get("id")?,
        kind: row.get("kind")?,
        summary: row.get("summary")?,
        data: row::json(row, "data")?,
        at: row::time(row, "at")?,
        undone_at: row::maybe_time(row, "undone_at")?,
    })
}

/// What a repository can take back, newest first, at most 100.
///
/// # Errors
/// The database's.
pub fn of_repo(db: &Connection, repo: &RepoId) -> Result<Vec<UndoRow>, StoreError> {
    let sql = "SELECT * FROM undo WHERE repo = ?1 ORDER BY id DESC LIMIT 100";
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map([repo.as_str()], read)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// Marks a row as taken back, once.
///
/// # Errors
/// [`StoreError::Moved`] when it was already.
pub fn mark_undone(db: &Connection, id: i64, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE undo SET undone_at = ?2 WHERE id = ?1 AND undone_at IS NULL";
    if db.execute(sql, params![id, row::millis(now)])? == 1 {
        return Ok(());
    }
    Err(StoreError::Moved { what: format!("undo {id}"), expected: "to be undone".into() })
}
