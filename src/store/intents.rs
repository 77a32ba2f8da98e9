//! Intents: rows that precede an effect on disk, so that a process which dies in between leaves
//! word of what it was about to do.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::attempt::ProcessIdentity;
use crate::domain::id::RepoId;
use crate::store::error::StoreError;
use crate::store::row;

/// Something that a process was about to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// Its number.
    pub id: i64,
    /// `spawn`, `merge`, `cleanup`, …
    pub kind: String,
    /// The repository.
    pub repo: RepoId,
    /// The variant it is about, by key.
    pub variant: Option<i64>,
    /// What exactly, by kind.
    pub data: serde_json::Value,
    /// Who: while this process lives, the intent is its own business.
    pub owner: ProcessIdentity,
    /// Since when.
    pub created_at: Timestamp,
}

impl Intent {
    /// What exactly, as the kind's own type.
    ///
    /// # Errors
    /// When it was written by a version that meant something else.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        serde_json::from_value(self.data.clone())
            .map_err(|error| StoreError::BadRow { what: "intent", text: error.to_string() })
    }
}

/// An intent to be recorded.
#[derive(Debug)]
pub struct NewIntent<'a, T> {
    /// `spawn`, `merge`, `cleanup`, …
    pub kind: &'a str,
    /// The repository.
    pub repo: &'a RepoId,
    /// The variant it is about, by key.
    pub variant: Option<i64>,
    /// What exactly.
    pub data: &'a T,
    /// This process.
    pub owner: &'a ProcessIdentity,
}

/// Records an intent; in a durable transaction, before the effect.
///
/// # Errors
/// The database's.
pub fn open<T: Serialize>(
    db: &Connection,
    intent: &NewIntent<'_, T>,
    now: Timestamp,
) -> Result<i64, StoreError> {
    db.execute(
        "INSERT INTO intents (kind, repo, variant, data, owner, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            intent.kind,
            intent.repo.as_str(),
            intent.variant,
            row::to_json(intent.data)?,
            row::to_json(intent.owner)?,
            row::millis(now),
        ],
    )?;
    Ok(db.last_insert_rowid())
}

/// Replaces what an intent says, as its work goes on.
///
/// # Errors
/// The database's.
pub fn update(db: &Connection, id: i64, data: &impl Serialize) -> Result<(), StoreError> {
    let data = row::to_json(data)?;
    db.execute("UPDATE intents SET data = ?2 WHERE id = ?1", params![id, data])?;
    Ok(())
}

/// Takes an orphaned intent over, if its owner is still the one that was seen: true for exactly
/// one of several that try.
///
/// # Errors
/// The database's.
pub fn take_over(
    db: &Connection,
    intent: &Intent,
    owner: &ProcessIdentity,
) -> Result<bool, StoreError> {
    let changed = db.execute(
        "UPDATE intents SET owner = ?3 WHERE id = ?1 AND owner = ?2",
        params![intent.id, row::to_json(&intent.owner)?, row::to_json(owner)?],
    )?;
    Ok(changed == 1)
}

/// Closes an intent: its effect is whole, or reversed.
///
/// # Errors
/// The database's.
pub fn close(db: &Connection, id: i64) -> Result<(), StoreError> {
    db.execute("DELETE FROM intents WHERE id = ?1", [id])?;
    Ok(())
}

/// A repository's open intents, oldest first.
///
/// # Errors
/// The database's.
pub fn of_repo(db: &Connection, repo: &RepoId) -> Result<Vec<Intent>, StoreError> {
    let read = |row: &Row<'_>| {
        Ok(Intent {
            id: row.get("id")?,
            kind: row.get("kind")?,
            repo: RepoId::new(row.get::<_, String>("repo")?),
            variant: row.get("variant")?,
            data: row::json(row, "data")?,
            owner: row::json(row, "owner")?,
            created_at: row::time(row, "created_at")?,
        })
    };
    let mut query = db.prepare_cached("SELECT * FROM intents WHERE repo = ?1 ORDER BY id")?;
    let rows = query.query_map([repo.as_str()], read)?.collect::<Result<_, _>>()?;
    Ok(rows)
}
