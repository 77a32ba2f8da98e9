//! Waits for what can happen to a holder: a child's end, a request, a moment in time.

use std::os::fd::BorrowedFd;
use std::time::Instant;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{WaitOptions, WaitStatus, wait};

use crate::engine::process::signal::Handle;

/// The holder's ears. It has one thread, and nobody else in the process waits for children.
pub struct Reaper {
    signals: SignalFd,
    /// Set by the first signal that asks for an end.
    asked: bool,
    /// The one child whose end is kept: an agent's tools may end by the thousand.
    watched: Option<u32>,
    status: Option<WaitStatus>,
}

impl Reaper {
    /// Blocks the signals that are heard from now on. What this process starts has none blocked:
    /// the standard library gives every child an empty mask.
    ///
    /// # Errors
    /// When the kernel gives no descriptor.
    pub fn new() -> std::io::Result<Self> {
        let mut heard = SigSet::empty();
        for signal in [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
            heard.add(signal);
        }
        heard.thread_block()?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let signals = SignalFd::with_flags(&heard, flags)?;
        Ok(Self { signals, asked: false, watched: None, status: None })
    }

    /// True once a signal has asked for the end.
    pub fn asked_to_end(&self) -> bool {
        self.asked
    }

    /// Keeps the end of this child from now on. Called before anything else is after its start.
    pub fn watch(&mut self, pid: u32) {
        (self.watched, self.status) = (Some(pid), None);
    }

    /// How the watched child ended; `None` while it has not.
    pub fn status(&mut self) -> Option<WaitStatus> {
        self.reap();
        self.status
    }

    /// Fetches every end there is (several children can end under one signal). True while anything
    /// that this process started, or that was left to it, has not ended.
    pub fn reap(&mut self) -> bool {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    if self.watched == Some(pid.as_raw_pid().unsigned_abs()) {
                        self.status = Some(status);
                    }
                }
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }

    /// Waits until something happens: a signal, an input or a process's end, or `until`. Says
    /// nothing about what: the caller looks.
    pub fn wait(
        &mut self,
        until: Option<Instant>,
        input: Option<BorrowedFd<'_>>,
        others: &[Handle],
    ) {
        let mut fds = vec![PollFd::new(&self.signals, PollFlags::IN)];
        fds.extend(input.map(|input| PollFd::from_borrowed_fd(input, PollFlags::IN)));
        fds.extend(others.iter().map(|handle| PollFd::new(handle, PollFlags::IN)));
        let timeout = until.map(|until| until.saturating_duration_since(Instant::now()));
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        // An interrupted wait is one that ended early.
        poll(&mut fds, timeout.as_ref()).ok();
        while let Ok(Some(signal)) = self.signals.read_signal() {
            self.asked |= signal.ssi_signo != Signal::SIGCHLD as u32;
        }
    }
}
