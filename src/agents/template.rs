//! An agent described as data: one TOML file of `templates/agents/` or of the user.

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;

use crate::domain::launch::{Dialect, FailurePattern, GentleSignal, Metering, StopPlan};
use crate::domain::settings::Permissions;
use crate::domain::task::FailureClass;

/// How to start an agent, how to read it, and how to end it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// The name it is chosen by: the file's name without `.toml`.
    #[serde(skip)]
    pub name: String,
    /// What it is, in a few words.
    pub about: String,
    /// Names to look up on PATH, the first found wins; `{self}` is this program, `{command}` what
    /// the user typed after `--exec --`.
    pub program: Vec<String>,
    /// Where the real program is when what was found is a script that starts it: paths from the
    /// script's directory, a `*` standing for any part of one component.
    #[serde(default)]
    pub native: Vec<String>,
    /// The command that installs it.
    #[serde(default)]
    pub install: Option<String>,
    /// How its output is read.
    pub dialect: Dialect,
    /// At what grain it tells what it used.
    pub metering: Metering,
    /// How it gets its prompt.
    pub prompt: PromptBy,
    /// False when it gets the person's words alone, without what its role adds.
    #[serde(default = "yes")]
    pub instructions: bool,
    /// Where its session's id comes from.
    pub session: SessionId,
    /// The arguments of a new session.
    pub start: Vec<String>,
    /// The arguments that go on in a session; without any it cannot.
    #[serde(default)]
    pub resume: Vec<String>,
    /// What `{model...}` stands for when a model is asked for; without any it takes none.
    #[serde(default)]
    pub model: Vec<String>,
    /// Names of environment variables that it gets besides the common ones: globs, an initial `!`
    /// takes away again.
    #[serde(default)]
    pub pass: Vec<String>,
    /// Variables that are set for it; no secrets.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Commands for `sh -c` that must pass before it starts, in its worktree, ahead of the user's.
    #[serde(default)]
    pub setup: Vec<String>,
    /// How it is asked to end.
    #[serde(default)]
    pub stop: Stop,
    /// What each level of permission adds.
    pub permissions: Levels,
    /// How to see whether it is logged in.
    pub login: Login,
    /// What its failures look like.
    #[serde(default, rename = "failure", deserialize_with = "patterns")]
    pub failures: Vec<FailurePattern>,
}

/// `[[failure]]`: stricter than what is kept of it, so that a misspelt key is told.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Failure {
    class: FailureClass,
    #[serde(default)]
    contains: Vec<String>,
    #[serde(default)]
    status: Vec<u16>,
}

fn patterns<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<FailurePattern>, D::Error> {
    let written = Vec::<Failure>::deserialize(from)?;
    if written.iter().any(|one| one.contains.is_empty() && one.status.is_empty()) {
        return Err(serde::de::Error::custom("`failure` needs `contains` or `status`"));
    }
    let kept = |Failure { class, contains, status }| FailurePattern { class, contains, status };
    Ok(written.into_iter().map(kept).collect())
}

fn yes() -> bool {
    true
}

/// How an agent gets its prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PromptBy {
    /// On its standard input.
    Stdin,
    /// As an argument.
    Argv,
}

/// Where a session's id comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionId {
    /// We choose a UUID.
    Preset,
    /// Its output tells.
    Stream,
    /// It has no sessions.
    None,
}

/// `[stop]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    gentle: Option<GentleSignal>,
    gentle_ms: Option<u64>,
    term_ms: Option<u64>,
}

impl From<Stop> for StopPlan {
    fn from(stop: Stop) -> Self {
        let usual = Self::default();
        Self {
            gentle: stop.gentle,
            gentle_ms: stop.gentle_ms.unwrap_or(usual.gentle_ms),
            term_ms: stop.term_ms.unwrap_or(usual.term_ms),
        }
    }
}

/// `[permissions]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Levels {
    read: Level,
    work: Level,
    full: Level,
}

impl Levels {
    /// What a level adds.
    pub fn at(&self, level: Permissions) -> &Level {
        match level {
            Permissions::Read => &self.read,
            Permissions::Work => &self.work,
            Permissions::Full => &self.full,
        }
    }
}

/// What one level of permission adds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// What `{permissions...}` stands for.
    #[serde(default)]
    pub args: Vec<String>,
    /// Variables that are set for it.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// A variable without which the agent refuses this level to root.
    #[serde(default)]
    pub root_needs: Option<String>,
}

/// `[login]`: signs of being logged in, in order; the first that is there decides.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The command that logs in.
    #[serde(default)]
    pub command: Option<String>,
    /// What it means that no sign is there.
    pub otherwise: Says,
    /// The signs.
    #[serde(default)]
    pub evidence: Vec<Sign>,
}

/// One sign of being logged in: a variable that is set, or a file that is there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    /// A variable's name.
    #[serde(default)]
    pub env: Option<String>,
    /// A file: `~` is the home directory, `{NAME:default}` a variable or else the default.
    #[serde(default)]
    pub file: Option<String>,
    /// A text that the file must hold.
    #[serde(default)]
    pub contains: Option<String>,
    /// What the sign means.
    #[serde(default)]
    pub says: Says,
}

/// What a sign says about being logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Says {
    /// Logged in, or no login is needed.
    #[default]
    In,
    /// Possibly.
    Maybe,
    /// Not logged in.
    Out,
}

