//! A database that is damaged or gone: moved aside, and made anew from the folders of attempts and
//! from git, as far as these go.

mod folders;
mod rows;

use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::commands::doctor::{Finding, Request, State};
use crate::domain::problem::{Kind, Problem};
use crate::engine::process::ancestry::{Keeper, claims, keeps};
use crate::engine::process::signal::Handle;
use crate::engine::process::table::Table;
use crate::store::clock::Clock;
use crate::store::db::Store;
use crate::store::environment::Environment;
use crate::store::error::StoreError;
use crate::store::file::sync_dir;
use crate::store::layout::Layout;
use crate::store::lock::Lock;

/// What SQLite keeps beside the database, and the database itself, which goes first: without it the
/// others mean nothing, and as long as work is on record beside it nobody begins anew.
const FILES: [&str; 3] = ["wt.db", "wt.db-wal", "wt.db-shm"];

/// Looks whether the database is sound, and rebuilds it if that is wanted. Gives what was done.
///
/// # Errors
/// [`Kind::Check`] when it is damaged and stays so; when it cannot be rebuilt.
pub fn heal(environment: &Environment, request: Request) -> Result<Option<Finding>, Problem> {
    let layout = Layout::prepare(environment)?;
    let Some(why) = damage(&layout)? else { return Ok(None) };
    let found = format!("the state database is damaged: {why}");
    if !request.fix {
        return Err(Problem::new(Kind::Check, found)
            .hint("move it aside, and rebuild it from what is beside it: `wt doctor --fix`"));
    }
    let _engine = without_engine(&layout)?;
    let aside = move_aside(&layout, &Clock::of(environment))?;
    let rebuilt = put_in_place(&layout, environment)?;
    let mut finding = Finding::new(State::Mended, "state", found);
    finding.mending = Some(format!("moved to `{}`; {rebuilt}", aside.display()));
    finding.hints.push(format!("what it held is still there: `ls {}`", aside.display()));
    Ok(Some(finding))
}

/// What is wrong with the database, in one line.
fn damage(layout: &Layout) -> Result<Option<String>, Problem> {
    let found = Store::open(layout.clone()).and_then(|store| store.damage());
    match found {
        Ok(damage) => Ok(damage.into_iter().next()),
        Err(StoreError::Damaged { why }) => Ok(Some(why)),
        Err(error) => Err(error.into()),
    }
}

/// Asks an engine to go, and keeps others from starting. What runs goes on under its holders.
fn without_engine(layout: &Layout) -> Result<Lock, Problem> {
    let is_engine = |pid: u32| claims(pid) == Some(Keeper::Engine) && keeps(pid, layout);
    for engine in Table::read().iter().filter(|stat| is_engine(stat.pid)) {
        if let Some(engine) = Handle::of(engine) {
            engine.send(Signal::TERM);
        }
    }
    Ok(Lock::take(&layout.engine_lock())?)
}

/// Makes the new one elsewhere, so that it is there whole or not at all.
fn put_in_place(layout: &Layout, environment: &Environment) -> Result<rows::Rebuilt, Problem> {
    let made = tempfile::Builder::new().prefix("rebuild-").tempdir_in(layout.root());
    let building = made.map_err(StoreError::file("write", layout.root()))?;
    let there = Layout::at(building.path());
    let rebuilt = rows::rebuild(layout, &there, environment)?;
    rename(&there.database(), &layout.database())?;
    sync_dir(layout.root())?;
    Ok(rebuilt)
}

/// Moves the database into a directory of its own. Gives that.
fn move_aside(layout: &Layout, clock: &Clock) -> Result<PathBuf, Problem> {
    let name = format!("damaged-{}-", clock.now().strftime("%Y%m%dT%H%M%SZ"));
    let made = tempfile::Builder::new().prefix(&name).rand_bytes(4).tempdir_in(layout.root());
    let dir = made.map_err(StoreError::file("write", layout.root()))?.keep();
    for file in FILES {
        rename(&layout.root().join(file), &dir.join(file))?;
    }
    Ok(dir)
}

fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    match std::fs::rename(from, to) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::file("move", from)(error))
        }
        _ => Ok(()),
    }
}
