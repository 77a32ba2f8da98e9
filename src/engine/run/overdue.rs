//! Ends what has no time left: what has not begun at once, what runs after its worktree was kept
//! as it is.

use crate::domain::attempt::{Attempt, AttemptState, StopRequest};
use crate::domain::id::{AttemptId, TaskId};
use crate::domain::variant::VariantState;
use crate::engine::run::engine::{Engine, Message};
use crate::engine::stop::cancel;
use crate::git::place::Place;
use crate::git::snapshot::{self, Request};
use crate::store::error::StoreError;
use crate::store::{attempts, repos, tasks, variants};

impl Engine {
    /// Its time was over before it began.
    pub(super) fn expire(&mut self, attempt: &Attempt, why: String) -> Result<(), StoreError> {
        let now = self.clock.now();
        let stop = StopRequest { at: now, why, class: None };
        let done = self.store.write_durably(|tx| cancel(tx, attempt, &stop, now));
        self.forget_environment(&attempt.task);
        // Moved: somebody else decided otherwise meanwhile.
        if matches!(done, Err(StoreError::Moved { .. })) { Ok(()) } else { done }
    }

    /// Its time is over while it runs: an agent may tidy up when it is told to end, so what it did
    /// is kept first, beside the loop.
    pub(super) fn end_overdue(&mut self, task: &TaskId, why: String) -> Result<(), StoreError> {
        let newest = attempts::latest(self.store.read(), task)?;
        let Some(attempt) = newest.filter(|newest| newest.state == AttemptState::Running) else {
            return Ok(());
        };
        if !self.ending.insert(attempt.id.clone()) {
            return Ok(());
        }
        let stop = StopRequest { at: self.clock.now(), why, class: None };
        let (keep, sender, id) = (self.keep(&attempt)?, self.sender.clone(), attempt.id);
        tokio::task::spawn_blocking(move || {
            let trouble = keep.and_then(|(place, name)| {
                snapshot::take(&place, &Request::new(&name, "stop", stop.at)).err()
            });
            let trouble = trouble.map(|error| error.to_string());
            sender.send(Message::Kept(id, stop, trouble)).ok();
        });
        Ok(())
    }

    /// The worktree it works in, and whose that is.
    fn keep(&self, attempt: &Attempt) -> Result<Option<(Place, String)>, StoreError> {
        let db = self.store.read();
        let task = tasks::by_id(db, &attempt.task)?;
        let key = task.and_then(|task| task.variant);
        let variant = key.map(|key| variants::by_key(db, key)).transpose()?.flatten();
        let Some(variant) = variant.filter(|one| one.state == VariantState::Ready) else {
            return Ok(None);
        };
        let Some(repo) = repos::by_id(db, &variant.repo)? else { return Ok(None) };
        let place = Place::checkout(&variant.admin_dir, &repo.common_dir, &variant.path);
        Ok(Some((place, variant.name.to_string())))
    }

    /// It was kept, or could not be: it ends either way.
    pub(super) fn kept(
        &mut self,
        id: &AttemptId,
        stop: &StopRequest,
        trouble: Option<String>,
    ) -> Result<(), StoreError> {
        if let Some(trouble) = trouble {
            self.journal.say(format!("`{id}` could not be kept as it is: {trouble}"));
        }
        self.ending.remove(id);
        self.store.write_durably(|tx| attempts::request_stop(tx, id, stop))
    }
}