/// Why a template's file was refused: names the file, and the line and key where there is one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{file}`{}: {why}", .line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub struct TemplateError {
    /// The file as a person finds it.
    pub file: String,
    /// The line, from 1.
    pub line: Option<usize>,
    /// What is wrong there.
    pub why: String,
}

impl TemplateError {
    /// Reads TOML from a file's text.
    ///
    /// # Errors
    /// When it is no TOML or has unknown, missing or ill-typed keys.
    pub(super) fn parse<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, Self> {
        toml::from_str(text).map_err(|error| Self {
            file: file.to_owned(),
            line: error.span().map(|span| line_of(text, span.start)),
            why: error.message().trim().replace('\n', ", "),
        })
    }
}

/// What may stand in braces in an argument.
const NAMES: [&str; 7] = [
    "{prompt}",
    "{session}",
    "{model}",
    "{task}",
    "{model...}",
    "{permissions...}",
    "{arguments...}",
];

impl Template {
    /// Reads a template; `name` is what it is chosen by, `file` what a message calls it.
    ///
    /// # Errors
    /// When the text is no TOML, has an unknown or missing key, or asks for what cannot be.
    pub fn parse(name: &str, file: &str, text: &str) -> Result<Self, TemplateError> {
        let mut template: Self = TemplateError::parse(file, text)?;
        name.clone_into(&mut template.name);
        let checked = template.check();
        checked.map_err(|(key, why)| TemplateError {
            file: file.to_owned(),
            line: text.lines().position(|line| line.trim_start().starts_with(key)).map(|at| at + 1),
            why: format!("`{key}` {why}"),
        })?;
        Ok(template)
    }

    /// True when an attempt can go on in the session of an earlier one.
    pub fn resumes(&self) -> bool {
        !self.resume.is_empty()
    }

    fn check(&self) -> Result<(), (&'static str, String)> {
        if self.program.is_empty() {
            return Err(("program", "names no program".to_owned()));
        }
        for (key, args) in [("start", &self.start), ("resume", &self.resume)] {
            self.check_args(key, args)?;
        }
        if self.session == SessionId::None && self.resumes() {
            return Err(("resume", "needs a session, and `session` is `none`".to_owned()));
        }
        let empty =
            self.login.evidence.iter().any(|sign| sign.env.is_none() == sign.file.is_none());
        if empty {
            return Err(("evidence", "takes either `env` or `file` in each entry".to_owned()));
        }
        Ok(())
    }

    fn check_args(&self, key: &'static str, args: &[String]) -> Result<(), (&'static str, String)> {
        let holds = |part: &str| args.iter().any(|arg| arg.contains(part));
        for arg in args {
            if let Some(unknown) = braced(arg).find(|part| !NAMES.contains(part)) {
                return Err((key, format!("holds `{unknown}`, which nothing fills in")));
            }
        }
        if args.is_empty() {
            return Ok(());
        }
        if holds("{prompt}") != (self.prompt == PromptBy::Argv) {
            let why = "holds `{prompt}` exactly when `prompt` is `argv`";
            return Err((key, why.to_owned()));
        }
        if key == "start" && self.session == SessionId::Preset && !holds("{session}") {
            return Err((key, "lacks `{session}`, and `session` is `preset`".to_owned()));
        }
        if !self.model.is_empty() && !holds("{model...}") {
            return Err((key, "lacks `{model...}`, and `model` is given".to_owned()));
        }
        Ok(())
    }
}

/// The parts `{word}` and `{word...}` of an argument; braces around anything else are its own.
pub(super) fn braced(arg: &str) -> impl Iterator<Item = &str> {
    arg.match_indices('{').filter_map(|(at, _)| {
        let part = &arg[at..=at + arg[at..].find('}')?];
        let word = part[1..part.len() - 1].trim_end_matches("...");
        let named = !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        named.then_some(part)
    })
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    fn files(kind: &str) -> Vec<PathBuf> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/agents").join(kind);
        let files: Vec<_> =
            std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!files.is_empty());
        files
    }

    #[test]
    fn well_formed_templates_are_accepted() {
        for file in files("ok") {
            let text = std::fs::read_to_string(&file).unwrap();
            let template = Template::parse("x", "x.toml", &text);
            assert!(template.is_ok(), "{}: {}", file.display(), template.unwrap_err());
        }
    }

    #[test]
    fn the_documented_example_is_one() {
        let text = include_str!("../../templates/agents/README.md");
        let example = text.split("```toml").nth(1).and_then(|rest| rest.split("```").next());
        let template = Template::parse("ours", "README.md", example.unwrap()).unwrap();
        assert_eq!(template.failures.len(), 1);
        assert!(!template.resumes());
    }

    #[test]
    fn broken_templates_are_refused_with_the_line_and_the_key() {
        for file in files("bad") {
            let text = std::fs::read_to_string(&file).unwrap();
            let expected = text.lines().next().unwrap().strip_prefix("# error: ").unwrap();
            let error = Template::parse("x", "x.toml", &text).unwrap_err().to_string();
            let wanted = format!("`x.toml`, {expected}");
            assert!(error.starts_with(&wanted), "{}: {error}, not {wanted}", file.display());
        }
    }

    #[test]
    fn only_words_in_braces_are_filled_in() {
        let parts: Vec<&str> = braced(r#"{"a":{b}} {model...} {x {y"#).collect();
        assert_eq!(parts, ["{b}", "{model...}"]);
    }
}
