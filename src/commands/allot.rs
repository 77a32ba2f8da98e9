//! What new work may use: the budget that a person gives, or those of the roles and settings; held
//! against what is left of the budgets of all work.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::agents::pricing::{Prices, tells_cost};
use crate::commands::context::Context;
use crate::commands::spent::Spent;
use crate::domain::budget::{Allowance, Amount};
use crate::domain::id::TaskId;
use crate::domain::launch::{Dialect, LaunchSpec, Metering};
use crate::domain::problem::Problem;
use crate::domain::settings::BudgetSettings;
use crate::domain::usage::Usage;
use crate::engine::budget::reserve::{Shortage, shortages};
use crate::engine::ledger::{self, Ended, Reading};
use crate::store::budgets::{self, Budget, NewBudget};
use crate::store::config;
use crate::store::db::Connection;
use crate::store::error::StoreError;

/// Work that is about to be queued.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    /// What runs.
    pub spec: &'a LaunchSpec,
    /// The model asked for.
    pub model: Option<&'a str>,
    /// What its role may use.
    pub role: Option<Allowance>,
}

/// A budget to be recorded with the work that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allotment {
    /// How much.
    pub budget: NewBudget,
    /// For whom.
    pub tasks: Vec<TaskId>,
}

/// A budget, as programs read it. One of `tokens` and `usd` is set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Allowed {
    /// So many tokens.
    pub tokens: Option<u64>,
    /// So many US dollars.
    pub usd: Option<f64>,
    /// Whether work is ended when it is used up; without, it is told.
    pub stops: bool,
    /// Whether a person gave it with `--budget`.
    pub given: bool,
    /// How many tasks share it.
    pub tasks: usize,
    /// The amount, for people.
    #[serde(skip)]
    pub amount: Amount,
}

/// A budget on record, with what was used of it by all who share it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Budgeted {
    /// The budget.
    #[serde(flatten)]
    pub allowed: Allowed,
    /// What was used of it.
    pub spent: Option<Spent>,
    /// The same, with what is not known kept apart.
    #[serde(skip)]
    pub usage: Usage,
}

impl Budgeted {
    /// That of a task, if it has one.
    ///
    /// # Errors
    /// The database's.
    pub fn of(db: &Connection, task: &TaskId) -> Result<Option<Self>, StoreError> {
        let Some(budget) = budgets::of_task(db, task)? else { return Ok(None) };
        let usage = ledger::of_budget(db, &budget)?;
        Ok(Some(Self { allowed: Allowed::recorded(&budget), spent: Spent::of(&usage), usage }))
    }

    /// Whether nothing is left of it.
    pub fn is_used_up(&self) -> bool {
        let amount = self.allowed.amount;
        amount.counted(&self.usage).is_some_and(|used| used >= amount.value())
    }
}

impl Allowed {
    /// Of a budget for so many tasks.
    pub fn of(budget: &NewBudget, tasks: usize) -> Self {
        let (tokens, usd) = match budget.amount {
            Amount::Tokens(tokens) => (Some(tokens), None),
            Amount::Money(money) => (None, Some(money.dollars())),
        };
        let NewBudget { amount, given, stops } = *budget;
        Self { tokens, usd, stops, given, tasks, amount }
    }

    /// Of one on record.
    pub fn recorded(budget: &Budget) -> Self {
        let Budget { amount, given, stops, .. } = *budget;
        Self::of(&NewBudget { amount, given, stops }, budget.tasks as usize)
    }
}

