//! Tasks that wait for others.

use rusqlite::{Connection, Row, params};

use crate::domain::id::TaskId;
use crate::domain::waiting::Dependency;
use crate::store::error::StoreError;

fn read(row: &Row<'_>) -> rusqlite::Result<Dependency> {
    Ok(Dependency {
        task: TaskId::new(row.get::<_, String>("task")?),
        on: TaskId::new(row.get::<_, String>("on_task")?),
        any: row.get("any_end")?,
        skipped: row.get("skipped")?,
    })
}

/// Records that a task waits for another; one that did already does so in this way from now on.
///
/// # Errors
/// The database's.
pub fn put(db: &Connection, dependency: &Dependency) -> Result<(), StoreError> {
    db.execute(
        "INSERT OR REPLACE INTO dependencies (task, on_task, any_end, skipped)
         VALUES (?1, ?2, ?3, ?4)",
        params![
            dependency.task.as_str(),
            dependency.on.as_str(),
            dependency.any,
            dependency.skipped,
        ],
    )?;
    Ok(())
}

/// What a task waits for, in the order of the ids.
///
/// # Errors
/// The database's.
pub fn of_task(db: &Connection, task: &TaskId) -> Result<Vec<Dependency>, StoreError> {
    let sql = "SELECT * FROM dependencies WHERE task = ?1 ORDER BY on_task";
    let mut query = db.prepare_cached(sql)?;
    Ok(query.query_map([task.as_str()], read)?.collect::<Result<_, _>>()?)
}

/// What every task waits for that has not begun.
///
/// # Errors
/// The database's.
pub fn open(db: &Connection) -> Result<Vec<Dependency>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT dependencies.* FROM dependencies JOIN tasks ON tasks.id = dependencies.task
         WHERE tasks.state IN ('queued', 'waiting') ORDER BY on_task",
    )?;
    Ok(query.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// All there ever were that nobody decided to go on without.
///
/// # Errors
/// The database's.
pub fn all(db: &Connection) -> Result<Vec<Dependency>, StoreError> {
    let mut query = db.prepare_cached("SELECT * FROM dependencies WHERE skipped = 0")?;
    Ok(query.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// The tasks that wait for this one and have not begun, in the order of their ids.
///
/// # Errors
/// The database's.
pub fn on(db: &Connection, task: &TaskId) -> Result<Vec<TaskId>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT dependencies.task FROM dependencies JOIN tasks ON tasks.id = dependencies.task
         WHERE on_task = ?1 AND skipped = 0 AND tasks.state IN ('queued', 'waiting') ORDER BY 1",
    )?;
    let read = |row: &Row<'_>| Ok(TaskId::new(row.get::<_, String>(0)?));
    Ok(query.query_map([task.as_str()], read)?.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::db::tests::store;
    use crate::store::tasks::tests::queued;

    #[test]
    fn who_waits_for_whom_is_kept() {
        let (_dir, store) = store();
        let db = store.read();
        let (a, b) = (queued(db, "task-a-1").id, queued(db, "task-b-1").id);
        let waits = Dependency { task: b.clone(), on: a.clone(), any: false, skipped: false };
        put(db, &waits).unwrap();
        assert_eq!(of_task(db, &b).unwrap(), std::slice::from_ref(&waits));
        assert_eq!(open(db).unwrap(), std::slice::from_ref(&waits));
        assert_eq!(all(db).unwrap(), std::slice::from_ref(&waits));
        assert_eq!(on(db, &a).unwrap(), std::slice::from_ref(&b));
        put(db, &Dependency { skipped: true, ..waits }).unwrap();
        assert!(on(db, &a).unwrap().is_empty() && of_task(db, &b).unwrap()[0].skipped);
    }
}
