//! The holder: gated, alone with its attempt, and the end of everything it started.

use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process};
use wt::domain::attempt::{Exit, StopRequest};
use wt::domain::id::AttemptId;
use wt::domain::launch::{
    Dialect, GentleSignal, LaunchSpec, Metering, Rules, SPEC_SCHEMA, StdinFrom, StopPlan,
};
use wt::domain::resources::Resources;
use wt::domain::settings::Permissions;
use wt::domain::task::FailureClass;
use wt::domain::usage::SessionTotals;
use wt::engine::queue::task_id;
use wt::store::folder::{ExitRecord, Folder, write_environment};
use wt::store::layout::Layout;

use crate::support::env::TestEnv;
use crate::support::wait::wait_until;

/// An attempt's folder in a test's world.
struct Prepared<'e> {
    env: &'e TestEnv,
    spec: LaunchSpec,
    folder: Folder,
}

/// A holder that was started, at its gate.
struct Held {
    child: Child,
    gate: Option<UnixStream>,
    folder: Folder,
    report: String,
}

impl<'e> Prepared<'e> {
    fn new(env: &'e TestEnv, script: &str) -> Self {
        // An id of its own: processes are found by it, and tests run side by side.
        let task = task_id("task", "a");
        let spec = LaunchSpec {
            schema: SPEC_SCHEMA,
            attempt: AttemptId::of(&task, 1),
            task,
            agent: "plain".into(),
            permissions: Permissions::Work,
            dialect: Dialect::Plain,
            metering: Metering::None,
            setup: vec![],
            argv: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            stdin: StdinFrom::Null,
            cwd: env.dir().to_path_buf(),
            env: vec![("COLOUR".into(), "green".into())],
            stop: StopPlan { gentle: None, gentle_ms: 10_000, term_ms: 300 },
            failures: vec![],
            baseline: SessionTotals::default(),
            session: None,
            timeout_s: None,
            verify: None,
            rules: Rules::default(),
            resources: Resources::default(),
        };
        let folder = Folder::of(&Layout::at(env.state()), &spec.attempt);
        Self { env, spec, folder }
    }

    fn environment(&self) -> PathBuf {
        self.env.dir().join("run/a.env")
    }

    /// Starts the holder and reads its report.
    fn hold(&self) -> Held {
        let mut held = self.hold_unheard();
        let mut line = String::new();
        BufReader::new(held.gate.as_ref().unwrap()).read_line(&mut line).unwrap();
        held.report = line;
        held
    }

    fn hold_unheard(&self) -> Held {
        self.folder.create().unwrap();
        self.folder.write_spec(&self.spec).unwrap();
        let values = self.env.variables();
        let pairs = values.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()));
        write_environment(&self.environment(), pairs).unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("wt"));
        command.arg("__hold").arg(self.folder.dir()).arg(self.environment());
        command.env_clear().current_dir(self.folder.dir());
        let child = command.stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).spawn().unwrap();
        Held { child, gate: Some(ours), folder: self.folder.clone(), report: String::new() }
    }
}

impl Held {
    fn go(&mut self) {
        self.gate.as_mut().unwrap().write_all(b"!").unwrap();
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.child.id().try_into().unwrap()).unwrap(), signal).unwrap();
    }

    fn stop(&self) {
        let by = StopRequest { at: Timestamp::now(), why: "by you".into(), class: None };
        self.folder.request_stop(&by).unwrap();
        self.signal(Signal::TERM);
    }

    fn ended(&mut self) -> ExitRecord {
        assert!(self.child.wait().unwrap().success());
        self.folder.exit().unwrap().unwrap()
    }

    fn stdout(&self) -> String {
        std::fs::read_to_string(self.folder.stdout()).unwrap_or_default()
    }

    fn says(&self, lines: usize) -> Vec<String> {
        wait_until("the agent has said enough", || self.stdout().lines().count() >= lines);
        self.stdout().lines().map(str::to_owned).collect()
    }
}

fn runs(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(") ").next().unwrap().starts_with('Z'))
}

#[test]
fn nothing_starts_before_it_is_let_go() {
    let env = TestEnv::new();
    let attempt = Prepared::new(&env, "echo \"$WT_ATTEMPT $COLOUR\"; pwd; cat; exit 3");
    let mut held = attempt.hold();
    assert!(held.report.contains(&format!("\"pid\":{}", held.child.id())), "{}", held.report);
    assert!(!attempt.folder.stdout().exists());
    held.go();
    let exit = held.ended();
    assert_eq!((exit.exit, exit.stop, exit.ended), (Exit::Code { code: 3 }, None, 0));
    let said = format!("{} green\n{}\n", attempt.spec.attempt, env.dir().display());
    assert_eq!(held.stdout(), said, "and it read nothing on its standard input");
    let record = attempt.folder.holder().unwrap().unwrap();
    assert_eq!(record.holder.pid, held.child.id());
    assert!(record.agent.is_some());
    assert!(record.cgroup.is_none_or(|dir| !dir.exists()), "its cgroup is gone, too");
}

#[test]
fn an_engine_that_dies_before_the_commit_starts_nothing() {
    let env = TestEnv::new();
    let attempt = Prepared::new(&env, "echo no");
    let mut first = attempt.hold();
    first.gate = None;
    // The next engine does not wait for the first holder to be gone.
    let mut second = attempt.hold();
    assert!(first.child.wait().unwrap().success());
    assert_eq!(attempt.folder.exit().unwrap(), None);
    second.go();
    second.ended();
    assert_eq!(second.stdout(), "no\n");
    // What was let go once never runs again.
    let mut third = attempt.hold_unheard();
    assert!(!third.child.wait().unwrap().success());
    assert_eq!(third.stdout(), "no\n");
}

