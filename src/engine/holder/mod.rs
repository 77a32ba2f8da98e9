//! The holder: `wt __hold ATTEMPT_DIR ENVIRONMENT_FILE`, one process for each attempt.
//!
//! Parent and subreaper of the agent's tree, and the only one that waits for it; small, with one
//! thread, without the store. It outlives every engine: what it knows is in the attempt's folder.

pub mod bounded;
pub mod ending;
pub mod gate;
pub mod launch;
pub mod reaper;

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{getpid, set_child_subreaper, setsid};

use crate::domain::attempt::{Exit, StopRequest};
use crate::domain::launch::LaunchSpec;
use crate::domain::resources::Refused;
use crate::domain::task::FailureClass;
use crate::engine::holder::ending::{End, Ending};
use crate::engine::holder::gate::{Gate, Report};
use crate::engine::holder::launch::Surroundings;
use crate::engine::holder::reaper::Reaper;
use crate::engine::process::bounds;
use crate::engine::process::cgroup::Cgroup;
use crate::engine::process::identity::{Here, own};
use crate::engine::process::tree::Tree;
use crate::store::clock::Clock;
use crate::store::error::StoreError;
use crate::store::folder::{EXIT_SCHEMA, ExitRecord, Folder, HolderRecord, read_environment};
use crate::store::layout::Layout;
use crate::store::lock::Lock;

/// How often a result that the disk has no room for is offered to it again.
const NO_ROOM: Duration = Duration::from_secs(5);

/// Holds the attempt of this folder from its start to its end. Gives an error that nobody but the
/// engine's log will see.
///
/// # Errors
/// When it may not run, or the folder cannot be used.
pub fn run(dir: &Path, environment: &Path) -> Result<(), StoreError> {
    let failed = |action| StoreError::file(action, dir);
    // It is no group's leader when the engine starts it; started by hand it may be one already.
    setsid().ok();
    set_child_subreaper(Some(getpid())).map_err(|error| failed("supervise")(error.into()))?;
    let mut reaper = Reaper::new().map_err(failed("supervise"))?;
    let folder = Folder::at(dir);
    let spec = folder.spec()?;
    // An earlier holder that was never let go is on its way out: its gate has closed.
    let _lock = Lock::take(&folder.lock())?;
    if folder.holder()?.is_some() || folder.exit()?.is_some() {
        let again = std::io::Error::other("this attempt was let go before");
        return Err(failed("hold")(again));
    }
    let me = own().map_err(failed("hold"))?;
    let gate = Gate::take().map_err(failed("hold"))?;
    let name = format!("wt-{}", spec.attempt);
    let cgroup = Cgroup::make(&name, &bounds::controllers(&spec.resources));
    let keepers = bounds::set_up(&spec.resources, &name, cgroup.as_ref());
    let record = HolderRecord {
        containment: if cgroup.is_some() { "cgroup" } else { "subreaper" }.into(),
        cgroup: cgroup.as_ref().map(|group| group.dir().to_path_buf()),
        holder: me.clone(),
        agent: None,
        keepers: keepers.clone(),
    };
    let report = Report { holder: me, containment: record.containment.clone() };
    let let_go = gate.pass(&mut reaper, &report).map_err(failed("report on"));
    let held = let_go.and_then(|let_go| {
        if !let_go {
            return Ok(());
        }
        // The state directory holds `attempts`, which holds the folder.
        let layout = Layout::at(dir.ancestors().nth(2).unwrap_or(Path::new("/")));
        let mut holder = Holder { reaper, folder, spec, record, layout, deadline: None };
        let exit = holder.hold(environment, cgroup.clone());
        holder.write(&exit)
    });
    // Also when the engine was gone before it could be told anything.
    bounds::remove(&keepers);
    if let Some(cgroup) = cgroup {
        cgroup.remove();
    }
    held
}

struct Holder {
    reaper: Reaper,
    folder: Folder,
    spec: LaunchSpec,
    record: HolderRecord,
    layout: Layout,
    /// When its time is up.
    deadline: Option<Instant>,
}

impl Holder {
    /// Runs the setup commands and the agent, and says how it went.
    fn hold(&mut self, environment: &Path, cgroup: Option<Cgroup>) -> ExitRecord {
        let clock = Clock::default();
        self.deadline =
            self.spec.timeout_s.map(|limit| Instant::now() + Duration::from_secs(limit));
        let mut run = ExitRecord {
            schema: EXIT_SCHEMA,
            exit: Exit::Unobserved,
            started_at: None,
            ended_at: clock.now(),
            stop: None,
            ended: 0,
            survived: 0,
            verify: None,
            refused: Refused::default(),
        };
        let mut surroundings = match read_environment(environment) {
            Ok(values) => Surroundings::new(&self.spec, values),
            Err(error) => {
                run.exit = Exit::NotStarted { error: format!("environment lost: {error}") };
                return run;
            }
        };
        surroundings.cgroup = cgroup;
        self.execute(&mut surroundings, &mut run, clock);
        run.refused = bounds::refused(&self.record.keepers);
        run.survived = count(self.ending(surroundings.cgroup.as_ref()).tree.members().len());
        run.ended_at = clock.now();
        run
    }

