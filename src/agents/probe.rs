//! What is there: an agent's program, and signs that it is logged in. Nothing is run, and nothing
//! is asked over a network.

use std::path::{Path, PathBuf};

use crate::agents::environment::matches;
use crate::agents::template::{Says, Sign, Template};
use crate::store::environment::Environment;

/// The most bytes of a settings file that are looked through.
const LOOK_MAX: u64 = 1 << 20;

/// The first of the names that is an executable file in a directory of PATH, absolute. Relative
/// directories in PATH are passed over: they would mean another program in each worktree.
pub fn program<'n>(
    names: impl IntoIterator<Item = &'n str>,
    environment: &Environment,
) -> Option<PathBuf> {
    let directories = environment.path();
    let found = |name: &str| {
        let absolute = directories.iter().filter(|directory| directory.is_absolute());
        absolute.map(|directory| directory.join(name)).find(|path| is_executable(path))
    };
    names.into_iter().find_map(found)
}

/// True for a file that this user may execute.
pub fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

/// The real program behind the script that was found, where the template knows one; else what was
/// found.
pub fn native(template: &Template, found: PathBuf) -> PathBuf {
    let Ok(script) = found.canonicalize() else { return found };
    let Some(directory) = script.parent() else { return found };
    let real = template.native.iter().find_map(|pattern| expand(directory, pattern));
    real.unwrap_or(found)
}

/// The first executable file that a pattern leads to from a directory; alphabetically where a `*`
/// fits several.
fn expand(from: &Path, pattern: &str) -> Option<PathBuf> {
    let (first, rest) = match pattern.split_once('/') {
        Some((first, rest)) => (first, Some(rest)),
        None => (pattern, None),
    };
    let mut next = match first {
        ".." => vec![from.parent()?.to_path_buf()],
        name if !name.contains('*') => vec![from.join(name)],
        glob => std::fs::read_dir(from)
            .ok()?
            .flatten()
            .filter(|entry| entry.file_name().to_str().is_some_and(|name| matches(glob, name)))
            .map(|entry| entry.path())
            .collect(),
    };
    next.sort();
    match rest {
        Some(rest) => next.iter().find_map(|directory| expand(directory, rest)),
        None => next.into_iter().find(|path| is_executable(path)),
    }
}

/// Whether an agent seems to be logged in, by the first of its template's signs that is there.
pub fn login(template: &Template, environment: &Environment) -> Says {
    let sign = template.login.evidence.iter().find(|sign| is_there(sign, environment));
    sign.map_or(template.login.otherwise, |sign| sign.says)
}

fn is_there(sign: &Sign, environment: &Environment) -> bool {
    if let Some(name) = &sign.env {
        return environment.get_os(name).is_some();
    }
    let Some(path) = sign.file.as_deref().and_then(|file| place(file, environment)) else {
        return false;
    };
    match &sign.contains {
        None => path.exists(),
        Some(text) => {
            use std::io::Read;
            let mut bytes = Vec::new();
            let file = std::fs::File::open(path);
            let read = file.and_then(|file| file.take(LOOK_MAX).read_to_end(&mut bytes));
            read.is_ok() && String::from_utf8_lossy(&bytes).contains(text.as_str())
        }
    }
}

/// A file's path: `~` is the home directory, `{NAME:default}/…` begins with a variable's value or
/// else with the default. `None` when there is no home to begin with.
fn place(file: &str, environment: &Environment) -> Option<PathBuf> {
    if let Some(rest) = file.strip_prefix('{') {
        let (choice, rest) = rest.split_once('}')?;
        let (name, default) = choice.split_once(':')?;
        return match environment.get_os(name) {
            Some(value) => Some(Path::new(value).join(rest.trim_start_matches('/'))),
            None => place(&format!("{default}{rest}"), environment),
        };
    }
    match file.strip_prefix("~/") {
        Some(rest) => Some(environment.home()?.join(rest)),
        None => Some(PathBuf::from(file)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::agents::registry::Registry;

    fn put(path: &Path, mode: u32) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_program_is_an_executable_file_in_an_absolute_directory() {
        let dir = tempfile::tempdir().unwrap();
        put(&dir.path().join("a/claude"), 0o644);
        put(&dir.path().join("b/claude"), 0o755);
        std::fs::create_dir_all(dir.path().join("a/codex")).unwrap();
        let path = format!("relative:{0}/a:{0}/b", dir.path().display());
        let environment = Environment::of([("PATH", path)], dir.path());
        assert_eq!(program(["claude"], &environment), Some(dir.path().join("b/claude")));
        assert_eq!(program(["none", "claude"], &environment), Some(dir.path().join("b/claude")));
        assert_eq!(program(["codex"], &environment), None);
    }

    #[test]
    fn codex_is_its_native_program_in_each_layout_npm_makes() {
        let registry = Registry::built_in();
        let codex = registry.get("codex").unwrap();
        let tail = "codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex";
        for layout in ["@openai/codex/node_modules/@openai", "@openai"] {
            let dir = tempfile::tempdir().unwrap();
            let root = dir.path().canonicalize().unwrap().join("lib/node_modules");
            put(&root.join("@openai/codex/bin/codex.js"), 0o755);
            put(&root.join(layout).join(tail), 0o755);
            put(&root.join(layout).join(tail).with_file_name("codex-code-mode-host"), 0o755);
            let link = dir.path().join("codex");
            symlink(root.join("@openai/codex/bin/codex.js"), &link).unwrap();
            assert_eq!(native(codex, link), root.join(layout).join(tail));
        }
        let dir = tempfile::tempdir().unwrap();
        let alone = dir.path().join("codex");
        put(&alone, 0o755);
        assert_eq!(native(codex, alone.clone()), alone, "installed without npm");
    }

    #[test]
    fn the_first_sign_that_is_there_decides_about_a_login() {
        let registry = Registry::built_in();
        let claude = registry.get("claude").unwrap();
        let home = tempfile::tempdir().unwrap();
        let with = |extra: &[(&str, &str)]| {
            let home = ("HOME", home.path().to_str().unwrap());
            Environment::of(extra.iter().copied().chain([home]), "/")
        };
        assert_eq!(login(claude, &with(&[])), Says::Out);
        assert_eq!(login(claude, &with(&[("ANTHROPIC_API_KEY", "")])), Says::Out, "empty is unset");
        assert_eq!(login(claude, &with(&[("ANTHROPIC_API_KEY", "k")])), Says::In);
        assert_eq!(login(claude, &with(&[("CLAUDE_CODE_USE_BEDROCK", "1")])), Says::Maybe);
        put(&home.path().join(".claude/settings.json"), 0o600);
        assert_eq!(login(claude, &with(&[])), Says::Out);
        let settings = r#"{"apiKeyHelper": "x"}"#;
        std::fs::write(home.path().join(".claude/settings.json"), settings).unwrap();
        assert_eq!(login(claude, &with(&[])), Says::Maybe);
        put(&home.path().join("other/.credentials.json"), 0o600);
        let other = home.path().join("other");
        let moved = with(&[("CLAUDE_CONFIG_DIR", other.to_str().unwrap())]);
        assert_eq!(login(claude, &moved), Says::In);
    }

    #[test]
    fn without_a_home_nothing_is_found_and_nothing_breaks() {
        let registry = Registry::built_in();
        let nowhere = Environment::of([("PATH", "")], "/");
        for name in ["claude", "codex", "gemini", "opencode", "qwen", "aider", "scripted"] {
            login(registry.get(name).unwrap(), &nowhere);
        }
        assert_eq!(program(["sh"], &nowhere), None);
    }
}
