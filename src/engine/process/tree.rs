//! Everything that an attempt started, wherever it has gone, and its end.

use std::collections::HashSet;
use std::io::Read;

use rustix::process::Signal;

use crate::domain::id::AttemptId;
use crate::engine::process::ancestry::keeps;
use crate::engine::process::cgroup::Cgroup;
use crate::engine::process::signal::Handle;
use crate::engine::process::table::{Stat, Table};
use crate::store::layout::Layout;

/// The variable that marks whatever an attempt started.
pub const MARK: &str = "WT_ATTEMPT";

/// The most bytes of a process's environment that are searched for the mark.
const ENVIRONMENT_MAX: u64 = 4 * 1024 * 1024;

/// How often a tree that forks meanwhile is frozen again before it is killed as it is.
const FREEZE_ROUNDS: u32 = 64;

/// How an attempt's processes are found: below a holder, by their mark, in a cgroup. One that went
/// into a session and a group of its own is found by each of the three.
#[derive(Debug)]
pub struct Tree<'a> {
    /// Whose mark they carry.
    pub attempt: &'a AttemptId,
    /// The process whose descendants they are; not itself a member.
    pub holder: Option<u32>,
    /// A process known to be a member.
    pub agent: Option<u32>,
    /// The cgroup they were started in, where there is one.
    pub cgroup: Option<&'a Cgroup>,
    /// Whose engine and holders are no members, nor is what those started.
    pub layout: &'a Layout,
}

impl Tree<'_> {
    /// Everything of it that runs now.
    pub fn members(&self) -> Vec<Stat> {
        let table = Table::read();
        let everything = self.candidates(&table);
        let apart = self.apart(&table, &everything);
        let mut members: Vec<Stat> = everything
            .difference(&apart)
            .filter_map(|pid| table.get(*pid))
            .filter(|stat| stat.runs())
            .copied()
            .collect();
        members.sort_by_key(|stat| stat.pid);
        members
    }

    /// What could belong to it: descendants of the holder, of marked processes, of those in the
    /// cgroup and of the agent, and these themselves.
    fn candidates(&self, table: &Table) -> HashSet<u32> {
        let mark = format!("{MARK}={}", self.attempt);
        let mut scratch = Vec::new();
        let mut found: HashSet<u32> = table
            .iter()
            .filter(|stat| stat.runs() && carries(stat.pid, mark.as_bytes(), &mut scratch))
            .map(|stat| stat.pid)
            .collect();
        found.extend(self.cgroup.map(Cgroup::pids).unwrap_or_default());
        found.extend(self.agent.filter(|pid| table.get(*pid).is_some()));
        let roots: Vec<u32> = found.iter().copied().chain(self.holder).collect();
        found.extend(table.descendants(&roots, &HashSet::new()));
        found
    }

    /// What does not belong to it all the same: the holder, this process, other holders and the
    /// engine with all that these started.
    fn apart(&self, table: &Table, everything: &HashSet<u32>) -> HashSet<u32> {
        let me = std::process::id();
        let is_keeper = |pid: &u32| *pid == me || keeps(*pid, self.layout);
        let keepers: Vec<u32> = everything
            .iter()
            .filter(|pid| Some(**pid) != self.holder && is_keeper(pid))
            .copied()
            .collect();
        let mut apart = table.descendants(&keepers, &HashSet::new());
        apart.extend(keepers);
        apart.extend(self.holder);
        apart
    }

    /// Sends a signal to every member, once. Returns how many it reached.
    pub fn signal(&self, signal: Signal) -> usize {
        let members = self.members();
        members.iter().filter_map(Handle::of).filter(|handle| handle.send(signal)).count()
    }

    /// Kills every member. They are stopped first, again and again until nothing new turns up, so
    /// that none can fork away while the others are killed. Returns the handles of those it
    /// killed: readable when they are gone. What keeps forking faster than it is frozen survives
    /// this; the caller looks again.
    pub fn kill(&self) -> Vec<Handle> {
        if let Some(cgroup) = self.cgroup {
            cgroup.kill();
        }
        let mut frozen: Vec<Handle> = vec![];
        for _ in 0..FREEZE_ROUNDS {
            let members = self.members();
            let new = members.iter().filter(|stat| !frozen.iter().any(|h| h.pid() == stat.pid));
            let new: Vec<Handle> = new.filter_map(Handle::of).collect();
            if new.is_empty() {
                break;
            }
            for handle in &new {
                handle.send(Signal::STOP);
            }
            frozen.extend(new);
        }
        frozen.retain(|handle| handle.send(Signal::KILL));
        frozen
    }
}

