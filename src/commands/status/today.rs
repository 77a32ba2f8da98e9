//! What came of today: the day of the person's clock.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::commands::context::Context;
use crate::commands::errand::Stood;
use crate::commands::spent::Spent;
use crate::commands::work::Standing;
use crate::domain::problem::Problem;
use crate::domain::usage::{self, Usage};
use crate::store::tasks::Ended;
use crate::store::{attempts, tasks};

/// What came of today.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Today {
    /// Its first moment.
    pub since: Timestamp,
    /// Tasks that ended well.
    pub done: usize,
    /// Tasks that ended badly.
    pub failed: usize,
    /// Tasks that a person stopped.
    pub stopped: usize,
    /// Tasks that ended by asking.
    pub asking: usize,
    /// Tasks of which nobody knows what became.
    pub lost: usize,
    /// What the attempts used that ended today or run; `None` when there were none.
    pub spent: Option<Spent>,
    /// The same with what is not known kept apart.
    #[serde(skip)]
    pub usage: Option<Usage>,
}

/// What came of today in the repository stood in, else in all.
///
/// # Errors
/// The store's.
pub fn of(ctx: &Context<'_>, stood: &Stood, now: Timestamp) -> Result<Today, Problem> {
    let db = ctx.store.read();
    let since = midnight(now);
    let repo = stood.repo.as_ref().map(|repo| &repo.id);
    let ended = tasks::ended_since(db, repo, since)?;
    let count = |standing| {
        let stands = |one: &&Ended| Standing::in_state(one.state, one.failure, one.asks);
        let such = ended.iter().filter(|one| stands(one) == standing);
        such.map(|one| one.count as usize).sum()
    };
    let usage = usage::total(attempts::used_since(db, repo, since)?);
    Ok(Today {
        since,
        done: count(Standing::Done),
        failed: count(Standing::Failed),
        stopped: count(Standing::Stopped),
        asking: count(Standing::Asks),
        lost: count(Standing::Lost),
        spent: usage.as_ref().and_then(Spent::of),
        usage,
    })
}

/// The first moment of the present day where the person is.
fn midnight(now: Timestamp) -> Timestamp {
    let here = now.to_zoned(TimeZone::system());
    here.start_of_day().map_or(now, |start| start.timestamp())
}
