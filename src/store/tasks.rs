//! Rows of tasks. A state moves only by compare-and-swap, so two writers cannot both win.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::id::{RepoId, TaskId};
use crate::domain::task::{FailureClass, Lane, Task, TaskState};
use crate::store::error::StoreError;
use crate::store::row;

fn read(row: &Row<'_>) -> rusqlite::Result<Task> {
    Ok(Task {
        id: TaskId::new(row.get::<_, String>("id")?),
        repo: RepoId::new(row.get::<_, String>("repo")?),
        variant: row.get("variant")?,
        role: row.get("role")?,
        agent: row.get("agent")?,
        model: row.get("model")?,
        prompt: row.get("prompt")?,
        lane: row::word(row, "lane", Lane::parse)?,
        priority: row.get("priority")?,
        state: row::word(row, "state", TaskState::parse)?,
        reason: row.get("reason")?,
        failure: row::maybe_word(row, "failure", FailureClass::parse)?,
        question: row.get("question")?,
        changed: row.get("changed")?,
        verify: row.get("verify")?,
        created_at: row::time(row, "created_at")?,
        started_at: row::maybe_time(row, "started_at")?,
        ended_at: row::maybe_time(row, "ended_at")?,
    })
}

fn query(db: &Connection, sql: &str, args: impl rusqlite::Params) -> Result<Vec<Task>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(args, read)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// Adds a task as it is.
///
/// # Errors
/// The database's.
pub fn insert(db: &Connection, task: &Task) -> Result<(), StoreError> {
    db.execute(
        "INSERT INTO tasks (id, repo, variant, role, agent, model, prompt, lane, priority, state,
             reason, verify, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            task.id.as_str(),
            task.repo.as_str(),
            task.variant,
            task.role,
            task.agent,
            task.model,
            task.prompt,
            task.lane.as_str(),
            task.priority,
            task.state.as_str(),
            task.reason,
            task.verify,
            row::millis(task.created_at),
        ],
    )?;
    Ok(())
}

/// The task with this id.
///
/// # Errors
/// The database's.
pub fn by_id(db: &Connection, id: &TaskId) -> Result<Option<Task>, StoreError> {
    let sql = "SELECT * FROM tasks WHERE id = ?1";
    Ok(db.prepare_cached(sql)?.query_row([id.as_str()], read).optional()?)
}

/// Every task that is not in a final state, over all repositories, oldest first.
///
/// # Errors
/// The database's.
pub fn open(db: &Connection) -> Result<Vec<Task>, StoreError> {
    let sql = "SELECT * FROM tasks WHERE state IN ('queued', 'waiting', 'running')
               ORDER BY created_at, id";
    query(db, sql, [])
}

/// A repository's tasks, oldest first.
///
/// # Errors
/// The database's.
pub fn of_repo(db: &Connection, repo: &RepoId) -> Result<Vec<Task>, StoreError> {
    query(db, "SELECT * FROM tasks WHERE repo = ?1 ORDER BY created_at, id", [repo.as_str()])
}

/// A variant's tasks, oldest first.
///
/// # Errors
/// The database's.
pub fn of_variant(db: &Connection, variant: i64) -> Result<Vec<Task>, StoreError> {
    query(db, "SELECT * FROM tasks WHERE variant = ?1 ORDER BY created_at, id", [variant])
}

/// A repository's tasks in one state, oldest first.
///
/// # Errors
/// The database's.
pub fn in_state(db: &Connection, repo: &RepoId, state: TaskState) -> Result<Vec<Task>, StoreError> {
    let sql = "SELECT * FROM tasks WHERE state = ?2 AND repo = ?1 ORDER BY created_at, id";
    query(db, sql, [repo.as_str(), state.as_str()])
}

/// A repository's tasks without a variant that failed or were lost at or after `since`, oldest
/// first.
///
/// # Errors
/// The database's.
pub fn failed_since(
    db: &Connection,
    repo: &RepoId,
    since: Timestamp,
) -> Result<Vec<Task>, StoreError> {
    let sql = "SELECT * FROM tasks WHERE ended_at >= ?2 AND repo = ?1 AND variant IS NULL
                   AND state IN ('failed', 'lost') ORDER BY ended_at, id";
    query(db, sql, params![repo.as_str(), row::millis(since)])
}

