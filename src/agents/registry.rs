//! Which agents there are: the built-in ones, and the user's files, which add or override.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::agents::template::{Template, TemplateError};
use crate::domain::problem::Problem;

/// The built-in templates, by name.
const BUILT_IN: [(&str, &str); 8] = [
    ("aider", include_str!("../../templates/agents/aider.toml")),
    ("claude", include_str!("../../templates/agents/claude.toml")),
    ("codex", include_str!("../../templates/agents/codex.toml")),
    ("gemini", include_str!("../../templates/agents/gemini.toml")),
    ("opencode", include_str!("../../templates/agents/opencode.toml")),
    ("plain", include_str!("../../templates/agents/plain.toml")),
    ("qwen", include_str!("../../templates/agents/qwen.toml")),
    ("scripted", include_str!("../../templates/agents/scripted.toml")),
];

/// Every agent by name. A file that is broken stands in its name's place as its error, so that it
/// spoils no other agent and is never silently replaced by the built-in one it meant to override.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    agents: BTreeMap<String, Result<Template, TemplateError>>,
}

impl Registry {
    /// The built-in agents alone.
    pub fn built_in() -> Self {
        let parse = |&(name, text): &(&str, &str)| {
            let file = format!("templates/agents/{name}.toml");
            (name.to_owned(), Template::parse(name, &file, text))
        };
        Self { agents: BUILT_IN.iter().map(parse).collect() }
    }

    /// The built-in agents, and those of `<config_dir>/agents/*.toml`. A directory that is not
    /// there has none; `config_dir` is `wt`'s own, such as `~/.config/wt`.
    pub fn load(config_dir: &Path) -> Self {
        let mut registry = Self::built_in();
        for (name, path) in user_files(&config_dir.join("agents")) {
            let template = read(&path)
                .and_then(|text| Template::parse(&name, &path.display().to_string(), &text));
            registry.agents.insert(name, template);
        }
        registry
    }

    /// The agent of a name.
    ///
    /// # Errors
    /// A [`Problem`] that names the known agents, or what is wrong with the user's file.
    pub fn get(&self, name: &str) -> Result<&Template, Problem> {
        match self.agents.get(name) {
            Some(Ok(template)) => Ok(template),
            Some(Err(error)) => {
                let hint = format!("mend `{}`, or remove it to use what is built in", error.file);
                Err(Problem::usage(format!("agent template {error}")).hint(hint))
            }
            None => Err(self.unknown(name)),
        }
    }

    /// All names, broken ones included, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.agents.keys().map(String::as_str)
    }

    /// What is wrong with the user's files, in order.
    pub fn errors(&self) -> impl Iterator<Item = &TemplateError> {
        self.agents.values().filter_map(|agent| agent.as_ref().err())
    }

    fn unknown(&self, name: &str) -> Problem {
        let known: Vec<&str> = self.names().filter(|name| *name != "plain").collect();
        let problem = Problem::usage(format!("there is no agent `{name}`"))
            .detail(format!("known agents: {}", known.join(", ")));
        let nearest = known
            .iter()
            .map(|known| (strsim::damerau_levenshtein(known, name), known))
            .filter(|(distance, _)| *distance <= 2)
            .min();
        match nearest {
            Some((_, near)) => problem.hint(format!("did you mean `--agent {near}`?")),
            None => problem.hint(format!("any command can be the agent: `--exec -- {name}`")),
        }
    }
}

/// The files `NAME.toml` of a directory, with their names; none when there is no such directory.
pub(super) fn user_files(directory: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let named = |path: PathBuf| {
        let is_toml = path.extension().is_some_and(|extension| extension == "toml");
        let name = path.file_stem()?.to_str()?.to_owned();
        is_toml.then_some((name, path))
    };
    entries.flatten().filter_map(|entry| named(entry.path())).collect()
}

pub(super) fn read(path: &Path) -> Result<String, TemplateError> {
    std::fs::read_to_string(path).map_err(|error| TemplateError {
        file: path.display().to_string(),
        line: None,
        why: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_template_is_well_formed() {
        let registry = Registry::built_in();
        let errors: Vec<String> = registry.errors().map(ToString::to_string).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        assert_eq!(registry.names().count(), 8);
    }

    #[test]
    fn a_users_file_adds_overrides_and_when_broken_harms_itself_alone() {
        let dir = tempfile::tempdir().unwrap();
        let agents = dir.path().join("agents");
        std::fs::create_dir(&agents).unwrap();
        let mine = BUILT_IN[5].1.replace("a plain command", "mine");
        std::fs::write(agents.join("mine.toml"), &mine).unwrap();
        std::fs::write(agents.join("aider.toml"), &mine).unwrap();
        std::fs::write(agents.join("codex.toml"), format!("colour = 1\n{mine}")).unwrap();
        std::fs::write(agents.join("notes.txt"), "x").unwrap();
        let registry = Registry::load(dir.path());
        assert_eq!(registry.get("mine").unwrap().about, "mine");
        assert_eq!(registry.get("aider").unwrap().about, "mine");
        assert!(registry.get("claude").is_ok());
        let error = registry.get("codex").unwrap_err();
        let file = agents.join("codex.toml").display().to_string();
        assert!(error.message.contains(&file), "{error}");
        assert!(error.message.contains(", line 1: unknown field `colour`"), "{error}");
        assert!(registry.get("notes").is_err());
    }

    #[test]
    fn an_unknown_agent_is_answered_with_the_known_ones() {
        let registry = Registry::built_in();
        let error = registry.get("cladue").unwrap_err();
        assert_eq!(error.hints, ["did you mean `--agent claude`?"]);
        assert!(error.details[0].contains("codex"), "{:?}", error.details);
        let error = registry.get("make").unwrap_err();
        assert_eq!(error.hints, ["any command can be the agent: `--exec -- make`"]);
    }
}
