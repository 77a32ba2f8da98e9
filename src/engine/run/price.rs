//! What an attempt costs where its agent does not tell: computed when its usage is saved, so that a
//! price that changes later changes nothing that was used before.

use crate::agents::pricing::Prices;
use crate::domain::attempt::{Attempt, Progress};
use crate::domain::usage::{Certainty, Usage};
use crate::engine::run::engine::Engine;
use crate::store::error::StoreError;
use crate::store::tasks;

impl Engine {
    /// A usage with its cost, as far as it can be known: by the model that answers, else by the one
    /// that was asked for.
    pub(super) fn priced(
        &mut self,
        attempt: &Attempt,
        usage: Usage,
        progress: &Progress,
    ) -> Result<Usage, StoreError> {
        if usage.cost.is_some() || usage.certainty == Certainty::Unknown {
            return Ok(usage);
        }
        let asked = match &progress.model {
            Some(_) => None,
            None => tasks::by_id(self.store.read(), &attempt.task)?.and_then(|task| task.model),
        };
        let model = progress.model.as_deref().or(asked.as_deref());
        Ok(self.prices().priced(usage, model))
    }

    /// The prices. A list of the user's that is broken stops every command with a message;
    /// meanwhile the built-in ones hold.
    fn prices(&mut self) -> Prices {
        match self.environment.config_dir().map(|dir| Prices::load(&dir)) {
            Some(Ok(prices)) => prices,
            Some(Err(error)) => {
                self.journal.say(error);
                Prices::built_in()
            }
            None => Prices::built_in(),
        }
    }
}