/// Tasks whose id begins so, over all repositories, newest first, at most 20.
///
/// # Errors
/// The database's.
pub fn by_prefix(db: &Connection, prefix: &str) -> Result<Vec<Task>, StoreError> {
    let sql = "SELECT * FROM tasks WHERE substr(id, 1, length(?1)) = ?1
               ORDER BY created_at DESC LIMIT 20";
    query(db, sql, [prefix])
}

/// Tasks that ended alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// The final state that they reached.
    pub state: TaskState,
    /// The kind of failure it was, if it was one.
    pub failure: Option<FailureClass>,
    /// Whether they ended with a question.
    pub asks: bool,
    /// How many they are.
    pub count: u32,
}

/// The tasks that reached a final state at or after `since`, of one repository or of all. A day may
/// have thousands, so they are counted where they are.
///
/// # Errors
/// The database's.
pub fn ended_since(
    db: &Connection,
    repo: Option<&RepoId>,
    since: Timestamp,
) -> Result<Vec<Ended>, StoreError> {
    let sql = "SELECT state, failure, question IS NOT NULL AS asks, count(*) AS count FROM tasks
               WHERE ended_at >= ?1 AND (?2 IS NULL OR repo = ?2) GROUP BY state, failure, asks";
    let mut statement = db.prepare_cached(sql)?;
    let of = params![row::millis(since), repo.map(RepoId::as_str)];
    let counted = |row: &Row<'_>| {
        Ok(Ended {
            state: row::word(row, "state", TaskState::parse)?,
            failure: row::maybe_word(row, "failure", FailureClass::parse)?,
            asks: row.get("asks")?,
            count: row.get("count")?,
        })
    };
    let rows = statement.query_map(of, counted)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// What a transition sets beside the state. What is `None` becomes empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Why it is in that state.
    pub reason: Option<String>,
    /// What kind of failure it was.
    pub failure: Option<FailureClass>,
    /// The question it ended with.
    pub question: Option<String>,
    /// Whether its worktree held a change; `None` keeps what is known.
    pub changed: Option<bool>,
}

/// Moves a task from one state to another, if it is still in the first. Entering `Running` sets
/// the start time of a task that has none; entering a final state sets the end time, leaving one
/// clears it.
///
/// # Errors
/// [`StoreError::Moved`] when it is not in the first state.
pub fn transition(
    db: &Connection,
    id: &TaskId,
    (from, to): (TaskState, TaskState),
    change: &Change,
    now: Timestamp,
) -> Result<(), StoreError> {
    let changed = db.execute(
        "UPDATE tasks SET state = ?3, reason = ?4, failure = ?5, question = ?6,
             changed = coalesce(?7, changed),
             started_at = CASE WHEN ?3 = 'running' THEN coalesce(started_at, ?8)
                          ELSE started_at END,
             ended_at = CASE WHEN ?9 THEN ?8 ELSE NULL END
         WHERE id = ?1 AND state = ?2",
        params![
            id.as_str(),
            from.as_str(),
            to.as_str(),
            change.reason,
            change.failure.map(FailureClass::as_str),
            change.question,
            change.changed,
            row::millis(now),
            to.is_final(),
        ],
    )?;
    if changed == 1 {
        return Ok(());
    }
    Err(StoreError::Moved { what: id.to_string(), expected: from.as_str().into() })
}

/// Sets who goes first, 1 to 10. False when the task has begun or ended.
///
/// # Errors
/// The database's.
pub fn set_priority(db: &Connection, id: &TaskId, priority: u8) -> Result<bool, StoreError> {
    let sql = "UPDATE tasks SET priority = ?2 WHERE id = ?1 AND state IN ('queued', 'waiting')";
    Ok(db.execute(sql, params![id.as_str(), priority])? == 1)
}

