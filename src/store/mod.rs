//! What survives: the database, attempt folders, settings, locks; and the three inputs of the
//! outside world, each read in one file ([`clock`], [`environment`], [`random`]).

pub mod attempts;
pub mod bell;
pub mod budgets;
pub mod changes;
pub mod clock;
pub mod config;
pub mod db;
pub mod dependencies;
pub mod environment;
pub mod error;
pub mod estimates;
pub mod events;
pub mod file;
pub mod folder;
pub mod holds;
pub mod intents;
pub mod layout;
pub mod lock;
pub mod merges;
pub mod messages;
pub mod random;
pub mod repos;
pub mod resources;
pub mod row;
pub mod syncs;
pub mod tasks;
pub mod terms;
pub mod throttle;
pub mod trust;
pub mod undo;
pub mod variants;
