//! Holds what runs and waits against its budgets, after each usage that was told.
//!
//! All of it is decided anew from what is on record, where each attempt's usage stands once and
//! whole: an engine that dies in between has counted nothing twice and forgotten nothing.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::domain::attempt::StopRequest;
use crate::domain::id::TaskId;
use crate::domain::launch::Metering;
use crate::domain::settings::Percent;
use crate::engine::budget::{Account, Book, Decision, Scope, decide, hold};
use crate::engine::ledger::{self, Ended, Reading};
use crate::engine::run::engine::Engine;
use crate::store::db::Connection;
use crate::store::error::StoreError;
use crate::store::events::{self, NewEvent};
use crate::store::{attempts, budgets, config, tasks};

/// What the engine knows of budgets between two looks.
#[derive(Default)]
pub struct Meter {
    ended: Ended,
    book: Book,
    /// When the budgets of all work begin anew, while something waits for that.
    pub wake_at: Option<Timestamp>,
}

impl Meter {
    /// What a task that could start has to wait for, if a budget of all work is in its way.
    pub fn hold(&self, task: &TaskId) -> Option<String> {
        hold(&self.book, task)
    }
}

impl Engine {
    /// Looks at the budgets, tells what is to be told and asks for the end of what is to end.
    /// True when something was asked to end: whoever obeys requests has to look.
    pub(super) fn meter(&mut self) -> Result<bool, StoreError> {
        let Some(reading) = self.reading() else { return Ok(false) };
        let watched = &self.watched;
        let unmetered = |task: &TaskId| {
            let mut all = watched.values();
            let found = all.find(|watched| watched.attempt.task == *task)?;
            (found.spec.metering == Metering::End).then(|| found.tail.offset())
        };
        let db = self.store.read();
        let book = ledger::book(db, &reading, &mut self.meter.ended, &unmetered)?;
        let mut asked = false;
        for decision in decide(&book) {
            match decision {
                Decision::Warn { scope, percent, told } => {
                    let account = book.accounts.iter().find(|account| account.scope == scope);
                    if let Some(account) = account {
                        let since = reading.told_since(scope);
                        let now = reading.now;
                        self.store.write(|tx| warn(tx, account, (percent, &told), (since, now)))?;
                    }
                }
                Decision::Stop { task, why } => {
                    let stop = StopRequest { at: reading.now, why, class: None };
                    self.store.write_durably(|tx| ask(tx, &task, &stop))?;
                    asked = true;
                }
            }
        }
        let waiting = book.accounts.iter().flat_map(|account| &account.open);
        let held = waiting.filter(|open| !open.runs).any(|open| hold(&book, &open.task).is_some());
        self.meter.wake_at = held.then(|| reading.until());
        self.meter.book = book;
        Ok(asked)
    }

    /// By whose settings and clock. Settings that cannot be read stop every command with a message;
    /// meanwhile what was decided last holds.
    fn reading(&mut self) -> Option<Reading> {
        match config::of_user(&self.environment) {
            Ok(settings) => Some(Reading {
                settings: settings.budget,
                now: self.clock.now(),
                here: TimeZone::system(),
            }),
            Err(error) => {
                self.journal.say(error);
                None
            }
        }
    }
}

/// Records that a budget has come so far, unless another engine has.
fn warn(
    db: &Connection,
    account: &Account,
    (percent, told): (Percent, &[Percent]),
    (since, now): (Timestamp, Timestamp),
) -> Result<(), StoreError> {
    if !budgets::tell(db, (&account.scope.key(), since), told, now)? {
        return Ok(());
    }
    let task = match account.scope {
        Scope::Own { row, .. } => budgets::tasks(db, row)?.into_iter().next(),
        _ => None,
    };
    let of = task.as_ref().map(|task| tasks::by_id(db, task)).transpose()?.flatten();
    let data = json!({
        "budget": name(account.scope),
        "period": account.scope.period(),
        "percent": percent,
        "used": account.amount.with(account.known()).to_string(),
        "amount": account.amount.to_string(),
        "stops": account.stops,
    });
    let event = NewEvent {
        kind: "budget-warned",
        repo: of.as_ref().map(|task| &task.repo),
        variant: of.as_ref().and_then(|task| task.variant),
        task: task.as_ref(),
        attempt: None,
        data: data.as_object().cloned().unwrap_or_default(),
    };
    events::record(db, now, &event).map(drop)
}

fn name(scope: Scope) -> &'static str {
    match scope {
        Scope::Own { shared: false, .. } => "task",
        Scope::Own { shared: true, .. } => "fan-out",
        Scope::Background(_) => "background",
        Scope::Total(_) => "total",
    }
}

/// Asks for the end of a task's newest attempt, in the transaction that finds it open.
fn ask(db: &Connection, task: &TaskId, stop: &StopRequest) -> Result<(), StoreError> {
    let open = tasks::by_id(db, task)?.is_some_and(|task| !task.state.is_final());
    match attempts::latest(db, task)?.filter(|_| open) {
        Some(attempt) => attempts::request_stop(db, &attempt.id, stop),
        None => Ok(()),
    }
}
