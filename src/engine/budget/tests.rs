use proptest::prelude::*;

use super::alert;
use super::reserve::{reserved, shortages};
use super::*;
use crate::domain::usage::{Certainty, MicroUsd, Tokens};

fn percent(number: i64) -> Percent {
    number.try_into().unwrap()
}

fn used(tokens: u64) -> Usage {
    let tokens = Tokens { input: tokens, cache_read: 1_000_000, ..Tokens::default() };
    Usage { tokens, certainty: Certainty::AtLeast, ..Usage::default() }
}

fn open(name: &str, runs: bool) -> Open {
    Open { task: TaskId::new(name), runs, unmetered: None }
}

fn account(scope: Scope, amount: u64, tokens: u64, open: Vec<Open>) -> Account {
    let amount = Amount::Tokens(amount);
    Account { scope, amount, used: used(tokens), stops: true, told: vec![], open }
}

const OWN: Scope = Scope::Own { row: 1, shared: false };
const DAY: Scope = Scope::Total(Period::Day);

fn book(accounts: Vec<Account>) -> Book {
    Book { accounts, warn_at: [75, 85, 95].map(percent).to_vec() }
}

fn stops(book: &Book) -> Vec<String> {
    let stop = |decision| match decision {
        Decision::Stop { task, why } => Some(format!("{task} {why}")),
        Decision::Warn { .. } => None,
    };
    decide(book).into_iter().filter_map(stop).collect()
}

#[test]
fn a_task_is_ended_by_its_own_budget_whether_it_runs_or_waits() {
    let both = vec![open("a", true), open("b", false)];
    let shared = Scope::Own { row: 1, shared: true };
    assert!(stops(&book(vec![account(shared, 200_000, 199_999, both.clone())])).is_empty());
    let up = book(vec![account(shared, 200_000, 200_000, both)]);
    let expected = [
        "a the budget of 200k tokens for its whole fan-out",
        "b the budget of 200k tokens for its whole fan-out, which is used up",
    ];
    assert_eq!(stops(&up), expected);
    let single = book(vec![account(OWN, 200_000, 250_000, vec![open("a", true)])]);
    assert_eq!(stops(&single), ["a its budget of 200k tokens"]);
}

#[test]
fn a_period_ends_what_runs_and_holds_what_waits() {
    let both = vec![open("a", true), open("b", false)];
    let day = book(vec![account(DAY, 200_000, 212_311, both)]);
    assert_eq!(stops(&day), ["a the budget of the day, 200k tokens"]);
    let held = hold(&day, &TaskId::new("b")).unwrap();
    assert_eq!(held, "for the budget of the day (212,311 tokens used of 200,000 tokens)");
    let mut warns = day.clone();
    warns.accounts[0].stops = false;
    assert_eq!((stops(&warns).len(), hold(&warns, &TaskId::new("b"))), (0, None));
}

#[test]
fn each_percentage_is_told_once() {
    let mut day = book(vec![account(DAY, 100, 86, vec![])]);
    let told = |book: &Book| match decide(book).as_slice() {
        [Decision::Warn { percent, told, .. }] => Some((*percent, told.clone())),
        _ => None,
    };
    assert_eq!(told(&day), Some((percent(85), vec![percent(75), percent(85)])));
    day.accounts[0].told = vec![percent(75), percent(85)];
    assert_eq!(told(&day), None);
    day.accounts[0].used = used(95);
    assert_eq!(told(&day), Some((percent(95), vec![percent(95)])));
}

#[test]
fn one_that_tells_nothing_until_its_end_is_held_by_what_it_writes() {
    let silent = |bytes| Open { unmetered: Some(bytes), ..open("a", true) };
    let own = |bytes| book(vec![account(OWN, 1_000, 400, vec![silent(bytes)])]);
    assert!(stops(&own(600 * OUTPUT_PER_TOKEN)).is_empty());
    let why = stops(&own(600 * OUTPUT_PER_TOKEN + 1));
    assert_eq!(why, ["a its budget of 1k tokens, by the 19 kB that it wrote"]);
}

#[test]
fn what_is_not_known_ends_nothing() {
    let mut money = account(OWN, 1, 500, vec![open("a", true)]);
    money.amount = Amount::Money(MicroUsd(1));
    assert!(decide(&book(vec![money.clone()])).is_empty());
    money.used.cost = Some(MicroUsd(1));
    assert_eq!(stops(&book(vec![money])), ["a its budget of $0.000001"]);
}

#[test]
fn an_alert_names_who_used_most() {
    let tasks: Vec<(TaskId, Usage)> = [("a", 5), ("b", 50), ("c", 0), ("d", 20), ("e", 3)]
        .map(|(n, u)| (TaskId::new(n), used(u)))
        .into();
    let day = account(DAY, 100, 78, vec![]);
    let found = alert::of(&day, &[percent(75)], &tasks).unwrap();
    let names: Vec<&str> = found.worst.iter().map(|(task, _)| task.as_str()).collect();
    assert_eq!((found.percent, names), (78, vec!["b", "d", "a"]));
    assert_eq!(alert::of(&day, &[percent(79)], &tasks), None);
    assert_eq!(alert::of(&day, &[], &tasks), None);
}

