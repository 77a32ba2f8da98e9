//! What an engine does in the place of a holder that died.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, waitpid};

use crate::domain::attempt::{Attempt, Exit, ProcessIdentity, StopRequest};
use crate::domain::launch::{GentleSignal, StopPlan};
use crate::engine::process::bounds;
use crate::engine::process::cgroup::Cgroup;
use crate::engine::process::identity::Here;
use crate::engine::process::signal::Handle;
use crate::engine::process::table::stat;
use crate::engine::process::tree::Tree;
use crate::store::folder::{Folder, HolderRecord};
use crate::store::layout::Layout;

/// How long killed processes may take to be gone.
const KILLED: Duration = Duration::from_secs(10);

/// How long to wait before looking again for what was forked while the rest was killed.
const AGAIN: Duration = Duration::from_millis(200);

/// An attempt without a holder.
pub struct Orphan {
    /// What its holder had written about itself.
    pub record: HolderRecord,
    /// How its agent ended, when this engine could see that.
    pub exit: Option<Exit>,
    /// The request that ends it, when there is one.
    pub stop: Option<StopRequest>,
}

impl Orphan {
    /// Finds the agent that a holder had just started when it died, before it could write down
    /// which process that is: the eldest of the tree, once the agent's output was there to be
    /// written to.
    pub fn find_agent(record: &mut HolderRecord, folder: &Folder, tree_of: (&Attempt, &Layout)) {
        if record.agent.is_some() || !folder.stdout().exists() {
            return;
        }
        let cgroup = record.cgroup.clone().map(Cgroup::at);
        let (attempt, layout) = (&tree_of.0.id, tree_of.1);
        let tree = Tree { attempt, holder: None, agent: None, cgroup: cgroup.as_ref(), layout };
        let eldest = tree.members().into_iter().min_by_key(|stat| (stat.start_time, stat.pid));
        record.agent = eldest.map(|stat| Here::read().identity(&stat));
    }

    /// Ends everything that is left of it: the gentle signal and TERM only upon a request, for what
    /// an ended agent has left behind had its time. Says how many were told to end, and how many
    /// survive.
    pub fn end(&self, attempt: &Attempt, plan: &StopPlan, layout: &Layout) -> (u32, u32) {
        let cgroup = self.record.cgroup.clone().map(Cgroup::at);
        let agent = self.record.agent.as_ref().and_then(Handle::recorded);
        let tree = Tree {
            attempt: &attempt.id,
            holder: None,
            agent: agent.as_ref().map(Handle::pid),
            cgroup: cgroup.as_ref(),
            layout,
        };
        let mut told: Vec<u32> = vec![];
        if let (Some(_), Some(agent), Some(GentleSignal::Int)) = (&self.stop, &agent, plan.gentle)
            && agent.send(Signal::INT)
        {
            told.push(agent.pid());
            gone(std::slice::from_ref(agent), Duration::from_millis(plan.gentle_ms));
        }
        let members: Vec<Handle> = tree.members().iter().filter_map(Handle::of).collect();
        for handle in members.iter().filter(|handle| handle.send(Signal::TERM)) {
            told.push(handle.pid());
        }
        gone(&members, Duration::from_millis(plan.term_ms));
        let last = Instant::now() + KILLED;
        while !tree.members().is_empty() && Instant::now() < last {
            let killed = tree.kill();
            told.extend(killed.iter().map(Handle::pid));
            gone(&killed, AGAIN);
        }
        told.sort_unstable();
        told.dedup();
        // Those that lost their parent became this engine's children.
        for pid in &told {
            reap(*pid);
        }
        let survived = tree.members().len();
        if survived == 0 {
            bounds::remove(&self.record.keepers);
        }
        if let Some(cgroup) = cgroup.filter(|_| survived == 0) {
            cgroup.remove();
        }
        (count(told.len()), count(survived))
    }
}

/// How a process ended that lost its holder and so became this engine's child; `None` when it did
/// not (an earlier engine was its holder's parent), for then nobody is told.
pub fn status(process: &ProcessIdentity) -> Option<Exit> {
    // An unreaped child keeps its pid, so this is the very process.
    stat(process.pid).filter(|stat| stat.start_time == process.start_time)?;
    let status = reap(process.pid)?;
    let code = status.exit_status().map(|code| Exit::Code { code });
    code.or(status.terminating_signal().map(|signal| Exit::Signal { signal }))
}

/// Waits for a child that has ended; `None` when it is none, or has not.
fn reap(pid: u32) -> Option<WaitStatus> {
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    waitpid(Some(pid), WaitOptions::NOHANG).ok()?.map(|(_, status)| status)
}

/// Waits until all of these are gone, at most so long.
fn gone(handles: &[Handle], patience: Duration) {
    let until = Instant::now() + patience;
    for handle in handles {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).ok();
        let mut fds = [PollFd::new(handle, PollFlags::IN)];
        poll(&mut fds, timeout.as_ref()).ok();
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
