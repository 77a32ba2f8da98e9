//! Passes requests to stop on to whoever can obey.

use rustix::process::Signal;
use tokio::time::Instant;

use crate::domain::attempt::{Attempt, AttemptState, StopRequest};
use crate::domain::task::FailureClass;
use crate::engine::process::signal::Handle;
use crate::engine::run::engine::Engine;
use crate::engine::stop::cancel;
use crate::store::attempts;
use crate::store::error::StoreError;

impl Engine {
    /// Obeys every request on record that nobody has obeyed yet.
    pub(super) fn obey_stops(&mut self) -> Result<(), StoreError> {
        for attempt in attempts::open(self.store.read())? {
            let Some(stop) = attempt.stop_requested.clone() else { continue };
            match attempt.state {
                // One at its gate is told no later: once it runs, this finds it running.
                AttemptState::Prepared if self.starting.contains_key(&attempt.id) => {}
                AttemptState::Prepared => self.cancel(&attempt, &stop)?,
                _ => self.tell_to_stop(&attempt, &stop)?,
            }
        }
        self.end_overdue_orphans();
        Ok(())
    }

    fn cancel(&mut self, attempt: &Attempt, stop: &StopRequest) -> Result<(), StoreError> {
        let now = self.clock.now();
        let done = self.store.write_durably(|tx| cancel(tx, attempt, stop, now));
        self.forget_environment(&attempt.task);
        if matches!(done, Err(StoreError::Moved { .. })) { Ok(()) } else { done }
    }

    /// The request goes into the folder first, where a holder finds it whenever it looks, then the
    /// holder is woken. Without a holder, this engine does the holder's part.
    fn tell_to_stop(&mut self, attempt: &Attempt, stop: &StopRequest) -> Result<(), StoreError> {
        let Some(watched) = self.watched.get_mut(&attempt.id) else { return Ok(()) };
        if watched.told_to_stop {
            return Ok(());
        }
        watched.folder.request_stop(stop)?;
        watched.told_to_stop = true;
        if watched.orphaned {
            self.end_orphan(&attempt.id, Some(stop.clone()));
        } else if let Some(holder) = attempt.holder.as_ref().and_then(Handle::recorded) {
            holder.send(Signal::TERM);
        }
        Ok(())
    }

    /// A holder watches the time of what it holds; without it, the engine does.
    pub(super) fn end_overdue_orphans(&mut self) {
        let (at, now) = (self.clock.now(), Instant::now());
        let overdue: Vec<_> = self
            .watched
            .iter()
            .filter(|(_, watched)| watched.deadline.is_some_and(|deadline| deadline <= now))
            .map(|(id, _)| id.clone())
            .collect();
        for id in overdue {
            let why = "timed out, without its holder".to_owned();
            let class = Some(FailureClass::TimedOut);
            self.end_orphan(&id, Some(StopRequest { at, why, class }));
        }
    }
}
