//! Starts what the schedule says: holder first, then its identity on record, then the gate.

use std::process::Child;
use std::time::Duration;

use jiff::SignedDuration;

use crate::domain::attempt::{Attempt, AttemptState, Exit};
use crate::domain::id::{AttemptId, TaskId};
use crate::domain::launch::LaunchSpec;
use crate::domain::task::{FailureClass, Lane, Task, TaskState};
use crate::engine::holder::gate::Report;
use crate::engine::retry;
use crate::engine::run::engine::{Engine, Message};
use crate::engine::run::launch::{self, Gate};
use crate::engine::run::watched::Watched;
use crate::engine::schedule::{Decision, decide};
use crate::engine::transition;
use crate::git::repo::Repo;
use crate::store::error::StoreError;
use crate::store::folder::Folder;
use crate::store::tasks;
use crate::store::tasks::Change;
use crate::store::{repos, terms, variants};

/// How often a holder that cannot be started is tried; the waits between double from a second on.
const TRIES: u32 = 6;

/// A holder at its gate.
pub struct Starting {
    /// What it is for.
    pub attempt: Attempt,
    /// What it will run.
    pub spec: LaunchSpec,
    /// The lane its task counts in.
    pub lane: Lane,
    /// Itself.
    pub child: Child,
}

impl Engine {
    /// Decides what starts, and starts it.
    pub(super) fn schedule(&mut self) -> Result<(), StoreError> {
        let (snapshot, ready) = self.snapshot()?;
        (self.wake_at, self.gauge.look_at) = (None, None);
        for decision in decide(&snapshot, self.clock.now()) {
            self.obey(decision, &ready)?;
        }
        Ok(())
    }

    fn obey(&mut self, decision: Decision, ready: &[(Task, Attempt)]) -> Result<(), StoreError> {
        let known = |id: &TaskId| ready.iter().find(|(task, _)| task.id == *id);
        match decision {
            Decision::Start(task) => {
                known(&task).map_or(Ok(()), |(task, attempt)| self.start(task, attempt))
            }
            Decision::Wait(task, why) => self.store.write(|tx| tasks::set_waiting(tx, &task, &why)),
            Decision::Expire(task, why) => {
                known(&task).map_or(Ok(()), |(_, attempt)| self.expire(attempt, why))
            }
            Decision::Stop(task, why) => self.end_overdue(&task, why),
            Decision::Measure => {
                self.measure();
                Ok(())
            }
            Decision::WakeAt(moment) => {
                self.wake_at = Some(moment);
                Ok(())
            }
        }
    }

    fn start(&mut self, task: &Task, attempt: &Attempt) -> Result<(), StoreError> {
        let spec = match Folder::of(self.store.layout(), &attempt.id).spec() {
            Ok(spec) => spec,
            Err(error) => return self.give_up(task, attempt, &error.to_string()),
        };
        if !self.store.layout().environment_file(&task.id).exists() {
            return self.lost_environment(task, attempt);
        }
        if let Err(why) =
            retry::may_go_on(attempt.again.as_ref(), self.base_tip(task, attempt).as_deref())
        {
            return self.overtaken(task, attempt, why);
        }
        if let Some(onto) = terms::of(self.store.read(), &task.id)?.onto {
            return self.stack(task, attempt, onto);
        }
        match launch::start(self.store.layout(), &spec) {
            Ok((child, gate)) => {
                let lane = task.lane;
                let starting = Starting { attempt: attempt.clone(), spec, lane, child };
                self.starting.insert(attempt.id.clone(), starting);
                self.await_report(attempt.id.clone(), gate);
                Ok(())
            }
            Err(error) => self.postpone(task, attempt, &error.to_string()),
        }
    }

    fn await_report(&self, attempt: AttemptId, mut gate: Gate) {
        let sender = self.sender.clone();
        tokio::spawn(async move {
            let report = gate.report().await;
            sender.send(Message::Reported(attempt, gate, report)).ok();
        });
    }

