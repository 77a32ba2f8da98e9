//! The engine: what is queued runs once, is followed, judged and told, whoever dies meanwhile.

use std::path::{Path, PathBuf};
use std::process::Child;

use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process};
use wt::domain::attempt::{Attempt, AttemptKind, AttemptState, Exit, StopRequest};
use wt::domain::id::{AttemptId, TaskId};
use wt::domain::launch::{Dialect, LaunchSpec, Metering, Rules, SPEC_SCHEMA, StdinFrom, StopPlan};
use wt::domain::resources::Resources;
use wt::domain::settings::Permissions;
use wt::domain::task::{FailureClass, Lane, Task, TaskState};
use wt::domain::usage::SessionTotals;
use wt::engine::queue::{self, Order};
use wt::store::bell;
use wt::store::db::Store;
use wt::store::environment::Environment;
use wt::store::error::StoreError;
use wt::store::folder::Folder;
use wt::store::layout::Layout;
use wt::store::{attempts, events, repos, tasks};

use crate::support::env::TestEnv;
use crate::support::wait::wait_until;

/// A store in a test's world, worked on without the command line.
struct Office<'e> {
    env: &'e TestEnv,
    store: Store,
}

impl<'e> Office<'e> {
    fn open(env: &'e TestEnv) -> Self {
        let environment = Environment::of(env.variables(), env.dir());
        Self { env, store: Store::open(Layout::prepare(&environment).unwrap()).unwrap() }
    }

    /// Queues a shell script. No engine is told.
    fn queue(&self, name: &str, script: &str) -> TaskId {
        self.queue_as(name, script, |_| {})
    }

    fn queue_as(&self, name: &str, script: &str, change: impl FnOnce(&mut LaunchSpec)) -> TaskId {
        let now = Timestamp::now();
        let dir = self.env.dir();
        let repo = repos::ensure(self.store.read(), dir, (dir, "shop"), now).unwrap();
        let id = queue::task_id("task", name);
        let mut spec = LaunchSpec {
            schema: SPEC_SCHEMA,
            attempt: AttemptId::of(&id, 1),
            task: id.clone(),
            agent: "plain".into(),
            permissions: Permissions::Work,
            dialect: Dialect::Plain,
            metering: Metering::None,
            setup: vec![],
            argv: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            stdin: StdinFrom::Null,
            cwd: dir.to_path_buf(),
            env: vec![],
            stop: StopPlan { gentle: None, gentle_ms: 200, term_ms: 200 },
            failures: vec![],
            baseline: SessionTotals::default(),
            session: None,
            timeout_s: None,
            verify: None,
            rules: Rules::default(),
            resources: Resources::default(),
        };
        change(&mut spec);
        let task = Task {
            id: id.clone(),
            repo: repo.id,
            variant: None,
            role: "engineer".into(),
            agent: "plain".into(),
            model: None,
            prompt: script.into(),
            lane: Lane::Agent,
            priority: 5,
            state: TaskState::Queued,
            reason: None,
            failure: None,
            question: None,
            changed: None,
            verify: None,
            created_at: now,
            started_at: None,
            ended_at: None,
        };
        let order = Order {
            spec: &spec,
            kind: AttemptKind::First,
            prompt: script,
            input: script,
            environment: Some(&self.env.variables()),
            again: None,
            not_before: None,
        };
        queue::prepare(self.store.layout(), &order).unwrap();
        let recorded: Result<Attempt, StoreError> =
            self.store.write_durably(|tx| queue::record(tx, &task, &order, now));
        recorded.unwrap();
        bell::ring(&self.store.layout().bell()).unwrap();
        id
    }

    /// Starts an engine, as `wt` does.
    fn engine(&self) -> Engine {
        let mut command = self.env.wt_command(Path::new("/"));
        Engine(command.arg("__engine").spawn().unwrap())
    }

    fn task(&self, id: &TaskId) -> Task {
        tasks::by_id(self.store.read(), id).unwrap().unwrap()
    }

    fn attempt(&self, id: &TaskId) -> Attempt {
        attempts::latest(self.store.read(), id).unwrap().unwrap()
    }

    fn folder(&self, id: &TaskId) -> Folder {
        Folder::of(self.store.layout(), &AttemptId::of(id, 1))
    }

    fn output(&self, id: &TaskId) -> String {
        std::fs::read_to_string(self.folder(id).stdout()).unwrap_or_default()
    }

