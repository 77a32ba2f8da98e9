//! One test's own world: home, state, configuration, runtime directory, programs.

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::left_behind;
use super::said::Said;

/// How long one call of a program may take before it is ended and the test fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// What git may not take from the machine: who commits, how branches are called, and nothing that
/// works in the background after a command has ended.
const GIT_CONFIG: &str = "\
[user]
	name = Test User
	email = test@example.com
[init]
	defaultBranch = main
[protocol \"file\"]
	allow = always
[gc]
	auto = 0
[maintenance]
	auto = false
";

/// What the machine is said to be like: percent of its processors and its memory in use, and bytes
/// free on disk. That it is busy with other tests is nothing to wait for.
const IDLE: &str = "0 0 1000000000000";

/// A temporary directory with everything that `wt` and git would otherwise look for elsewhere.
///
/// Dropping it ends the engine, and fails the test when any other process of this world is left.
pub struct TestEnv {
    dir: PathBuf,
    path: OsString,
    extra: Vec<(OsString, OsString)>,
    commits: Cell<u64>,
    _kept: TempDir,
}

impl TestEnv {
    /// A world of its own, empty.
    pub fn new() -> Self {
        let kept = tempfile::Builder::new().prefix("wt-test-").tempdir().unwrap();
        let dir = kept.path().canonicalize().unwrap();
        for part in ["home", "state", "config", "run", "bin", "tmp"] {
            std::fs::create_dir(dir.join(part)).unwrap();
        }
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(dir.join("run"), private).unwrap();
        std::fs::write(dir.join("home/.gitconfig"), GIT_CONFIG).unwrap();
        std::fs::write(dir.join("load"), IDLE).unwrap();
        let git = program_on_path("git").expect("tests need git");
        let bin = [dir.join("bin").as_path(), git.parent().unwrap(), "/usr/bin".as_ref()]
            .map(Path::to_path_buf);
        let path = std::env::join_paths(bin.into_iter().chain(["/bin".into()])).unwrap();
        Self { dir, path, extra: vec![], commits: Cell::new(0), _kept: kept }
    }

    /// Where everything of this world is; a canonical path.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The state directory of `wt`.
    pub fn state(&self) -> PathBuf {
        self.dir.join("state/wt")
    }

    /// Sets a variable for everything that is run from here on.
    pub fn set(&mut self, name: &str, value: impl AsRef<OsStr>) {
        self.extra.push((name.into(), value.as_ref().to_owned()));
    }

    /// Writes the user's settings.
    pub fn config(&self, toml: &str) {
        self.write("config/wt/config.toml", toml);
    }

    /// Says what the machine is like: percent of its processors and its memory in use, and bytes
    /// free on disk.
    pub fn load(&self, (cpu, memory): (u8, u8), free: u64) {
        // Renamed into its place, so that nobody reads half of it.
        let new = self.write("load.new", format!("{cpu} {memory} {free}"));
        std::fs::rename(new, self.dir.join("load")).unwrap();
    }

    /// Writes a file of this world, with the directories above it.
    pub fn write(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Puts a program on the `PATH`, before those of the machine.
    pub fn program(&self, name: &str, script: &str) -> PathBuf {
        let text = self.write(format!("tmp/{name}.text"), script);
        let program = self.dir.join("bin").join(name);
        // Another thread's child may hold a file open that this process writes, and a program that
        // is open for writing cannot be started: so another process writes it.
        self.run("/bin/sh", &self.dir, &["-c", "cp \"$0\" \"$1\" && chmod +x \"$1\""], |command| {
            command.arg(&text).arg(&program);
        })
        .ok();
        program
    }

    /// `wt` with these arguments, in this world's directory, which is no repository.
    pub fn wt(&self, args: &[&str]) -> Said {
        self.wt_in(&self.dir, args)
    }

    /// `wt` with these arguments, in a directory.
    pub fn wt_in(&self, dir: &Path, args: &[&str]) -> Said {
        self.run(assert_cmd::cargo::cargo_bin!("wt"), dir, args, |_| {})
    }

    /// The same with something to read on its standard input.
    pub fn wt_fed(&self, dir: &Path, args: &[&str], input: &str) -> Said {
        let input = input.to_owned();
        self.run(assert_cmd::cargo::cargo_bin!("wt"), dir, args, |command| {
            command.write_stdin(input);
        })
    }

    /// `wt`, ready to be started with arguments of the caller's, without a deadline.
    pub fn wt_command(&self, dir: &Path) -> std::process::Command {
        self.command(assert_cmd::cargo::cargo_bin!("wt"), dir)
    }

    /// git, as a person would use it: a failure fails the test. Commits are a minute apart, so that
    /// object ids are the same in every run.
    pub fn git(&self, dir: &Path, args: &[&str]) -> String {
        let number = self.commits.get();
        self.commits.set(number + 1);
        let date = format!("{} +0000", 1_767_225_600 + 60 * number);
        let said = self.run("git", dir, args, |command| {
            command.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date);
        });
        said.ok().stdout.clone()
    }

    /// A program of this world, ready to be started.
    pub fn command(&self, program: impl AsRef<OsStr>, dir: &Path) -> std::process::Command {
        let mut command = std::process::Command::new(program);
        command.current_dir(dir).env_clear().envs(self.variables());
        command
    }

    fn run(
        &self,
        program: impl AsRef<OsStr>,
        dir: &Path,
        args: &[&str],
        more: impl FnOnce(&mut assert_cmd::Command),
    ) -> Said {
        let mut command = assert_cmd::Command::from_std(self.command(program, dir));
        command.args(args).timeout(PATIENCE);
        more(&mut command);
        Said::of(&command.output().unwrap(), &self.dir)
    }

    /// Every variable that programs of this world see.
    pub fn variables(&self) -> Vec<(OsString, OsString)> {
        let places = [
            ("HOME", "home"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_RUNTIME_DIR", "run"),
            ("TMPDIR", "tmp"),
            ("GIT_CONFIG_GLOBAL", "home/.gitconfig"),
            ("WT_TEST_LOAD", "load"),
        ];
        let words =
            [("GIT_CONFIG_NOSYSTEM", "1"), ("LC_ALL", "C"), ("TZ", "UTC"), ("TERM", "dumb")];
        let places = places.map(|(name, place)| (name.into(), self.dir.join(place).into()));
        let words = words.map(|(name, word)| (name.into(), word.into()));
        let path = ("PATH".into(), self.path.clone());
        places.into_iter().chain(words).chain([path]).chain(self.extra.clone()).collect()
    }
}

impl Drop for TestEnv {
    fn drop(&mut self) {
        let left = left_behind::end_all(&self.dir);
        if !std::thread::panicking() {
            assert!(left.is_empty(), "processes were left behind:\n{}", left.join("\n"));
        }
    }
}

/// The first program of that name on the `PATH` of the tests themselves.
pub fn program_on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|program| program.is_file())
}
