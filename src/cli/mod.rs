//! The command line: words in, exit code out. One file of arguments a verb.

mod app;
mod exit;
mod globals;
mod hidden;
mod path;
mod verbs;

pub use app::main;
