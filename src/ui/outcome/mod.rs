//! How each verb's outcome looks, one file a verb.

mod cleanup;
mod config;
mod path;
mod spawn;
mod trust;
