//! The processes of one test's world, found by the paths they carry.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// How long processes that are about to end may take to do so.
const GRACE: Duration = Duration::from_secs(5);

/// One process, held by a descriptor so that its number cannot become another's.
pub struct Process {
    /// Its number.
    pub pid: Pid,
    handle: OwnedFd,
    /// What it was started as.
    pub words: String,
}

impl Process {
    /// Sends it a signal; false when it has ended.
    pub fn signal(&self, signal: Signal) -> bool {
        pidfd_send_signal(&self.handle, signal).is_ok()
    }

    /// The value that it was started with under a variable.
    pub fn variable(&self, name: &str) -> Option<String> {
        let environ = fs::read(format!("/proc/{}/environ", self.pid.as_raw_nonzero())).ok()?;
        let prefix = format!("{name}=");
        let mut pairs = environ.split(|byte| *byte == 0);
        let value = pairs.find_map(|pair| pair.strip_prefix(prefix.as_bytes()))?;
        Some(String::from_utf8_lossy(value).into_owned())
    }
}

/// Ends every process that works in `dir` or carries it in its environment. The engine is asked to
/// end, others are given a while; gives those that had to be killed.
pub fn end_all(dir: &Path) -> Vec<String> {
    let deadline = Instant::now() + GRACE;
    loop {
        let found = processes_of(dir);
        if found.is_empty() {
            return vec![];
        }
        for engine in found.iter().filter(|process| process.words.contains(" __engine")) {
            let _ = pidfd_send_signal(&engine.handle, Signal::TERM);
        }
        for process in &found {
            if !ends_before(process, deadline) {
                return kill_all(dir);
            }
        }
    }
}

fn kill_all(dir: &Path) -> Vec<String> {
    let mut killed = vec![];
    loop {
        let found = processes_of(dir);
        if found.is_empty() {
            return killed;
        }
        for process in found {
            let _ = pidfd_send_signal(&process.handle, Signal::KILL);
            ends_before(&process, Instant::now() + GRACE);
            killed.push(format!("{} {}", process.pid.as_raw_nonzero(), process.words));
        }
    }
}

fn ends_before(process: &Process, deadline: Instant) -> bool {
    let rest = deadline.saturating_duration_since(Instant::now());
    let timeout = Timespec::try_from(rest).unwrap();
    let mut waited = [PollFd::new(&process.handle, PollFlags::IN)];
    poll(&mut waited, Some(&timeout)).is_ok_and(|ready| ready > 0)
}

/// Every process of the world in `dir`, this one left out.
pub fn processes_of(dir: &Path) -> Vec<Process> {
    let entries = fs::read_dir("/proc").unwrap();
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(Pid::from_raw)
        .filter(|pid| pid.as_raw_nonzero().get().cast_unsigned() != std::process::id())
        .filter_map(|pid| process(pid, dir))
        .collect()
}

/// The process, if it is one of this world. Opened before it is looked at, so that what was seen is
/// what the descriptor stands for.
fn process(pid: Pid, dir: &Path) -> Option<Process> {
    let handle = pidfd_open(pid, PidfdFlags::empty()).ok()?;
    let proc = Path::new("/proc").join(pid.as_raw_nonzero().to_string());
    let works_in = fs::read_link(proc.join("cwd")).is_ok_and(|cwd| cwd.starts_with(dir));
    let wanted = dir.as_os_str().as_bytes();
    let carries = fs::read(proc.join("environ"))
        .is_ok_and(|environ| environ.windows(wanted.len()).any(|part| part == wanted));
    let dead = fs::read_to_string(proc.join("stat"))
        .map_or(true, |stat| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')));
    if dead || !(works_in || carries) {
        return None;
    }
    let words = fs::read(proc.join("cmdline")).unwrap_or_default();
    let words = String::from_utf8_lossy(&words).replace('\0', " ");
    Some(Process { pid, handle, words })
}
