//! The database: opened, migrated, and changed only in whole transactions.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

pub use rusqlite::Connection;
use rusqlite::{OptionalExtension, Transaction, TransactionBehavior};

use crate::store::error::StoreError;
use crate::store::layout::Layout;

/// Each brings the database from its index to the next version; only ever added to.
const MIGRATIONS: &[&str] =
    &[include_str!("migrations/001.sql"), include_str!("migrations/002.sql")];

/// How long a writer waits for another. 100 processes with ten transactions a second each had a
/// 99th percentile of 9 ms, so this only ends a wait that would never end.
const BUSY: Duration = Duration::from_secs(20);

/// The state: a database and the directories beside it.
pub struct Store {
    connection: Connection,
    layout: Layout,
}

/// How long a change must have reached the disk when it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Durability {
    /// Survives the death of every process; the last second may go with the power.
    Normal,
    /// Survives a loss of power.
    Full,
}

impl Store {
    /// Opens the database of these directories, made and migrated if need be.
    ///
    /// # Errors
    /// When it cannot be opened, [`StoreError::TooNew`], or [`StoreError::Damaged`]: also when it
    /// is gone although work is on record beside it, for that would be a silent clean start.
    pub fn open(layout: Layout) -> Result<Self, StoreError> {
        let path = layout.database();
        let connection = Connection::open(&path)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        let mut store = Self { connection, layout };
        let version = store.version()?;
        if version == 0 && has_entries(&store.layout.attempts()) {
            // Another process may have made it just now, and be queueing work already.
            if store.version()? == 0 {
                let why = "it is empty, though there are attempts beside it".to_owned();
                return Err(StoreError::Damaged { why });
            }
        }
        if version != MIGRATIONS.len() {
            store.migrate()?;
        }
        Ok(store)
    }

    /// The directories beside the database.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// For reading: one statement sees one state; several that belong together go into
    /// [`Self::write`] or a read transaction of the caller's.
    pub fn read(&self) -> &Connection {
        &self.connection
    }

    /// Changes the state in one transaction, which takes the write lock at once (a deferred one
    /// that reads first can fail half-way). An error rolls all of it back.
    ///
    /// # Errors
    /// The closure's own, or the database's.
    pub fn write<T, E: From<StoreError>>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transact(Durability::Normal, change)
    }

    /// As [`Self::write`], and on disk when it returns: for transitions, and for intents that
    /// precede an effect.
    ///
    /// # Errors
    /// The closure's own, or the database's.
    pub fn write_durably<T, E: From<StoreError>>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transact(Durability::Full, change)
    }

    fn transact<T, E: From<StoreError>>(
        &self,
        durability: Durability,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let sql = |error: rusqlite::Error| E::from(StoreError::from(error));
        let level = if durability == Durability::Full { "FULL" } else { "NORMAL" };
        self.connection.pragma_update(None, "synchronous", level).map_err(sql)?;
        let behavior = TransactionBehavior::Immediate;
        let tx = Transaction::new_unchecked(&self.connection, behavior).map_err(sql)?;
        let value = change(&tx)?;
        tx.commit().map_err(sql)?;
        Ok(value)
    }

    /// A number that changes when another process changed the database: the engine's slow check
    /// that no ring of the bell was missed.
    ///
    /// # Errors
    /// The database's.
    pub fn data_version(&self) -> Result<i64, StoreError> {
        Ok(self.connection.pragma_query_value(None, "data_version", |row| row.get(0))?)
    }

    /// What is wrong with the file itself, in SQLite's words; nothing when it is sound.
    ///
    /// # Errors
    /// When it cannot even be looked at.
    pub fn damage(&self) -> Result<Vec<String>, StoreError> {
        let mut query = self.connection.prepare("PRAGMA quick_check(10)")?;
        let rows = query.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        Ok(rows.into_iter().filter(|row| row != "ok").collect())
    }

    fn version(&self) -> Result<usize, StoreError> {
        let version: i64 =
            self.connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        Ok(usize::try_from(version).unwrap_or(0))
    }

    /// Lets readers and a writer work side by side. Kept in the file, so set once; not inside of a
    /// transaction. SQLite does not wait by itself for others who open the same new file.
    fn log_ahead(&self) -> Result<(), StoreError> {
        let pause = Duration::from_millis(5);
        let mut waited = Duration::ZERO;
        loop {
            match self.connection.pragma_update(None, "journal_mode", "WAL") {
                Err(error) if is_busy(&error) && waited < BUSY => {
                    std::thread::sleep(pause);
                    waited += pause;
                }
                done => return Ok(done?),
            }
        }
    }

    fn migrate(&mut self) -> Result<(), StoreError> {
        let path = self.layout.database();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
            .map_err(StoreError::file("protect", &path))?;
        self.log_ahead()?;
        let behavior = TransactionBehavior::Immediate;
        let tx = Transaction::new_unchecked(&self.connection, behavior)?;
        // Read again under the lock: another process may have migrated meanwhile.
        let version: i64 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let version = usize::try_from(version).unwrap_or(0);
        if version > MIGRATIONS.len() {
            return refuse_if_breaking(&tx, &self.layout);
        }
        for migration in &MIGRATIONS[version..] {
            tx.execute_batch(migration)?;
        }
        tx.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
        Ok(tx.commit()?)
    }
}

fn has_entries(dir: &std::path::Path) -> bool {
    std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some())
}

/// Whether another process stood in the way.
fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(failure, _)
        if failure.code == rusqlite::ErrorCode::DatabaseBusy)
}

/// A newer version only ever added, so this one can go on, unless the newer one says otherwise.
fn refuse_if_breaking(tx: &Transaction<'_>, layout: &Layout) -> Result<(), StoreError> {
    let needs: Option<String> = tx
        .query_row("SELECT value FROM meta WHERE name = 'needs_wt'", [], |row| row.get(0))
        .optional()?;
    match needs {
        Some(needs) => Err(StoreError::TooNew { path: layout.database(), needs }),
        None => Ok(()),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A store in a directory of its own.
    pub(crate) fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::at(dir.path());
        for part in ["attempts", "locks", "run"] {
            std::fs::create_dir_all(dir.path().join(part)).unwrap();
        }
        (dir, Store::open(layout).unwrap())
    }

    #[test]
    fn many_open_an_empty_state_at_once() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| Store::open(Layout::at(dir.path())).map(|_| ())))
                .collect();
            for thread in threads {
                thread.join().unwrap().unwrap();
            }
        });
        assert_eq!(
            Store::open(Layout::at(dir.path())).unwrap().version().unwrap(),
            MIGRATIONS.len()
        );
    }

    #[test]
    fn a_failed_change_leaves_nothing() {
        let (_dir, store) = store();
        let failed: Result<(), StoreError> = store.write(|tx| {
            tx.execute("INSERT INTO meta VALUES ('a', 'b')", [])?;
            Err(StoreError::NameTaken("x".into()))
        });
        assert!(failed.is_err());
        let count: i64 =
            store.read().query_row("SELECT count(*) FROM meta", [], |row| row.get(0)).unwrap();
        assert_eq!(count, 0);
    }

    #[test]
    fn a_newer_state_is_used_unless_it_says_no() {
        let (dir, store) = store();
        store.read().pragma_update(None, "user_version", 99).unwrap();
        assert!(Store::open(Layout::at(dir.path())).is_ok());
        store.read().execute("INSERT INTO meta VALUES ('needs_wt', '9.0')", []).unwrap();
        let refused = Store::open(Layout::at(dir.path())).err().unwrap();
        assert!(refused.to_string().contains("needs `wt` 9.0"), "{refused}");
    }
}
