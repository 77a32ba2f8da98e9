//! Which commands of a repository the user has seen and approved, by their text.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::domain::id::RepoId;
use crate::store::error::StoreError;
use crate::store::row;

/// The hash by which a text is approved: SHA-256 in hex.
pub fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// True when exactly this text was approved for this repository.
///
/// # Errors
/// The database's.
pub fn is_trusted(db: &Connection, repo: &RepoId, text: &str) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM trust WHERE repo = ?1 AND hash = ?2";
    let args = params![repo.as_str(), hash(text)];
    Ok(db.query_row(sql, args, |_| Ok(())).optional()?.is_some())
}

/// Records the user's approval of this text.
///
/// # Errors
/// The database's.
pub fn approve(
    db: &Connection,
    repo: &RepoId,
    text: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    db.execute(
        "INSERT OR IGNORE INTO trust (repo, hash, text, approved_at) VALUES (?1, ?2, ?3, ?4)",
        params![repo.as_str(), hash(text), text, row::millis(now)],
    )?;
    Ok(())
}

/// Takes every approval of this repository back; says how many there were.
///
/// # Errors
/// The database's.
pub fn revoke(db: &Connection, repo: &RepoId) -> Result<usize, StoreError> {
    Ok(db.execute("DELETE FROM trust WHERE repo = ?1", [repo.as_str()])?)
}