    /// A holder is at its gate: its identity is recorded, then it is let go.
    pub(super) fn reported(
        &mut self,
        id: &AttemptId,
        gate: Gate,
        report: std::io::Result<Report>,
    ) -> Result<(), StoreError> {
        let Some(mut starting) = self.starting.remove(id) else { return Ok(()) };
        let report = match report {
            Ok(report) => report,
            Err(error) => {
                // It may sit there for ever (stopped, say) and would start later what was by then
                // started anew: the lock keeps that from happening, this keeps it from staying.
                starting.child.kill().ok();
                starting.child.wait().ok();
                let Some(task) = tasks::by_id(self.store.read(), &starting.attempt.task)? else {
                    return Ok(());
                };
                return self.postpone(&task, &starting.attempt, &error.to_string());
            }
        };
        let now = self.clock.now();
        let recorded =
            self.store.write_durably(|tx| transition::started(tx, &starting.attempt, &report, now));
        if let Err(error) = recorded {
            // The gate closes, and the holder goes without having started anything.
            drop(gate);
            starting.child.wait().ok();
            return if matches!(error, StoreError::Moved { .. }) { Ok(()) } else { Err(error) };
        }
        self.postponed.remove(&starting.attempt.task);
        gate.open();
        let attempt = Attempt {
            state: AttemptState::Running,
            holder: Some(report.holder),
            started_at: Some(now),
            ..starting.attempt
        };
        let folder = Folder::of(self.store.layout(), id);
        let mut watched = Watched::new(attempt, starting.spec, folder);
        watched.child = Some(starting.child);
        self.watch(watched);
        Ok(())
    }

    /// Tries again later; after several times the task has failed.
    fn postpone(&mut self, task: &Task, attempt: &Attempt, why: &str) -> Result<(), StoreError> {
        let tries = self.postponed.get(&task.id).map_or(1, |(tries, _)| tries + 1);
        self.journal.say(format!("cannot start `{}`, try {tries}: {why}", attempt.id));
        if tries >= TRIES {
            self.postponed.remove(&task.id);
            return self.give_up(task, attempt, why);
        }
        let wait = SignedDuration::try_from(Duration::from_secs(1 << (tries - 1)));
        let until = self.clock.now() + wait.unwrap_or(SignedDuration::ZERO);
        self.postponed.insert(task.id.clone(), (tries, until));
        Ok(())
    }

    /// It never ran, and never will.
    pub(super) fn give_up(
        &mut self,
        task: &Task,
        attempt: &Attempt,
        why: &str,
    ) -> Result<(), StoreError> {
        let exit = Exit::NotStarted { error: why.to_owned() };
        let change = Change {
            reason: Some(format!("could not be started: {why}")),
            failure: Some(FailureClass::Permanent),
            ..Change::default()
        };
        self.refuse(task, attempt, (TaskState::Failed, change), &exit)
    }

    fn lost_environment(&mut self, task: &Task, attempt: &Attempt) -> Result<(), StoreError> {
        let exit = Exit::NotStarted { error: "environment lost".into() };
        let again = format!("start it anew from here? `wt retry {}`", task.id);
        let change = Change {
            reason: Some("environment lost: the machine was started anew, or logged out".into()),
            question: Some(again),
            ..Change::default()
        };
        self.refuse(task, attempt, (TaskState::NeedsHuman, change), &exit)
    }

    /// Where the base of a parked attempt's variant stands now.
    fn base_tip(&self, task: &Task, attempt: &Attempt) -> Option<String> {
        attempt.again.as_ref()?.base.as_ref()?;
        let db = self.store.read();
        let variant = variants::by_key(db, task.variant?).ok()??;
        let repo = repos::by_id(db, &task.repo).ok()??;
        Repo::open(&repo.common_dir).ok()?.branch(variant.base_branch.as_deref()?).ok()?
    }

    /// The world moved on while it was parked.
    fn overtaken(&mut self, task: &Task, attempt: &Attempt, why: String) -> Result<(), StoreError> {
        let exit = Exit::NotStarted { error: why.clone() };
        let failure = Some(FailureClass::Limit);
        let change = Change { reason: Some(why), failure, ..Change::default() };
        self.refuse(task, attempt, (TaskState::NeedsHuman, change), &exit)
    }

    fn refuse(
        &mut self,
        task: &Task,
        attempt: &Attempt,
        (to, change): (TaskState, Change),
        exit: &Exit,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let refused = self
            .store
            .write_durably(|tx| transition::never_started(tx, attempt, (to, &change), exit, now));
        self.forget_environment(&task.id);
        match refused {
            // Somebody else moved it on meanwhile; the next look shows where to.
            Err(StoreError::Moved { .. }) => Ok(()),
            other => other,
        }
    }

    /// The values of a task that is final are needed no more.
    pub(super) fn forget_environment(&self, task: &TaskId) {
        std::fs::remove_file(self.store.layout().environment_file(task)).ok();
    }
}
