//! Rows of repositories.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;

use crate::domain::id::RepoId;
use crate::store::error::StoreError;
use crate::store::{random, row};

/// A repository that has, or had, variants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RepoRow {
    /// Its id.
    pub id: RepoId,
    /// The directory its worktrees share.
    pub common_dir: PathBuf,
    /// What relative settings count from.
    pub root: PathBuf,
    /// Its name.
    pub name: String,
}

fn read(row: &Row<'_>) -> rusqlite::Result<RepoRow> {
    Ok(RepoRow {
        id: RepoId::new(row.get::<_, String>("id")?),
        common_dir: row.get::<_, String>("common_dir")?.into(),
        root: row.get::<_, String>("root")?.into(),
        name: row.get("name")?,
    })
}

/// The repository with this common directory.
///
/// # Errors
/// The database's.
pub fn by_common_dir(db: &Connection, common_dir: &Path) -> Result<Option<RepoRow>, StoreError> {
    let Some(common_dir) = common_dir.to_str() else { return Ok(None) };
    let sql = "SELECT * FROM repos WHERE common_dir = ?1";
    Ok(db.prepare_cached(sql)?.query_row([common_dir], read).optional()?)
}

/// The repository with this id.
///
/// # Errors
/// The database's.
pub fn by_id(db: &Connection, id: &RepoId) -> Result<Option<RepoRow>, StoreError> {
    let sql = "SELECT * FROM repos WHERE id = ?1";
    Ok(db.prepare_cached(sql)?.query_row([id.as_str()], read).optional()?)
}

/// Every repository, oldest first.
///
/// # Errors
/// The database's.
pub fn all(db: &Connection) -> Result<Vec<RepoRow>, StoreError> {
    let mut query = db.prepare_cached("SELECT * FROM repos ORDER BY created_at, id")?;
    let rows = query.query_map([], read)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// The row of this repository, made if there is none.
///
/// # Errors
/// The database's; a path that is no UTF-8.
pub fn ensure(
    db: &Connection,
    common_dir: &Path,
    (root, name): (&Path, &str),
    now: Timestamp,
) -> Result<RepoRow, StoreError> {
    if let Some(found) = by_common_dir(db, common_dir)? {
        return Ok(found);
    }
    let id = RepoId::new(format!("r-{}", random::letters(12)));
    db.execute(
        "INSERT INTO repos (id, common_dir, root, name, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![id.as_str(), row::path(common_dir)?, row::path(root)?, name, row::millis(now)],
    )?;
    let (common_dir, root) = (common_dir.to_path_buf(), root.to_path_buf());
    Ok(RepoRow { id, common_dir, root, name: name.to_owned() })
}

/// Records that a repository is now somewhere else.
///
/// # Errors
/// The database's; another repository is recorded there already.
pub fn relocate(
    db: &Connection,
    id: &RepoId,
    common_dir: &Path,
    root: &Path,
) -> Result<(), StoreError> {
    db.execute(
        "UPDATE repos SET common_dir = ?2, root = ?3 WHERE id = ?1",
        params![id.as_str(), row::path(common_dir)?, row::path(root)?],
    )?;
    Ok(())
}
