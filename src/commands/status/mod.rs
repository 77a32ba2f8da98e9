//! `wt status`: the work, and what needs a person.

pub mod alerts;
pub mod bounds;
pub mod detail;
mod line;
mod today;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::commands::context::Context;
use crate::commands::errand::{self, Errand, Stood};
use crate::commands::work::Standing;
use crate::domain::budget::Amount;
use crate::domain::problem::Problem;
use crate::domain::task::TaskState;
use crate::domain::usage::Usage;
use crate::engine::start;
use crate::store::{repos, tasks, variants};

pub use alerts::{Alert, Whose};
pub use line::{Line, of as line};
pub use today::Today;

/// How long work without a variant is told of after it failed.
const RECENT: SignedDuration = SignedDuration::from_hours(24);

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Every repository, not only the one stood in.
    pub all: bool,
    /// Show only what needs a person.
    pub only_needs_you: bool,
}

/// The work, and what needs a person. Each task stands in at most one of the lists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// When it was asked; ages count to here.
    pub now: Timestamp,
    /// The repository it is about; `None` for all.
    pub repository: Option<String>,
    /// Ended by asking, or only a person can go on. The longest waiting first.
    pub needs_you: Vec<Line>,
    /// Ended badly, or nobody knows how, in variants that are still there. The newest first.
    pub failed: Vec<Line>,
    /// Under way, the oldest first.
    pub running: Vec<Line>,
    /// Not begun: in the order they will begin in.
    pub waiting: Vec<Line>,
    /// What came of today.
    pub today: Today,
    /// Budgets that are used up, or nearly; those of all work first.
    pub alerts: Vec<Alert>,
    /// What a day's background work may use, where what is shown of today is all of it.
    #[serde(skip)]
    pub of_day: Option<Amount>,
    /// Tasks of other repositories that are under way or wait; 0 when all are shown.
    pub elsewhere: usize,
    /// Whether only what needs a person is shown.
    #[serde(skip)]
    pub only_needs_you: bool,
}

/// Looks at all work. Starts the engine if there is work and none looks after it.
///
/// # Errors
/// The store's.
pub fn run(ctx: &Context<'_>, request: &Request) -> Result<Outcome, Problem> {
    let db = ctx.store.read();
    let stood = if request.all { Stood::default() } else { Stood::of(ctx)? };
    let now = ctx.clock.now();
    let open = errand::under_way(ctx, &stood)?;
    let elsewhere = tasks::open(db)?.len() - open.len();
    if !open.is_empty() {
        start::ensure_running(ctx.store.layout(), ctx.environment)?;
    }
    let budgets = alerts::of(ctx, &stood)?;
    let today = today::of(ctx, &stood, now)?;
    let all = |used: &Usage| today.usage.is_some_and(|here| here.tokens == used.tokens);
    let mut outcome = Outcome {
        now,
        repository: stood.repo.as_ref().map(|repo| repo.name.clone()),
        needs_you: vec![],
        failed: vec![],
        running: vec![],
        waiting: vec![],
        of_day: budgets.of_day.filter(|(_, used)| all(used)).map(|(amount, _)| amount),
        today,
        alerts: budgets.alerts,
        elsewhere,
        only_needs_you: request.only_needs_you,
    };
    let mut waiting = vec![];
    for errand in open {
        if errand.task.state == TaskState::Running {
            outcome.running.push(line::of(ctx, &errand, now)?);
        } else {
            waiting.push(errand);
        }
    }
    // As the schedule has it.
    waiting.sort_by_key(|errand| {
        (std::cmp::Reverse(errand.task.priority), errand.task.created_at, errand.task.id.clone())
    });
    for errand in &waiting {
        outcome.waiting.push(line::of(ctx, errand, now)?);
    }
    for errand in ended(ctx, &stood)? {
        let line = line::of(ctx, &errand, now)?;
        match line.standing {
            Standing::Asks => outcome.needs_you.push(line),
            Standing::Failed if line.state == TaskState::NeedsHuman => outcome.needs_you.push(line),
            Standing::Failed | Standing::Lost => outcome.failed.push(line),
            _ => {}
        }
    }
    outcome.needs_you.sort_by_key(|line| line.since);
    outcome.failed.sort_by_key(|line| std::cmp::Reverse(line.since));
    Ok(outcome)
}

/// The tasks that say how a present variant stands, and those without a variant that ask, or that
/// failed a short while ago.
fn ended(ctx: &Context<'_>, stood: &Stood) -> Result<Vec<Errand>, Problem> {
    let db = ctx.store.read();
    let here = match &stood.repo {
        Some(repo) => vec![repo.clone()],
        None => repos::all(db)?,
    };
    let recently = ctx.clock.now().checked_sub(RECENT).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut found = vec![];
    for repo in here {
        for variant in variants::present(db, &repo.id)? {
            found.extend(errand::of_variant(ctx, &variant)?);
        }
        let asking = tasks::in_state(db, &repo.id, TaskState::NeedsHuman)?;
        for task in asking.into_iter().filter(|task| task.variant.is_none()) {
            found.extend(errand::errand(ctx, task)?);
        }
        for task in tasks::failed_since(db, &repo.id, recently)? {
            found.extend(errand::errand(ctx, task)?);
        }
    }
    found.retain(|errand| errand.task.state.is_final());
    Ok(found)
}