/// Sets what a task that has not started waits for, without moving its state otherwise.
///
/// # Errors
/// The database's.
pub fn set_waiting(db: &Connection, id: &TaskId, reason: &str) -> Result<(), StoreError> {
    db.execute(
        "UPDATE tasks SET state = 'waiting', reason = ?2
         WHERE id = ?1 AND state IN ('queued', 'waiting')
           AND (state <> 'waiting' OR reason IS NOT ?2)",
        params![id.as_str(), reason],
    )?;
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::store::db::tests::store;
    use crate::store::repos;

    /// A queued task of a repository that is made for it.
    pub(crate) fn queued(db: &Connection, id: &str) -> Task {
        let dir = std::path::Path::new("/r/.git");
        let repo = repos::ensure(db, dir, (dir, "r"), Timestamp::UNIX_EPOCH).unwrap();
        let task = Task {
            id: TaskId::new(id),
            repo: repo.id,
            variant: None,
            role: "engineer".into(),
            agent: "plain".into(),
            model: None,
            prompt: "do".into(),
            lane: Lane::Agent,
            priority: 5,
            state: TaskState::Queued,
            reason: None,
            failure: None,
            question: None,
            changed: None,
            verify: None,
            created_at: Timestamp::UNIX_EPOCH,
            started_at: None,
            ended_at: None,
        };
        insert(db, &task).unwrap();
        task
    }

    #[test]
    fn only_one_of_two_writers_wins() {
        let (_dir, store) = store();
        let task = queued(store.read(), "worktree-a-1");
        let now = Timestamp::UNIX_EPOCH;
        let start = (TaskState::Queued, TaskState::Running);
        transition(store.read(), &task.id, start, &Change::default(), now).unwrap();
        let second = transition(store.read(), &task.id, start, &Change::default(), now);
        assert!(matches!(second, Err(StoreError::Moved { .. })));
        let end = (TaskState::Running, TaskState::Done);
        let change = Change { changed: Some(true), ..Change::default() };
        transition(store.read(), &task.id, end, &change, now).unwrap();
        let task = by_id(store.read(), &task.id).unwrap().unwrap();
        assert_eq!((task.state, task.changed), (TaskState::Done, Some(true)));
        assert_eq!((task.started_at, task.ended_at), (Some(now), Some(now)));
    }

    #[test]
    fn what_ended_is_counted_by_how_since_a_moment_and_of_a_repository() {
        let (_dir, store) = store();
        let db = store.read();
        let at = |second| Timestamp::from_second(second).unwrap();
        let question = Change { question: Some("which?".into()), ..Change::default() };
        for (id, change, second) in [
            ("a", Change::default(), 5),
            ("b", Change::default(), 10),
            ("c", Change::default(), 11),
            ("d", question, 12),
        ] {
            let task = queued(db, id);
            let to =
                if change.question.is_some() { TaskState::NeedsHuman } else { TaskState::Done };
            let moved = (TaskState::Queued, to);
            transition(db, &task.id, moved, &change, at(second)).unwrap();
        }
        queued(db, "e");
        let ended = |state, asks, count| Ended { state, failure: None, asks, count };
        let all = [ended(TaskState::Done, false, 2), ended(TaskState::NeedsHuman, true, 1)];
        assert_eq!(ended_since(db, None, at(10)).unwrap(), all);
        let repo = by_id(db, &TaskId::new("a")).unwrap().unwrap().repo;
        assert_eq!(ended_since(db, Some(&repo), at(10)).unwrap(), all);
        assert_eq!(ended_since(db, Some(&RepoId::new("other")), at(10)).unwrap(), []);
    }

    #[test]
    fn a_prefix_is_data_not_a_pattern() {
        let (_dir, store) = store();
        queued(store.read(), "worktree-a-1");
        queued(store.read(), "worktree-b-1");
        assert_eq!(by_prefix(store.read(), "worktree-").unwrap().len(), 2);
        assert_eq!(by_prefix(store.read(), "worktree%").unwrap().len(), 0);
        assert_eq!(by_prefix(store.read(), "worktree-b").unwrap()[0].id.as_str(), "worktree-b-1");
    }
}
