//! What a person told agents that were at work: kept until the present attempt has ended.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::domain::id::TaskId;
use crate::store::error::StoreError;
use crate::store::row;

/// A message that was not told yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number.
    pub id: i64,
    /// The words.
    pub words: String,
}

/// Keeps a message for a task.
///
/// # Errors
/// The database's.
pub fn put(db: &Connection, task: &TaskId, words: &str, at: Timestamp) -> Result<(), StoreError> {
    db.execute(
        "INSERT INTO messages (task, words, at) VALUES (?1, ?2, ?3)",
        params![task.as_str(), words, row::millis(at)],
    )?;
    Ok(())
}

/// What waits to be told, oldest first.
///
/// # Errors
/// The database's.
pub fn of_task(db: &Connection, task: &TaskId) -> Result<Vec<Message>, StoreError> {
    let sql = "SELECT id, words FROM messages WHERE task = ?1 ORDER BY id";
    let mut statement = db.prepare_cached(sql)?;
    let read =
        |row: &rusqlite::Row<'_>| Ok(Message { id: row.get("id")?, words: row.get("words")? });
    let rows = statement.query_map([task.as_str()], read)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// Forgets the messages of a task up to this one; `None` forgets all.
///
/// # Errors
/// The database's.
pub fn forget(db: &Connection, task: &TaskId, up_to: Option<i64>) -> Result<(), StoreError> {
    let up_to = up_to.unwrap_or(i64::MAX);
    db.execute("DELETE FROM messages WHERE task = ?1 AND id <= ?2", params![task.as_str(), up_to])?;
    Ok(())
}
