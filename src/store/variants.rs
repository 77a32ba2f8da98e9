//! Rows of variants.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::id::RepoId;
use crate::domain::name::VariantName;
use crate::domain::variant::{Idea, Merged, Variant, VariantState};
use crate::store::error::StoreError;
use crate::store::row;

/// In SQL: the states in which a variant's name is in use.
const PRESENT: &str = "state IN ('creating', 'ready', 'removing')";

fn read(row: &Row<'_>) -> rusqlite::Result<Variant> {
    let into: Option<String> = row.get("merged_into")?;
    let merged = match (into, row.get("merged_commit")?, row::maybe_time(row, "merged_at")?) {
        (Some(into), Some(commit), Some(at)) => Some(Merged { into, commit, at }),
        _ => None,
    };
    let suggested = row.get("idea_suggested")?;
    Ok(Variant {
        key: row.get("key")?,
        repo: RepoId::new(row.get::<_, String>("repo")?),
        name: row::word(row, "name", |text| text.parse::<VariantName>().ok())?,
        branch: row.get("branch")?,
        path: row.get::<_, String>("path")?.into(),
        admin_dir: row.get::<_, String>("admin_dir")?.into(),
        base_branch: row.get("base_branch")?,
        fork_commit: row.get("fork_commit")?,
        idea: row.get::<_, Option<String>>("idea")?.map(|name| Idea { name, suggested }),
        state: row::word(row, "state", VariantState::parse)?,
        made_branch: row.get("made_branch")?,
        made_worktree: row.get("made_worktree")?,
        created_at: row::time(row, "created_at")?,
        merged,
    })
}

fn query(
    db: &Connection,
    sql: &str,
    args: impl rusqlite::Params,
) -> Result<Vec<Variant>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(args, read)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// A repository's variants whose names are in use, oldest first.
///
/// # Errors
/// The database's.
pub fn present(db: &Connection, repo: &RepoId) -> Result<Vec<Variant>, StoreError> {
    let sql = format!("SELECT * FROM variants WHERE repo = ?1 AND {PRESENT} ORDER BY key");
    query(db, &sql, [repo.as_str()])
}

/// Every variant of every repository whose name is in use.
///
/// # Errors
/// The database's.
pub fn present_everywhere(db: &Connection) -> Result<Vec<Variant>, StoreError> {
    query(db, &format!("SELECT * FROM variants WHERE {PRESENT} ORDER BY key"), [])
}

/// A repository's variants in one state, oldest first.
///
/// # Errors
/// The database's.
pub fn in_state(
    db: &Connection,
    repo: &RepoId,
    state: VariantState,
) -> Result<Vec<Variant>, StoreError> {
    let sql = "SELECT * FROM variants WHERE repo = ?1 AND state = ?2 ORDER BY key";
    query(db, sql, [repo.as_str(), state.as_str()])
}

/// The variant of that name whose name is in use; case does not matter.
///
/// # Errors
/// The database's.
pub fn by_name(db: &Connection, repo: &RepoId, name: &str) -> Result<Option<Variant>, StoreError> {
    let sql = format!("SELECT * FROM variants WHERE repo = ?1 AND folded = ?2 AND {PRESENT}");
    let folded = name.to_ascii_lowercase();
    Ok(db.prepare_cached(&sql)?.query_row([repo.as_str(), &folded], read).optional()?)
}

/// The variant with this key, whatever its state.
///
/// # Errors
/// The database's.
pub fn by_key(db: &Connection, key: i64) -> Result<Option<Variant>, StoreError> {
    let sql = "SELECT * FROM variants WHERE key = ?1";
    Ok(db.prepare_cached(sql)?.query_row([key], read).optional()?)
}

