//! Where everything is kept, and the checks that it is ours alone.

use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::domain::id::{AttemptId, RepoId, TaskId};
use crate::store::environment::Environment;
use crate::store::error::StoreError;

/// The state directory, `$XDG_STATE_HOME/wt`, and what is in it. All paths are absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
    runtime: PathBuf,
}

impl Layout {
    /// The directories of this environment, made if need be, private to the user.
    ///
    /// # Errors
    /// [`StoreError::BadState`] when there is no home, the directory belongs to somebody else, or
    /// it is on a network file system, where neither locks nor SQLite can be trusted.
    pub fn prepare(environment: &Environment) -> Result<Self, StoreError> {
        let nowhere = || StoreError::BadState {
            path: "$XDG_STATE_HOME/wt".into(),
            why: "cannot be placed: neither XDG_STATE_HOME nor HOME is set".into(),
        };
        let root = environment.state_dir().ok_or_else(nowhere)?;
        refuse_foreign_home(environment)?;
        private_dir(&root, environment.uid)?;
        refuse_network(&root)?;
        let runtime = environment.runtime_dir().unwrap_or_else(|| root.join("run"));
        let runtime = match private_dir(&runtime, environment.uid) {
            Ok(()) => runtime,
            // A runtime directory that is not ours (su without a session) is no reason to fail.
            Err(_) => root.join("run"),
        };
        private_dir(&runtime, environment.uid)?;
        for part in ["attempts", "locks"] {
            private_dir(&root.join(part), environment.uid)?;
        }
        Ok(Self { root, runtime })
    }

    /// Directories at given places, for tests.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self { runtime: root.join("run"), root }
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.root.join("wt.db")
    }

    /// An attempt's folder: `spec.json`, `stdout`, `stderr`, `exit.json`, `result.md`, …
    pub fn attempt(&self, id: &AttemptId) -> PathBuf {
        self.root.join("attempts").join(id.as_str())
    }

    /// All attempt folders.
    pub fn attempts(&self) -> PathBuf {
        self.root.join("attempts")
    }

    /// The file, mode 0600, that a task's environment values travel in.
    pub fn environment_file(&self, task: &TaskId) -> PathBuf {
        self.runtime.join(format!("{task}.env"))
    }

    /// Held by the engine while it lives.
    pub fn engine_lock(&self) -> PathBuf {
        self.root.join("locks/engine")
    }

    /// Held around worktree registration and merges of one repository.
    pub fn repo_lock(&self, repo: &RepoId) -> PathBuf {
        self.root.join("locks").join(repo.as_str())
    }

    /// The FIFO that wakes the engine.
    pub fn bell(&self) -> PathBuf {
        self.root.join("bell")
    }

    /// What the engine has to say when nobody listens.
    pub fn engine_log(&self) -> PathBuf {
        self.root.join("engine.log")
    }
}

/// `sudo wt` would leave files that the user's own `wt` cannot write.
fn refuse_foreign_home(environment: &Environment) -> Result<(), StoreError> {
    let Some(home) = environment.home() else { return Ok(()) };
    let owner = std::fs::metadata(&home).map(|meta| meta.uid()).unwrap_or(environment.uid);
    if environment.uid == 0 && environment.get("SUDO_UID").is_some() && owner != 0 {
        let why = "belongs to another user: `wt` is not to be run through sudo".into();
        return Err(StoreError::BadState { path: home, why });
    }
    Ok(())
}

fn private_dir(path: &Path, uid: u32) -> Result<(), StoreError> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(StoreError::file("create", path))?;
    let meta = std::fs::metadata(path).map_err(StoreError::file("read", path))?;
    let bad = |why: &str| StoreError::BadState { path: path.to_path_buf(), why: why.into() };
    if meta.uid() != uid {
        return Err(bad("belongs to another user"));
    }
    if meta.mode() & 0o077 != 0 {
        let private = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(path, private).map_err(StoreError::file("protect", path))?;
    }
    Ok(())
}

/// Magic numbers of statfs(2), from Linux's `include/uapi/linux/magic.h`.
const NETWORK: &[(u64, &str)] = &[
    (0x6969, "nfs"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb"),
    (0x517b, "smb"),
    (0x5346_414f, "afs"),
    (0x7375_7245, "coda"),
    (0x0bd0_0bd0, "lustre"),
    (0x00c3_6400, "ceph"),
];

fn refuse_network(path: &Path) -> Result<(), StoreError> {
    let Ok(stat) = rustix::fs::statfs(path) else { return Ok(()) };
    let magic = stat.f_type as u64 & 0xffff_ffff;
    match NETWORK.iter().find(|(number, _)| *number == magic) {
        Some((_, name)) => Err(StoreError::BadState {
            path: path.to_path_buf(),
            why: format!("is on a network file system ({name}), where locks cannot be trusted"),
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_is_private_even_if_it_was_not() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state/wt");
        std::fs::create_dir_all(&state).unwrap();
        std::fs::set_permissions(&state, std::fs::Permissions::from_mode(0o755)).unwrap();
        let home = dir.path().to_str().unwrap();
        let env = Environment::of(
            [("HOME", home), ("XDG_STATE_HOME", dir.path().join("state").to_str().unwrap())],
            "/",
        );
        let layout = Layout::prepare(&env).unwrap();
        assert_eq!(layout.root(), state);
        assert_eq!(std::fs::metadata(&state).unwrap().mode() & 0o777, 0o700);
        assert!(Layout::prepare(&Environment::of([("A", "b")], "/")).is_err());
    }
}
