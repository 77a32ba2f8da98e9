//! `wt budget`: what was used, by task, role, agent and day, beside what may be used.

pub mod give;

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use serde::Serialize;

use crate::commands::allot::{self, Allowed};
use crate::commands::context::Context;
use crate::commands::errand;
use crate::commands::spent::Spent;
use crate::domain::budget::Period;
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::usage::{self, Usage};
use crate::engine::budget::reserve::reserved;
use crate::engine::budget::{Account, Book, Scope, period};
use crate::engine::ledger::{self, Ended, Reading};
use crate::store::budgets::{self, NewBudget, Used};
use crate::store::{repos, tasks};

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The present one of these instead of the settings'.
    pub period: Option<Period>,
    /// From this day on, or from so long ago.
    pub since: Option<Since>,
}

/// From when on.
#[derive(Debug, Clone)]
pub enum Since {
    /// From the beginning of a day.
    Day(Date),
    /// From so long ago.
    Ago(Span),
}

/// What was used, over all repositories.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// From when on. An attempt counts when it ends, whole; what runs counts now.
    pub since: Timestamp,
    /// When it was asked.
    pub now: Timestamp,
    /// The budgets of all work in the present period, as the settings have them.
    pub budgets: Vec<Line>,
    /// What all of it used; `None` when nothing did.
    pub spent: Option<Spent>,
    /// By task, the greatest first.
    pub tasks: Vec<Share>,
    /// By role, the greatest first.
    pub roles: Vec<Share>,
    /// By agent, the greatest first.
    pub agents: Vec<Share>,
    /// By day of the person's clock, the newest first.
    pub days: Vec<Share>,
    /// What all of it used, with what is not known kept apart.
    #[serde(skip)]
    pub usage: Usage,
}

/// A budget of all work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// `background` or `total`.
    pub budget: &'static str,
    /// The period after which it begins anew.
    pub period: Option<Period>,
    /// When that is.
    pub until: Timestamp,
    /// How much it is, and what becomes of work when it is used up; `tasks` is how many are open.
    pub allowed: Allowed,
    /// What was used.
    pub spent: Option<Spent>,
    /// How many whole percent that is, as far as is known.
    pub percent: u64,
    /// What running and waiting work may still use: tokens, or US dollars.
    pub reserved: f64,
    /// What was used, with what is not known kept apart.
    #[serde(skip)]
    pub usage: Usage,
    /// The reserve in the amount's unit.
    #[serde(skip)]
    pub reserve: u64,
}

/// What one of them used.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Share {
    /// What can be typed for a task; a role, an agent, a day.
    pub name: String,
    /// The task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// The task's repository, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// What it used; `None` when nobody told.
    pub spent: Option<Spent>,
    /// What the task may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Allowed>,
    /// What it used, with what is not known kept apart.
    #[serde(skip)]
    pub usage: Usage,
}

/// Looks at what was used.
///
/// # Errors
/// The store's; settings that cannot be read; a time that cannot be.
pub fn run(ctx: &Context<'_>, request: &Request) -> Result<Outcome, Problem> {
    let db = ctx.store.read();
    let reading = allot::reading(ctx)?;
    let book = ledger::book(db, &reading, &mut Ended::default(), &|_| None)?;
    let since = since(request, &reading)?;
    let used = budgets::used(db, (since, Timestamp::MAX), true)?;
    let usage = usage::total(used.iter().map(|one| one.usage)).unwrap_or_default();
    let day = |one: &Used| {
        let at = one.ended_at.unwrap_or(reading.now);
        at.to_zoned(reading.here.clone()).date().to_string()
    };
    let mut days = shares(&used, day);
    days.sort_by(|a, b| b.name.cmp(&a.name));
    Ok(Outcome {
        since,
        now: reading.now,
        budgets: book.accounts.iter().filter_map(|one| line(&book, one, &reading)).collect(),
        spent: Spent::of(&usage),
        tasks: by_task(ctx, &used)?,
        roles: shares(&used, |one| one.role.clone()),
        agents: shares(&used, |one| one.agent.clone()),
        days,
        usage,
    })
}

fn since(request: &Request, reading: &Reading) -> Result<Timestamp, Problem> {
    let refuse = |error: jiff::Error| Problem::usage(format!("`--since`: {error}"));
    match &request.since {
        None => {
            let which = request.period.unwrap_or(reading.settings.period);
            Ok(period::began(which, reading.now, &reading.here))
        }
        Some(Since::Day(day)) => {
            let first = day.to_zoned(reading.here.clone()).and_then(|day| day.start_of_day());
            Ok(first.map_err(refuse)?.timestamp())
        }
        Some(Since::Ago(span)) => {
            let now = reading.now.to_zoned(reading.here.clone());
            Ok(now.checked_sub(span.abs()).map_err(refuse)?.timestamp())
        }
    }
}

fn line(book: &Book, account: &Account, reading: &Reading) -> Option<Line> {
    let budget = match account.scope {
        Scope::Own { .. } => return None,
        Scope::Background(_) => "background",
        Scope::Total(_) => "total",
    };
    let reserve = reserved(book, account);
    let new = NewBudget { amount: account.amount, given: false, stops: account.stops };
    let allowed = Allowed::of(&new, account.open.len());
    Some(Line {
        budget,
        period: account.scope.period(),
        until: reading.until(),
        spent: Spent::of(&account.used),
        percent: account.amount.percent(account.known()),
        reserved: if allowed.usd.is_some() { reserve as f64 / 1e6 } else { reserve as f64 },
        allowed,
        usage: account.used,
        reserve,
    })
}

/// Sums by something, the greatest first.
fn shares(used: &[Used], of: impl Fn(&Used) -> String) -> Vec<Share> {
    let mut sums: BTreeMap<String, Usage> = BTreeMap::new();
    for one in used {
        let sum = sums.entry(of(one));
        sum.and_modify(|sum| *sum = sum.plus(&one.usage)).or_insert(one.usage);
    }
    let share = |(name, usage)| Share {
        name,
        task: None,
        repository: None,
        spent: Spent::of(&usage),
        budget: None,
        usage,
    };
    let mut all: Vec<Share> = sums.into_iter().map(share).collect();
    all.sort_by_key(|share| std::cmp::Reverse(share.usage.tokens.billable()));
    all
}

fn by_task(ctx: &Context<'_>, used: &[Used]) -> Result<Vec<Share>, Problem> {
    let db = ctx.store.read();
    let mut all = vec![];
    for (task, usage) in ledger::by_task(used) {
        let row = tasks::by_id(db, &task)?;
        let repo = row.as_ref().map(|row| repos::by_id(db, &row.repo)).transpose()?.flatten();
        let errand = row.map(|row| errand::errand(ctx, row)).transpose()?.flatten();
        all.push(Share {
            name: errand.map_or_else(|| task.to_string(), |errand| errand.name),
            repository: repo.map(|repo| repo.name),
            spent: Spent::of(&usage),
            budget: budgets::of_task(db, &task)?.as_ref().map(Allowed::recorded),
            usage,
            task: Some(task),
        });
    }
    all.sort_by_key(|share| std::cmp::Reverse(share.usage.tokens.billable()));
    Ok(all)
}
