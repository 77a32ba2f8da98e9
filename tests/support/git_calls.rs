//! Which git processes a command starts.

use std::path::PathBuf;

use super::env::{TestEnv, program_on_path};

/// Writes down every start of git in a test's world.
pub struct GitCalls {
    log: PathBuf,
}

impl GitCalls {
    /// From here on every start is written down.
    pub fn watch(env: &TestEnv) -> Self {
        let git = program_on_path("git").unwrap();
        let log = env.write("tmp/git-calls", "");
        let (git, path) = (git.display(), log.display());
        // One write of one line each, so that calls side by side do not mix.
        env.program("git", &format!("#!/bin/sh\necho \"$*\" >>'{path}'\nexec '{git}' \"$@\"\n"));
        Self { log }
    }

    /// The arguments of each call that `work` makes, one line each.
    pub fn during<T>(&self, work: impl FnOnce() -> T) -> (T, Vec<String>) {
        std::fs::write(&self.log, "").unwrap();
        let done = work();
        let log = std::fs::read_to_string(&self.log).unwrap();
        (done, log.lines().map(str::to_owned).collect())
    }
}
