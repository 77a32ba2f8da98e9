//! `wt trust`: what a repository's `wt.toml` wants to run, seen and approved by the user.
//!
//! Approval is of the text: one letter changed, and it is asked for again. The text is read from
//! the main checkout, never from a variant that an agent could have edited. The user's own
//! settings need none.

use serde::Serialize;

use crate::commands::context::{Context, Here};
use crate::domain::problem::{Kind, Problem};
use crate::domain::settings::Permissions;
use crate::store::config::{Config, Origin};
use crate::store::trust;

/// The variable that approves one text without a terminal, by its hash.
const VARIABLE: &str = "WT_TRUST";

/// What is asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request {
    /// Take every approval back.
    pub revoke: bool,
    /// Approve without being asked.
    pub yes: bool,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// What is true now.
    pub state: State,
    /// What the repository's settings want to run or set.
    #[serde(flatten)]
    pub powers: Powers,
}

/// Whether what a repository wants is approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It wants nothing that needs approval.
    NothingToApprove,
    /// It had been approved before.
    AlreadyApproved,
    /// It was approved just now.
    Approved,
    /// Every approval was taken back.
    Revoked,
}

/// The settings of a repository that could do harm, as they stand in its file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Powers {
    /// The SHA-256 of the text, by which it is approved; `None` when there is nothing.
    pub hash: Option<String>,
    /// Each setting, in the order of the keys.
    pub settings: Vec<Power>,
}

/// One such setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Power {
    /// `worktree.setup`, `env.DATABASE_URL`, …
    pub key: String,
    /// As TOML.
    pub value: String,
}

impl Powers {
    /// Those that come from the repository's own settings and still hold after all layers.
    pub fn of(config: &Config) -> Self {
        let from_repository = config
            .origins
            .iter()
            .filter(|(_, (_, origin))| matches!(origin, Origin::Repository(_)))
            .map(|(key, (value, _))| Power { key: key.clone(), value: value.to_string() })
            .filter(|power| is_powerful(power, config));
        let settings: Vec<Power> = from_repository.collect();
        let hash = (!settings.is_empty()).then(|| trust::hash(&text(&settings)));
        Self { hash, settings }
    }

    /// One line each, as a person reads them before approving.
    pub fn plan(&self) -> String {
        let mut plan =
            String::from("This repository's wt.toml wants to run or set, in its variants:");
        for power in &self.settings {
            plan.push_str(&format!("\n  {} = {}", power.key, power.value));
        }
        plan
    }

    /// The text that is approved.
    fn text(&self) -> String {
        text(&self.settings)
    }
}

fn text(settings: &[Power]) -> String {
    settings.iter().map(|power| format!("{} = {}\n", power.key, power.value)).collect()
}

/// Commands, variables (one can make any program load any code), and permissions beyond the
/// ordinary. A setting that asks for nothing is none.
fn is_powerful(power: &Power, config: &Config) -> bool {
    match power.key.as_str() {
        "worktree.setup" => !config.settings.worktree.setup.is_empty(),
        "worktree.teardown" => !config.settings.worktree.teardown.is_empty(),
        "agent.permissions" => config.settings.agent.permissions == Permissions::Full,
        key => key.starts_with("env."),
    }
}

/// Approves, or takes approval back.
///
/// # Errors
/// When nobody is there to approve, or the person says no.
pub fn run(ctx: &Context<'_>, request: Request) -> Result<Outcome, Problem> {
    let mut here = ctx.here()?;
    let powers = Powers::of(&here.config);
    if request.revoke {
        if let Some(row) = &here.row {
            ctx.store.write(|tx| trust::revoke(tx, &row.id))?;
        }
        return Ok(Outcome { state: State::Revoked, powers });
    }
    let state = if powers.settings.is_empty() {
        State::NothingToApprove
    } else if is_approved(ctx, &here)? {
        State::AlreadyApproved
    } else {
        if !request.yes {
            ask(ctx, &powers)?;
        }
        approve(ctx, &mut here, &powers)?;
        State::Approved
    };
    Ok(Outcome { state, powers })
}

/// Whether everything that the repository wants to run may run.
///
/// # Errors
/// The store's.
pub fn is_approved(ctx: &Context<'_>, here: &Here) -> Result<bool, Problem> {
    let powers = Powers::of(&here.config);
    let Some(hash) = &powers.hash else { return Ok(true) };
    if ctx.environment.get(VARIABLE) == Some(hash.as_str()) {
        return Ok(true);
    }
    match &here.row {
        Some(row) => Ok(trust::is_trusted(ctx.store.read(), &row.id, &powers.text())?),
        None => Ok(false),
    }
}

/// Goes on only when everything that the repository wants to run is approved; asks the person at
/// the terminal, if there is one.
///
/// # Errors
/// [`Kind::Refused`] when it is not, with the settings and their hash as data.
pub fn ensure(ctx: &Context<'_>, here: &mut Here) -> Result<(), Problem> {
    if is_approved(ctx, here)? {
        return Ok(());
    }
    let powers = Powers::of(&here.config);
    ask(ctx, &powers)?;
    approve(ctx, here, &powers)
}

fn ask(ctx: &Context<'_>, powers: &Powers) -> Result<(), Problem> {
    match ctx.person.confirm(&powers.plan(), "Approve?") {
        Some(true) => Ok(()),
        Some(false) => Err(Problem::refused("the settings of `wt.toml` were not approved")
            .hint("look at them again: `wt trust`")),
        None => Err(unapproved(powers)),
    }
}

fn unapproved(powers: &Powers) -> Problem {
    let text = "the settings of `wt.toml` have not been approved, and nobody is here to ask";
    let lines = powers.settings.iter().map(|power| format!("{} = {}", power.key, power.value));
    let hash = powers.hash.as_deref().unwrap_or_default();
    Problem::new(Kind::Refused, text)
        .details(lines)
        .hint("approve them: `wt trust --yes`")
        .hint(format!("approve exactly these for one command: `{VARIABLE}={hash} wt …`"))
        .data(powers)
}

fn approve(ctx: &Context<'_>, here: &mut Here, powers: &Powers) -> Result<(), Problem> {
    let now = ctx.clock.now();
    let row = here.registered(ctx)?.id.clone();
    Ok(ctx.store.write_durably(|tx| trust::approve(tx, &row, &powers.text(), now))?)
}
