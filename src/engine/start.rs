//! Makes sure that an engine looks at what was just committed.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use crate::engine::process::ancestry::{ENGINE_VERB, inside_attempt};
use crate::store::bell;
use crate::store::environment::Environment;
use crate::store::error::StoreError;
use crate::store::layout::Layout;
use crate::store::lock::Lock;

/// The variables that an engine gets of whoever happens to start it: where things are, who the
/// user is, how to reach the session. Nothing of a task's: those have a file of their own.
const PASSED_ON: &[&str] = &[
    "DBUS_SESSION_BUS_ADDRESS",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_SYSTEM",
    "HOME",
    "LANG",
    "LOGNAME",
    "PATH",
    "TMPDIR",
    "TZ",
    "USER",
    "WT_TEST_LOAD",
    "WT_TEST_WATCHDOG",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
];

/// Who looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ensured {
    /// The engine that was there already.
    Running,
    /// One that was started.
    Started,
    /// The next one that is started from outside: this process works inside an attempt, where an
    /// engine would end together with the attempt. (Usually there is one outside, and `Running`.)
    Later,
}

/// Wakes the engine, or starts one if there is none. Call it after the commit it is to see.
///
/// Takes about a millisecond and waits for nothing: an engine reads the store when it starts, and
/// once more after it gave up its lock.
///
/// # Errors
/// When no engine runs and none can be started.
pub fn ensure(layout: &Layout, environment: &Environment) -> Result<Ensured, StoreError> {
    bell::ring(&layout.bell())?;
    ensure_running(layout, environment)
}

/// As [`ensure`], for who committed nothing: an engine that runs is left alone.
///
/// # Errors
/// When no engine runs and none can be started.
pub fn ensure_running(layout: &Layout, environment: &Environment) -> Result<Ensured, StoreError> {
    if Lock::is_held(&layout.engine_lock())? {
        return Ok(Ensured::Running);
    }
    if inside_attempt(layout, environment.attempt()) {
        return Ok(Ensured::Later);
    }
    let log = log(layout)?;
    let mut command = Command::new("/proc/self/exe");
    command.arg(ENGINE_VERB).env_clear().current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    pass_on(&mut command, environment);
    // Not waited for: it goes into a session of its own, and this process ends before it.
    command.spawn().map_err(StoreError::file("start the engine of", layout.root()))?;
    Ok(Ensured::Started)
}

/// Starts a verb of ours that nobody waits for, with its output in the engine's log.
///
/// # Errors
/// When it cannot be started.
pub fn in_background(
    layout: &Layout,
    environment: &Environment,
    words: &[&str],
) -> Result<(), StoreError> {
    let log = log(layout)?;
    let mut command = Command::new("/proc/self/exe");
    command.args(words).env_clear().current_dir("/").stdin(Stdio::null());
    command.stdout(log.try_clone().map_err(StoreError::file("open", layout.engine_log()))?);
    // In a group of its own, so that Ctrl-C at the terminal is not for it.
    command.stderr(log).process_group(0);
    pass_on(&mut command, environment);
    command.spawn().map(drop).map_err(StoreError::file("start a process of", layout.root()))
}

fn pass_on(command: &mut Command, environment: &Environment) {
    for name in PASSED_ON {
        if let Some(value) = environment.get_os(name) {
            command.env(name, value);
        }
    }
}

/// What an engine has to say when nobody listens; begun anew once it has become long.
fn log(layout: &Layout) -> Result<File, StoreError> {
    const LONG: u64 = 1024 * 1024;
    let path = layout.engine_log();
    if std::fs::metadata(&path).is_ok_and(|meta| meta.len() > LONG) {
        std::fs::rename(&path, path.with_extension("log.old")).ok();
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600);
    options.open(&path).map_err(StoreError::file("open", path))
}