/// True when a process was started with this entry in its environment. `scratch` is reused from
/// call to call: a holder looks at every process there is and must stay small.
pub(super) fn carries(pid: u32, entry: &[u8], scratch: &mut Vec<u8>) -> bool {
    scratch.clear();
    let Ok(file) = std::fs::File::open(format!("/proc/{pid}/environ")) else { return false };
    // Unreadable (another user's, or gone): then it is not ours to end either.
    file.take(ENVIRONMENT_MAX).read_to_end(scratch).is_ok()
        && scratch.split(|byte| *byte == 0).any(|pair| pair == entry)
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;
    use crate::engine::process::table::stat;

    /// Starts a shell script in an attempt's tree; it prints one line for each process to know.
    fn start(attempt: &str, script: &str) -> Child {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).env(MARK, attempt).stdout(Stdio::piped());
        shell.spawn().unwrap()
    }

    fn told(child: &mut Child, lines: usize) -> Vec<u32> {
        use std::io::BufRead;
        let out = std::io::BufReader::new(child.stdout.as_mut().unwrap());
        out.lines().take(lines).map(|line| line.unwrap().trim().parse().unwrap()).collect()
    }

    fn tree<'a>(attempt: &'a AttemptId, layout: &'a Layout) -> Tree<'a> {
        Tree { attempt, holder: None, agent: None, cgroup: None, layout }
    }

    fn wait_gone(handles: &[Handle]) {
        for handle in handles {
            let mut fds = [rustix::event::PollFd::new(handle, rustix::event::PollFlags::IN)];
            rustix::event::poll(&mut fds, None).unwrap();
        }
    }

    /// The shell ends at once; what it left is in a session of its own, its parent is pid 1.
    const DAEMON: &str = "setsid sh -c 'echo $$; exec sleep 600' & exit 0";

    #[test]
    fn a_daemon_in_its_own_session_is_found_by_its_mark() {
        let (attempt, layout) = (AttemptId::new("tree-mark.1"), Layout::at("/nonexistent"));
        let mut shell = start(attempt.as_str(), DAEMON);
        let daemon = told(&mut shell, 1)[0];
        shell.wait().unwrap();
        let tree = tree(&attempt, &layout);
        assert_eq!(tree.members().iter().map(|s| s.pid).collect::<Vec<_>>(), [daemon]);
        wait_gone(&tree.kill());
        assert!(tree.members().is_empty());
    }

    #[test]
    fn what_hides_its_mark_is_found_below_its_parent() {
        let (attempt, layout) = (AttemptId::new("tree-below.1"), Layout::at("/nonexistent"));
        let script = "env -i setsid sh -c 'echo $$; trap \"\" TERM; while :; do sleep 600; done' & \
                      echo $$; wait";
        let mut shell = start(attempt.as_str(), script);
        let mut pids = told(&mut shell, 2);
        pids.sort_unstable();
        let tree = tree(&attempt, &layout);
        let found: Vec<u32> = tree.members().iter().map(|s| s.pid).collect();
        assert!(pids.iter().all(|pid| found.contains(pid)), "{pids:?} in {found:?}");
        assert!(tree.signal(Signal::TERM) >= 2);
        shell.wait().unwrap();
        // Its parent is gone and it has no mark: only the holder's being a subreaper, or a cgroup,
        // would still find it. That is what `weak` means.
        let ignores_term = pids.iter().copied().find(|pid| stat(*pid).is_some_and(|s| s.runs()));
        let known = Tree { agent: ignores_term, ..tree };
        wait_gone(&known.kill());
        assert!(known.members().is_empty());
    }

    #[test]
    fn a_tree_that_forks_all_the_time_ends() {
        let (attempt, layout) = (AttemptId::new("tree-fork.1"), Layout::at("/nonexistent"));
        let script = "echo $$; while :; do sleep 600 & setsid sleep 600 & sleep 0.01; done";
        let mut shell = start(attempt.as_str(), script);
        told(&mut shell, 1);
        let tree = tree(&attempt, &layout);
        while tree.members().len() < 6 {
            std::thread::yield_now();
        }
        while !tree.members().is_empty() {
            wait_gone(&tree.kill());
        }
        shell.wait().unwrap();
    }
}
