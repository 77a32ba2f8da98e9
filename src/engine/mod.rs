//! What runs in the background: pure decisions, and the processes that act on them.

pub mod budget;
pub mod evidence;
pub mod gates;
pub mod health;
pub mod holder;
pub mod last_words;
pub mod ledger;
pub mod limits;
pub mod process;
pub mod queue;
pub mod relaunch;
pub mod retry;
pub mod run;
pub mod schedule;
pub mod shell;
pub mod start;
pub mod stop;
pub mod transition;
pub mod wait;
pub mod watchdog;

#[cfg(test)]
mod streams;
#[cfg(test)]
mod traps;
