//! Everything that can go wrong, made to go wrong: `kill -9` at seeded random moments, and one fault
//! after the other of the machine, the disk, the clock and the agents themselves.
//!
//! `WT_CHAOS_KILLS=10000` makes the storm a long one, `WT_CHAOS_SEED` repeats one that failed.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test with a line number")]
#![allow(clippy::expect_used, reason = "a failed expectation is a failed test with its reason")]

#[path = "../support/mod.rs"]
mod support;

mod agents;
mod damaged;
mod leaks;
mod machine;
mod promises;
mod random;
mod steps;
mod storm;
mod survivors;
mod town;
