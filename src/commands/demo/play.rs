//! The stage: an environment of its own, and this program started in it.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::commands::demo::Request;
use crate::domain::problem::Problem;
use crate::store::environment::Environment;

/// The user's settings in the demo's world.
const SETTINGS: &str = "\
# The settings of wt's demo.
[agent]
default = \"scripted\"
";

/// What programs of the demo see instead of the user's own, by the folder's parts.
const PLACES: &[(&str, &str)] = &[
    ("XDG_STATE_HOME", "state"),
    ("XDG_CONFIG_HOME", "config"),
    ("XDG_RUNTIME_DIR", "run"),
    ("GIT_CONFIG_GLOBAL", "gitconfig"),
];

/// Where the demo's commands run.
pub struct World<'a> {
    folder: PathBuf,
    variables: Vec<(OsString, OsString)>,
    request: &'a Request,
}

impl<'a> World<'a> {
    /// Makes the folder's state, settings and the file for a shell.
    ///
    /// # Errors
    /// When one of them cannot be written.
    pub fn new(
        environment: &Environment,
        folder: &Path,
        request: &'a Request,
    ) -> Result<Self, Problem> {
        let variables = surroundings(environment, folder);
        let world = Self { folder: folder.to_owned(), variables, request };
        world.furnish().map_err(|error| {
            Problem::failed(format!("cannot write to `{}`: {error}", folder.display()))
        })?;
        Ok(world)
    }

    /// The file that takes a shell into this world.
    pub fn shell_file(&self) -> PathBuf {
        self.folder.join("env.sh")
    }

    fn furnish(&self) -> std::io::Result<()> {
        for part in ["state", "config/wt", "run"] {
            std::fs::create_dir_all(self.folder.join(part))?;
        }
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(self.folder.join("run"), private)?;
        std::fs::write(self.folder.join("config/wt/config.toml"), SETTINGS)?;
        std::fs::write(self.folder.join("gitconfig"), "")?;
        let program = std::fs::read_link("/proc/self/exe")?;
        std::fs::write(self.shell_file(), shell_lines(&self.folder, &program))
    }

    /// Runs a command of this program in the repository, its words being shown or collected.
    /// Nothing is asked: it has no input.
    ///
    /// # Errors
    /// When it ends with another code than 0.
    pub fn run(&self, repository: &Path, words: &[&str]) -> Result<Value, Problem> {
        let mut command = Command::new("/proc/self/exe");
        command.arg0(self.request.program.replace(' ', "-")).current_dir(repository);
        command.args(words).args(&self.request.flags);
        command.env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        let failed = |why: String| Problem::failed(format!("`wt {}` {why}", words.join(" ")));
        let start = |error: std::io::Error| failed(format!("could not be started: {error}"));
        if !self.request.collect {
            let status = command.status().map_err(start)?;
            return if status.success() {
                Ok(Value::Null)
            } else {
                Err(failed(format!("ended with {status}")))
            };
        }
        let output = command.output().map_err(start)?;
        let answer = serde_json::from_slice(&output.stdout).unwrap_or_default();
        if output.status.success() {
            Ok(answer)
        } else {
            Err(failed(format!("ended with {}", output.status)).data(answer))
        }
    }
}

/// The caller's variables, without those that tie git or `wt` to another place.
fn surroundings(environment: &Environment, folder: &Path) -> Vec<(OsString, OsString)> {
    let foreign = |name: &str| name.starts_with("WT_") || name.starts_with("GIT_");
    let own = PLACES.iter().map(|(name, part)| ((*name).into(), folder.join(part).into()));
    environment
        .variables()
        .filter(|(name, _)| !name.to_str().is_some_and(foreign))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .filter(|(name, _)| !PLACES.iter().any(|(place, _)| name == place))
        .chain(own)
        .chain([("GIT_CONFIG_SYSTEM".into(), "/dev/null".into())])
        .collect()
}

/// A shell that reads this works in the demo's world, with this very program.
fn shell_lines(folder: &Path, program: &Path) -> String {
    let mut lines = "# . this file: a shell that works with the state of wt's demo\n".to_owned();
    for (name, part) in PLACES {
        lines.push_str(&format!("export {name}={}\n", quoted(&folder.join(part))));
    }
    lines.push_str("export GIT_CONFIG_SYSTEM=/dev/null\n");
    let directory = program.parent().unwrap_or(Path::new("/"));
    lines.push_str(&format!("export PATH={}:\"$PATH\"\n", quoted(directory)));
    lines.push_str(&format!("cd {}\n", quoted(&folder.join("shop"))));
    lines
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_places_are_not_seen() {
        let given = [
            ("HOME", "/home/u"),
            ("XDG_STATE_HOME", "/home/u/state"),
            ("GIT_DIR", "/elsewhere"),
            ("WT_ATTEMPT", "a.1"),
        ];
        let seen = surroundings(&Environment::of(given, "/"), Path::new("/demo"));
        let value = |name: &str| seen.iter().find(|(key, _)| key == name).map(|(_, v)| v.clone());
        assert_eq!(value("HOME"), Some("/home/u".into()));
        assert_eq!(value("XDG_STATE_HOME"), Some("/demo/state".into()));
        assert_eq!((value("GIT_DIR"), value("WT_ATTEMPT")), (None, None));
    }

    #[test]
    fn a_shell_can_read_the_way_in() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("it's here");
        std::fs::create_dir_all(folder.join("shop")).unwrap();
        let file = dir.path().join("env.sh");
        std::fs::write(&file, shell_lines(&folder, Path::new("/opt/wt dir/wt"))).unwrap();
        let mut shell = Command::new("sh");
        let script = ". \"$0\"; echo \"$PWD|$XDG_STATE_HOME|${PATH%%:*}\"";
        let output = shell.args(["-c", script]).arg(&file).output().unwrap();
        let (shop, state) = (folder.join("shop"), folder.join("state"));
        let wanted = format!("{}|{}|/opt/wt dir\n", shop.display(), state.display());
        assert_eq!(String::from_utf8_lossy(&output.stdout), wanted);
    }
}
