//! `wt`: one idea in several variants, one git worktree and one coding agent each.
//!
//! The floors, from the ground up; imports go down only (`tests/architecture.rs`): domain → git →
//! store → agents → engine → commands → ui and cli.

pub mod agents;
pub mod cli;
pub mod commands;
pub mod domain;
pub mod engine;
pub mod git;
pub mod store;
pub mod ui;
