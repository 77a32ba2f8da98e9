//! What is said for as long as it is so: budgets that are used up, or nearly.

use crate::domain::budget::Amount;
use crate::domain::id::TaskId;
use crate::domain::settings::Percent;
use crate::domain::usage::Usage;
use crate::engine::budget::{Account, Scope};

/// How many of the tasks that used most are named.
const WORST: usize = 3;

/// A budget that has come to the first percentage at which it warns.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Whose it is.
    pub scope: Scope,
    /// How much it is.
    pub amount: Amount,
    /// What was used.
    pub used: Usage,
    /// How many whole percent of it that is, as far as is known.
    pub percent: u64,
    /// The tasks that used most of it, the greatest first, with what each used.
    pub worst: Vec<(TaskId, Usage)>,
}

/// The alert of a budget, if there is one; `by_task` is what counts in it.
pub fn of(account: &Account, warn_at: &[Percent], by_task: &[(TaskId, Usage)]) -> Option<Alert> {
    let percent = account.amount.percent(account.known());
    let first = warn_at.iter().min()?;
    if percent < first.value() {
        return None;
    }
    let counted = |usage: &Usage| account.amount.counted(usage).unwrap_or(0);
    let mut worst: Vec<(TaskId, Usage)> =
        by_task.iter().filter(|(_, usage)| counted(usage) > 0).cloned().collect();
    worst.sort_by(|(a, x), (b, y)| counted(y).cmp(&counted(x)).then_with(|| a.cmp(b)));
    worst.truncate(WORST);
    Some(Alert { scope: account.scope, amount: account.amount, used: account.used, percent, worst })
}
