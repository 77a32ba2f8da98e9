//! What the engine has to say when nobody listens.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use crate::store::clock::Clock;
use crate::store::layout::Layout;

/// `engine.log`: one line for each thing that went otherwise than it should. What happened to a
/// task is an event in the store.
pub struct Journal {
    file: Option<File>,
    clock: Clock,
}

impl Journal {
    /// Opens the log; without one (a full disk) the engine works all the same.
    pub fn open(layout: &Layout, clock: Clock) -> Self {
        let mut options = OpenOptions::new();
        let file = options.append(true).create(true).mode(0o600).open(layout.engine_log()).ok();
        Self { file, clock }
    }

    /// Adds a line.
    pub fn say(&mut self, text: impl std::fmt::Display) {
        let line = format!("{} {}: {text}\n", self.clock.now(), std::process::id());
        if let Some(file) = &mut self.file {
            // In one write, so that lines of several processes do not mix.
            file.write_all(line.as_bytes()).ok();
        }
    }
}
