//! Between being started and being let go: the holder reports who it is, and waits until that is
//! on record.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use serde::{Deserialize, Serialize};

use crate::domain::attempt::ProcessIdentity;
use crate::engine::holder::reaper::Reaper;

/// What a holder reports, as one line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Who it is.
    pub holder: ProcessIdentity,
    /// How it contains what it starts: `cgroup`, `subreaper`.
    pub containment: String,
}

/// The byte that lets a holder go.
pub const GO: u8 = b'!';

/// A holder's end of the gate: the socket that it was given as its standard input.
pub struct Gate {
    socket: UnixStream,
}

impl Gate {
    /// Takes the socket; standard input is `/dev/null` from then on.
    ///
    /// # Errors
    /// When there is no standard input.
    pub fn take() -> std::io::Result<Self> {
        let socket = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
        rustix::stdio::dup2_stdin(&std::fs::File::open("/dev/null")?)?;
        Ok(Self { socket })
    }

    /// Reports, then waits for [`GO`]. False when nothing is to be started: the engine is gone
    /// (end of file), or a signal says so. The socket is closed afterwards, by which the engine
    /// sees that the holder went.
    ///
    /// # Errors
    /// When the engine is gone already, or standard input is no socket.
    pub fn pass(mut self, reaper: &mut Reaper, report: &Report) -> std::io::Result<bool> {
        let mut line = serde_json::to_vec(report)?;
        line.push(b'\n');
        self.socket.write_all(&line)?;
        self.socket.set_nonblocking(true)?;
        loop {
            reaper.wait(None, Some(self.socket.as_fd()), &[]);
            if reaper.asked_to_end() {
                return Ok(false);
            }
            let mut byte = [0];
            match self.socket.read(&mut byte) {
                Ok(read) => return Ok(read == 1 && byte[0] == GO),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}
