//! Rows of attempts.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::attempt::{
    Attempt, AttemptKind, AttemptState, Exit, ProcessIdentity, Progress, Report, StopRequest,
};
use crate::domain::id::{AttemptId, RepoId, TaskId};
use crate::domain::task::FailureClass;
use crate::domain::usage::Usage;
use crate::store::error::StoreError;
use crate::store::row;

fn read(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    Ok(Attempt {
        id: AttemptId::new(row.get::<_, String>("id")?),
        task: TaskId::new(row.get::<_, String>("task")?),
        number: row.get("number")?,
        kind: row::word(row, "kind", AttemptKind::parse)?,
        prompt: row.get("prompt")?,
        state: row::word(row, "state", AttemptState::parse)?,
        holder: row::maybe_json(row, "holder")?,
        agent: row::maybe_json(row, "agent")?,
        session: row.get("session")?,
        baseline: row::json(row, "baseline")?,
        usage: row::json(row, "usage")?,
        progress: row::maybe_json(row, "stream")?.unwrap_or_default(),
        told: row::maybe_json(row, "told")?,
        exit: row::maybe_json(row, "exit")?,
        containment: row.get("containment")?,
        stop_requested: row::maybe_json(row, "stop")?,
        again: row::maybe_json(row, "again")?,
        not_before: row::maybe_time(row, "not_before")?,
        failure: row::maybe_word(row, "failure", FailureClass::parse)?,
        reason: row.get("reason")?,
        created_at: row::time(row, "created_at")?,
        started_at: row::maybe_time(row, "started_at")?,
        ended_at: row::maybe_time(row, "ended_at")?,
    })
}

fn query(
    db: &Connection,
    sql: &str,
    args: impl rusqlite::Params,
) -> Result<Vec<Attempt>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(args, read)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// Adds an attempt that has no process.
///
/// # Errors
/// The database's; there is one with this number already.
pub fn insert(db: &Connection, attempt: &Attempt) -> Result<(), StoreError> {
    db.execute(
        "INSERT INTO attempts (id, task, number, kind, prompt, state, session, baseline, usage,
             created_at, again, not_before)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            attempt.id.as_str(),
            attempt.task.as_str(),
            attempt.number,
            attempt.kind.as_str(),
            attempt.prompt,
            attempt.state.as_str(),
            attempt.session,
            row::to_json(&attempt.baseline)?,
            row::to_json(&attempt.usage)?,
            row::millis(attempt.created_at),
            attempt.again.as_ref().map(row::to_json).transpose()?,
            attempt.not_before.map(row::millis),
        ],
    )?;
    Ok(())
}

/// The attempt with this id.
///
/// # Errors
/// The database's.
pub fn by_id(db: &Connection, id: &AttemptId) -> Result<Option<Attempt>, StoreError> {
    let sql = "SELECT * FROM attempts WHERE id = ?1";
    Ok(db.prepare_cached(sql)?.query_row([id.as_str()], read).optional()?)
}

/// A task's attempts, first to last.
///
/// # Errors
/// The database's.
pub fn of_task(db: &Connection, task: &TaskId) -> Result<Vec<Attempt>, StoreError> {
    query(db, "SELECT * FROM attempts WHERE task = ?1 ORDER BY number", [task.as_str()])
}

/// A task's newest attempt.
///
/// # Errors
/// The database's.
pub fn latest(db: &Connection, task: &TaskId) -> Result<Option<Attempt>, StoreError> {
    let sql = "SELECT * FROM attempts WHERE task = ?1 ORDER BY number DESC LIMIT 1";
    Ok(db.prepare_cached(sql)?.query_row([task.as_str()], read).optional()?)
}

/// Every attempt in one of the states in which something may still happen: prepared or running.
///
/// # Errors
/// The database's.
pub fn open(db: &Connection) -> Result<Vec<Attempt>, StoreError> {
    let sql = "SELECT * FROM attempts WHERE state IN ('prepared', 'running')
               ORDER BY created_at, id";
    query(db, sql, [])
}

