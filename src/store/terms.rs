//! What tasks' starts depend on: times, and what they are stacked upon.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::id::TaskId;
use crate::domain::waiting::Terms;
use crate::store::error::StoreError;
use crate::store::row;

fn read(row: &Row<'_>) -> rusqlite::Result<Terms> {
    Ok(Terms {
        not_before: row::maybe_time(row, "not_before")?,
        why: row.get("why")?,
        until: row::maybe_time(row, "until")?,
        unattended: row.get("unattended")?,
        onto: row.get("onto")?,
    })
}

/// Sets all of a task's terms.
///
/// # Errors
/// The database's.
pub fn put(db: &Connection, task: &TaskId, terms: &Terms) -> Result<(), StoreError> {
    if *terms == Terms::default() {
        db.execute("DELETE FROM terms WHERE task = ?1", [task.as_str()])?;
        return Ok(());
    }
    db.execute(
        "INSERT OR REPLACE INTO terms (task, not_before, why, until, unattended, onto)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            task.as_str(),
            terms.not_before.map(row::millis),
            terms.why,
            terms.until.map(row::millis),
            terms.unattended,
            terms.onto,
        ],
    )?;
    Ok(())
}

/// A task's terms; the default where it has none.
///
/// # Errors
/// The database's.
pub fn of(db: &Connection, task: &TaskId) -> Result<Terms, StoreError> {
    let sql = "SELECT * FROM terms WHERE task = ?1";
    let found = db.prepare_cached(sql)?.query_row([task.as_str()], read).optional()?;
    Ok(found.unwrap_or_default())
}

/// The terms of every task that is not in a final state and has some.
///
/// # Errors
/// The database's.
pub fn open(db: &Connection) -> Result<HashMap<TaskId, Terms>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT terms.* FROM terms JOIN tasks ON tasks.id = terms.task
         WHERE tasks.state IN ('queued', 'waiting', 'running')",
    )?;
    let read = |row: &Row<'_>| Ok((TaskId::new(row.get::<_, String>("task")?), read(row)?));
    Ok(query.query_map([], read)?.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::store::db::tests::store;
    use crate::store::tasks::tests::queued;

    #[test]
    fn terms_are_kept_as_they_are() {
        let (_dir, store) = store();
        let task = queued(store.read(), "task-a-1");
        assert_eq!(of(store.read(), &task.id).unwrap(), Terms::default());
        let terms = Terms {
            not_before: Some(Timestamp::UNIX_EPOCH),
            why: Some("parked, goes on".into()),
            until: Some(Timestamp::from_second(60).unwrap()),
            unattended: true,
            onto: Some("feature/a".into()),
        };
        put(store.read(), &task.id, &terms).unwrap();
        assert_eq!(of(store.read(), &task.id).unwrap(), terms);
        assert_eq!(open(store.read()).unwrap(), HashMap::from([(task.id.clone(), terms)]));
        put(store.read(), &task.id, &Terms::default()).unwrap();
        assert!(open(store.read()).unwrap().is_empty());
    }
}