#[test]
fn a_request_that_came_first_is_obeyed() {
    let env = TestEnv::new();
    let attempt = Prepared::new(&env, "echo no");
    let mut held = attempt.hold();
    let by = StopRequest { at: Timestamp::now(), why: "by you".into(), class: None };
    attempt.folder.request_stop(&by).unwrap();
    held.go();
    let exit = held.ended();
    assert!(matches!(exit.exit, Exit::NotStarted { .. }));
    assert_eq!(exit.stop.unwrap().why, "by you");
    assert!(!attempt.folder.stdout().exists());
}

/// Promise 4: own sessions, own groups, no mark, no parent, deaf to TERM.
const HYDRA: &str = "
    trap '' TERM HUP INT
    setsid sh -c 'trap \"\" TERM; echo $$; while :; do sleep 600; done' &
    (env -i setsid sh -c 'echo $$; exec sleep 600' &)
    sh -c 'setsid sh -c \"echo \\$\\$; trap : TERM; exec sleep 600\" & exit 0'
    echo $$
    while :; do sleep 600; done";

#[test]
fn stop_ends_every_descendant() {
    let env = TestEnv::new();
    let attempt = Prepared::new(&env, HYDRA);
    let mut held = attempt.hold();
    held.go();
    let pids = held.says(4);
    assert!(pids.iter().all(|pid| runs(pid)));
    held.stop();
    let exit = held.ended();
    assert_eq!(exit.exit, Exit::Signal { signal: 9 });
    assert_eq!(exit.stop.unwrap().why, "by you");
    assert_eq!(exit.survived, 0);
    assert!(exit.ended >= 4, "{}", exit.ended);
    assert!(!pids.iter().any(|pid| runs(pid)), "{pids:?}");
}

#[test]
fn an_agent_that_reports_when_interrupted_is_given_the_time() {
    let env = TestEnv::new();
    let script = "trap 'echo usage; exit 0' INT; echo ready; while :; do sleep 0.02; done";
    let mut attempt = Prepared::new(&env, script);
    attempt.spec.stop.gentle = Some(GentleSignal::Int);
    let mut held = attempt.hold();
    held.go();
    held.says(1);
    held.stop();
    let exit = held.ended();
    assert_eq!(exit.exit, Exit::Code { code: 0 });
    assert_eq!(held.stdout(), "ready\nusage\n");
}

#[test]
fn what_an_agent_leaves_running_is_ended_and_counted() {
    let env = TestEnv::new();
    let attempt = Prepared::new(&env, "setsid sh -c 'echo $$; exec sleep 600' & sleep 0.1; exit 0");
    let mut held = attempt.hold();
    held.go();
    let exit = held.ended();
    assert_eq!((exit.exit, exit.stop, exit.ended), (Exit::Code { code: 0 }, None, 1));
    assert!(!runs(held.says(1)[0].as_str()));
}

#[test]
fn time_runs_out_also_without_an_engine() {
    let env = TestEnv::new();
    let mut attempt = Prepared::new(&env, "echo $$; exec sleep 600");
    attempt.spec.timeout_s = Some(1);
    let mut held = attempt.hold();
    held.go();
    held.gate = None;
    let exit = held.ended();
    assert_eq!(exit.exit, Exit::Signal { signal: 15 });
    let stop = exit.stop.unwrap();
    assert_eq!(
        (stop.why.as_str(), stop.class),
        ("timed out after 1s", Some(FailureClass::TimedOut))
    );
}

#[test]
fn setup_comes_first_and_its_failure_is_told_as_such() {
    let env = TestEnv::new();
    let mut attempt = Prepared::new(&env, "cat made");
    attempt.spec.setup = vec!["echo ready >made; echo installing".into(), "exit 7".into()];
    let mut held = attempt.hold();
    held.go();
    let exit = held.ended();
    assert_eq!(exit.exit, Exit::Setup { command: "exit 7".into(), code: Some(7) });
    assert_eq!(exit.started_at, None);
    let log = std::fs::read_to_string(attempt.folder.setup_log()).unwrap();
    assert_eq!(log, "$ echo ready >made; echo installing\ninstalling\n$ exit 7\n");
    assert!(!attempt.folder.stdout().exists());
}

#[test]
fn a_program_that_cannot_be_started_is_told_as_such() {
    let env = TestEnv::new();
    let mut attempt = Prepared::new(&env, "");
    attempt.spec.argv = vec!["/no/such/program".into()];
    let mut held = attempt.hold();
    held.go();
    let Exit::NotStarted { error } = held.ended().exit else { panic!("it was started") };
    assert!(error.contains("No such file"), "{error}");
}

#[test]
fn output_only_grows() {
    let env = TestEnv::new();
    // `tee` truncates what it is given by name: here the agent's own output.
    let script = "echo first; echo second | tee /dev/stderr; echo third";
    let attempt = Prepared::new(&env, script);
    let mut held = attempt.hold();
    held.go();
    held.ended();
    assert_eq!(held.stdout(), "first\nsecond\nthird\n");
    assert!(!std::fs::read(attempt.folder.stderr()).unwrap().contains(&0));
}
