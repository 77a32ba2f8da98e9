//! What a person said about the queue as a whole: what is paused, and how much runs at once.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::domain::waiting::{Pause, Scope};
use crate::store::error::StoreError;
use crate::store::row;

/// Pauses something; what is paused already stays so since then. True when it was not.
///
/// # Errors
/// The database's.
pub fn pause(db: &Connection, scope: &Scope, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "INSERT OR IGNORE INTO pauses (scope, at) VALUES (?1, ?2)";
    Ok(db.execute(sql, params![scope.text(), row::millis(now)])? == 1)
}

/// Ends a pause. False when there was none.
///
/// # Errors
/// The database's.
pub fn resume(db: &Connection, scope: &Scope) -> Result<bool, StoreError> {
    Ok(db.execute("DELETE FROM pauses WHERE scope = ?1", [scope.text()])? == 1)
}

/// Everything that is paused, the oldest first.
///
/// # Errors
/// The database's.
pub fn pauses(db: &Connection) -> Result<Vec<Pause>, StoreError> {
    let mut query = db.prepare_cached("SELECT * FROM pauses ORDER BY at, scope")?;
    let read = |row: &Row<'_>| {
        Ok(Pause { scope: row::word(row, "scope", Scope::parse)?, at: row::time(row, "at")? })
    };
    Ok(query.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// Sets how many of a kind (`tasks`, or a lane's name) run at once; `None` as the settings say.
///
/// # Errors
/// The database's.
pub fn set_parallel(db: &Connection, what: &str, at_once: Option<u32>) -> Result<(), StoreError> {
    match at_once {
        Some(count) => {
            let sql = "INSERT OR REPLACE INTO parallel (what, at_once) VALUES (?1, ?2)";
            db.execute(sql, params![what, count])?
        }
        None => db.execute("DELETE FROM parallel WHERE what = ?1", [what])?,
    };
    Ok(())
}

/// How many of which kinds run at once, where that is not as the settings say.
///
/// # Errors
/// The database's.
pub fn parallel(db: &Connection) -> Result<Vec<(String, u32)>, StoreError> {
    let mut query = db.prepare_cached("SELECT what, at_once FROM parallel ORDER BY what")?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    Ok(query.query_map([], read)?.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::task::Lane;
    use crate::store::db::tests::store;

    #[test]
    fn a_pause_lasts_until_it_is_ended() {
        let (_dir, store) = store();
        let db = store.read();
        let (scope, now) = (Scope::Lane(Lane::Build), Timestamp::UNIX_EPOCH);
        assert!(pause(db, &scope, now).unwrap());
        assert!(!pause(db, &scope, Timestamp::from_second(9).unwrap()).unwrap());
        assert_eq!(pauses(db).unwrap(), [Pause { scope: scope.clone(), at: now }]);
        assert!(resume(db, &scope).unwrap() && !resume(db, &scope).unwrap());
        assert!(pauses(db).unwrap().is_empty());
    }

    #[test]
    fn a_number_is_set_and_taken_back() {
        let (_dir, store) = store();
        let db = store.read();
        set_parallel(db, "agent", Some(3)).unwrap();
        set_parallel(db, "agent", Some(4)).unwrap();
        assert_eq!(parallel(db).unwrap(), [("agent".to_owned(), 4)]);
        set_parallel(db, "agent", None).unwrap();
        assert!(parallel(db).unwrap().is_empty());
    }
}
