//! `wt doctor`: what is out of step between the store, git and the disk, and how it is mended.
//!
//! Every check is a look and gives findings; what can be mended carries its mending as a value, so
//! that nothing is changed before it was told.

mod leavings;
mod machine;
mod mend;
mod moved;
mod processes;
mod rebuild;
mod repositories;
mod trash;
mod worktrees;

use serde::Serialize;

pub use rebuild::heal;

use crate::commands::context::Context;
use crate::commands::doctor::mend::Mend;
use crate::domain::id::RepoId;
use crate::domain::problem::{Kind, Problem};
use crate::store::repos;

/// What is asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request {
    /// Mend without being asked.
    pub fix: bool,
}

/// What was found, and what was done about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// Everything that was looked at, in order.
    pub findings: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What was looked at: `git`, `state`, `variant shop/theme-dark`, …
    pub about: String,
    /// How it is.
    pub state: State,
    /// What was found, in words.
    pub found: String,
    /// What mends it, in words; `None` when nothing of ours does.
    pub mending: Option<String>,
    /// What to do otherwise.
    pub hints: Vec<String>,
    #[serde(skip)]
    mend: Option<Mend>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// As it should be.
    Fine,
    /// Worth knowing, and no harm.
    Notable,
    /// Out of step.
    Wrong,
    /// It was out of step, and is not any more.
    Mended,
}

impl Finding {
    fn fine(about: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(State::Fine, about, found)
    }

    fn notable(about: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(State::Notable, about, found)
    }

    fn wrong(about: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(State::Wrong, about, found)
    }

    fn new(state: State, about: impl Into<String>, found: impl Into<String>) -> Self {
        let (about, found) = (about.into(), found.into());
        Self { about, state, found, mending: None, hints: vec![], mend: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    fn mended_by(mut self, words: impl Into<String>, mend: Mend) -> Self {
        self.mending = Some(words.into());
        self.mend = Some(mend);
        self
    }
}

/// Looks at everything, and mends what can be mended if that is wanted. `healed` is what [`heal`]
/// has done before.
///
/// # Errors
/// [`Kind::Check`] when something stays out of step, with the outcome as data.
pub fn run(
    ctx: &Context<'_>,
    request: Request,
    healed: Option<Finding>,
) -> Result<Outcome, Problem> {
    let mut findings: Vec<Finding> = healed.into_iter().collect();
    findings.extend(machine::look(ctx)?);
    findings.extend(processes::look(ctx)?);
    let moved = moved::look(ctx)?;
    for row in repos::all(ctx.store.read())? {
        findings.extend(repositories::look(ctx, &row, moved.as_ref())?);
    }
    findings.extend(moved);
    findings.extend(trash::look(ctx)?);
    let mut outcome = Outcome { findings };
    if outcome.can_mend() && (request.fix || agreed(ctx, &outcome)) {
        outcome.mend(ctx);
    }
    outcome.verdict(ctx)
}

fn agreed(ctx: &Context<'_>, outcome: &Outcome) -> bool {
    let lines: Vec<String> = outcome.wrong().map(Finding::line).collect();
    ctx.person.confirm(&lines.join("\n"), "Mend what can be mended?") == Some(true)
}

impl Outcome {
    fn wrong(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.state == State::Wrong)
    }

    fn can_mend(&self) -> bool {
        self.findings.iter().any(|finding| finding.mend.is_some())
    }

    fn mend(&mut self, ctx: &Context<'_>) {
        for finding in &mut self.findings {
            let Some(mend) = finding.mend.take() else { continue };
            match mend.run(ctx) {
                Ok(()) => finding.state = State::Mended,
                Err(problem) => {
                    finding.state = State::Wrong;
                    finding.found = format!("{}; it could not be mended: {problem}", finding.found);
                    finding.hints.extend(problem.hints);
                }
            }
        }
    }

    fn verdict(self, ctx: &Context<'_>) -> Result<Self, Problem> {
        let wrong: Vec<&Finding> = self.wrong().collect();
        if wrong.is_empty() {
            return Ok(self);
        }
        for finding in self.findings.iter().filter(|finding| finding.state != State::Wrong) {
            ctx.observer.tell(&finding.line());
        }
        let text = match wrong.len() {
            1 => "one thing is out of step".to_owned(),
            count => format!("{count} things are out of step"),
        };
        let mut problem =
            Problem::new(Kind::Check, text).details(wrong.iter().map(|finding| finding.line()));
        for hint in wrong.iter().flat_map(|finding| &finding.hints) {
            if !problem.hints.contains(hint) {
                problem = problem.hint(hint.clone());
            }
        }
        if wrong.iter().any(|finding| finding.mend.is_some()) {
            problem = problem.hint("mend what can be mended: `wt doctor --fix`");
        }
        Err(problem.data(&self))
    }
}

impl Finding {
    /// What was found and what mends it, in one line.
    pub fn line(&self) -> String {
        format!("{}: {}{}", self.about, self.found, self.mending())
    }

    /// What mends it, to be read after what was found.
    pub fn mending(&self) -> String {
        match (&self.mending, self.state) {
            (Some(mending), State::Mended) => format!("; mended: {mending}"),
            (Some(mending), _) => format!(" (--fix: {mending})"),
            (None, _) => String::new(),
        }
    }

    /// Whether it is about this very variant, or repository.
    fn concerns(&self, variant: Option<i64>, repo: &RepoId) -> bool {
        match &self.mend {
            Some(Mend::Repair { key, .. }) => variant == Some(*key),
            Some(Mend::RelocateRepo { repo: moved, .. }) => moved == repo,
            _ => false,
        }
    }
}
