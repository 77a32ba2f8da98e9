//! An attempt's folder: what is to run, what came of it, and how it ended.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::attempt::{Exit, ProcessIdentity, StopRequest};
use crate::domain::id::AttemptId;
use crate::domain::launch::LaunchSpec;
use crate::domain::resources::{Keepers, Refused};
use crate::store::error::StoreError;
use crate::store::file::{replace, write_atomically};
use crate::store::layout::Layout;

/// The version of `exit.json`.
pub const EXIT_SCHEMA: u32 = 1;

/// The mode of every file in a folder: what agents say and read is nobody else's business.
const PRIVATE: u32 = 0o600;

/// One attempt's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    dir: PathBuf,
}

/// `holder.json`: who holds the attempt, and where its processes are to be found when the holder
/// is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolderRecord {
    /// The holder.
    pub holder: ProcessIdentity,
    /// `cgroup`, `subreaper`.
    pub containment: String,
    /// The directory of the attempt's cgroup, where it has one.
    pub cgroup: Option<PathBuf>,
    /// The agent's main process, once it was started.
    pub agent: Option<ProcessIdentity>,
    /// Who sees to its limits.
    #[serde(default)]
    pub keepers: Keepers,
}

/// `exit.json`: how an attempt ended, written once, by its holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitRecord {
    /// [`EXIT_SCHEMA`].
    pub schema: u32,
    /// How its main process ended.
    pub exit: Exit,
    /// When that one was started; `None` when it never was.
    pub started_at: Option<Timestamp>,
    /// When the last process was gone.
    pub ended_at: Timestamp,
    /// The request that it ended upon, if it did not end by itself.
    pub stop: Option<StopRequest>,
    /// How many processes were told to end: all of them upon a request, else those that the agent
    /// had left running.
    pub ended: u32,
    /// How many survived even being killed.
    pub survived: u32,
    /// How its verify command ended; `None` when there is none, or it was not come to.
    #[serde(default)]
    pub verify: Option<Exit>,
    /// What ran into its limits.
    #[serde(default)]
    pub refused: Refused,
}

impl Folder {
    /// The folder of an attempt.
    pub fn of(layout: &Layout, attempt: &AttemptId) -> Self {
        Self { dir: layout.attempt(attempt) }
    }

    /// The folder at a path.
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Makes it, private to the user; there may be one already.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(&self) -> Result<(), StoreError> {
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.dir);
        made.map_err(StoreError::file("create", &self.dir))
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What the agent reads on its standard input, where it reads a prompt there.
    pub fn prompt(&self) -> PathBuf {
        self.dir.join("prompt")
    }

    /// What the agent wrote to standard output.
    pub fn stdout(&self) -> PathBuf {
        self.dir.join("stdout")
    }

    /// What the agent wrote to standard error.
    pub fn stderr(&self) -> PathBuf {
        self.dir.join("stderr")
    }

    /// What the setup commands wrote.
    pub fn setup_log(&self) -> PathBuf {
        self.dir.join("setup.log")
    }

    /// What the verify command wrote.
    pub fn verify_log(&self) -> PathBuf {
        self.dir.join("verify.log")
    }

    /// The final answer.
    pub fn result(&self) -> PathBuf {
        self.dir.join("result.md")
    }

