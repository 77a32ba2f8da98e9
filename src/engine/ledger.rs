//! The budgets as they stand on record: what each has used, who counts in it, what was told of it.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::domain::attempt::{Attempt, AttemptKind, AttemptState};
use crate::domain::budget::Amount;
use crate::domain::id::TaskId;
use crate::domain::settings::BudgetSettings;
use crate::domain::task::{Task, TaskState};
use crate::domain::usage::{self, Usage};
use crate::engine::budget::{Account, Book, Open, Scope, period};
use crate::store::budgets::{self, Budget, Used};
use crate::store::db::Connection;
use crate::store::error::StoreError;
use crate::store::{attempts, tasks};

/// The agent that is a plain command, which uses no tokens.
const COMMAND: &str = "plain";

/// How long the budgets of tasks that have ended are still looked at: what an agent told at its end
/// is told on, also where an engine died in between.
const JUST_NOW: SignedDuration = SignedDuration::from_mins(10);

/// When the books are looked at, and by whose settings and clock.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The user's settings.
    pub settings: BudgetSettings,
    /// Now.
    pub now: Timestamp,
    /// Where the person is.
    pub here: TimeZone,
}

/// What was used by attempts that have ended in a period: kept from one look to the next, for it
/// only changes when another one ends.
#[derive(Debug, Clone, Default)]
pub struct Ended {
    known: Option<(Timestamp, (i64, i64))>,
    all: Option<Usage>,
    background: Option<Usage>,
}

impl Reading {
    /// The first moment of the present period.
    pub fn since(&self) -> Timestamp {
        period::began(self.settings.period, self.now, &self.here)
    }

    /// The first moment of the next one.
    pub fn until(&self) -> Timestamp {
        period::ends(self.settings.period, self.now, &self.here)
    }

    /// Since when what was told of a budget counts.
    pub fn told_since(&self, scope: Scope) -> Timestamp {
        if scope.period().is_some() { self.since() } else { Timestamp::UNIX_EPOCH }
    }
}

/// The book: the budgets of all work in the present period, and those of open tasks. `unmetered`
/// tells how many bytes a running task wrote that tells its usage only at its end.
///
/// # Errors
/// The database's.
pub fn book(
    db: &Connection,
    reading: &Reading,
    ended: &mut Ended,
    unmetered: &dyn Fn(&TaskId) -> Option<u64>,
) -> Result<Book, StoreError> {
    let attempts = attempts::open(db)?;
    let open = tasks::open(db)?;
    let line = |task: &Task| {
        let attempt = attempts.iter().find(|attempt| attempt.task == task.id);
        let runs = task.state == TaskState::Running
            && attempt.is_some_and(|attempt| attempt.stop_requested.is_none());
        let unmetered = if runs { unmetered(&task.id) } else { None };
        Open { task: task.id.clone(), runs, unmetered }
    };
    let mut accounts = of_all(db, reading, ended, (&open, &attempts), &line)?;
    let just_now = reading.now.saturating_sub(JUST_NOW).unwrap_or(reading.now);
    for budget in budgets::open(db, just_now)? {
        let members = budgets::tasks(db, budget.id)?;
        let mut used = vec![];
        for task in &members {
            used.extend(of_task(db, task)?);
        }
        let scope = own(&budget);
        accounts.push(Account {
            scope,
            amount: budget.amount,
            used: usage::total(used).unwrap_or_default(),
            stops: budget.stops,
            told: budgets::told(db, &scope.key(), reading.told_since(scope))?,
            open: open.iter().filter(|task| members.contains(&task.id)).map(line).collect(),
        });
    }
    Ok(Book { accounts, warn_at: reading.settings.warn_at.clone() })
}

