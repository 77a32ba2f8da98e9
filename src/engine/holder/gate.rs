//! Between being started and being let go: the holder reports who it is, and waits until that is
//! on record.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;

use serde::{Deserialize, Serialize};

use crate::domain::attempt::ProcessIdentity;
use crate::engine::holder::reaper::Reaper;

/// What a holder reports on its standard output, one line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Who it is.
    pub holder: ProcessIdentity,
    /// How it contains what it starts: `cgroup`, `subreaper`.
    pub containment: String,
}

/// The byte that lets a holder go.
pub const GO: u8 = b'!';

/// Reports on stdout, then waits on stdin for [`GO`]. False when it is not to start anything: the
/// engine is gone (end of file), or a signal says so. Afterwards both are closed, which tells the
/// engine that it went.
///
/// # Errors
/// When the engine is gone already.
pub fn pass(reaper: &mut Reaper, report: &Report) -> std::io::Result<bool> {
    let mut line = serde_json::to_vec(report)?;
    line.push(b'\n');
    let mut stdout = std::io::stdout();
    stdout.write_all(&line)?;
    stdout.flush()?;
    let stdin = std::io::stdin();
    let go = loop {
        reaper.wait(None, Some(stdin.as_fd()), &[]);
        if reaper.asked_to_end() {
            break false;
        }
        if is_readable(&stdin) {
            let mut byte = [0];
            break rustix::io::read(&stdin, &mut byte)? == 1 && byte[0] == GO;
        }
    };
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    Ok(go)
}

fn is_readable(input: &std::io::Stdin) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut fds = [PollFd::new(input, PollFlags::IN)];
    poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
}

/// Reads a holder's report; `None` when it ended without one.
///
/// # Errors
/// When the line is no report.
pub fn read_report(output: impl Read) -> std::io::Result<Option<Report>> {
    let mut line = String::new();
    BufReader::new(output.take(64 * 1024)).read_line(&mut line)?;
    if line.is_empty() { Ok(None) } else { Ok(Some(serde_json::from_str(&line)?)) }
}
