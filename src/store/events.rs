//! The record of what happened, append-only.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use crate::domain::id::{AttemptId, RepoId, TaskId};
use crate::store::error::StoreError;
use crate::store::row;

/// Something that happened, to be recorded in the transaction that made it so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewEvent<'a> {
    /// What: `task-queued`, `task-done`, `variant-created`, …
    pub kind: &'a str,
    /// Which repository.
    pub repo: Option<&'a RepoId>,
    /// Which variant, by key.
    pub variant: Option<i64>,
    /// Which task.
    pub task: Option<&'a TaskId>,
    /// Which attempt.
    pub attempt: Option<&'a AttemptId>,
    /// The rest; an object.
    pub data: serde_json::Map<String, serde_json::Value>,
}

/// An event as recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its number; later ones are greater.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: String,
    /// Which repository.
    pub repo: Option<String>,
    /// Which variant, by key.
    pub variant: Option<i64>,
    /// Which task.
    pub task: Option<String>,
    /// Which attempt.
    pub attempt: Option<String>,
    /// The rest; an object.
    pub data: serde_json::Value,
}

/// Records an event.
///
/// # Errors
/// The database's.
pub fn record(db: &Connection, now: Timestamp, event: &NewEvent<'_>) -> Result<i64, StoreError> {
    let sql = "INSERT INTO events (at, kind, repo, variant, task, attempt, data)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    db.prepare_cached(sql)?.execute(params![
        row::millis(now),
        event.kind,
        event.repo.map(RepoId::as_str),
        event.variant,
        event.task.map(TaskId::as_str),
        event.attempt.map(AttemptId::as_str),
        row::to_json(&event.data)?,
    ])?;
    Ok(db.last_insert_rowid())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Event> {
    Ok(Event {
        id: row.get("id")?,
        at: row::time(row, "at")?,
        kind: row.get("kind")?,
        repo: row.get("repo")?,
        variant: row.get("variant")?,
        task: row.get("task")?,
        attempt: row.get("attempt")?,
        data: row::json(row, "data")?,
    })
}

/// A task's events, first to last.
///
/// # Errors
/// The database's.
pub fn of_task(db: &Connection, task: &TaskId) -> Result<Vec<Event>, StoreError> {
    let mut query = db.prepare_cached("SELECT * FROM events WHERE task = ?1 ORDER BY id")?;
    let rows = query.query_map([task.as_str()], read)?.collect::<Result<_, _>>()?;
    Ok(rows)
}
