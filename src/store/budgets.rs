//! Rows of budgets: which tasks have one, what was told of it, and what was used in a time.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::attempt::{AttemptKind, AttemptState};
use crate::domain::budget::Amount;
use crate::domain::id::{RepoId, TaskId};
use crate::domain::settings::Percent;
use crate::domain::usage::{MicroUsd, Usage};
use crate::store::error::StoreError;
use crate::store::row;

/// A budget of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Its row.
    pub id: i64,
    /// How much it is.
    pub amount: Amount,
    /// True when a person gave it; false when it comes from the settings or a role.
    pub given: bool,
    /// Whether work is ended when it is used up.
    pub stops: bool,
    /// How many tasks share it.
    pub tasks: u32,
}

/// A budget to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewBudget {
    /// How much it is.
    pub amount: Amount,
    /// Whether a person gave it.
    pub given: bool,
    /// Whether work is ended when it is used up.
    pub stops: bool,
}

const COLUMNS: &str = "budgets.*,
    (SELECT count(*) FROM budget_tasks WHERE budget = budgets.id) AS tasks";

fn read(row: &Row<'_>) -> rusqlite::Result<Budget> {
    let tokens: Option<i64> = row.get("tokens")?;
    let money: Option<i64> = row.get("micro_usd")?;
    let amount = match tokens {
        Some(tokens) => Amount::Tokens(tokens.unsigned_abs()),
        None => Amount::Money(MicroUsd(money.unwrap_or_default().unsigned_abs())),
    };
    let (id, given, stops, tasks) =
        (row.get("id")?, row.get("given")?, row.get("stops")?, row.get("tasks")?);
    Ok(Budget { id, amount, given, stops, tasks })
}

/// Gives tasks a budget together; one that they had before is theirs no more. Gives its row.
///
/// # Errors
/// The database's; a task is not there.
pub fn give(
    db: &Connection,
    tasks: &[TaskId],
    new: &NewBudget,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let value = i64::try_from(new.amount.value()).unwrap_or(i64::MAX);
    let (tokens, money) = match new.amount {
        Amount::Tokens(_) => (Some(value), None),
        Amount::Money(_) => (None, Some(value)),
    };
    db.execute(
        "INSERT INTO budgets (tokens, micro_usd, given, stops, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![tokens, money, new.given, new.stops, row::millis(now)],
    )?;
    let id = db.last_insert_rowid();
    for task in tasks {
        let sql = "INSERT INTO budget_tasks (task, budget) VALUES (?1, ?2)
                   ON CONFLICT (task) DO UPDATE SET budget = ?2";
        db.prepare_cached(sql)?.execute(params![task.as_str(), id])?;
    }
    Ok(id)
}

/// The budget of a task, if it has one.
///
/// # Errors
/// The database's.
pub fn of_task(db: &Connection, task: &TaskId) -> Result<Option<Budget>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM budgets WHERE id = (SELECT budget FROM budget_tasks WHERE task = ?1)"
    );
    Ok(db.prepare_cached(&sql)?.query_row([task.as_str()], read).optional()?)
}

/// Every budget of which a task is not at its end, or came there at or after `since`.
///
/// # Errors
/// The database's.
pub fn open(db: &Connection, since: Timestamp) -> Result<Vec<Budget>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM budgets WHERE id IN (
             SELECT budget FROM tasks JOIN budget_tasks ON task = tasks.id
             WHERE state IN ('queued', 'waiting', 'running') OR ended_at >= ?1
         ) ORDER BY id"
    );
    let mut query = db.prepare_cached(&sql)?;
    Ok(query.query_map([row::millis(since)], read)?.collect::<Result<_, _>>()?)
}

/// The tasks of a budget.
///
/// # Errors
/// The database's.
pub fn tasks(db: &Connection, budget: i64) -> Result<Vec<TaskId>, StoreError> {
    let sql = "SELECT task FROM budget_tasks WHERE budget = ?1 ORDER BY task";
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map([budget], |row| row.get::<_, String>(0))?;
    Ok(rows.map(|id| id.map(TaskId::new)).collect::<Result<_, _>>()?)
}

/// The percentages of a budget that were told since its period began.
///
/// # Errors
/// The database's.
pub fn told(db: &Connection, scope: &str, since: Timestamp) -> Result<Vec<Percent>, StoreError> {
    let sql = "SELECT percent FROM budget_told WHERE scope = ?1 AND since = ?2";
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map(params![scope, row::millis(since)], |row| row.get::<_, i64>(0))?;
    let all: Vec<i64> = rows.collect::<Result<_, _>>()?;
    Ok(all.into_iter().filter_map(|percent| Percent::try_from(percent).ok()).collect())
}

