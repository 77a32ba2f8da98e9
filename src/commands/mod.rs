//! One file a verb: a request in, an outcome out; no words of the command line, no terminal.
//!
//! Every verb is `run(&Context, Request) -> Result<Outcome, Problem>`. An outcome is what `--json`
//! prints, so its fields are a contract.

pub mod adopt;
pub mod again;
pub mod allot;
pub mod base;
pub mod budget;
pub mod changed;
pub mod cleanup;
pub mod compare;
pub mod config;
pub mod contents;
pub mod context;
pub mod dead_locks;
pub mod demo;
pub mod diff;
pub mod doctor;
pub mod errand;
pub mod gc;
pub mod init;
pub mod list;
pub mod logs;
pub mod merge;
pub mod path;
mod problems;
pub mod queue;
pub mod recover;
pub mod report;
pub mod restore;
pub mod result;
pub mod retry;
pub mod select;
pub mod send;
pub mod spawn;
pub mod spent;
pub mod status;
pub mod stop;
pub mod stuck;
pub mod sync;
pub mod task;
pub mod trust;
pub mod undo;
pub mod wait;
pub mod welcome;
pub mod when;
pub mod work;
