//! How each verb's outcome looks, one file a verb.

mod adopt;
mod again;
mod cleanup;
mod compare;
mod config;
pub mod demo;
pub mod diff;
mod doctor;
mod gc;
mod init;
mod list;
pub mod logs;
mod merge;
mod path;
mod queue;
mod restore;
mod result;
mod spawn;
pub mod status;
mod stop;
mod sync;
mod task;
mod trust;
mod undo;
mod variant;
mod wait;
mod welcome;
