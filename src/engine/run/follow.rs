//! Follows what running attempts say, and saves it at most once a second.

use crate::domain::attempt::{Pace, StopRequest};
use crate::domain::id::AttemptId;
use crate::domain::launch::Dialect;
use crate::domain::task::FailureClass;
use crate::engine::run::engine::Engine;
use crate::engine::run::folders::Changed;
use crate::engine::run::vigil::{self, Vigil};
use crate::engine::watchdog::estimate;
use crate::store::attempts::{self, Folded};
use crate::store::bell;
use crate::store::error::StoreError;
use crate::store::{estimates, tasks};
use tokio::time::Instant;

impl Engine {
    /// Something changed in these folders.
    pub(super) fn note(&mut self, changed: &Changed) {
        for (id, watched) in &mut self.watched {
            if changed.all || changed.attempts.contains(id) {
                watched.written();
            }
        }
    }

    /// Reads and saves what is due.
    pub(super) fn follow(&mut self) {
        let now = Instant::now();
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let clock = self.clock;
        let mut read = vec![];
        for (id, watched) in &mut self.watched {
            // Before silence is judged it is looked whether there is any.
            let vigil = watched.vigil.as_ref().and_then(|vigil| vigil.look_at);
            if due(watched.read_at) || due(vigil) {
                if let Err(error) = watched.read(clock.now()) {
                    self.journal.say(format!("cannot read the output of `{id}`: {error}"));
                }
                read.push(id.clone());
            }
        }
        for id in read {
            self.meet_agent(&id);
            if let Err(error) = self.end_stalled(&id) {
                self.journal.say(error);
            }
        }
        let overdue = self.watched.values().any(|watched| due(watched.deadline));
        if overdue {
            self.end_overdue_orphans();
        }
        let save: Vec<AttemptId> = self
            .watched
            .iter()
            .filter(|(_, watched)| due(watched.save_at))
            .map(|(id, _)| id.clone())
            .collect();
        if !save.is_empty()
            && let Err(error) = self.account(&save)
        {
            self.journal.say(error);
        }
    }

    /// Saves what was read of these, and holds it against their budgets.
    fn account(&mut self, attempts: &[AttemptId]) -> Result<(), StoreError> {
        self.save(attempts)?;
        if self.meter()? { self.obey_stops() } else { Ok(()) }
    }

    /// Saves what was read of these, in one transaction.
    fn save(&mut self, attempts: &[AttemptId]) -> Result<(), StoreError> {
        let mut unsaved = vec![];
        for id in attempts {
            let Some(watched) = self.watched.get_mut(id) else { continue };
            let (usage, progress) = watched.take_unsaved();
            let session = watched.tail.report().session.clone();
            let attempt = watched.attempt.clone();
            let usage = self.priced(&attempt, usage, &progress)?;
            unsaved.push((attempt.id, usage, session, progress));
        }
        self.store.write(|tx| {
            for (id, usage, session, progress) in &unsaved {
                let session = session.as_deref();
                let folded =
                    Folded { usage: *usage, session, progress: Some(progress), containment: None };
                attempts::fold(tx, id, &folded)?;
            }
            Ok(())
        })
    }

    /// Records the agent's own process as soon as the holder has said which it is: should the
    /// holder die, this engine watches the agent itself.
    fn meet_agent(&mut self, id: &AttemptId) {
        let Some(watched) = self.watched.get_mut(id).filter(|watched| watched.record.is_none())
        else {
            return;
        };
        let Ok(Some(record)) = watched.folder.holder() else { return };
        let Some(agent) = record.agent.clone() else { return };
        watched.record = Some(record);
        self.keep_vigil(id);
        let saved = self.store.write(|tx| attempts::set_agent(tx, id, &agent));
        if let Err(error) = saved {
            self.journal.say(error);
        }
    }

    /// Watches an agent from its start on.
    fn keep_vigil(&mut self, id: &AttemptId) {
        let Some(watched) = self.watched.get_mut(id) else { return };
        if watched.spec.dialect == Dialect::Plain {
            return;
        }
        let db = self.store.read();
        let task = tasks::by_id(db, &watched.attempt.task).ok().flatten();
        let took = task.and_then(|task| estimates::took(db, &task).ok()).unwrap_or_default();
        let began = watched.attempt.started_at.unwrap_or(watched.attempt.created_at);
        let ran = self.clock.since(began).unsigned_abs();
        let output = watched.folder.stdout();
        let times = vigil::times(&self.environment);
        watched.vigil = Some(Vigil::begin(times, estimate(took), ran, &output));
    }

    /// Asks for the end of an agent that stalled, where its role says so.
    fn end_stalled(&mut self, id: &AttemptId) -> Result<(), StoreError> {
        let Some(watched) = self.watched.get(id) else { return Ok(()) };
        let Some(vigil) = watched.vigil.as_ref().filter(|vigil| vigil.pace == Pace::Stalled) else {
            return Ok(());
        };
        if !watched.spec.rules.end_stalled || watched.told_to_stop {
            return Ok(());
        }
        let (at, class) = (self.clock.now(), Some(FailureClass::Stalled));
        let stop = StopRequest { at, why: vigil.why(), class };
        self.store.write_durably(|tx| attempts::request_stop(tx, id, &stop))?;
        // Heard by this engine's own loop, which obeys all requests in one place.
        bell::ring(&self.store.layout().bell())
    }
}
