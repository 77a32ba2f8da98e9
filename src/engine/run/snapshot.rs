//! What the schedule is decided on, gathered from the store, the settings and the machine.

use std::collections::{BTreeMap, HashMap};

use jiff::tz::TimeZone;

use crate::domain::attempt::{Again, Attempt, AttemptState};
use crate::domain::id::TaskId;
use crate::domain::settings::LimitSettings;
use crate::domain::task::{Task, TaskState};
use crate::domain::waiting::{Dependency, Terms};
use crate::engine::gates::Gates;
use crate::engine::limits::Limits;
use crate::engine::run::engine::Engine;
use crate::engine::run::settings;
use crate::engine::schedule::{After, Ready, Running, Snapshot, awaited};
use crate::store::db::Connection;
use crate::store::environment::Environment;
use crate::store::error::StoreError;
use crate::store::{attempts, dependencies, holds, tasks, terms, throttle, variants};

impl Engine {
    /// Everything that is decided on, and the tasks that may start with their attempts.
    pub(super) fn snapshot(&mut self) -> Result<(Snapshot, Vec<(Task, Attempt)>), StoreError> {
        let settings = self.limit_settings();
        let db = self.store.read();
        let (open, attempts) = (tasks::open(db)?, attempts::open(db)?);
        let terms = terms::open(db)?;
        let running = self.running(&open, &attempts, &terms);
        self.postponed.retain(|id, _| open.iter().any(|task| task.id == *id));
        let mut ready = vec![];
        for task in open.into_iter().filter(|task| task.state != TaskState::Running) {
            let prepared = attempts
                .iter()
                .find(|attempt| attempt.task == task.id && attempt.state == AttemptState::Prepared);
            if let Some(attempt) = prepared.filter(|attempt| !self.is_starting(attempt)) {
                ready.push((task, attempt.clone()));
            }
        }
        let after = after(db)?;
        let said = throttle::parallel(db)?;
        let snapshot = Snapshot {
            ready: ready.iter().map(|one| self.ready(one, &terms, &after)).collect(),
            running,
            limits: settings.as_ref().map_or_else(one_at_a_time, |set| Limits::of(set, &said)),
            pauses: throttle::pauses(db)?,
            holds: holds::all(db)?,
            gates: settings.as_ref().map_or(CLOSED_TO_NOBODY, Gates::of),
            load: self.gauge.load(),
            zone: TimeZone::system(),
        };
        Ok((snapshot, ready))
    }

    fn running(
        &self,
        open: &[Task],
        attempts: &[Attempt],
        terms: &HashMap<TaskId, Terms>,
    ) -> Vec<Running> {
        let until = |task: &TaskId| terms.get(task).and_then(|terms| terms.until);
        let starting = self.starting.values().map(|starting| Running {
            task: starting.attempt.task.clone(),
            lane: starting.lane,
            until: until(&starting.attempt.task),
            // Told once it runs.
            stopping: true,
        });
        let stacking = self.stacking.iter().map(|(task, lane)| Running {
            task: task.clone(),
            lane: *lane,
            until: None,
            stopping: true,
        });
        let runs = open.iter().filter(|task| task.state == TaskState::Running);
        let runs = runs.filter_map(|task| {
            let own = attempts.iter().filter(|attempt| attempt.task == task.id);
            let newest = own.max_by_key(|attempt| attempt.number);
            if newest.is_some_and(|attempt| self.elsewhere.contains(&attempt.id)) {
                return None;
            }
            let told = newest.is_none_or(|attempt| attempt.stop_requested.is_some());
            let (task, lane, until) = (task.id.clone(), task.lane, until(&task.id));
            Some(Running { task, lane, until, stopping: told })
        });
        starting.chain(stacking).chain(runs).collect()
    }

    fn is_starting(&self, attempt: &Attempt) -> bool {
        self.starting.contains_key(&attempt.id) || self.stacking.contains_key(&attempt.task)
    }

    fn ready(
        &self,
        (task, attempt): &(Task, Attempt),
        terms: &HashMap<TaskId, Terms>,
        after: &HashMap<TaskId, Vec<After>>,
    ) -> Ready {
        let mut terms = terms.get(&task.id).cloned().unwrap_or_default();
        // Whoever asked for what has waited need not be there any more.
        terms.unattended |= task.state == TaskState::Waiting;
        if attempt.not_before.is_some() {
            terms.why = attempt.again.as_ref().map(Again::in_short);
            terms.not_before = terms.not_before.max(attempt.not_before);
        }
        if let Some((_, again)) = self.postponed.get(&task.id) {
            terms.why = Some("tries again".into());
            terms.not_before = terms.not_before.max(Some(*again));
        }
        Ready {
            task: task.id.clone(),
            repo: task.repo.clone(),
            agent: task.agent.clone(),
            lane: task.lane,
            priority: task.priority,
            created_at: task.created_at,
            terms,
            after: after.get(&task.id).cloned().unwrap_or_default(),
            budget: self.meter.hold(&task.id),
            reason: task.reason.clone().filter(|_| task.state == TaskState::Waiting),
        }
    }

    /// The limits that hold for all repositories: the user's, not a repository's own. Settings that
    /// cannot be read stop every command with a message; meanwhile the built-in ones hold.
    fn limit_settings(&mut self) -> Option<LimitSettings> {
        let settings = settings::limits(&self.environment).or_else(|error| {
            self.journal.say(error);
            settings::limits(&Environment::default())
        });
        settings.ok()
    }
}

/// Without any settings at all, which a test excludes.
fn one_at_a_time() -> Limits {
    Limits { tasks: 1, lanes: BTreeMap::new() }
}

const CLOSED_TO_NOBODY: Gates = Gates { cpu_percent: 100, memory_percent: 100, disk_free: 0 };

/// What each task that has not begun still waits for of others.
fn after(db: &Connection) -> Result<HashMap<TaskId, Vec<After>>, StoreError> {
    let mut after: HashMap<TaskId, Vec<After>> = HashMap::new();
    for Dependency { task, on, any, skipped } in dependencies::open(db)? {
        let other = tasks::by_id(db, &on)?;
        let Some(state) = awaited(other.as_ref(), any).filter(|_| !skipped) else { continue };
        let name = name(db, &on, other.as_ref())?;
        after.entry(task).or_default().push(After { name, state });
    }
    Ok(after)
}

/// What a person calls a task: its variant, as long as that is there.
fn name(db: &Connection, id: &TaskId, task: Option<&Task>) -> Result<String, StoreError> {
    let key = task.and_then(|task| task.variant);
    let variant = key.map(|key| variants::by_key(db, key)).transpose()?.flatten();
    let present = variant.filter(|variant| variant.state.is_present());
    Ok(present.map_or_else(|| id.to_string(), |variant| variant.name.to_string()))
}
