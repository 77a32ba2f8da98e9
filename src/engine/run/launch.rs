//! Starts holders, and hears their reports.

use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::UnixStream;

use crate::domain::launch::LaunchSpec;
use crate::engine::holder::gate::{GO, Report};
use crate::engine::process::ancestry::HOLDER_VERB;
use crate::store::folder::Folder;
use crate::store::layout::Layout;

/// How long a holder may take to report: it has nothing to do before but to read one file and to
/// wait for a predecessor whose gate has closed.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most bytes of a report.
const REPORT_MAX: u64 = 64 * 1024;

/// The engine's end of a holder's gate. Dropping it tells the holder to start nothing.
pub struct Gate {
    socket: UnixStream,
}

/// Starts a holder, which then waits at its gate.
///
/// # Errors
/// When no process can be started.
pub fn start(layout: &Layout, spec: &LaunchSpec) -> std::io::Result<(Child, Gate)> {
    let folder = Folder::of(layout, &spec.attempt);
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let socket = UnixStream::from_std(ours)?;
    // This very program, also when it was replaced on disk: a holder is read by the engine that
    // started it, and by later ones.
    let mut command = Command::new("/proc/self/exe");
    command.arg(HOLDER_VERB).arg(folder.dir()).arg(layout.environment_file(&spec.task));
    command.env_clear().current_dir(folder.dir());
    command.stdin(OwnedFd::from(theirs)).stdout(Stdio::null());
    Ok((command.spawn()?, Gate { socket }))
}

impl Gate {
    /// Waits for the holder's report.
    ///
    /// # Errors
    /// When it ends without one, takes too long, or says something else.
    pub async fn report(&mut self) -> std::io::Result<Report> {
        let mut line = Vec::new();
        let mut reader = BufReader::new((&mut self.socket).take(REPORT_MAX));
        tokio::time::timeout(PATIENCE, reader.read_until(b'\n', &mut line)).await??;
        if line.is_empty() {
            return Err(std::io::Error::other("it ended without a report"));
        }
        Ok(serde_json::from_slice(&line)?)
    }

    /// Lets the holder go. False when it is gone already.
    pub fn open(self) -> bool {
        // One byte fits into an empty socket, so this never has to wait.
        self.socket.try_write(&[GO]).is_ok()
    }
}
