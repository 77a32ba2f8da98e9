//! What runs in the background: pure decisions, and the processes that act on them.

pub mod process;
pub mod queue;
pub mod start;
