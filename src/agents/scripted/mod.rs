//! The built-in agent: acts out a scenario and tells of it as claude does (`stream-json`), so that
//! everything that `wt` does with agents can be shown and tested without one.
//!
//! It keeps a session's totals in a file, so that a follow-up goes on with the scenario's next turn
//! and tells the session's cumulative cost, as claude does.

pub mod scenario;

mod act;
mod session;
mod stream;

use std::io::Write;
use std::path::PathBuf;

use self::act::{End, Stage};
use self::scenario::Scenario;
use self::session::Kept;
use self::stream::Stream;
use crate::domain::settings::Permissions;

/// What it is started with: `wt __scripted --session UUID --permissions LEVEL …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The session's id.
    pub session: String,
    /// True when the session is one to go on in.
    pub resume: bool,
    /// What it may do: with reading alone, every write is denied.
    pub permissions: Permissions,
    /// The model it claims to be.
    pub model: Option<String>,
    /// What it is told; a new session's names the scenario by a word `@NAME` or `@/path.toml`.
    pub prompt: String,
    /// Where it acts.
    pub cwd: PathBuf,
    /// Where sessions are kept; made if need be.
    pub sessions: PathBuf,
}

/// Waits on behalf of the agent, so that an interrupt is heard in between.
pub trait Patience {
    /// Waits for so many milliseconds; true when an interrupt came before they were over.
    fn wait(&mut self, ms: u64) -> bool;
}

impl Options {
    /// Reads the arguments after `__scripted`; `None` when they make no sense.
    pub fn parse(
        arguments: &[String],
        prompt: String,
        cwd: PathBuf,
        sessions: PathBuf,
    ) -> Option<Self> {
        let mut options = Self {
            session: String::new(),
            resume: false,
            permissions: Permissions::Work,
            model: None,
            prompt,
            cwd,
            sessions,
        };
        for pair in arguments.chunks(2) {
            let [flag, value] = pair else { return None };
            match (flag.as_str(), value.as_str()) {
                ("--session" | "--resume", id) => {
                    options.resume = flag == "--resume";
                    id.clone_into(&mut options.session);
                }
                ("--permissions", "read") => options.permissions = Permissions::Read,
                ("--permissions", "work") => options.permissions = Permissions::Work,
                ("--permissions", "full") => options.permissions = Permissions::Full,
                ("--model", model) => options.model = Some(model.to_owned()),
                _ => return None,
            }
        }
        let safe = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let named = !options.session.is_empty() && options.session.chars().all(safe);
        named.then_some(options)
    }
}

/// Acts out a turn of a scenario, writing the stream to `out`. Gives the exit code.
///
/// # Errors
/// When `out` cannot be written to. Everything else is told in the stream, as an agent would.
pub fn run(
    options: &Options,
    out: &mut dyn Write,
    patience: &mut dyn Patience,
) -> std::io::Result<u8> {
    let kept = Kept::load(options);
    let (scenario, mut kept) =
        match kept.and_then(|kept| Ok((Scenario::named(&kept.scenario)?, kept))) {
            Ok(both) => both,
            Err(why) => {
                let mut stream = Stream::new(options, "scripted", Kept::default().totals, out);
                stream.failed("error_during_execution", &why, None)?;
                return Ok(1);
            }
        };
    let model = options.model.clone().unwrap_or_else(|| scenario.model.clone());
    let mut stream = Stream::new(options, &model, kept.totals, out);
    stream.init()?;
    let turn = scenario.turn(kept.turns);
    let end = Stage::new(options, &scenario, &mut stream, patience).play(&turn)?;
    let code = match end {
        End::Answered(answer) => {
            stream.succeeded(&answer)?;
            0
        }
        End::Failed { status, message } => {
            stream.failed("success", &message, status)?;
            1
        }
        End::Interrupted => {
            stream.interrupted()?;
            0
        }
        End::Silent(code) => return Ok(code),
    };
    kept.turns += 1;
    kept.totals = stream.totals();
    kept.save(options);
    Ok(code)
}

#[cfg(test)]
mod tests;
