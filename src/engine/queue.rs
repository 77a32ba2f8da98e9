//! Puts work into the queue: first the files, then the rows, then the bell.

use std::ffi::OsString;

use jiff::Timestamp;

use crate::domain::attempt::{Again, Attempt, AttemptKind, AttemptState, Progress};
use crate::domain::id::{AttemptId, TaskId};
use crate::domain::launch::{LaunchSpec, StdinFrom};
use crate::domain::task::Task;
use crate::domain::usage::Usage;
use crate::domain::waiting::{Conditions, Dependency};
use crate::store::db::Connection;
use crate::store::error::StoreError;
use crate::store::events::{self, NewEvent};
use crate::store::file::sync_dir;
use crate::store::folder::{Folder, write_environment};
use crate::store::layout::Layout;
use crate::store::{attempts, dependencies, file, random, tasks, terms};

/// An attempt about to be queued.
#[derive(Debug)]
pub struct Order<'a> {
    /// Exactly what will run; names the attempt and its task.
    pub spec: &'a LaunchSpec,
    /// Why there is this attempt.
    pub kind: AttemptKind,
    /// What it is told: the task's prompt, or a follow-up's message.
    pub prompt: &'a str,
    /// What the agent reads on standard input, where the spec says that it reads a prompt there:
    /// the prompt with what its role puts around it.
    pub input: &'a str,
    /// The values of the allow-listed variables; `None` leaves the task's file as it is.
    pub environment: Option<&'a [(OsString, OsString)]>,
    /// Why `wt` makes it by itself; `None` when a person asked.
    pub again: Option<&'a Again>,
    /// It does not start before this moment.
    pub not_before: Option<Timestamp>,
}

/// A new task's id: its kind, what it is about, and six random characters
/// (`worktree-theme-dark-x7k2m9`).
pub fn task_id(kind: &str, about: &str) -> TaskId {
    TaskId::new(format!("{kind}-{about}-{}", random::letters(6)))
}

/// Makes the attempt's folder with `spec.json` and the prompt, and the file with the environment's
/// values. On disk when it returns; before [`record`] nobody knows of it, and [`forget`] takes it
/// back.
///
/// # Errors
/// When a file cannot be written.
pub fn prepare(layout: &Layout, order: &Order<'_>) -> Result<(), StoreError> {
    let folder = Folder::of(layout, &order.spec.attempt);
    folder.create()?;
    if order.spec.stdin == StdinFrom::Prompt {
        file::write_atomically(&folder.prompt(), order.input.as_bytes(), 0o600)?;
    }
    folder.write_spec(order.spec)?;
    if let Some(values) = order.environment {
        let pairs = values.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()));
        write_environment(&layout.environment_file(&order.spec.task), pairs)?;
    }
    sync_dir(&layout.attempts())
}

/// Takes back what [`prepare`] made, when it will not be recorded after all.
pub fn forget(layout: &Layout, spec: &LaunchSpec) {
    std::fs::remove_dir_all(layout.attempt(&spec.attempt)).ok();
    if spec.attempt.number() == 1 {
        std::fs::remove_file(layout.environment_file(&spec.task)).ok();
    }
}

/// Records a new task with its first attempt, in the caller's transaction. Afterwards the caller
/// commits and calls [`crate::engine::start::ensure`].
///
/// # Errors
/// The database's.
pub fn record(
    db: &Connection,
    task: &Task,
    order: &Order<'_>,
    now: Timestamp,
) -> Result<Attempt, StoreError> {
    tasks::insert(db, task)?;
    record_attempt(db, task, order, now)
}

/// Records what a new task's start depends on, in the transaction that records the task.
///
/// # Errors
/// The database's.
pub fn condition(
    db: &Connection,
    task: &TaskId,
    conditions: &Conditions,
) -> Result<(), StoreError> {
    terms::put(db, task, &conditions.terms)?;
    for (on, any) in &conditions.after {
        let (task, on) = (task.clone(), on.clone());
        dependencies::put(db, &Dependency { task, on, any: *any, skipped: false })?;
    }
    Ok(())
}

