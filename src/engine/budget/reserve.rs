//! What running and waiting work may still use, and whether more fits beside it.

use crate::domain::budget::Amount;
use crate::engine::budget::{Account, Book, Scope};

/// A budget of all work that new work would exceed, if all of it used what it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    /// Whose it is.
    pub scope: Scope,
    /// How much it is.
    pub amount: Amount,
    /// What was used of it, as far as is known.
    pub used: u64,
    /// What running and waiting work may still use of it.
    pub reserved: u64,
    /// What the new work may use.
    pub wanted: u64,
    /// Whether it stops work when it is used up.
    pub stops: bool,
}

/// What the open work of a budget may still use: for each task, or all the tasks of a fan-out
/// together, what is left of its own. Work without a budget of the same kind reserves nothing.
pub fn reserved(book: &Book, account: &Account) -> u64 {
    let own = book.accounts.iter().filter(|one| one.scope.period().is_none());
    let like = own.filter(|one| one.amount.is_like(account.amount));
    let counts = like.filter(|one| {
        one.open.iter().any(|open| account.open.iter().any(|known| known.task == open.task))
    });
    counts.map(Account::left).fold(0, u64::saturating_add)
}

/// The budgets of all work that have no room for so much more.
pub fn shortages(book: &Book, wanted: &[Amount]) -> Vec<Shortage> {
    let of_all = book.accounts.iter().filter(|account| account.scope.period().is_some());
    let short = of_all.filter_map(|account| {
        let like = wanted.iter().filter(|amount| amount.is_like(account.amount));
        let wanted = like.map(|amount| amount.value()).fold(0, u64::saturating_add);
        let (used, reserved) = (account.known(), reserved(book, account));
        let needed = used.saturating_add(reserved).saturating_add(wanted);
        // One that is used up has no room for anything, whatever it is counted in.
        (needed > account.amount.value() || account.is_used_up()).then_some(Shortage {
            scope: account.scope,
            amount: account.amount,
            used,
            reserved,
            wanted,
            stops: account.stops,
        })
    });
    short.collect()
}
