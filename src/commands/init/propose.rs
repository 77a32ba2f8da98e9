//! What a repository is, by its files, and the settings that follow from that.

use std::path::{Path, PathBuf};

/// What was found, and what follows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Look {
    /// Each thing found, with what follows from it.
    pub found: Vec<String>,
    setup: Vec<String>,
    copy: Vec<String>,
    submodules: bool,
    compose: bool,
    database: bool,
}

/// A package manager: the file that tells of it, others that take precedence having been looked
/// for before it, and the command that fetches what is locked.
struct Manager {
    kind: &'static str,
    file: &'static str,
    command: &'static str,
}

const fn manager(kind: &'static str, file: &'static str, command: &'static str) -> Manager {
    Manager { kind, file, command }
}

/// In order: the first of each kind counts.
const MANAGERS: &[Manager] = &[
    manager("node", "pnpm-lock.yaml", "pnpm install --frozen-lockfile"),
    manager("node", "bun.lock", "bun install --frozen-lockfile"),
    manager("node", "bun.lockb", "bun install --frozen-lockfile"),
    manager("node", "yarn.lock", "yarn install --frozen-lockfile"),
    manager("node", "package-lock.json", "npm ci"),
    manager("node", "package.json", "npm install"),
    manager("python", "uv.lock", "uv sync"),
    manager("python", "poetry.lock", "poetry install"),
    manager("python", "pdm.lock", "pdm sync"),
    manager("python", "Pipfile.lock", "pipenv sync"),
    manager(
        "python",
        "requirements.txt",
        "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt",
    ),
    manager("ruby", "Gemfile.lock", "bundle install"),
    manager("php", "composer.lock", "composer install"),
    manager("elixir", "mix.lock", "mix deps.get"),
    manager("dart", "pubspec.lock", "dart pub get"),
];

/// Files that commonly hold what is of one machine alone; `.env*` is carried anyway.
const LOCAL: &[&str] = &[
    ".envrc",
    ".npmrc",
    ".dev.vars",
    ".flaskenv",
    ".streamlit/secrets.toml",
    "config/master.key",
    "config/local.json",
    "local.settings.json",
    "local.properties",
    "secrets.toml",
    "terraform.tfvars",
    ".vscode/settings.json",
    ".claude/settings.local.json",
];

