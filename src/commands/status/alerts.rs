//! Budgets that are used up, or nearly: said for as long as it is so.

use jiff::Timestamp;
use serde::Serialize;

use crate::commands::allot::{self, Allowed};
use crate::commands::context::Context;
use crate::commands::errand::{self, Stood};
use crate::commands::spent::Spent;
use crate::domain::budget::{Amount, Period};
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::usage::Usage;
use crate::engine::budget::{Account, Scope, alert};
use crate::engine::ledger::{self, Ended, Reading};
use crate::store::db::Connection;
use crate::store::error::StoreError;
use crate::store::{budgets, tasks};

/// A budget that is used up, or nearly.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alert {
    /// Whose it is: `background` and `total` are for all work of a period, over all repositories;
    /// `task` and `fan-out` for the tasks that are named.
    pub budget: Whose,
    /// The period after which it begins anew.
    pub period: Option<Period>,
    /// How much it is, and what becomes of work when it is used up.
    pub allowed: Allowed,
    /// What was used.
    pub spent: Option<Spent>,
    /// How many whole percent that is, as far as is known.
    pub percent: u64,
    /// The tasks that used most of it, the greatest first.
    pub worst: Vec<Worst>,
    /// What was used, with what is not known kept apart.
    #[serde(skip)]
    pub usage: Usage,
}

/// Whose a budget is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whose {
    /// One task's.
    Task,
    /// The tasks' of a fan-out.
    FanOut,
    /// All background work's.
    Background,
    /// All work's.
    Total,
}

/// A task that used much of a budget.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Worst {
    /// What can be typed for it.
    pub name: String,
    /// Its id.
    pub task: TaskId,
    /// What it used of it.
    pub spent: Option<Spent>,
    /// The same, with what is not known kept apart.
    #[serde(skip)]
    pub usage: Usage,
}

/// What stands of budgets.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// The alerts: those of all work first.
    pub alerts: Vec<Alert>,
    /// What a day's background work may use, with what all of it has used, where that is counted
    /// by the day.
    pub of_day: Option<(Amount, Usage)>,
}

/// Looks at all budgets; of tasks' own only at those in the repository stood in, else in all.
///
/// # Errors
/// The store's, and settings that cannot be read.
pub fn of(ctx: &Context<'_>, stood: &Stood) -> Result<Found, Problem> {
    let (db, reading) = (ctx.store.read(), allot::reading(ctx)?);
    let book = ledger::book(db, &reading, &mut Ended::default(), &|_| None)?;
    let mut found = Found::default();
    for account in &book.accounts {
        if account.scope == Scope::Background(Period::Day) {
            found.of_day = Some((account.amount, account.used));
        }
        // Who used it is only looked up where there is something to say.
        let silent = alert::of(account, &book.warn_at, &[]).is_none();
        if silent || !is_here(db, account, stood)? {
            continue;
        }
        let by_task = by_task(db, account, &reading)?;
        if let Some(alert) = alert::of(account, &book.warn_at, &by_task) {
            found.alerts.push(one(ctx, account, alert)?);
        }
    }
    Ok(found)
}

fn is_here(db: &Connection, account: &Account, stood: &Stood) -> Result<bool, StoreError> {
    let (None, Some(repo)) = (account.scope.period(), &stood.repo) else { return Ok(true) };
    let Some(open) = account.open.first() else { return Ok(false) };
    Ok(tasks::by_id(db, &open.task)?.is_some_and(|task| task.repo == repo.id))
}

/// What each task used of a budget.
fn by_task(
    db: &Connection,
    account: &Account,
    reading: &Reading,
) -> Result<Vec<(TaskId, Usage)>, StoreError> {
    let background = match account.scope {
        Scope::Own { row, .. } => {
            let mut all = vec![];
            for task in budgets::tasks(db, row)? {
                let used = ledger::of_task(db, &task)?;
                all.extend(used.map(|used| (task, used)));
            }
            return Ok(all);
        }
        Scope::Background(_) => true,
        Scope::Total(_) => false,
    };
    let mut used = budgets::used(db, (reading.since(), Timestamp::MAX), true)?;
    used.retain(|one| !background || ledger::is_background(one.kind));
    Ok(ledger::by_task(&used))
}

fn one(ctx: &Context<'_>, account: &Account, found: alert::Alert) -> Result<Alert, Problem> {
    let mut worst = vec![];
    for (task, usage) in found.worst {
        let row = tasks::by_id(ctx.store.read(), &task)?;
        let errand = row.map(|row| errand::errand(ctx, row)).transpose()?.flatten();
        let name = errand.map_or_else(|| task.to_string(), |errand| errand.name);
        worst.push(Worst { name, task, spent: Spent::of(&usage), usage });
    }
    let (budget, tasks) = match account.scope {
        Scope::Own { row, shared } => {
            let tasks = budgets::tasks(ctx.store.read(), row)?.len();
            (if shared { Whose::FanOut } else { Whose::Task }, tasks)
        }
        Scope::Background(_) => (Whose::Background, account.open.len()),
        Scope::Total(_) => (Whose::Total, account.open.len()),
    };
    let own = match account.scope {
        Scope::Own { .. } => match account.open.first() {
            Some(open) => budgets::of_task(ctx.store.read(), &open.task)?,
            None => None,
        },
        _ => None,
    };
    let given = own.is_some_and(|own| own.given);
    let new = budgets::NewBudget { amount: found.amount, given, stops: account.stops };
    Ok(Alert {
        budget,
        period: account.scope.period(),
        allowed: Allowed::of(&new, tasks),
        spent: Spent::of(&found.used),
        percent: found.percent,
        worst,
        usage: found.used,
    })
}
