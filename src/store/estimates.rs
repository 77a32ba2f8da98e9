//! How long earlier work of the same kind took, in the same repository.

use std::time::Duration;

use rusqlite::params;

use crate::domain::task::Task;
use crate::store::db::Connection;
use crate::store::error::StoreError;

/// How long the newest attempts took that began a session of their own and ended well, at most
/// twenty, of the same role and agent in the same repository; newest first.
///
/// # Errors
/// The database's.
pub fn took(db: &Connection, task: &Task) -> Result<Vec<Duration>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT max(0, attempts.ended_at - attempts.started_at)
         FROM attempts JOIN tasks ON tasks.id = attempts.task
         WHERE tasks.repo = ?1 AND tasks.role = ?2 AND tasks.agent = ?3 AND tasks.state = 'done'
           AND attempts.kind <> 'follow-up' AND attempts.failure IS NULL
           AND attempts.state = 'ended' AND attempts.started_at IS NOT NULL
         ORDER BY attempts.ended_at DESC LIMIT 20",
    )?;
    let rows = statement
        .query_map(params![task.repo.as_str(), task.role, task.agent], |row| {
            let millis: i64 = row.get(0)?;
            Ok(Duration::from_millis(millis.unsigned_abs()))
        })?
        .collect::<Result<_, _>>()?;
    Ok(rows)
}