/// The variant whose worktree holds `dir`, by the records alone: nothing on disk is asked, since
/// an agent may have written what stands there.
///
/// # Errors
/// The database's.
pub fn holding(db: &Connection, dir: &Path) -> Result<Option<Variant>, StoreError> {
    let sql = format!("SELECT * FROM variants WHERE path = ?1 AND {PRESENT}");
    let mut statement = db.prepare_cached(&sql)?;
    for parent in dir.ancestors().filter_map(Path::to_str) {
        if let Some(found) = statement.query_row([parent], read).optional()? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Adds a variant; its `key` is given by the store and returned.
///
/// # Errors
/// [`StoreError::NameTaken`], or the database's.
pub fn insert(db: &Connection, new: &Variant) -> Result<i64, StoreError> {
    let idea = new.idea.as_ref();
    let inserted = db.execute(
        "INSERT INTO variants (repo, name, folded, branch, path, admin_dir, base_branch,
             fork_commit, idea, idea_suggested, state, made_branch, made_worktree, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        params![
            new.repo.as_str(),
            new.name.as_str(),
            new.name.folded(),
            new.branch,
            row::path(&new.path)?,
            row::path(&new.admin_dir)?,
            new.base_branch,
            new.fork_commit,
            idea.map(|idea| &idea.name),
            idea.is_some_and(|idea| idea.suggested),
            new.state.as_str(),
            new.made_branch,
            new.made_worktree,
            row::millis(new.created_at),
        ],
    );
    match inserted {
        Ok(_) => Ok(db.last_insert_rowid()),
        Err(rusqlite::Error::SqliteFailure(error, _))
            if error.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE =>
        {
            Err(StoreError::NameTaken(new.name.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Moves a variant from one state to another, if it is still in the first.
///
/// # Errors
/// [`StoreError::Moved`] when it is not.
pub fn transition(
    db: &Connection,
    key: i64,
    from: VariantState,
    to: VariantState,
) -> Result<(), StoreError> {
    let changed = db.execute(
        "UPDATE variants SET state = ?3 WHERE key = ?1 AND state = ?2",
        params![key, from.as_str(), to.as_str()],
    )?;
    if changed == 1 {
        return Ok(());
    }
    let what = by_key(db, key)?.map_or_else(|| format!("variant {key}"), |v| v.name.to_string());
    Err(StoreError::Moved { what, expected: from.as_str().into() })
}

/// Forgets a variant that never came to be: its making was taken back.
///
/// # Errors
/// [`StoreError::Moved`] when it is not being made.
pub fn forget_unmade(db: &Connection, key: i64) -> Result<(), StoreError> {
    let creating = VariantState::Creating.as_str();
    let sql = "DELETE FROM variants WHERE key = ?1 AND state = ?2";
    if db.execute(sql, params![key, creating])? == 1 {
        return Ok(());
    }
    Err(StoreError::Moved { what: format!("variant {key}"), expected: creating.into() })
}

/// Records where its worktree and registration are now.
///
/// # Errors
/// The database's.
pub fn relocate(db: &Connection, key: i64, path: &Path, admin: &Path) -> Result<(), StoreError> {
    db.execute(
        "UPDATE variants SET path = ?2, admin_dir = ?3 WHERE key = ?1",
        params![key, row::path(path)?, row::path(admin)?],
    )?;
    Ok(())
}

/// Records that it is on another branch now.
///
/// # Errors
/// The database's.
pub fn set_branch(db: &Connection, key: i64, branch: &str) -> Result<(), StoreError> {
    db.execute("UPDATE variants SET branch = ?2 WHERE key = ?1", params![key, branch])?;
    Ok(())
}

/// Records where it starts from, when that has moved on before anybody worked in it.
///
/// # Errors
/// The database's.
pub fn set_fork(db: &Connection, key: i64, commit: &str) -> Result<(), StoreError> {
    db.execute("UPDATE variants SET fork_commit = ?2 WHERE key = ?1", params![key, commit])?;
    Ok(())
}

/// Gives it an idea.
///
/// # Errors
/// The database's.
pub fn set_idea(db: &Connection, key: i64, idea: &Idea) -> Result<(), StoreError> {
    db.execute(
        "UPDATE variants SET idea = ?2, idea_suggested = ?3 WHERE key = ?1",
        params![key, idea.name, idea.suggested],
    )?;
    Ok(())
}

/// Records its merge, or with `None` that the merge was taken back.
///
/// # Errors
/// The database's.
pub fn set_merged(db: &Connection, key: i64, merged: Option<&Merged>) -> Result<(), StoreError> {
    db.execute(
        "UPDATE variants SET merged_into = ?2, merged_commit = ?3, merged_at = ?4 WHERE key = ?1",
        params![
            key,
            merged.map(|m| &m.into),
            merged.map(|m| &m.commit),
            merged.map(|m: &Merged| -> i64 { row::millis(m.at) }),
        ],
    )?;
    Ok(())
}

/// The time of the newest merge of any of a repository's variants, whatever their state now.
///
/// # Errors
/// The database's.
pub fn last_merged(db: &Connection, repo: &RepoId) -> Result<Option<Variant>, StoreError> {
    let sql = "SELECT * FROM variants WHERE repo = ?1 AND merged_at IS NOT NULL
               ORDER BY merged_at DESC, key DESC LIMIT 1";
    Ok(db.prepare_cached(sql)?.query_row([repo.as_str()], read).optional()?)
}

/// Where a removed variant is kept.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TrashRow {
    /// The variant.
    pub variant: i64,
    /// Its worktree's directory now.
    pub path: std::path::PathBuf,
    /// Where its branch stood.
    pub commit: String,
    /// The ref that keeps its objects alive.
    pub backup_ref: Option<String>,
    /// When it was removed.
    pub removed_at: Timestamp,
    /// When it may be purged.
    pub expires_at: Timestamp,
}

/// Records where a removed variant is kept.
///
/// # Errors
/// The database's.
pub fn put_trash(db: &Connection, trash: &TrashRow) -> Result<(), StoreError> {
    db.execute(
        "INSERT OR REPLACE INTO trash (variant, path, commit_id, backup_ref, removed_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            trash.variant,
            row::path(&trash.path)?,
            trash.commit,
            trash.backup_ref,
            row::millis(trash.removed_at),
            row::millis(trash.expires_at),
        ],
    )?;
    Ok(())
}

/// Where a removed variant is kept.
///
/// # Errors
/// The database's.
pub fn trash(db: &Connection, key: i64) -> Result<Option<TrashRow>, StoreError> {
    let read = |row: &Row<'_>| {
        Ok(TrashRow {
            variant: row.get("variant")?,
            path: row.get::<_, String>("path")?.into(),
            commit: row.get("commit_id")?,
            backup_ref: row.get("backup_ref")?,
            removed_at: row::time(row, "removed_at")?,
            expires_at: row::time(row, "expires_at")?,
        })
    };
    let sql = "SELECT * FROM trash WHERE variant = ?1";
    Ok(db.prepare_cached(sql)?.query_row([key], read).optional()?)
}

/// Whether anything in the trash, of any repository, has been there long enough.
///
/// # Errors
/// The database's.
pub fn any_expired(db: &Connection, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM trash WHERE expires_at <= ?1 LIMIT 1";
    Ok(db.prepare_cached(sql)?.query_row([row::millis(now)], |_| Ok(())).optional()?.is_some())
}

/// The removed variant whose worktree in the trash holds `dir`, by the records alone.
///
/// # Errors
/// The database's.
pub fn trash_holding(db: &Connection, dir: &Path) -> Result<Option<Variant>, StoreError> {
    let sql = "SELECT v.* FROM variants v JOIN trash t ON t.variant = v.key WHERE t.path = ?1";
    let mut statement = db.prepare_cached(sql)?;
    for parent in dir.ancestors().filter_map(Path::to_str) {
        if let Some(found) = statement.query_row([parent], read).optional()? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Forgets where a variant was kept: it was restored or purged.
///
/// # Errors
/// The database's.
pub fn drop_trash(db: &Connection, key: i64) -> Result<(), StoreError> {
    db.execute("DELETE FROM trash WHERE variant = ?1", [key])?;
    Ok(())
}