    fn execute(&mut self, around: &mut Surroundings, run: &mut ExitRecord, clock: Clock) {
        if let Err(error) = self.folder.write_holder(&self.record) {
            return run.exit = Exit::NotStarted { error: error.to_string() };
        }
        if let Some(stop) = self.folder.stop_request().ok().flatten() {
            run.exit = Exit::NotStarted { error: "it was stopped before it started".into() };
            return run.stop = Some(stop);
        }
        for line in self.spec.setup.clone() {
            if !self.set_up(&line, around, run) {
                return;
            }
        }
        let started =
            launch::agent(&self.spec, &self.folder).and_then(|command| self.start(around, command));
        let pid = match started {
            Ok(pid) => pid,
            Err(error) => return run.exit = Exit::NotStarted { error: error.to_string() },
        };
        run.started_at = Some(clock.now());
        self.record.agent = Here::read().identify(pid);
        // Without it a later engine only cannot watch the agent itself, should this process die.
        self.folder.write_holder(&self.record).ok();
        let end = self.until_end(pid, around);
        run.exit = self.unstarted().unwrap_or_else(|| ending::exit(end.status));
        (run.stop, run.ended) = (end.stop, end.ended);
        if run.exit == (Exit::Code { code: 0 }) && run.stop.is_none() {
            self.verify(around, run);
        }
    }

    /// Runs the verify command, if there is one, on what the agent left.
    fn verify(&mut self, around: &mut Surroundings, run: &mut ExitRecord) {
        let Some(line) = self.spec.verify.clone() else { return };
        let started = launch::verify(&self.spec, &self.folder, &line)
            .and_then(|command| self.start(around, command));
        let end = match started {
            Ok(pid) => self.until_end(pid, around),
            Err(error) => return run.verify = Some(Exit::NotStarted { error: error.to_string() }),
        };
        run.verify = Some(self.unstarted().unwrap_or_else(|| ending::exit(end.status)));
        run.ended = run.ended.saturating_add(end.ended);
        run.stop = end.stop;
    }

    /// Runs one setup command. False when the agent is not to start.
    fn set_up(&mut self, line: &str, around: &mut Surroundings, run: &mut ExitRecord) -> bool {
        let started = launch::setup(&self.spec, &self.folder, line)
            .and_then(|command| self.start(around, command));
        let end = match started {
            Ok(pid) => self.until_end_of_step(pid, around),
            Err(error) => {
                run.exit = Exit::NotStarted { error: format!("setup `{line}`: {error}") };
                return false;
            }
        };
        let code = end.status.and_then(|status| status.exit_status());
        let passed = code == Some(0) && end.stop.is_none();
        if !passed {
            let failed = || Exit::Setup { command: line.to_owned(), code };
            run.exit = self.unstarted().unwrap_or_else(failed);
            (run.stop, run.ended) = (end.stop, end.ended);
            if run.stop.is_none() {
                run.ended = self.end_what_is_left(around);
            }
        }
        passed
    }

    /// What became of a program whose place was taken, but that did not begin.
    fn unstarted(&self) -> Option<Exit> {
        self.folder.unstarted().map(|error| Exit::NotStarted { error })
    }

    fn start(&mut self, around: &mut Surroundings, command: Command) -> std::io::Result<u32> {
        let pid = around.start(command)?;
        self.reaper.watch(pid);
        Ok(pid)
    }

    /// Waits for the agent's end, and for that of everything it left.
    fn until_end(&mut self, pid: u32, around: &Surroundings) -> End {
        let end = self.until_end_of_step(pid, around);
        if end.stop.is_some() {
            return end;
        }
        End { ended: self.end_what_is_left(around), ..end }
    }

    /// Waits for one command's end; upon a request it ends the whole tree.
    fn until_end_of_step(&mut self, pid: u32, around: &Surroundings) -> End {
        loop {
            if let Some(status) = self.reaper.status() {
                return End { status: Some(status), stop: None, ended: 0 };
            }
            if let Some(stop) = self.asked() {
                let plan = self.spec.stop.clone();
                let mut ending = self.ending(around.cgroup.as_ref());
                ending.on_request(pid, &plan);
                let ended = count(ending.told.len());
                return End { status: self.reaper.status(), stop: Some(stop), ended };
            }
            self.reaper.wait(self.deadline, None, &[]);
        }
    }

    fn end_what_is_left(&mut self, around: &Surroundings) -> u32 {
        let plan = self.spec.stop.clone();
        let mut ending = self.ending(around.cgroup.as_ref());
        ending.of_what_is_left(&plan);
        count(ending.told.len())
    }

    /// The request to end that there is now: a person's, a limit's, or the time's.
    fn asked(&self) -> Option<StopRequest> {
        let at = Clock::default().now();
        if self.reaper.asked_to_end() {
            let by_signal = || StopRequest { at, why: "by a signal".into(), class: None };
            return Some(self.folder.stop_request().ok().flatten().unwrap_or_else(by_signal));
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            let why = format!("timed out after {}", limit(self.spec.timeout_s.unwrap_or(0)));
            return Some(StopRequest { at, why, class: Some(FailureClass::TimedOut) });
        }
        None
    }

    fn ending<'s>(&'s mut self, cgroup: Option<&'s Cgroup>) -> Ending<'s, 's> {
        let tree = Tree {
            attempt: &self.spec.attempt,
            holder: Some(std::process::id()),
            agent: None,
            cgroup,
            layout: &self.layout,
        };
        Ending { reaper: &mut self.reaper, tree, told: HashSet::new() }
    }

    /// Writes the result. A full disk is waited for: nothing else knows how the agent ended.
    fn write(&mut self, exit: &ExitRecord) -> Result<(), StoreError> {
        loop {
            match self.folder.write_exit(exit) {
                Err(StoreError::File { source, .. }) if is_full(&source) => {
                    self.reaper.wait(Some(Instant::now() + NO_ROOM), None, &[]);
                }
                other => return other,
            }
        }
    }
}

fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// A time limit for people: `30m`, `90s`.
fn limit(seconds: u64) -> String {
    if seconds > 0 && seconds.is_multiple_of(60) {
        format!("{}m", seconds / 60)
    } else {
        format!("{seconds}s")
    }
}
