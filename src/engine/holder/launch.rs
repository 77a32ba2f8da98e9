//! The commands that a holder starts, and what they are given.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::domain::launch::{LaunchSpec, StdinFrom};
use crate::engine::holder::bounded;
use crate::engine::process::cgroup::Cgroup;
use crate::engine::process::tree::MARK;
use crate::store::folder::Folder;

/// What everything in an attempt is started with.
pub struct Surroundings {
    variables: Vec<(OsString, OsString)>,
    /// The attempt's cgroup, where it has one.
    pub cgroup: Option<Cgroup>,
}

impl Surroundings {
    /// The task's own values, then what the spec sets, then the mark that everything in this
    /// attempt's tree is found by.
    pub fn new(spec: &LaunchSpec, values: Vec<(OsString, OsString)>) -> Self {
        let mut variables = values;
        let set = spec.env.iter().map(|(name, value)| (name.into(), value.into()));
        variables.extend(set);
        variables.push((MARK.into(), spec.attempt.as_str().into()));
        Self { variables, cgroup: None }
    }

    /// Starts a command within the attempt: in the cgroup, with the attempt's environment, in a
    /// process group of its own (so that a `kill 0` of its does not end the holder). Gives its pid.
    ///
    /// # Errors
    /// What the system says, when it cannot be started.
    pub fn start(&mut self, mut command: Command) -> std::io::Result<u32> {
        command.env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.process_group(0);
        let inside = self.cgroup.as_ref().is_some_and(Cgroup::enter);
        let started = command.spawn();
        if inside && !self.cgroup.as_ref().is_some_and(Cgroup::leave) {
            // The holder itself is stuck in there, so it cannot be killed as a whole any more.
            self.cgroup = None;
        }
        Ok(started?.id())
    }
}

/// One of the setup commands: `sh -c`, its output at the end of the log beneath a line that shows
/// the command.
///
/// # Errors
/// When the log cannot be written.
pub fn setup(spec: &LaunchSpec, folder: &Folder, line: &str) -> std::io::Result<Command> {
    shell(spec, folder, &folder.setup_log(), line)
}

/// The verify command: `sh -c`, its output in a log of its own.
///
/// # Errors
/// When the log cannot be written.
pub fn verify(spec: &LaunchSpec, folder: &Folder, line: &str) -> std::io::Result<Command> {
    shell(spec, folder, &folder.verify_log(), line)
}

fn shell(spec: &LaunchSpec, folder: &Folder, log: &Path, line: &str) -> std::io::Result<Command> {
    let mut log = append(log)?;
    writeln!(log, "$ {line}")?;
    let mut command = bounded::command(spec, folder, "/bin/sh");
    command.args(["-c", line]).current_dir(&spec.cwd);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    Ok(command)
}

/// The agent. Its output goes straight to files that only ever grow: without `O_APPEND` an agent
/// that truncates its own output leaves holes.
///
/// # Errors
/// When a file cannot be opened.
pub fn agent(spec: &LaunchSpec, folder: &Folder) -> std::io::Result<Command> {
    let (program, arguments) = spec.argv.split_first().ok_or_else(|| {
        std::io::Error::new(std::io::ErrorKind::InvalidInput, "no program is named")
    })?;
    let mut command = bounded::command(spec, folder, program);
    command.args(arguments).current_dir(&spec.cwd);
    command.stdin(match spec.stdin {
        StdinFrom::Null => Stdio::null(),
        StdinFrom::Prompt => File::open(folder.prompt())?.into(),
    });
    command.stdout(append(&folder.stdout())?).stderr(append(&folder.stderr())?);
    Ok(command)
}

fn append(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}
