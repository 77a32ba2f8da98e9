//! Merges that stopped at conflicts and wait for a person, at most one for each variant.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::id::RepoId;
use crate::store::error::StoreError;
use crate::store::row;

/// A merge that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// The variant that is merged, by key.
    pub variant: i64,
    /// What is merged, and where it waits.
    pub data: serde_json::Value,
    /// Since when.
    pub created_at: Timestamp,
}

impl Waiting {
    /// What is merged, and where it waits.
    ///
    /// # Errors
    /// When it was written by a version that meant something else.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        serde_json::from_value(self.data.clone())
            .map_err(|error| StoreError::BadRow { what: "waiting merge", text: error.to_string() })
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Waiting> {
    Ok(Waiting {
        variant: row.get("variant")?,
        data: row::json(row, "data")?,
        created_at: row::time(row, "created_at")?,
    })
}

/// Records that a variant's merge waits, or what it waits with by now.
///
/// # Errors
/// The database's.
pub fn put(
    db: &Connection,
    repo: &RepoId,
    variant: i64,
    data: &impl Serialize,
    now: Timestamp,
) -> Result<(), StoreError> {
    db.execute(
        "INSERT INTO merges (variant, repo, data, created_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (variant) DO UPDATE SET data = excluded.data",
        params![variant, repo.as_str(), row::to_json(data)?, row::millis(now)],
    )?;
    Ok(())
}

/// The merge of a variant that waits, if one does.
///
/// # Errors
/// The database's.
pub fn of_variant(db: &Connection, variant: i64) -> Result<Option<Waiting>, StoreError> {
    let sql = "SELECT * FROM merges WHERE variant = ?1";
    Ok(db.prepare_cached(sql)?.query_row([variant], read).optional()?)
}

/// Every merge of a repository that waits, the oldest first.
///
/// # Errors
/// The database's.
pub fn of_repo(db: &Connection, repo: &RepoId) -> Result<Vec<Waiting>, StoreError> {
    let sql = "SELECT * FROM merges WHERE repo = ?1 ORDER BY created_at, variant";
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map([repo.as_str()], read)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// Forgets the merge of a variant: it landed, or was given up.
///
/// # Errors
/// The database's.
pub fn remove(db: &Connection, variant: i64) -> Result<(), StoreError> {
    db.execute("DELETE FROM merges WHERE variant = ?1", [variant])?;
    Ok(())
}
