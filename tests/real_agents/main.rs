//! The real claude, codex and opencode programs, started with exactly what their templates render,
//! against a scripted model server: `tests/agents/install.sh` installs them.
//!
//! Every program sees an environment made here alone: a home and a temporary directory of its own,
//! a key that is no key, a server on the loopback interface. Where that is permitted, a test runs
//! in a network namespace of its own, in which there is nothing but that interface.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test with a line number")]
#![allow(clippy::expect_used, reason = "a failed expectation is a failed test with its reason")]

#[path = "../support/mod.rs"]
mod support;

mod budgets;
mod isolation;
mod launch;
mod nightly;
mod spawned;
mod tour;
mod world;
