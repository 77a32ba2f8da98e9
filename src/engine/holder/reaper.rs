//! Waits for what can happen to a holder: a child's end, a request, a moment in time.

use std::io::Read;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, WaitOptions, WaitStatus, wait};
use signal_hook::low_level::pipe;

use crate::engine::process::signal::Handle;

/// The holder's ears. It has one thread, and nobody else in the process waits for children.
///
/// Signals are caught, not blocked: a mask is inherited by what a process starts (the standard
/// library leaves it as it is), and an agent that is deaf to TERM could only be killed.
pub struct Reaper {
    /// A byte for each child's end.
    children: UnixStream,
    /// A byte for each signal that asks for an end.
    requests: UnixStream,
    /// True once there was one.
    asked: bool,
    /// The one child whose end is kept: an agent's tools may end by the thousand.
    watched: Option<u32>,
    status: Option<WaitStatus>,
}

impl Reaper {
    /// Catches the signals that are heard from now on.
    ///
    /// # Errors
    /// When the kernel gives no descriptor.
    pub fn new() -> std::io::Result<Self> {
        let children = caught(&[Signal::CHILD])?;
        let requests = caught(&[Signal::TERM, Signal::INT, Signal::HUP])?;
        Ok(Self { children, requests, asked: false, watched: None, status: None })
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
        let mut fds = vec![
            PollFd::new(&self.children, PollFlags::IN),
            PollFd::new(&self.requests, PollFlags::IN),
        ];
        fds.extend(input.map(|input| PollFd::from_borrowed_fd(input, PollFlags::IN)));
        fds.extend(others.iter().map(|handle| PollFd::new(handle, PollFlags::IN)));
        let timeout = until.map(|until| until.saturating_duration_since(Instant::now()));
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        // An interrupted wait is one that ended early.
        poll(&mut fds, timeout.as_ref()).ok();
        drain(&mut self.children);
        self.asked |= drain(&mut self.requests);
    }
}

/// A socket that gets a byte whenever one of these signals arrives.
fn caught(signals: &[Signal]) -> std::io::Result<UnixStream> {
    let (heard, told) = UnixStream::pair()?;
    heard.set_nonblocking(true)?;
    for signal in signals {
        pipe::register(signal.as_raw(), told.try_clone()?)?;
    }
    Ok(heard)
}

/// Empties a socket; true when there was anything in it.
fn drain(socket: &mut UnixStream) -> bool {
    let mut bytes = [0; 64];
    let mut any = false;
    while socket.read(&mut bytes).is_ok_and(|read| read > 0) {
        any = true;
    }
    any
}
