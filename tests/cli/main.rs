//! `wt` as a person types it: one module per verb.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test with a line number")]
#![allow(clippy::expect_used, reason = "a failed expectation is a failed test with its reason")]

#[path = "../support/mod.rs"]
mod support;

mod adopt;
mod again;
mod bounds;
mod budget;
mod cleanup;
mod compare;
mod demo;
mod diff;
mod doctor;
mod engine;
mod git_calls;
mod hold;
mod list;
mod merge;
mod queue;
mod report;
mod restore;
mod result;
mod retried;
mod scripted;
mod settings;
mod spawn;
mod stop;
mod sync;
mod task;
mod transcripts;
mod undo;
mod watched;
mod words;
mod world;