    #[track_caller]
    fn until(&self, id: &TaskId, state: TaskState) -> Task {
        let what = format!("`{id}` is {}", state.as_str());
        wait_until(&what, || self.task(id).state == state);
        self.task(id)
    }

    #[track_caller]
    fn until_it_says(&self, id: &TaskId, lines: usize) -> Vec<String> {
        wait_until("it has said enough", || self.output(id).lines().count() >= lines);
        self.output(id).lines().map(str::to_owned).collect()
    }

    fn stop(&self, id: &TaskId) {
        let by = StopRequest { at: Timestamp::now(), why: "by you".into(), class: None };
        let attempt = AttemptId::of(id, 1);
        self.store.write_durably(|tx| attempts::request_stop(tx, &attempt, &by)).unwrap();
        bell::ring(&self.store.layout().bell()).unwrap();
    }

    fn kinds(&self, id: &TaskId) -> Vec<String> {
        let told = events::of_task(self.store.read(), id).unwrap();
        told.into_iter().map(|event| event.kind).collect()
    }
}

/// An engine that this test started; killed at its end.
struct Engine(Child);

impl Engine {
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn kill(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), signal).unwrap();
}

fn runs(pid: &str) -> bool {
    std::fs::read_to_string(PathBuf::from("/proc").join(pid).join("stat"))
        .is_ok_and(|stat| !stat.rsplit(") ").next().unwrap().starts_with('Z'))
}

#[test]
fn what_is_queued_runs_and_is_judged() {
    let env = TestEnv::new();
    let office = Office::open(&env);
    let good = office.queue("good", "echo all well");
    let bad = office.queue("bad", "echo oh no >&2; exit 4");
    let mut engine = office.engine();
    let task = office.until(&good, TaskState::Done);
    let (attempt, ended) = (office.attempt(&good), task.ended_at.unwrap());
    assert_eq!((attempt.state, attempt.exit), (AttemptState::Ended, Some(Exit::Code { code: 0 })));
    assert!(attempt.started_at.unwrap() <= ended && attempt.holder.is_some());
    assert_eq!(std::fs::read_to_string(office.folder(&good).result()).unwrap(), "all well");
    assert_eq!(office.kinds(&good), ["task-queued", "task-started", "task-ended"]);
    assert!(!office.store.layout().environment_file(&good).exists(), "its secrets are gone");
    let task = office.until(&bad, TaskState::Failed);
    assert_eq!(task.failure, Some(FailureClass::Permanent));
    assert_eq!(task.reason.as_deref(), Some("exit 4: oh no"));
    // With nothing left to do it goes.
    assert!(engine.0.wait().unwrap().success());
}

#[test]
fn only_so_many_run_at_once_and_the_rest_is_told() {
    let env = TestEnv::new();
    env.config("[limits]\ntasks = 2\n");
    let office = Office::open(&env);
    let gate = env.dir().join("go");
    let script = format!("while [ ! -e {} ]; do sleep 0.02; done", gate.display());
    let ids: Vec<TaskId> = (0..4).map(|n| office.queue(&format!("t{n}"), &script)).collect();
    let _engine = office.engine();
    office.until(&ids[0], TaskState::Running);
    office.until(&ids[1], TaskState::Running);
    let waits = office.until(&ids[3], TaskState::Waiting);
    assert_eq!(waits.reason.as_deref(), Some("for an agent slot (2 of 2 busy)"));
    std::fs::write(&gate, "").unwrap();
    for id in &ids {
        office.until(id, TaskState::Done);
    }
}

#[test]
fn a_new_engine_takes_up_what_the_killed_one_left() {
    let env = TestEnv::new();
    let office = Office::open(&env);
    let id = office.queue("long", "echo one; read go < fifo; echo two");
    nix_fifo(&env.dir().join("fifo"));
    let mut first = office.engine();
    office.until_it_says(&id, 1);
    let holder = office.attempt(&id).holder.unwrap();
    first.kill();
    let _second = office.engine();
    std::fs::write(env.dir().join("fifo"), "go\n").unwrap();
    office.until(&id, TaskState::Done);
    assert_eq!(office.output(&id), "one\ntwo\n");
    assert_eq!(office.attempt(&id).holder.unwrap(), holder, "it ran once");
    assert_eq!(office.attempt(&id).containment.unwrap(), "cgroup");
}

