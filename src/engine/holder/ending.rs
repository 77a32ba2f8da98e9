//! How an attempt's processes come to their end, by themselves or upon a request.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use rustix::process::{Signal, WaitStatus};

use crate::domain::attempt::{Exit, StopRequest};
use crate::domain::launch::{GentleSignal, StopPlan};
use crate::engine::holder::reaper::Reaper;
use crate::engine::process::signal::Handle;
use crate::engine::process::table::stat;
use crate::engine::process::tree::Tree;

/// How long what an agent left running may take to end by itself: a pipe's last reader does, a
/// daemon does not.
const LEFT_BEHIND: Duration = Duration::from_secs(2);

/// How long a killed process may take to be gone; one that waits for a dead disk never is.
const KILLED: Duration = Duration::from_secs(10);

/// How long to wait before looking again for what was forked while the rest was killed.
const AGAIN: Duration = Duration::from_millis(200);

/// How the watched process ended, and whether it was asked to.
pub struct End {
    /// Its exit status; `None` when it survived even being killed.
    pub status: Option<WaitStatus>,
    /// The request it ended upon.
    pub stop: Option<StopRequest>,
    /// How many processes were told to end.
    pub ended: u32,
}

/// The end of an attempt's tree, step by step.
pub struct Ending<'a, 't> {
    /// Hears of the children.
    pub reaper: &'a mut Reaper,
    /// What is to end.
    pub tree: Tree<'t>,
    /// Everything that was told to end so far.
    pub told: HashSet<u32>,
}

impl Ending<'_, '_> {
    /// Upon a request: the gentle signal to the main process alone, then TERM to everything, then
    /// KILL to everything.
    pub fn on_request(&mut self, main: u32, plan: &StopPlan) {
        if let Some(GentleSignal::Int) = plan.gentle {
            self.ask_gently(main, Duration::from_millis(plan.gentle_ms));
        }
        self.term_and_kill(Duration::from_millis(plan.term_ms));
    }

    /// After the main process ended by itself: what it left running gets a moment, then TERM, then
    /// KILL.
    pub fn of_what_is_left(&mut self, plan: &StopPlan) {
        if !self.gone_by(Instant::now() + LEFT_BEHIND) {
            self.term_and_kill(Duration::from_millis(plan.term_ms));
        }
    }

    fn ask_gently(&mut self, main: u32, patience: Duration) {
        let until = Instant::now() + patience;
        let Some(handle) = stat(main).as_ref().and_then(Handle::of) else { return };
        if !handle.send(Signal::INT) {
            return;
        }
        self.told.insert(main);
        while self.reaper.status().is_none() && Instant::now() < until {
            self.reaper.wait(Some(until), None, &[]);
        }
    }

    fn term_and_kill(&mut self, patience: Duration) {
        let members = self.tree.members();
        for handle in members.iter().filter_map(Handle::of) {
            if handle.send(Signal::TERM) {
                self.told.insert(handle.pid());
            }
        }
        if self.gone_by(Instant::now() + patience) {
            return;
        }
        let last = Instant::now() + KILLED;
        loop {
            self.told.extend(self.tree.kill().iter().map(Handle::pid));
            let again = Instant::now() + AGAIN;
            if self.gone_by(again.min(last)) || Instant::now() >= last {
                return;
            }
        }
    }

    /// Waits until nothing of the tree is left, at most until then; says whether nothing is. No
    /// child at all means that nothing below this process is left, for what loses its parent
    /// becomes its child. What is not below it has a mark or a cgroup.
    fn gone_by(&mut self, until: Instant) -> bool {
        loop {
            let children = self.reaper.reap();
            let strays = if children { vec![] } else { self.tree.members() };
            if !children && strays.is_empty() {
                return true;
            }
            if Instant::now() >= until {
                // A child that is no member (an engine, another holder) is none to wait for.
                return self.tree.members().is_empty();
            }
            let strays: Vec<Handle> = strays.iter().filter_map(Handle::of).collect();
            self.reaper.wait(Some(until), None, &strays);
        }
    }
}

/// A wait status in our own terms; no status is an end that nobody saw.
pub fn exit(status: Option<WaitStatus>) -> Exit {
    let code = status.and_then(WaitStatus::exit_status).map(|code| Exit::Code { code });
    let signal = status.and_then(WaitStatus::terminating_signal);
    code.or(signal.map(|signal| Exit::Signal { signal })).unwrap_or(Exit::Unobserved)
}
