//! Failures that may hold an agent's queue, and the agents that are held.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::domain::task::FailureClass;
use crate::domain::waiting::Hold;
use crate::store::error::StoreError;
use crate::store::row;

/// Remembers a failure of an agent, and forgets those before `since`.
///
/// # Errors
/// The database's.
pub fn failed(
    db: &Connection,
    (agent, class): (&str, FailureClass),
    (since, now): (Timestamp, Timestamp),
) -> Result<(), StoreError> {
    db.execute("DELETE FROM failures WHERE at < ?1", [row::millis(since)])?;
    let sql = "INSERT INTO failures (agent, class, at) VALUES (?1, ?2, ?3)";
    db.execute(sql, params![agent, class.as_str(), row::millis(now)])?;
    Ok(())
}

/// The failures of an agent that are remembered, oldest first.
///
/// # Errors
/// The database's.
pub fn failures(
    db: &Connection,
    agent: &str,
) -> Result<Vec<(Timestamp, FailureClass)>, StoreError> {
    let mut query = db.prepare_cached("SELECT * FROM failures WHERE agent = ?1 ORDER BY at, id")?;
    let read =
        |row: &Row<'_>| Ok((row::time(row, "at")?, row::word(row, "class", FailureClass::parse)?));
    Ok(query.query_map([agent], read)?.collect::<Result<_, _>>()?)
}

/// Holds an agent's queue; one that is held already stays so since then. True when it was not.
///
/// # Errors
/// The database's.
pub fn hold(db: &Connection, hold: &Hold) -> Result<bool, StoreError> {
    let sql = "INSERT OR IGNORE INTO holds (agent, class, failures, at) VALUES (?1, ?2, ?3, ?4)";
    let args = params![hold.agent, hold.class.as_str(), hold.failures, row::millis(hold.at)];
    Ok(db.execute(sql, args)? == 1)
}

/// Releases an agent's queue and forgets its failures. False when it was not held.
///
/// # Errors
/// The database's.
pub fn release(db: &Connection, agent: &str) -> Result<bool, StoreError> {
    db.execute("DELETE FROM failures WHERE agent = ?1", [agent])?;
    Ok(db.execute("DELETE FROM holds WHERE agent = ?1", [agent])? == 1)
}

/// Every agent that is held, by name.
///
/// # Errors
/// The database's.
pub fn all(db: &Connection) -> Result<Vec<Hold>, StoreError> {
    let mut query = db.prepare_cached("SELECT * FROM holds ORDER BY agent")?;
    let read = |row: &Row<'_>| {
        Ok(Hold {
            agent: row.get("agent")?,
            class: row::word(row, "class", FailureClass::parse)?,
            failures: row.get("failures")?,
            at: row::time(row, "at")?,
        })
    };
    Ok(query.query_map([], read)?.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::db::tests::store;

    #[test]
    fn failures_are_forgotten_and_holds_are_not() {
        let (_dir, store) = store();
        let db = store.read();
        let at = |second| Timestamp::from_second(second).unwrap();
        let crash = ("claude", FailureClass::Crash);
        failed(db, crash, (at(0), at(1))).unwrap();
        failed(db, crash, (at(2), at(302))).unwrap();
        assert_eq!(failures(db, "claude").unwrap(), [(at(302), FailureClass::Crash)]);
        let (agent, class) = ("claude".to_owned(), FailureClass::Crash);
        let held = Hold { agent, class, failures: 3, at: at(302) };
        assert!(hold(db, &held).unwrap());
        assert!(!hold(db, &Hold { at: at(900), ..held.clone() }).unwrap());
        assert_eq!(all(db).unwrap(), [held]);
        assert!(release(db, "claude").unwrap() && !release(db, "claude").unwrap());
        assert!(failures(db, "claude").unwrap().is_empty());
    }
}