/// Records that these were told. False when all of them had been, by somebody else.
///
/// # Errors
/// The database's.
pub fn tell(
    db: &Connection,
    (scope, since): (&str, Timestamp),
    percents: &[Percent],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut news = 0;
    for percent in percents {
        let sql = "INSERT OR IGNORE INTO budget_told (scope, since, percent, at)
                   VALUES (?1, ?2, ?3, ?4)";
        let values = params![scope, row::millis(since), i64::from(*percent), row::millis(now)];
        news += db.prepare_cached(sql)?.execute(values)?;
    }
    Ok(news > 0)
}

/// What one attempt used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// Its task.
    pub task: TaskId,
    /// The repository.
    pub repo: RepoId,
    /// The variant it worked in.
    pub variant: Option<i64>,
    /// The role.
    pub role: String,
    /// The agent.
    pub agent: String,
    /// Why there was this attempt.
    pub kind: AttemptKind,
    /// How much.
    pub usage: Usage,
    /// When it ended; `None` while it runs.
    pub ended_at: Option<Timestamp>,
}

/// What the attempts used that ended from one moment on and before another; of those that run, all
/// that they used. Each attempt counts once, whole: when it ends.
///
/// # Errors
/// The database's.
pub fn used(
    db: &Connection,
    (since, until): (Timestamp, Timestamp),
    running: bool,
) -> Result<Vec<Used>, StoreError> {
    let sql = "SELECT attempts.task, attempts.kind, attempts.usage, attempts.ended_at, tasks.repo,
                   tasks.variant, tasks.role, tasks.agent
               FROM attempts JOIN tasks ON tasks.id = attempts.task
               WHERE attempts.started_at IS NOT NULL
                   AND ((attempts.ended_at >= ?1 AND attempts.ended_at < ?2)
                       OR (?3 AND attempts.state = ?4))
               ORDER BY attempts.created_at, attempts.id";
    let mut query = db.prepare_cached(sql)?;
    let running_state = AttemptState::Running.as_str();
    let values = params![row::millis(since), row::millis(until), running, running_state];
    let rows = query.query_map(values, |row| {
        Ok(Used {
            task: TaskId::new(row.get::<_, String>("task")?),
            repo: RepoId::new(row.get::<_, String>("repo")?),
            variant: row.get("variant")?,
            role: row.get("role")?,
            agent: row.get("agent")?,
            kind: row::word(row, "kind", AttemptKind::parse)?,
            usage: row::json(row, "usage")?,
            ended_at: row::maybe_time(row, "ended_at")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A mark that changes whenever an attempt ends that counts since a moment.
///
/// # Errors
/// The database's.
pub fn ended_mark(db: &Connection, since: Timestamp) -> Result<(i64, i64), StoreError> {
    let sql = "SELECT count(*), coalesce(max(ended_at), 0) FROM attempts WHERE ended_at >= ?1";
    let mut query = db.prepare_cached(sql)?;
    Ok(query.query_row([row::millis(since)], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::task::TaskState;
    use crate::store::db::tests::store;
    use crate::store::tasks::{self as task_rows, Change};

    fn new(text: &str) -> NewBudget {
        NewBudget { amount: text.parse().unwrap(), given: true, stops: true }
    }

    #[test]
    fn tasks_share_a_budget_until_they_are_given_another() {
        let (_dir, store) = store();
        let (db, now) = (store.read(), Timestamp::UNIX_EPOCH);
        let ids = ["task-a-aaaaaa", "task-b-bbbbbb"].map(|id| task_rows::tests::queued(db, id).id);
        let shared = give(db, &ids, &new("200k"), now).unwrap();
        assert_eq!(of_task(db, &ids[0]).unwrap().map(|budget| budget.tasks), Some(2));
        give(db, &ids[..1], &new("$5"), now).unwrap();
        let own = of_task(db, &ids[0]).unwrap().unwrap();
        assert_eq!((own.tasks, own.amount.to_string()), (1, "$5".into()));
        assert_eq!(tasks(db, shared).unwrap(), ids[1..]);
        let later = Timestamp::from_second(9).unwrap();
        assert_eq!(open(db, later).unwrap().len(), 2);
        let states = (TaskState::Queued, TaskState::Cancelled);
        task_rows::transition(db, &ids[1], states, &Change::default(), now).unwrap();
        assert_eq!(open(db, later).unwrap(), [own]);
        assert_eq!(open(db, now).unwrap().len(), 2, "one ended at that very moment");
    }

    #[test]
    fn a_percentage_is_told_once_in_a_period() {
        let (_dir, store) = store();
        let (db, now) = (store.read(), Timestamp::UNIX_EPOCH);
        let [low, high] = [75, 85].map(|n| Percent::try_from(n).unwrap());
        let scope = ("total-day", now);
        assert!(tell(db, scope, &[low], now).unwrap());
        assert!(!tell(db, scope, &[low], now).unwrap());
        assert!(tell(db, scope, &[low, high], now).unwrap());
        assert_eq!(told(db, "total-day", now).unwrap(), [low, high]);
        let next = Timestamp::from_second(86_400).unwrap();
        assert!(tell(db, ("total-day", next), &[low], now).unwrap());
        assert_eq!(told(db, "total-week", now).unwrap(), []);
    }
}