/// Decides what new work may use. Warns where the budgets of all work have no room for it.
///
/// # Errors
/// When a given budget could not be held, since nobody tells what the work uses or costs; when the
/// budgets of all work have no room and stop; when settings or prices cannot be read.
pub fn allot(
    ctx: &Context<'_>,
    given: Option<Amount>,
    settings: &BudgetSettings,
    works: &[Work<'_>],
) -> Result<Vec<Allotment>, Problem> {
    let prices = prices(ctx)?;
    let metered = works.iter().filter(|work| work.spec.metering != Metering::None);
    let all = match given {
        Some(amount) => {
            works.iter().try_for_each(|work| can_be_held(amount, work, &prices))?;
            let budget = NewBudget { amount, given: true, stops: true };
            let tasks: Vec<TaskId> = works.iter().map(|work| work.spec.task.clone()).collect();
            if tasks.is_empty() { vec![] } else { vec![Allotment { budget, tasks }] }
        }
        None => {
            let own = metered.clone().filter_map(|work| {
                let amount = work.role.unwrap_or(settings.per_task).0?;
                let budget = NewBudget { amount, given: false, stops: settings.stops() };
                Some((work, Allotment { budget, tasks: vec![work.spec.task.clone()] }))
            });
            let own: Vec<(&Work<'_>, Allotment)> = own.collect();
            for (work, allotment) in own.iter().filter(|(_, one)| one.budget.stops) {
                can_be_held(allotment.budget.amount, work, &prices)?;
            }
            own.into_iter().map(|(_, allotment)| allotment).collect()
        }
    };
    if metered.count() > 0 {
        fits(ctx, &all)?;
    }
    Ok(all)
}

/// Records budgets, in the transaction that records their tasks.
///
/// # Errors
/// The database's.
pub fn record(db: &Connection, all: &[Allotment], now: Timestamp) -> Result<(), StoreError> {
    all.iter().try_for_each(|one| budgets::give(db, &one.tasks, &one.budget, now).map(drop))
}

/// The books as they are now, by the user's settings and clock.
///
/// # Errors
/// When the user's settings cannot be read.
pub fn reading(ctx: &Context<'_>) -> Result<Reading, Problem> {
    let settings = config::of_user(ctx.environment)?.budget;
    Ok(Reading { settings, now: ctx.clock.now(), here: TimeZone::system() })
}

/// Refuses a further attempt of a task whose own budget is used up and stops.
///
/// # Errors
/// That, or the store's.
pub fn require_left(ctx: &Context<'_>, name: &str, task: &TaskId) -> Result<(), Problem> {
    let db = ctx.store.read();
    let Some(budget) = budgets::of_task(db, task)?.filter(|budget| budget.stops) else {
        return Ok(());
    };
    let used = budget.amount.counted(&ledger::of_budget(db, &budget)?).unwrap_or(0);
    if used < budget.amount.value() {
        return Ok(());
    }
    let whose = if budget.tasks > 1 { "the budget of its fan-out" } else { "its budget" };
    let used = budget.amount.with(used);
    let text = format!("`{name}` has used up {whose}: {used:#} of {:#}", budget.amount);
    Err(Problem::refused(text).hint(format!("give it more: `wt budget {name} --give AMOUNT`")))
}

/// Refuses a budget that could not be held, since nobody tells what the work uses or costs.
///
/// # Errors
/// That, or when the prices cannot be read.
pub fn require_holdable(ctx: &Context<'_>, amount: Amount, work: &Work<'_>) -> Result<(), Problem> {
    can_be_held(amount, work, &prices(ctx)?)
}

fn prices(ctx: &Context<'_>) -> Result<Prices, Problem> {
    match ctx.environment.config_dir() {
        Some(dir) => Prices::load(&dir).map_err(|error| {
            Problem::usage(format!("list of prices {error}"))
                .hint(format!("mend `{}`, or remove it to use what is built in", error.file))
        }),
        None => Ok(Prices::built_in()),
    }
}

/// A budget that stops needs somebody who tells what it counts.
fn can_be_held(amount: Amount, work: &Work<'_>, prices: &Prices) -> Result<(), Problem> {
    let agent = &work.spec.agent;
    if work.spec.metering == Metering::None {
        let what = match work.spec.dialect {
            Dialect::Plain => "a plain command tells no tokens".to_owned(),
            _ => format!("`{agent}` tells no tokens"),
        };
        return Err(Problem::usage(format!("a budget cannot be held here: {what}"))
            .hint("leave out `--budget`"));
    }
    let priced = work.model.is_some_and(|model| prices.of(model).is_some());
    if matches!(amount, Amount::Tokens(_)) || priced || tells_cost(work.spec.dialect) {
        return Ok(());
    }
    let text = match work.model {
        Some(model) => format!("nobody knows what `{model}` costs: `{agent}` does not tell"),
        None => format!("nobody knows what `{agent}` costs: it does not tell, nor with what model"),
    };
    Err(Problem::refused(text).hint("count tokens instead: `--budget 200k`").hint(
        "or name a `--model` whose price is in the list: `~/.config/wt/pricing.toml` adds to it",
    ))
}

/// Whether the budgets of all work have room for new work, if all of it uses what it may.
fn fits(ctx: &Context<'_>, all: &[Allotment]) -> Result<(), Problem> {
    let reading = reading(ctx)?;
    let db = ctx.store.read();
    let book = ledger::book(db, &reading, &mut Ended::default(), &|_| None)?;
    let wanted: Vec<Amount> = all.iter().map(|one| one.budget.amount).collect();
    // The narrowest one says enough.
    let short = shortages(&book, &wanted);
    let Some(short) = short.iter().min_by_key(|short| short.amount.value()) else { return Ok(()) };
    let text = told(short);
    if !short.stops {
        ctx.observer.warn(&text);
        return Ok(());
    }
    Err(Problem::refused(text)
        .hint("see what uses it: `wt budget`")
        .hint("ask for less with `--budget`, or raise `budget.total` and `budget.background`"))
}

/// `of the background budget of the day, 150,000 tokens, 61,120 are used and 50,000 reserved: no
/// room for 50,000 more`
fn told(short: &Shortage) -> String {
    let plain = |value: u64| {
        let text = format!("{:#}", short.amount.with(value));
        text.trim_end_matches(" tokens").to_owned()
    };
    let reserved = match short.reserved {
        0 => String::new(),
        reserved => format!(" and {} reserved by work under way", plain(reserved)),
    };
    let (scope, amount) = (short.scope.name(), short.amount);
    let room = match short.wanted {
        0 => "nothing is left".to_owned(),
        wanted => format!("{} more may not fit", plain(wanted)),
    };
    let used = plain(short.used);
    format!("of {scope}, {amount:#}, {used} are used{reserved}: {room}")
}