#[test]
fn what_is_open_reserves_what_it_may_still_use() {
    let day = account(DAY, 200, 60, vec![open("a", true), open("b", false)]);
    let own = |row, tokens, task| {
        account(Scope::Own { row, shared: false }, 50, tokens, vec![open(task, true)])
    };
    let mut all = book(vec![day, own(1, 40, "a"), own(2, 0, "b"), own(3, 0, "elsewhere")]);
    assert_eq!(reserved(&all, &all.accounts[0]), 60);
    assert!(shortages(&all, &[Amount::Tokens(80)]).is_empty());
    let short = shortages(&all, &[Amount::Tokens(50), Amount::Tokens(31)]);
    assert_eq!((short[0].used, short[0].reserved, short[0].wanted), (60, 60, 81));
    // Money is no part of what is counted in tokens, until nothing is left at all.
    assert!(shortages(&all, &[Amount::Money(MicroUsd(9_999))]).is_empty());
    all.accounts[0].used = used(200);
    assert_eq!(shortages(&all, &[]).len(), 1);
}

fn scopes() -> impl Strategy<Value = Scope> {
    prop_oneof![
        (0_i64..4, any::<bool>()).prop_map(|(row, shared)| Scope::Own { row, shared }),
        Just(Scope::Background(Period::Day)),
        Just(Scope::Total(Period::Week)),
    ]
}

prop_compose! {
    fn accounts()(
        scope in scopes(),
        amount in 1_u64..100,
        tokens in prop::option::of(0_u64..150),
        stops: bool,
        tasks in prop::collection::vec((0_u8..6, any::<bool>(), prop::option::of(0_u64..4_000)), 0..5),
    ) -> Account {
        let open = tasks.into_iter().map(|(name, runs, unmetered)| {
            let unmetered = unmetered.filter(|_| runs);
            Open { unmetered, ..open(&format!("t{name}"), runs) }
        });
        let used = tokens.map_or_else(Usage::default, used);
        Account { used, stops, ..account(scope, amount, 0, open.collect()) }
    }
}

/// The model: a task is ended when any of its budgets that stops has nothing left for it.
fn ends(account: &Account, open: &Open) -> bool {
    let own = matches!(account.scope, Scope::Own { .. });
    let known = account.used.tokens.billable();
    let wrote = open.unmetered.unwrap_or(0) > 32 * account.amount.value().saturating_sub(known);
    account.stops
        && ((open.runs && (known >= account.amount.value() || wrote))
            || (own && known >= account.amount.value()))
}

proptest! {
    #[test]
    fn exactly_those_are_ended_that_have_nothing_left(accounts in prop::collection::vec(accounts(), 0..6)) {
        let mut expected: Vec<&TaskId> = accounts
            .iter()
            .flat_map(|account| account.open.iter().filter(|open| ends(account, open)).map(|open| &open.task))
            .collect();
        expected.sort();
        expected.dedup();
        let book = book(accounts.clone());
        let decisions = decide(&book);
        let mut ended: Vec<&TaskId> = decisions.iter().filter_map(|decision| match decision {
            Decision::Stop { task, .. } => Some(task),
            Decision::Warn { .. } => None,
        }).collect();
        ended.sort();
        prop_assert_eq!(ended, expected);
    }

    #[test]
    fn what_was_done_is_not_asked_for_again(accounts in prop::collection::vec(accounts(), 0..6)) {
        let mut book = book(accounts);
        for (at, account) in book.accounts.iter_mut().enumerate() {
            // One row is one budget.
            if let Scope::Own { row, .. } = &mut account.scope { *row = at as i64; }
        }
        book.accounts.dedup_by_key(|account| account.scope);
        let decisions = decide(&book);
        for decision in &decisions {
            match decision {
                Decision::Warn { scope, told, .. } => {
                    for account in book.accounts.iter_mut().filter(|one| one.scope == *scope) {
                        account.told.extend(told);
                    }
                }
                Decision::Stop { task, .. } => {
                    for account in &mut book.accounts {
                        account.open.retain(|open| open.task != *task);
                    }
                }
            }
        }
        prop_assert_eq!(decide(&book), vec![]);
    }

    #[test]
    fn more_use_never_spares_anybody(accounts in prop::collection::vec(accounts(), 1..6), more in 0_u64..99) {
        let before = stops(&book(accounts.clone())).len();
        let grown = accounts.into_iter().map(|account| {
            let used = account.used.plus(&used(more));
            Account { used, ..account }
        });
        prop_assert!(stops(&book(grown.collect())).len() >= before);
    }

    #[test]
    fn cache_reads_change_nothing(accounts in prop::collection::vec(accounts(), 0..6), reads in 0_u64..1_000_000) {
        let before = decide(&book(accounts.clone()));
        let with = accounts.into_iter().map(|mut account| {
            account.used.tokens.cache_read = reads;
            account
        });
        prop_assert_eq!(decide(&book(with.collect())), before);
    }
}
