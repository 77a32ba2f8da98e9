//! `wt budget TASK --give AMOUNT`: another budget for work that has one, or has none.

use serde::Serialize;

use crate::commands::allot::{self, Allowed, Work};
use crate::commands::context::Context;
use crate::commands::errand;
use crate::commands::spent::Spent;
use crate::domain::budget::Amount;
use crate::domain::problem::Problem;
use crate::domain::usage::Usage;
use crate::engine::{ledger, start};
use crate::store::budgets::{self, NewBudget};
use crate::store::folder::Folder;

/// What was given.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// What can be typed for the task.
    pub name: String,
    /// What it may use from now on: all its attempts, past ones included, and those of the tasks it
    /// shares it with.
    pub budget: Allowed,
    /// What was used of it.
    pub spent: Option<Spent>,
    /// The same, with what is not known kept apart.
    #[serde(skip)]
    pub usage: Usage,
}

/// Gives it, in the place of what there was; tasks that share one go on sharing.
///
/// # Errors
/// No such task, or a budget that could not be held.
pub fn run(ctx: &Context<'_>, name: &str, amount: Amount) -> Result<Outcome, Problem> {
    let errand = errand::single(ctx, Some(name))?;
    let spec = Folder::of(ctx.store.layout(), &errand.attempt.id).spec()?;
    let work = Work { spec: &spec, model: errand.task.model.as_deref(), role: None };
    allot::require_holdable(ctx, amount, &work)?;
    let new = NewBudget { amount, given: true, stops: true };
    let now = ctx.clock.now();
    let task = errand.task.id.clone();
    ctx.store.write_durably(|tx| {
        let shared = budgets::of_task(tx, &task)?.map(|own| budgets::tasks(tx, own.id));
        let mut members = shared.transpose()?.unwrap_or_default();
        if members.is_empty() {
            members.push(task.clone());
        }
        budgets::give(tx, &members, &new, now)
    })?;
    // Work that runs is held against it from now on.
    if !errand.task.state.is_final() {
        start::ensure(ctx.store.layout(), ctx.environment)?;
    }
    let db = ctx.store.read();
    let lost = || Problem::failed(format!("`{name}` has no budget after all"));
    let budget = budgets::of_task(db, &task)?.ok_or_else(lost)?;
    let usage = ledger::of_budget(db, &budget)?;
    Ok(Outcome {
        name: errand.name,
        budget: Allowed::recorded(&budget),
        spent: Spent::of(&usage),
        usage,
    })
}
