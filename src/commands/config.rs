//! `wt config show`: every setting, its value and where that comes from.

use serde::Serialize;

use crate::commands::context::Context;
use crate::domain::problem::Problem;
use crate::store::config::{Config, Origin};

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// One key, or the beginning of several (`limits`); without one, all.
    pub key: Option<String>,
}

/// The settings that hold here, in the order of their keys.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// Each setting.
    pub settings: Vec<Setting>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    /// Dotted: `worktree.path`.
    pub key: String,
    /// Its value.
    pub value: serde_json::Value,
    /// Its value as it would be written in a settings file.
    pub toml: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// Finds the settings that hold where the command stands: in a repository also its own.
///
/// # Errors
/// When a layer says what cannot be, or no key is called so.
pub fn show(ctx: &Context<'_>, request: &Request) -> Result<Outcome, Problem> {
    let config = match ctx.here() {
        Ok(here) => here.config,
        Err(problem) if is_elsewhere(&problem) => ctx.config(None)?,
        Err(problem) => return Err(problem),
    };
    let wanted = |key: &str| match &request.key {
        Some(wanted) => key == wanted || key.starts_with(&format!("{wanted}.")),
        None => true,
    };
    let settings: Vec<Setting> = all(&config).filter(|setting| wanted(&setting.key)).collect();
    match &request.key {
        Some(key) if settings.is_empty() => Err(unknown(key, &config)),
        _ => Ok(Outcome { settings }),
    }
}

/// Outside of any repository the user's own settings hold.
fn is_elsewhere(problem: &Problem) -> bool {
    problem.message.ends_with("is not in a git repository")
}

fn all(config: &Config) -> impl Iterator<Item = Setting> {
    config.origins.iter().map(|(key, (value, origin))| Setting {
        key: key.clone(),
        value: serde_json::to_value(value).unwrap_or_default(),
        toml: value.to_string(),
        origin: origin.clone(),
    })
}

fn unknown(key: &str, config: &Config) -> Problem {
    let nearest = config
        .origins
        .keys()
        .map(|known| (strsim::jaro_winkler(known, key), known))
        .filter(|(score, _)| *score > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let problem = Problem::usage(format!("there is no setting `{key}`"));
    match nearest {
        Some((_, known)) => problem.hint(format!("did you mean `{known}`? All: `wt config show`")),
        None => problem.hint("see all of them: `wt config show`"),
    }
}
