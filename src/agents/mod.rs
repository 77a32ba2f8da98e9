//! Coding agents as data: how one is started, and what its output says.
//!
//! A template becomes a frozen [`crate::domain::launch::LaunchSpec`]; a line of output becomes
//! [`crate::domain::event::AgentEvent`]s and is folded into a
//! [`crate::domain::event::StreamReport`].

pub mod ask;
pub mod classify;
pub mod dialect;
pub mod environment;
pub mod lines;
pub mod pricing;
pub mod probe;
pub mod registry;
pub mod render;
pub mod reset;
pub mod role;
pub mod scripted;
pub mod template;
