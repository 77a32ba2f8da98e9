//! The environment: the one place that reads it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The variables, the working directory and the user that this process started with.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
    /// Where the process was started.
    pub cwd: PathBuf,
    /// The effective user id.
    pub uid: u32,
}

impl Environment {
    /// That of this process.
    ///
    /// # Errors
    /// When the working directory is gone.
    pub fn capture() -> std::io::Result<Self> {
        Ok(Self {
            variables: std::env::vars_os().collect(),
            cwd: std::env::current_dir()?,
            uid: rustix::process::geteuid().as_raw(),
        })
    }

    /// One made for a test.
    pub fn of(
        variables: impl IntoIterator<Item = (impl Into<OsString>, impl Into<OsString>)>,
        cwd: impl Into<PathBuf>,
    ) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        let uid = rustix::process::geteuid().as_raw();
        Self { variables: variables.collect(), cwd: cwd.into(), uid }
    }

    /// A variable as text; `None` when unset, empty or no UTF-8.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_os(name).and_then(OsStr::to_str)
    }

    /// A variable as it is; `None` when unset or empty.
    pub fn get_os(&self, name: &str) -> Option<&OsStr> {
        let value = self.variables.get(OsStr::new(name))?;
        (!value.is_empty()).then_some(value.as_os_str())
    }

    /// All of them, sorted by name.
    pub fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// The user's home directory.
    pub fn home(&self) -> Option<PathBuf> {
        self.directory("HOME")
    }

    /// `$XDG_CONFIG_HOME/wt`, by default `~/.config/wt`.
    pub fn config_dir(&self) -> Option<PathBuf> {
        self.directory("XDG_CONFIG_HOME")
            .or_else(|| Some(self.home()?.join(".config")))
            .map(|dir| dir.join("wt"))
    }

    /// `$XDG_STATE_HOME/wt`, by default `~/.local/state/wt`.
    pub fn state_dir(&self) -> Option<PathBuf> {
        self.directory("XDG_STATE_HOME")
            .or_else(|| Some(self.home()?.join(".local/state")))
            .map(|dir| dir.join("wt"))
    }

    /// `$XDG_RUNTIME_DIR/wt`, where the session has one.
    pub fn runtime_dir(&self) -> Option<PathBuf> {
        self.directory("XDG_RUNTIME_DIR").map(|dir| dir.join("wt"))
    }

    /// The directories programs are looked for in.
    pub fn path(&self) -> Vec<PathBuf> {
        self.get_os("PATH").map(|path| std::env::split_paths(path).collect()).unwrap_or_default()
    }

    /// An absolute directory; the XDG specification says to ignore relative ones.
    fn directory(&self, name: &str) -> Option<PathBuf> {
        let path = Path::new(self.get_os(name)?);
        path.is_absolute().then(|| path.to_path_buf())
    }

    /// The attempt that this process works inside of, if any.
    pub fn attempt(&self) -> Option<&str> {
        self.get("WT_ATTEMPT")
    }
}

impl std::fmt::Debug for Environment {
    /// Names alone: values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.variables.keys().map(|name| String::from_utf8_lossy(name.as_bytes()));
        f.debug_list().entries(names).finish()
    }
}