/// What each attempt used that runs, or ended at or after `since`, of one repository or of all.
///
/// # Errors
/// The database's.
pub fn used_since(
    db: &Connection,
    repo: Option<&RepoId>,
    since: Timestamp,
) -> Result<Vec<Usage>, StoreError> {
    let sql = "SELECT attempts.usage AS usage FROM attempts
               WHERE (ended_at >= ?1 OR state = 'running')
               AND (?2 IS NULL OR ?2 = (SELECT repo FROM tasks WHERE tasks.id = attempts.task))";
    let mut statement = db.prepare_cached(sql)?;
    let of = params![row::millis(since), repo.map(RepoId::as_str)];
    let rows = statement.query_map(of, |row| row::json(row, "usage"))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Lets an attempt go: it is running under this holder from now on.
///
/// # Errors
/// [`StoreError::Moved`] when it was not prepared any more.
pub fn start(
    db: &Connection,
    id: &AttemptId,
    holder: &ProcessIdentity,
    containment: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let changed = db.execute(
        "UPDATE attempts SET state = 'running', holder = ?2, containment = ?3, started_at = ?4
         WHERE id = ?1 AND state = 'prepared'",
        params![id.as_str(), row::to_json(holder)?, containment, row::millis(now)],
    )?;
    moved_unless(changed, id, AttemptState::Prepared)
}

/// Takes an attempt back that was let go on record but never began: it is prepared again.
///
/// # Errors
/// [`StoreError::Moved`] when it does not run.
pub fn take_back(db: &Connection, id: &AttemptId) -> Result<(), StoreError> {
    let changed = db.execute(
        "UPDATE attempts SET state = 'prepared', holder = NULL, containment = NULL,
             started_at = NULL
         WHERE id = ?1 AND state = 'running' AND agent IS NULL",
        params![id.as_str()],
    )?;
    moved_unless(changed, id, AttemptState::Running)
}

/// Records how well an attempt's processes are contained from now on.
///
/// # Errors
/// The database's.
pub fn set_containment(db: &Connection, id: &AttemptId, how: &str) -> Result<(), StoreError> {
    db.execute("UPDATE attempts SET containment = ?2 WHERE id = ?1", params![id.as_str(), how])?;
    Ok(())
}

/// Records the agent's own process.
///
/// # Errors
/// The database's.
pub fn set_agent(
    db: &Connection,
    id: &AttemptId,
    agent: &ProcessIdentity,
) -> Result<(), StoreError> {
    let agent = row::to_json(agent)?;
    db.execute("UPDATE attempts SET agent = ?2 WHERE id = ?1", params![id.as_str(), agent])?;
    Ok(())
}

/// What was read of an attempt's output so far.
#[derive(Debug, Clone, Default)]
pub struct Folded<'a> {
    /// What it used.
    pub usage: Usage,
    /// Its session, once known.
    pub session: Option<&'a str>,
    /// How far it has come.
    pub progress: Option<&'a Progress>,
    /// How well it is contained, when that changed.
    pub containment: Option<&'a str>,
}

/// Records what was read of an attempt's output so far.
///
/// # Errors
/// The database's.
pub fn fold(db: &Connection, id: &AttemptId, folded: &Folded<'_>) -> Result<(), StoreError> {
    db.execute(
        "UPDATE attempts SET usage = ?2, session = coalesce(?3, session),
             stream = coalesce(?4, stream), containment = coalesce(?5, containment)
         WHERE id = ?1",
        params![
            id.as_str(),
            row::to_json(&folded.usage)?,
            folded.session,
            folded.progress.map(row::to_json).transpose()?,
            folded.containment,
        ],
    )?;
    Ok(())
}

/// Records that somebody asked for its end; the first one's reason stays.
///
/// # Errors
/// The database's.
pub fn request_stop(db: &Connection, id: &AttemptId, stop: &StopRequest) -> Result<(), StoreError> {
    db.execute(
        "UPDATE attempts SET stop = coalesce(stop, ?2)
         WHERE id = ?1 AND state IN ('prepared', 'running')",
        params![id.as_str(), row::to_json(stop)?],
    )?;
    Ok(())
}

/// Ends an attempt: all its processes are gone (`Ended`), or it is given up (`Abandoned`).
///
/// # Errors
/// [`StoreError::Moved`] when it had ended already.
pub fn end(
    db: &Connection,
    id: &AttemptId,
    state: AttemptState,
    exit: Option<&Exit>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let exit = exit.map(row::to_json).transpose()?;
    let changed = db.execute(
        "UPDATE attempts SET state = ?2, exit = ?3, ended_at = ?4
         WHERE id = ?1 AND state IN ('prepared', 'running')",
        params![id.as_str(), state.as_str(), exit, row::millis(now)],
    )?;
    moved_unless(changed, id, AttemptState::Running)
}

/// Records why an attempt ended as it did.
///
/// # Errors
/// The database's.
pub fn set_outcome(
    db: &Connection,
    id: &AttemptId,
    failure: Option<FailureClass>,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    db.execute(
        "UPDATE attempts SET failure = ?2, reason = ?3 WHERE id = ?1",
        params![id.as_str(), failure.map(FailureClass::as_str), reason],
    )?;
    Ok(())
}

/// Records what an agent has told of itself.
///
/// # Errors
/// The database's.
pub fn set_told(db: &Connection, id: &AttemptId, told: &Report) -> Result<(), StoreError> {
    let told = row::to_json(told)?;
    db.execute("UPDATE attempts SET told = ?2 WHERE id = ?1", params![id.as_str(), told])?;
    Ok(())
}

/// Lets an attempt begin at once that waited for its time. False when it waits for none.
///
/// # Errors
/// The database's.
pub fn hasten(db: &Connection, id: &AttemptId) -> Result<bool, StoreError> {
    let changed = db.execute(
        "UPDATE attempts SET not_before = NULL
         WHERE id = ?1 AND state = 'prepared' AND not_before IS NOT NULL",
        params![id.as_str()],
    )?;
    Ok(changed == 1)
}

fn moved_unless(changed: usize, id: &AttemptId, expected: AttemptState) -> Result<(), StoreError> {
    if changed == 1 {
        return Ok(());
    }
    Err(StoreError::Moved { what: id.to_string(), expected: expected.as_str().into() })
}
