//! The command line: words in, exit code out. One file of arguments a verb.

mod adopt;
mod app;
mod bare;
mod cleanup;
mod compare;
mod config;
mod demo;
mod diff;
mod doctor;
mod exit;
mod gc;
mod globals;
mod hidden;
mod init;
mod list;
mod logs;
mod merge;
mod pages;
mod path;
mod queue;
mod restore;
mod result;
mod retry;
mod scripted;
mod send;
mod spawn;
mod status;
mod stop;
mod sync;
mod task;
mod trust;
mod undo;
mod verbs;
mod wait;
mod when;

pub use app::main;
