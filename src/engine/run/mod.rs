//! The engine: `wt __engine`, one for each user and state directory, started on demand.
//!
//! It does what [`crate::engine::schedule::decide`] says, follows every attempt, and judges what
//! ended. It is disposable: whatever instant it dies at, the next one takes everything up again.

mod adopt;
mod again;
mod detach;
mod engine;
mod finish;
mod folders;
mod follow;
mod job;
mod journal;
mod launch;
mod load;
mod meter;
mod orphan;
mod overdue;
mod price;
mod settings;
mod settle;
mod snapshot;
mod stack;
mod start;
mod stop;
pub mod tail;
mod upgrade;
mod vigil;
mod watched;

use std::collections::HashSet;
use std::time::Duration;

use rustix::process::{getpid, set_child_subreaper};

use crate::domain::id::AttemptId;
use crate::engine::run::engine::{Ended, Engine};
use crate::engine::run::journal::Journal;
use crate::store::attempts;
use crate::store::clock::Clock;
use crate::store::db::Store;
use crate::store::environment::Environment;
use crate::store::error::StoreError;
use crate::store::layout::Layout;
use crate::store::lock::Lock;

/// How often an engine that finds the lock taken tries again, and how long it waits in between:
/// whoever only looks whether an engine is there holds the lock for an instant.
const TRIES: u32 = 5;
const BETWEEN: Duration = Duration::from_millis(20);

/// Runs the engine until there is nothing to do.
///
/// # Errors
/// When the state or the kernel refuses what it needs.
pub fn run() -> Result<(), StoreError> {
    detach::detach();
    // What loses its holder becomes this process's child, so that it sees how it ends.
    set_child_subreaper(Some(getpid())).ok();
    let lost = |error| StoreError::file("read the environment of", "/proc/self")(error);
    let environment = Environment::capture().map_err(lost)?;
    let layout = Layout::prepare(&environment)?;
    while let Some(lock) = take(&layout)? {
        let (ended, elsewhere) = work(&layout, &environment)?;
        match ended {
            Ended::Asked => return Ok(()),
            Ended::Upgraded => {
                if let Some(program) = upgrade::replaced() {
                    let error = upgrade::become_it(&program);
                    let mut journal = Journal::open(&layout, Clock::default());
                    journal.say(format!("cannot become `{}`: {error}", program.display()));
                }
            }
            Ended::Idle => {
                drop(lock);
                // Whoever committed and saw the lock held has started no engine. So it is looked
                // once more, now that nobody can see it held any more.
                let store = Store::open(layout.clone())?;
                let open = attempts::open(store.read())?;
                if open.iter().all(|attempt| elsewhere.contains(&attempt.id)) {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

fn take(layout: &Layout) -> Result<Option<Lock>, StoreError> {
    for _ in 0..TRIES {
        if let Some(lock) = Lock::try_take(&layout.engine_lock())? {
            return Ok(Some(lock));
        }
        std::thread::sleep(BETWEEN);
    }
    Ok(None)
}

/// Runs one engine to its end. Also gives what it left alone, since that runs elsewhere.
fn work(
    layout: &Layout,
    environment: &Environment,
) -> Result<(Ended, HashSet<AttemptId>), StoreError> {
    let failed = StoreError::file("run the engine of", layout.root());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .max_blocking_threads(2)
        .thread_keep_alive(Duration::from_secs(1))
        .thread_stack_size(1024 * 1024)
        .build()
        .map_err(failed)?;
    let store = Store::open(layout.clone())?;
    runtime.block_on(async {
        let mut engine = Engine::new(store, environment.clone())?;
        let ended = engine.run().await;
        Ok((ended, engine.elsewhere))
    })
}
