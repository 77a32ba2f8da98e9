//! What budgets ask for: who is to be told, whom to end, what has to wait. Pure: the accounts in,
//! decisions out.
//!
//! What counts of a usage is what is known of it. So work whose usage is told late is ended late,
//! and never for a usage that nobody told.

pub mod alert;
pub mod period;
pub mod reserve;

use crate::domain::budget::{Amount, Period};
use crate::domain::id::TaskId;
use crate::domain::settings::Percent;
use crate::domain::usage::Usage;

/// For every token that is left of a budget, so many bytes of output may come from an agent that
/// tells its usage only at its end. A token is about four bytes of text, and events wrap that text
/// in as much again; four times that is past any doubt.
pub const OUTPUT_PER_TOKEN: u64 = 32;

/// Every budget that something open counts in, or that is for all work.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Book {
    /// The budgets.
    pub accounts: Vec<Account>,
    /// At which percentages they warn.
    pub warn_at: Vec<Percent>,
}

/// One budget, and what counts in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Whose it is.
    pub scope: Scope,
    /// How much it is.
    pub amount: Amount,
    /// What was used of it.
    pub used: Usage,
    /// Whether work is ended when it is used up.
    pub stops: bool,
    /// Which of its percentages were told already.
    pub told: Vec<Percent>,
    /// The tasks that count in it and are not at their end.
    pub open: Vec<Open>,
}

/// Whose a budget is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// One task's, or the tasks' of one fan-out: all their attempts. With its row.
    Own {
        /// Its row.
        row: i64,
        /// Whether several tasks share it.
        shared: bool,
    },
    /// All background work's in a period.
    Background(Period),
    /// All work's in a period.
    Total(Period),
}

/// A task that is not at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Which.
    pub task: TaskId,
    /// True when an attempt of it is under way, and was not asked to end yet.
    pub runs: bool,
    /// How many bytes it wrote, where it tells its usage only at its end.
    pub unmetered: Option<u64>,
}

/// One thing to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Tell that a budget has come to a percentage.
    Warn {
        /// The budget.
        scope: Scope,
        /// The greatest percentage it has come to.
        percent: Percent,
        /// All that count as told from now on.
        told: Vec<Percent>,
    },
    /// End a task, whether it runs or waits.
    Stop {
        /// Which.
        task: TaskId,
        /// After `stopped: `.
        why: String,
    },
}

/// Decides: each percentage is told once, each task is ended once, however many budgets ask for it.
pub fn decide(book: &Book) -> Vec<Decision> {
    let mut decisions: Vec<Decision> =
        book.accounts.iter().filter_map(|account| warn(account, &book.warn_at)).collect();
    let mut ended: Vec<&TaskId> = vec![];
    for account in book.accounts.iter().filter(|account| account.stops) {
        for open in &account.open {
            let Some(why) = account.ends(open).filter(|_| !ended.contains(&&open.task)) else {
                continue;
            };
            ended.push(&open.task);
            decisions.push(Decision::Stop { task: open.task.clone(), why });
        }
    }
    decisions
}

/// What a task that could start has to wait for: a budget of all work that is used up and stops.
pub fn hold(book: &Book, task: &TaskId) -> Option<String> {
    let of_all = book.accounts.iter().filter(|account| account.scope.period().is_some());
    let mut full = of_all.filter(|account| account.stops && account.is_used_up());
    full.find(|account| account.open.iter().any(|open| open.task == *task)).map(|account| {
        let used = account.amount.with(account.known());
        format!("for {} ({used:#} used of {:#})", account.scope.name(), account.amount)
    })
}

fn warn(account: &Account, warn_at: &[Percent]) -> Option<Decision> {
    let reached = account.amount.percent(account.known());
    let news = warn_at.iter().filter(|at| at.value() <= reached && !account.told.contains(at));
    let mut told: Vec<Percent> = news.copied().collect();
    told.sort_unstable();
    told.dedup();
    let percent = *told.last()?;
    // Of one that was told to have come further, the lower ones are no news.
    if account.told.iter().any(|known| *known > percent) {
        return None;
    }
    Some(Decision::Warn { scope: account.scope, percent, told })
}

impl Account {
    /// What is known to be used, in the amount's unit.
    pub fn known(&self) -> u64 {
        self.amount.counted(&self.used).unwrap_or(0)
    }

    /// What is left, as far as is known.
    pub fn left(&self) -> u64 {
        self.amount.value().saturating_sub(self.known())
    }

    /// Whether nothing is left.
    pub fn is_used_up(&self) -> bool {
        self.left() == 0
    }

    /// Why a task is to end; `None` when it is not. One that waits is ended only by its own budget:
    /// for a period's it goes on waiting.
    fn ends(&self, open: &Open) -> Option<String> {
        let own = self.scope.period().is_none();
        if !open.runs && !own {
            return None;
        }
        if self.is_used_up() {
            let up = if open.runs { "" } else { ", which is used up" };
            return Some(format!("{}{up}", self.title()));
        }
        let written = open.unmetered.filter(|_| matches!(self.amount, Amount::Tokens(_)))?;
        (written > self.left().saturating_mul(OUTPUT_PER_TOKEN))
            .then(|| format!("{}, by the {} kB that it wrote", self.title(), written / 1_000))
    }

    /// `its budget of 200k tokens`.
    pub fn title(&self) -> String {
        match self.scope {
            Scope::Own { shared: false, .. } => format!("its budget of {}", self.amount),
            Scope::Own { shared: true, .. } => {
                format!("the budget of {} for its whole fan-out", self.amount)
            }
            scope => format!("{}, {}", scope.name(), self.amount),
        }
    }
}

impl Scope {
    /// The period after which it begins anew; `None` for one that never does.
    pub fn period(self) -> Option<Period> {
        match self {
            Self::Own { .. } => None,
            Self::Background(period) | Self::Total(period) => Some(period),
        }
    }

    /// `the budget of the day`, `the background budget of the week`.
    pub fn name(self) -> String {
        match self {
            Self::Own { shared: false, .. } => "its budget".into(),
            Self::Own { shared: true, .. } => "the budget of its fan-out".into(),
            Self::Background(period) => format!("the background budget of the {}", period.word()),
            Self::Total(period) => format!("the budget of the {}", period.word()),
        }
    }

    /// The text under which the store keeps what was told of it.
    pub fn key(self) -> String {
        match self {
            Self::Own { row, .. } => format!("own-{row}"),
            Self::Background(period) => format!("background-{}", period.word()),
            Self::Total(period) => format!("total-{}", period.word()),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
