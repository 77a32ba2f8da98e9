//! Programs that outlived the `wt` that started them for a step of its own, such as a `git worktree
//! add` whose `wt` was killed: found by a variable they were started with, and ended.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use crate::engine::process::signal::Handle;
use crate::engine::process::table::Table;
use crate::engine::process::tree::carries;

/// A program that is just being started has no environment to be seen: a moment later it has.
const STARTING: Duration = Duration::from_millis(5);

/// Ends every process that was started with this variable: asks first (git then removes its own
/// half-made files), and kills those that stay longer than `patience`. Returns when all are gone.
pub fn end(variable: &str, value: &str, patience: SignedDuration) {
    let entry = format!("{variable}={value}");
    let mut signal = Signal::TERM;
    let mut looked_twice = false;
    loop {
        let found = find(entry.as_bytes());
        if found.is_empty() && looked_twice {
            return;
        }
        looked_twice = found.is_empty();
        if looked_twice {
            std::thread::sleep(STARTING);
        }
        for handle in &found {
            handle.send(signal);
        }
        for handle in &found {
            let mut fds = [PollFd::new(handle, PollFlags::IN)];
            let patience =
                Timespec { tv_sec: patience.as_secs(), tv_nsec: patience.subsec_nanos().into() };
            if !matches!(poll(&mut fds, Some(&patience)), Ok(1..)) {
                break;
            }
        }
        signal = Signal::KILL;
    }
}

/// The values that running processes were started with under this variable, and who they are.
/// Unreadable ones (another user's) are left out, and so is this process.
pub fn values(variable: &str) -> BTreeMap<String, Vec<u32>> {
    let (prefix, me) = (format!("{variable}="), std::process::id());
    let mut found: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for stat in Table::read().iter().filter(|stat| stat.pid != me && stat.runs()) {
        let Ok(environment) = std::fs::read(format!("/proc/{}/environ", stat.pid)) else {
            continue;
        };
        let value = environment
            .split(|byte| *byte == 0)
            .find_map(|pair| pair.strip_prefix(prefix.as_bytes()))
            .and_then(|value| std::str::from_utf8(value).ok());
        if let Some(value) = value {
            found.entry(value.to_owned()).or_default().push(stat.pid);
        }
    }
    found
}

fn find(entry: &[u8]) -> Vec<Handle> {
    let mut scratch = Vec::new();
    let me = std::process::id();
    let table = Table::read();
    let found = table.iter().filter(|stat| stat.pid != me && stat.runs());
    found.filter(|stat| carries(stat.pid, entry, &mut scratch)).filter_map(Handle::of).collect()
}

#[cfg(test)]
mod tests {
    use std::io::BufRead;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn what_was_started_with_the_variable_ends_and_nothing_else_does() {
        let script = "trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep 600' & echo ready; wait";
        let start = |value: &str| {
            let mut shell = Command::new("sh");
            shell.args(["-c", script]).env("WT_MARKED_TEST", value).stdout(Stdio::piped());
            let mut child = shell.spawn().unwrap();
            let mut line = String::new();
            std::io::BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
            child
        };
        let (mut gone, mut other) = (start("one"), start("other"));
        end("WT_MARKED_TEST", "one", SignedDuration::from_millis(20));
        gone.wait().unwrap();
        assert!(find(b"WT_MARKED_TEST=one").is_empty());
        assert!(other.try_wait().unwrap().is_none());
        end("WT_MARKED_TEST", "other", SignedDuration::ZERO);
        other.wait().unwrap();
    }
}
