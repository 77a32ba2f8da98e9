//! Which processes are `wt`'s own: holders and engines, that no stop set may hold, and below which
//! no engine may be started.

use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::engine::process::table::{Stat, stat};
use crate::store::layout::Layout;

/// The hidden verb that the engine runs under: `wt __engine`.
pub const ENGINE_VERB: &str = "__engine";
/// The hidden verb that a holder runs under: `wt __hold ATTEMPT_DIR ENVIRONMENT_FILE`.
pub const HOLDER_VERB: &str = "__hold";

/// A process of `wt` that is no agent's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keeper {
    /// It calls itself the engine.
    Engine,
    /// It calls itself the holder of the attempt in this folder.
    Holder(PathBuf),
}

/// What a process calls itself on its command line: anybody can.
pub fn claims(pid: u32) -> Option<Keeper> {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let mut words = line.split(|byte| *byte == 0).skip(1);
    match words.next()? {
        verb if verb == ENGINE_VERB.as_bytes() => Some(Keeper::Engine),
        verb if verb == HOLDER_VERB.as_bytes() => {
            let dir = words.next().filter(|dir| !dir.is_empty())?;
            Some(Keeper::Holder(std::ffi::OsString::from_vec(dir.to_vec()).into()))
        }
        _ => None,
    }
}

/// True when a process is an engine or a holder of this state directory: it says so, and it holds
/// the lock that only such a one holds.
pub fn keeps(pid: u32, layout: &Layout) -> bool {
    match claims(pid) {
        Some(Keeper::Engine) => holds(pid, &layout.engine_lock()),
        Some(Keeper::Holder(dir)) => {
            dir.starts_with(layout.attempts()) && holds(pid, &dir.join("lock"))
        }
        None => false,
    }
}

/// True when a process holds a `flock` on a file, by `/proc/locks`. Files are told apart by inode
/// alone: some file systems show another device there than to stat(2).
fn holds(pid: u32, path: &Path) -> bool {
    let Ok(inode) = std::fs::metadata(path).map(|meta| meta.ino()) else { return false };
    let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    locks.lines().any(|line| {
        // `1: FLOCK  ADVISORY  WRITE 1234 08:02:5678 0 EOF`; a waiter has `->` as second word.
        let mut words = line.split_ascii_whitespace().skip(1);
        words.next() == Some("FLOCK")
            && words.nth(2).and_then(|word| word.parse().ok()) == Some(pid)
            && words.next().and_then(|file| file.rsplit(':').next()?.parse().ok()) == Some(inode)
    })
}

/// True when this process works inside an attempt of this state directory: its environment says
/// so, or a holder is above it. The control plane is never started there, for it would end with
/// the attempt.
pub fn inside_attempt(layout: &Layout, mark: Option<&str>) -> bool {
    let marked = mark.is_some_and(|id| {
        !id.is_empty() && !id.contains('/') && layout.attempts().join(id).join("spec.json").exists()
    });
    marked || ancestors().any(|stat| is_holder_of(stat.pid, layout))
}

fn is_holder_of(pid: u32, layout: &Layout) -> bool {
    matches!(claims(pid), Some(Keeper::Holder(dir)) if dir.starts_with(layout.attempts()))
}

/// The parents of this process, nearest first.
fn ancestors() -> impl Iterator<Item = Stat> {
    let parent = |of: &Stat| stat(of.parent).filter(|parent| parent.start_time <= of.start_time);
    std::iter::successors(stat(std::process::id()).as_ref().and_then(parent), parent)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::process::{Child, Command, Stdio};

    use super::*;
    use crate::store::lock::Lock;

    #[test]
    fn a_lock_is_seen_with_its_holder() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        assert!(!holds(std::process::id(), &path));
        let lock = Lock::take(&path).unwrap();
        assert!(holds(std::process::id(), &path));
        assert!(!holds(1, &path));
        drop(lock);
        assert!(!holds(std::process::id(), &path));
    }

    #[test]
    fn who_only_claims_to_keep_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::at(dir.path());
        let attempt = layout.attempts().join("a.1");
        std::fs::create_dir_all(&attempt).unwrap();
        let mut sh = Command::new("sh");
        let mut child = speaking(sh.args(["-c", "echo; read line", HOLDER_VERB]));
        assert_eq!(claims(child.id()), None, "the verb is no first argument");
        child.kill().unwrap();
        child.wait().unwrap();
        std::fs::write(dir.path().join(HOLDER_VERB), "echo; read line").unwrap();
        let mut sh = Command::new("sh");
        let mut child = speaking(sh.arg(HOLDER_VERB).arg(&attempt).current_dir(dir.path()));
        assert_eq!(claims(child.id()), Some(Keeper::Holder(attempt)));
        assert!(!keeps(child.id(), &layout), "it holds no lock");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Starts it and waits for its first word: until its program runs, a process that was just
    /// started shows no arguments.
    fn speaking(command: &mut Command) -> Child {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut word = [0];
        child.stdout.as_mut().unwrap().read_exact(&mut word).unwrap();
        child
    }

    #[test]
    fn only_a_mark_of_this_state_counts() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::at(dir.path());
        let attempt = layout.attempts().join("a.1");
        std::fs::create_dir_all(&attempt).unwrap();
        std::fs::write(attempt.join("spec.json"), "{}").unwrap();
        assert!(inside_attempt(&layout, Some("a.1")));
        for mark in [None, Some(""), Some("b.1"), Some("../attempts/a.1")] {
            assert!(!inside_attempt(&layout, mark), "{mark:?}");
        }
    }
}