    /// Held by the holder while it lives, never unlinked.
    pub fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }

    /// Writes what is to run.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn write_spec(&self, spec: &LaunchSpec) -> Result<(), StoreError> {
        self.write("spec.json", spec)
    }

    /// What is to run.
    ///
    /// # Errors
    /// When it is missing or unreadable.
    pub fn spec(&self) -> Result<LaunchSpec, StoreError> {
        let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
        let path = self.dir.join("spec.json");
        self.read("spec.json")?.ok_or_else(|| StoreError::file("read", path)(missing))
    }

    /// Writes who holds the attempt. Not synchronised: after a loss of power nobody does.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn write_holder(&self, record: &HolderRecord) -> Result<(), StoreError> {
        let path = self.dir.join("holder.json");
        replace(&path, &json(&path, record)?, PRIVATE)
    }

    /// Who holds the attempt; `None` before anybody did.
    ///
    /// # Errors
    /// When it is unreadable.
    pub fn holder(&self) -> Result<Option<HolderRecord>, StoreError> {
        self.read("holder.json")
    }

    /// Asks for the attempt's end; the first request stays.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn request_stop(&self, stop: &StopRequest) -> Result<(), StoreError> {
        if self.stop_request()?.is_some() { Ok(()) } else { self.write("stop", stop) }
    }

    /// The request for the attempt's end, if there was one.
    ///
    /// # Errors
    /// When it is unreadable.
    pub fn stop_request(&self) -> Result<Option<StopRequest>, StoreError> {
        self.read("stop")
    }

    /// Writes how it ended.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn write_exit(&self, record: &ExitRecord) -> Result<(), StoreError> {
        self.write("exit.json", record)
    }

    /// How it ended; `None` while nobody has said.
    ///
    /// # Errors
    /// When it is unreadable.
    pub fn exit(&self) -> Result<Option<ExitRecord>, StoreError> {
        self.read("exit.json")
    }

    /// Writes why one of its programs did not begin. Not synchronised: its holder reads it at once.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn write_unstarted(&self, why: &str) -> Result<(), StoreError> {
        replace(&self.dir.join("unstarted"), why.as_bytes(), PRIVATE)
    }

    /// Why one of its programs did not begin, if one did not.
    pub fn unstarted(&self) -> Option<String> {
        std::fs::read_to_string(self.dir.join("unstarted")).ok()
    }

    /// Writes the final answer.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn write_result(&self, text: &str) -> Result<(), StoreError> {
        write_atomically(&self.result(), text.as_bytes(), PRIVATE)
    }

    fn write(&self, name: &str, value: &impl Serialize) -> Result<(), StoreError> {
        let path = self.dir.join(name);
        write_atomically(&path, &json(&path, value)?, PRIVATE)
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let path = self.dir.join(name);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::file("read", path)(error)),
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| StoreError::file("read", path)(error.into()))
    }
}

fn json(path: &Path, value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|error| StoreError::file("write", path)(error.into()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Writes the environment values that a task's processes get, mode 0600, each `NAME=VALUE` ended
/// by a zero byte: the form of environ(7), which holds any value.
///
/// # Errors
/// When the directory cannot be written to.
pub fn write_environment<'a>(
    path: &Path,
    variables: impl IntoIterator<Item = (&'a OsStr, &'a OsStr)>,
) -> Result<(), StoreError> {
    let mut bytes = Vec::new();
    for (name, value) in variables {
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(b'=');
        bytes.extend_from_slice(value.as_bytes());
        bytes.push(0);
    }
    write_atomically(path, &bytes, PRIVATE)
}

/// Reads what [`write_environment`] wrote.
///
/// # Errors
/// When it is gone.
pub fn read_environment(path: &Path) -> Result<Vec<(OsString, OsString)>, StoreError> {
    let bytes = std::fs::read(path).map_err(StoreError::file("read", path))?;
    let pairs = bytes.split(|byte| *byte == 0).filter_map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (pair.get(..equals)?, pair.get(equals + 1..)?);
        Some((OsString::from_vec(name.to_vec()), OsString::from_vec(value.to_vec())))
    });
    Ok(pairs.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_request_to_stop_stays() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::at(dir.path().join("a.1"));
        folder.create().unwrap();
        assert_eq!(folder.stop_request().unwrap(), None);
        let first = StopRequest { at: Timestamp::UNIX_EPOCH, why: "by you".into(), class: None };
        folder.request_stop(&first).unwrap();
        folder.request_stop(&StopRequest { why: "budget".into(), ..first.clone() }).unwrap();
        assert_eq!(folder.stop_request().unwrap(), Some(first));
    }

    #[test]
    fn any_environment_comes_back_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.env");
        let values = [("A", &b"1=2\n3"[..]), ("EMPTY", b""), ("RAW", b"\xff\xfe")];
        let values = values.map(|(name, value)| (OsStr::new(name), OsStr::from_bytes(value)));
        write_environment(&path, values).unwrap();
        let read = read_environment(&path).unwrap();
        let read: Vec<_> = read.iter().map(|(n, v)| (n.as_os_str(), v.as_os_str())).collect();
        assert_eq!(read, values);
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(read_environment(&dir.path().join("none")).is_err());
    }
}
