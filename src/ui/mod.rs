//! What people see: the only floor that prints.
//!
//! stdout is the answer, stderr is the story. Colour only on a terminal and never the only carrier
//! of meaning; what is unknown is shown as unknown.

pub mod human;
pub mod outcome;
pub mod pager;
pub mod patch;
pub mod printer;
pub mod problem;
pub mod progress;
pub mod prompt;
pub mod stat;
pub mod table;
pub mod theme;
pub mod watch;
