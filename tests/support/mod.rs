//! A hermetic place to try `wt` in: everything it could read or leave behind is the test's own.
#![allow(dead_code, unused_imports, reason = "each test binary uses its own part")]

pub mod env;
pub mod fake_model;
pub mod git_calls;
pub mod killer;
pub mod left_behind;
mod normal;
pub mod repo;
pub mod said;
pub mod skip;
pub mod wait;
