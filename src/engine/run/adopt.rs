//! Takes up what is on record as running but not followed: after the death of an engine, of a
//! holder, of the machine.

use crate::domain::attempt::{Attempt, AttemptState};
use crate::domain::id::AttemptId;
use crate::engine::process::identity::Liveness;
use crate::engine::process::signal::Handle;
use crate::engine::run::engine::{Engine, Message};
use crate::engine::run::watched::Watched;
use crate::engine::transition;
use crate::store::error::StoreError;
use crate::store::folder::Folder;
use crate::store::lock::Lock;
use crate::store::{attempts, tasks};
use tokio::net::unix::pipe::Receiver;

impl Engine {
    /// Takes up every running attempt that is not followed.
    pub(super) fn adopt(&mut self) -> Result<(), StoreError> {
        let open = attempts::open(self.store.read())?;
        self.elsewhere.retain(|id| open.iter().any(|attempt| attempt.id == *id));
        self.waiting = 0;
        for attempt in &open {
            if let Some(watched) = self.watched.get_mut(&attempt.id) {
                watched.hear_report(attempt.told.as_ref());
            }
        }
        for attempt in open.iter().filter(|a| a.state == AttemptState::Prepared) {
            let task = tasks::by_id(self.store.read(), &attempt.task)?;
            if task.is_some_and(|task| !task.state.is_final()) {
                self.waiting += 1;
            } else {
                let now = self.clock.now();
                self.store.write_durably(|tx| transition::left_over(tx, attempt, now))?;
            }
        }
        for attempt in open.into_iter().filter(|a| a.state == AttemptState::Running) {
            let known = self.watched.contains_key(&attempt.id)
                || self.finishing.contains(&attempt.id)
                || self.elsewhere.contains(&attempt.id);
            if !known {
                self.take_up(attempt)?;
            }
        }
        Ok(())
    }

    fn take_up(&mut self, attempt: Attempt) -> Result<(), StoreError> {
        let folder = Folder::of(self.store.layout(), &attempt.id);
        if self.is_elsewhere(&attempt, &folder)? {
            let now = self.clock.now();
            self.store.write(|tx| transition::elsewhere(tx, &attempt, now))?;
            self.elsewhere.insert(attempt.id);
            return Ok(());
        }
        match folder.spec() {
            Ok(spec) => {
                self.watch(Watched::new(attempt, spec, folder));
                Ok(())
            }
            Err(error) => self.lost(&attempt, &error.to_string()),
        }
    }

    /// Whether another machine or container looks after it. In the same boot the holder's lock
    /// tells, for it is seen across containers: nobody holds it, so it is nobody's.
    fn is_elsewhere(&self, attempt: &Attempt, folder: &Folder) -> Result<bool, StoreError> {
        let Some(holder) = &attempt.holder else { return Ok(false) };
        if self.here.liveness(holder) != Liveness::Elsewhere {
            return Ok(false);
        }
        Ok(!self.here.same_boot(holder) || Lock::is_held(&folder.lock())?)
    }

    /// Follows a running attempt: its folder, its output, its holder.
    pub(super) fn watch(&mut self, mut watched: Watched) {
        let id = watched.attempt.id.clone();
        match self.folders.listen(&id, watched.folder.dir()) {
            Ok(number) => watched.listening = Some(number),
            Err(error) => self.journal.say(format!("cannot listen to `{id}`: {error}")),
        }
        let holder = watched.attempt.holder.as_ref();
        let alive = holder.filter(|holder| self.here.liveness(holder) == Liveness::Alive);
        let handle = alive.and_then(Handle::recorded);
        self.watched.insert(id.clone(), watched);
        self.await_end(handle, Message::HolderGone(id));
    }

    /// Sends the message when the process is gone; at once when there is none.
    pub(super) fn await_end(&self, process: Option<Handle>, message: Message) {
        let sender = self.sender.clone();
        // A receiver of a pipe is what waits for any readable descriptor without unsafe code.
        let gone = process.map(|handle| Receiver::from_owned_fd_unchecked(handle.into()));
        tokio::spawn(async move {
            // A descriptor that cannot be waited on is looked after by the message itself: whoever
            // gets it looks whether the process is gone.
            if let Some(Ok(gone)) = gone {
                gone.readable().await.ok();
            }
            sender.send(message).ok();
        });
    }

    /// Stops following an attempt.
    pub(super) fn unwatch(&mut self, id: &AttemptId) -> Option<Watched> {
        let watched = self.watched.remove(id)?;
        if let Some(number) = watched.listening {
            self.folders.ignore(number);
        }
        Some(watched)
    }
}
