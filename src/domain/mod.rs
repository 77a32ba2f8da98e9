//! Values and rules: what the other floors speak in.
//!
//! Nothing here reads a file, a clock, the environment or a random number; every type is plain
//! data that can be built in a test by hand.

pub mod attempt;
pub mod budget;
pub mod event;
pub mod fill;
pub mod id;
pub mod idea;
pub mod launch;
pub mod moment;
pub mod name;
pub mod observer;
pub mod problem;
pub mod resources;
pub mod settings;
pub mod sync;
pub mod task;
pub mod undo;
pub mod usage;
pub mod variant;
pub mod waiting;
pub mod written;
