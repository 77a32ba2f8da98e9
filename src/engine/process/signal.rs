//! Signals that reach the process that was meant, or nobody.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::domain::attempt::ProcessIdentity;
use crate::engine::process::table::{Stat, stat};

/// A hold on one process: a pidfd, checked against the moment the process started. Its descriptor
/// becomes readable when the process has ended, also for who is not its parent.
#[derive(Debug)]
pub struct Handle {
    fd: OwnedFd,
    pid: u32,
}

impl Handle {
    /// A hold on the process that runs under this pid and started at this moment; `None` when
    /// that one is gone.
    pub fn open(pid: u32, start_time: u64) -> Option<Self> {
        let raw = Pid::from_raw(i32::try_from(pid).ok()?)?;
        let fd = pidfd_open(raw, PidfdFlags::NONBLOCK).ok()?;
        // Looked at only now: whatever has this pid after the pidfd was opened is what it holds.
        let found = stat(pid)?;
        (found.start_time == start_time && found.runs()).then_some(Self { fd, pid })
    }

    /// A hold on a process of the table.
    pub fn of(stat: &Stat) -> Option<Self> {
        Self::open(stat.pid, stat.start_time)
    }

    /// A hold on a recorded process. The caller has made sure that it belongs to this machine and
    /// pid namespace.
    pub fn recorded(process: &ProcessIdentity) -> Option<Self> {
        Self::open(process.pid, process.start_time)
    }

    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Sends a signal; false when the process has ended or may not be signalled.
    pub fn send(&self, signal: Signal) -> bool {
        pidfd_send_signal(&self.fd, signal).is_ok()
    }
}

impl AsFd for Handle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl From<Handle> for OwnedFd {
    fn from(handle: Handle) -> Self {
        handle.fd
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_with_another_start_is_never_signalled() {
        let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        let seen = stat(child.id()).unwrap();
        assert!(Handle::open(seen.pid, seen.start_time + 1).is_none());
        let handle = Handle::of(&seen).unwrap();
        assert!(handle.send(Signal::KILL));
        child.wait().unwrap();
        assert!(!handle.send(Signal::KILL));
        assert!(Handle::of(&seen).is_none());
    }
}