/// Records a further attempt of a task. Its state is the caller's to move.
///
/// # Errors
/// The database's; there is an attempt of this number already.
pub fn record_attempt(
    db: &Connection,
    task: &Task,
    order: &Order<'_>,
    now: Timestamp,
) -> Result<Attempt, StoreError> {
    let attempt = Attempt {
        id: order.spec.attempt.clone(),
        task: task.id.clone(),
        number: order.spec.attempt.number(),
        kind: order.kind,
        prompt: order.prompt.to_owned(),
        state: AttemptState::Prepared,
        holder: None,
        agent: None,
        session: order.spec.session.clone(),
        baseline: order.spec.baseline,
        usage: Usage::default(),
        progress: Progress::default(),
        told: None,
        exit: None,
        containment: None,
        stop_requested: None,
        again: order.again.cloned(),
        not_before: order.not_before,
        failure: None,
        reason: None,
        created_at: now,
        started_at: None,
        ended_at: None,
    };
    attempts::insert(db, &attempt)?;
    let mut data = serde_json::Map::new();
    data.insert("kind".into(), order.kind.as_str().into());
    data.insert("agent".into(), order.spec.agent.clone().into());
    let event = NewEvent {
        kind: "task-queued",
        repo: Some(&task.repo),
        variant: task.variant,
        task: Some(&task.id),
        attempt: Some(&attempt.id),
        data,
    };
    events::record(db, now, &event)?;
    Ok(attempt)
}

/// The id of the attempt that would follow a task's newest one.
///
/// # Errors
/// The database's.
pub fn next_attempt(db: &Connection, task: &TaskId) -> Result<AttemptId, StoreError> {
    let newest = attempts::latest(db, task)?.map_or(0, |attempt| attempt.number);
    Ok(AttemptId::of(task, newest + 1))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::launch::{Dialect, Metering, Rules, SPEC_SCHEMA, StopPlan};
    use crate::domain::resources::Resources;
    use crate::domain::settings::Permissions;
    use crate::domain::usage::SessionTotals;
    use crate::store::db::tests::store;

    /// A spec that runs a shell script in a directory.
    pub(crate) fn shell(task: &TaskId, script: &str, cwd: &std::path::Path) -> LaunchSpec {
        LaunchSpec {
            schema: SPEC_SCHEMA,
            attempt: AttemptId::of(task, 1),
            task: task.clone(),
            agent: "plain".into(),
            permissions: Permissions::Work,
            dialect: Dialect::Plain,
            metering: Metering::None,
            setup: vec![],
            argv: vec!["/bin/sh".into(), "-c".into(), script.into()],
            stdin: StdinFrom::Null,
            cwd: cwd.to_path_buf(),
            env: vec![],
            stop: StopPlan { gentle: None, gentle_ms: 100, term_ms: 100 },
            failures: vec![],
            baseline: SessionTotals::default(),
            session: None,
            timeout_s: None,
            verify: None,
            rules: Rules::default(),
            resources: Resources::default(),
        }
    }

    #[test]
    fn what_is_queued_is_on_disk_before_anybody_knows_of_it() {
        let (dir, store) = store();
        let task = crate::store::tasks::tests::queued(store.read(), "worktree-a-x7k2m9");
        let spec = LaunchSpec { stdin: StdinFrom::Prompt, ..shell(&task.id, "cat", dir.path()) };
        let values = [("KEY".into(), "value".into())];
        let order = Order {
            spec: &spec,
            kind: AttemptKind::First,
            prompt: "do it",
            input: "you are an engineer\ndo it",
            environment: Some(&values),
            again: None,
            not_before: None,
        };
        prepare(store.layout(), &order).unwrap();
        let folder = Folder::of(store.layout(), &spec.attempt);
        assert_eq!(folder.spec().unwrap(), spec);
        assert_eq!(std::fs::read_to_string(folder.prompt()).unwrap(), order.input);
        let file = store.layout().environment_file(&task.id);
        assert_eq!(std::fs::read(&file).unwrap(), b"KEY=value\0");
        let attempt = record_attempt(store.read(), &task, &order, task.created_at).unwrap();
        assert_eq!((attempt.number, attempt.prompt.as_str()), (1, "do it"));
        assert_eq!(next_attempt(store.read(), &task.id).unwrap().number(), 2);
        forget(store.layout(), &spec);
        assert!(!file.exists() && !folder.dir().exists());
    }

    #[test]
    fn an_id_says_what_it_is_about() {
        let id = task_id("worktree", "theme-dark");
        let rest = id.as_str().strip_prefix("worktree-theme-dark-").unwrap();
        assert_eq!(rest.len(), 6);
    }
}