const COMPOSE: &[&str] =
    &["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// Which of the files that are usually of one machine alone are there, from the top.
pub(super) fn local_files(top: &Path) -> Vec<PathBuf> {
    let there = |name: &&&str| top.join(name).is_file();
    LOCAL.iter().filter(there).map(PathBuf::from).collect()
}

/// Looks at a checkout; `ignored` are the local files that git ignores.
pub(super) fn look(top: &Path, ignored: &[PathBuf]) -> Look {
    let there = |name: &str| top.join(name).is_file();
    let mut look = Look::default();
    let mut kinds: Vec<&str> = vec![];
    for manager in MANAGERS {
        if !kinds.contains(&manager.kind) && there(manager.file) {
            kinds.push(manager.kind);
            look.found.push(format!("{}: setup with `{}`", manager.file, manager.command));
            look.setup.push(manager.command.to_owned());
        }
    }
    for path in ignored {
        look.found.push(format!("{}: ignored, carried over", path.display()));
        look.copy.push(format!("/{}", path.display()));
    }
    if there(".gitmodules") {
        look.found.push(".gitmodules: submodules checked out".to_owned());
        look.submodules = true;
    }
    if let Some(file) = COMPOSE.iter().find(|file| there(file)) {
        look.found.push(format!("{file}: containers taken down at the end, as a proposal"));
        look.compose = true;
    }
    let env = std::fs::read_to_string(top.join(".env")).unwrap_or_default();
    if env.lines().any(|line| line.trim_start().starts_with("DATABASE_URL=")) {
        look.found
            .push("DATABASE_URL in .env: a database for each variant, as a proposal".to_owned());
        look.database = true;
    }
    look
}

impl Look {
    /// The proposed file.
    pub fn text(&self) -> String {
        let mut copy = vec![".env*".to_owned()];
        copy.extend(self.copy.iter().cloned());
        let mut text = format!(
            "# Settings of this repository for `wt`. `wt config show` prints all of them with their\n\
             # values; what is not said here comes from ~/.config/wt/config.toml or is built in.\n\
             \n\
             [worktree]\n\
             # Ignored files that a new variant gets from the main checkout, as globs at any depth; a\n\
             # glob that begins with / counts from the top.\n\
             copy = {}\n\
             \n\
             # Commands that make a new variant ready, run in it before its agent starts.\n",
            list(&copy)
        );
        match self.setup.is_empty() {
            true => text.push_str("# setup = [\"…\"]\n"),
            false => text.push_str(&format!("setup = {}\n", list(&self.setup))),
        }
        if self.submodules {
            text.push_str(
                "\n# Submodules are checked out in a new variant, too.\nsubmodules = true\n",
            );
        }
        if self.compose {
            text.push_str(
                "\n# Commands run in a variant before it is removed.\n\
                 # teardown = [\"docker compose down -v\"]\n",
            );
        }
        text.push_str(
            "\n# Variables for everything that runs in a variant; {name}, {branch}, {path} and {repo}\n\
             # are filled in.\n",
        );
        if self.database || self.compose {
            text.push_str("# [env]\n");
        } else {
            text.push_str("# [env]\n# DATABASE_URL = \"postgres://localhost/{repo}_{name}\"\n");
        }
        if self.database {
            text.push_str("# DATABASE_URL = \"postgres://localhost/{repo}_{name}\"\n");
        }
        if self.compose {
            text.push_str("# COMPOSE_PROJECT_NAME = \"{repo}-{name}\"\n");
        }
        text
    }
}

/// As a TOML list on one line.
fn list(items: &[String]) -> String {
    let quoted = items.iter().map(|item| toml::Value::String(item.clone()).to_string());
    format!("[{}]", quoted.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::config::{Config, Origin, text_layer};

    fn looked_at(files: &[&str]) -> Look {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "DATABASE_URL=x\n").unwrap();
        }
        let local = local_files(dir.path());
        look(dir.path(), &local)
    }

    #[test]
    fn every_proposal_is_a_file_that_is_read() {
        let all: Vec<&str> = MANAGERS.iter().map(|manager| manager.file).collect();
        let all = [&all[..], LOCAL, COMPOSE, &[".gitmodules", ".env"]].concat();
        for files in [&[][..], &["package.json"], &all] {
            let look = looked_at(files);
            for text in [look.text(), look.text().replace("# teardown", "teardown")] {
                let layer = text_layer(&text, Origin::Repository("wt.toml".into())).unwrap();
                let config = Config::join([layer]).unwrap();
                assert_eq!(config.settings.worktree.setup, look.setup);
                assert_eq!(config.settings.worktree.submodules, look.submodules);
            }
        }
    }

    #[test]
    fn the_lock_file_decides_and_one_of_each_kind_counts() {
        let look = looked_at(&["package.json", "pnpm-lock.yaml", "uv.lock", "requirements.txt"]);
        assert_eq!(look.setup, ["pnpm install --frozen-lockfile", "uv sync"]);
        assert_eq!(looked_at(&["package.json"]).setup, ["npm install"]);
        assert!(looked_at(&["Cargo.toml"]).setup.is_empty());
    }

    #[test]
    fn what_is_commented_out_is_right_when_it_is_not() {
        let look = looked_at(&["compose.yml", ".env"]);
        let text: String = look
            .text()
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.starts_with('[') || rest.contains(" = \"") => {
                    format!("{rest}\n")
                }
                _ => format!("{line}\n"),
            })
            .collect();
        let layer = text_layer(&text, Origin::Repository("wt.toml".into())).unwrap();
        let config = Config::join([layer]).unwrap();
        assert_eq!(config.settings.env.len(), 2);
    }
}