#[test]
fn an_agent_whose_holder_was_killed_runs_on_and_its_end_is_seen() {
    let env = TestEnv::new();
    let office = Office::open(&env);
    let id =
        office.queue("orphan", "setsid sleep 600 & echo one; read go < fifo; echo two; exit 3");
    nix_fifo(&env.dir().join("fifo"));
    let _engine = office.engine();
    office.until_it_says(&id, 1);
    kill(office.attempt(&id).holder.unwrap().pid, Signal::KILL);
    wait_until("the loss is noticed", || office.kinds(&id).contains(&"holder-lost".into()));
    assert_eq!(office.attempt(&id).containment.as_deref(), Some("weak"));
    std::fs::write(env.dir().join("fifo"), "go\n").unwrap();
    let task = office.until(&id, TaskState::Failed);
    assert_eq!(office.attempt(&id).exit, Some(Exit::Code { code: 3 }), "{task:?}");
    assert_eq!(office.output(&id), "one\ntwo\n");
}

#[test]
fn who_dies_unseen_is_lost() {
    let env = TestEnv::new();
    let office = Office::open(&env);
    let id = office.queue("unseen", "echo $$; exec sleep 600");
    let mut engine = office.engine();
    let pid = office.until_it_says(&id, 1).remove(0);
    wait_until("the agent is known", || office.attempt(&id).agent.is_some());
    engine.kill();
    kill(office.attempt(&id).holder.unwrap().pid, Signal::KILL);
    kill(pid.parse().unwrap(), Signal::KILL);
    wait_until("it is gone", || !runs(&pid));
    let _engine = office.engine();
    let task = office.until(&id, TaskState::Lost);
    assert_eq!(office.attempt(&id).exit, Some(Exit::Unobserved));
    assert!(task.reason.unwrap().contains("nobody saw"));
}

#[test]
fn stop_reaches_what_runs_what_waits_and_what_lost_its_holder() {
    let env = TestEnv::new();
    env.config("[limits]\ntasks = 2\n");
    let office = Office::open(&env);
    let script = "trap '' TERM; setsid sleep 600 & echo $$; while :; do sleep 600; done";
    let held = office.queue("held", script);
    let bereft = office.queue("bereft", script);
    let waits = office.queue("waits", "true");
    let _engine = office.engine();
    let first = office.until_it_says(&held, 1).remove(0);
    let second = office.until_it_says(&bereft, 1).remove(0);
    kill(office.attempt(&bereft).holder.unwrap().pid, Signal::KILL);
    wait_until("the loss is noticed", || office.kinds(&bereft).contains(&"holder-lost".into()));
    for id in [&held, &bereft, &waits] {
        office.stop(id);
    }
    for id in [&held, &bereft, &waits] {
        let task = office.until(id, TaskState::Cancelled);
        assert_eq!(task.reason.as_deref(), Some("stopped by you"), "{id}");
    }
    assert!(!runs(&first) && !runs(&second));
    assert_eq!(office.attempt(&waits).state, AttemptState::Abandoned);
    assert!(!office.folder(&waits).stdout().exists());
}

#[test]
fn lost_values_are_asked_for() {
    let env = TestEnv::new();
    let office = Office::open(&env);
    let id = office.queue("a", "true");
    std::fs::remove_file(office.store.layout().environment_file(&id)).unwrap();
    let _engine = office.engine();
    let task = office.until(&id, TaskState::NeedsHuman);
    assert!(task.reason.unwrap().starts_with("environment lost"));
}

#[test]
fn there_is_one_engine() {
    let env = TestEnv::new();
    let office = Office::open(&env);
    let id = office.queue("a", "read go < fifo");
    nix_fifo(&env.dir().join("fifo"));
    let mut engines: Vec<Engine> = (0..4).map(|_| office.engine()).collect();
    office.until(&id, TaskState::Running);
    let mut left = 4;
    wait_until("all but one have gone", || {
        let gone = |engine: &mut Engine| engine.0.try_wait().unwrap().is_some();
        left = engines.iter_mut().map(gone).filter(|gone| !gone).count();
        left <= 1
    });
    assert_eq!(left, 1);
    std::fs::write(env.dir().join("fifo"), "go\n").unwrap();
    office.until(&id, TaskState::Done);
    assert_eq!(office.kinds(&id), ["task-queued", "task-started", "task-ended"]);
}

fn nix_fifo(path: &Path) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}