/// The accounts of all work in the present period.
fn of_all(
    db: &Connection,
    reading: &Reading,
    ended: &mut Ended,
    (open, attempts): (&[Task], &[Attempt]),
    line: &dyn Fn(&Task) -> Open,
) -> Result<Vec<Account>, StoreError> {
    let settings = &reading.settings;
    let limits: [(Scope, Option<Amount>); 2] = [
        (Scope::Background(settings.period), settings.background.0),
        (Scope::Total(settings.period), settings.total.0),
    ];
    if limits.iter().all(|(_, amount)| amount.is_none()) {
        return Ok(vec![]);
    }
    ended.refresh(db, reading)?;
    let running = attempts.iter().filter(|attempt| attempt.state == AttemptState::Running);
    let of = |background: bool| {
        let counted = running.clone().filter(|one| !background || is_background(one.kind));
        let before = if background { ended.background } else { ended.all };
        usage::total(before.into_iter().chain(counted.map(|one| one.usage))).unwrap_or_default()
    };
    let by_hand = |task: &Task| {
        let attempt = attempts.iter().find(|attempt| attempt.task == task.id);
        attempt.is_some_and(|attempt| !is_background(attempt.kind))
    };
    let mut accounts = vec![];
    for (scope, amount) in limits {
        let Some(amount) = amount else { continue };
        let background = matches!(scope, Scope::Background(_));
        let uses = open.iter().filter(|task| task.agent != COMMAND);
        let counted = uses.filter(|task| !background || !by_hand(task));
        accounts.push(Account {
            scope,
            amount,
            used: of(background),
            stops: settings.stops(),
            told: budgets::told(db, &scope.key(), reading.told_since(scope))?,
            open: counted.map(line).collect(),
        });
    }
    Ok(accounts)
}

impl Ended {
    fn refresh(&mut self, db: &Connection, reading: &Reading) -> Result<(), StoreError> {
        let since = reading.since();
        let mark = Some((since, budgets::ended_mark(db, since)?));
        if self.known == mark {
            return Ok(());
        }
        let used = budgets::used(db, (since, Timestamp::MAX), false)?;
        self.all = usage::total(used.iter().map(|one| one.usage));
        let background = used.iter().filter(|one| is_background(one.kind));
        self.background = usage::total(background.map(|one| one.usage));
        self.known = mark;
        Ok(())
    }
}

/// Whether an attempt is background work: what a person does by hand counts in the total alone.
pub fn is_background(kind: AttemptKind) -> bool {
    matches!(kind, AttemptKind::First | AttemptKind::Retry | AttemptKind::FollowUp)
}

/// Whose a task's budget is.
pub fn own(budget: &Budget) -> Scope {
    Scope::Own { row: budget.id, shared: budget.tasks > 1 }
}

/// What all attempts of a task used that ever began; `None` when none did.
///
/// # Errors
/// The database's.
pub fn of_task(db: &Connection, task: &TaskId) -> Result<Option<Usage>, StoreError> {
    let all = attempts::of_task(db, task)?;
    let begun = all.iter().filter(|attempt| attempt.started_at.is_some());
    Ok(usage::total(begun.map(|attempt| attempt.usage)))
}

/// What all tasks of a budget used together.
///
/// # Errors
/// The database's.
pub fn of_budget(db: &Connection, budget: &Budget) -> Result<Usage, StoreError> {
    let mut used = vec![];
    for task in budgets::tasks(db, budget.id)? {
        used.extend(of_task(db, &task)?);
    }
    Ok(usage::total(used).unwrap_or_default())
}

/// Sums by task, in the order of their first attempts.
pub fn by_task(used: &[Used]) -> Vec<(TaskId, Usage)> {
    let mut sums: Vec<(TaskId, Usage)> = vec![];
    let mut places: HashMap<&TaskId, usize> = HashMap::new();
    for one in used {
        let place = *places.entry(&one.task).or_insert(sums.len());
        match sums.get_mut(place) {
            Some((_, sum)) => *sum = sum.plus(&one.usage),
            None => sums.push((one.task.clone(), one.usage)),
        }
    }
    sums
}
