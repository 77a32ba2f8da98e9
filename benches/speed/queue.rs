//! The queue, beside pueue: what a task costs that does nothing, how soon its end is seen, how
//! little ten thousand ended ones weigh, and what waiting costs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wt::store::db::Store;
use wt::store::layout::Layout;

use crate::measure::{Case, in_turn, report};
use crate::memory::{kept_by, of_kind};
use crate::{World, succeeded};

/// Tasks of one run.
const TASKS: usize = 200;
/// How many of them at once.
const AT_ONCE: usize = 4;
/// Ended tasks that `wt status` passes over.
const ENDED: usize = 10_000;
/// How long nothing is done, to see what that costs.
const IDLE: Duration = Duration::from_secs(60);

/// A state directory and a home of their own: what is measured here is full of ended tasks.
struct Desk<'w> {
    world: &'w World,
    root: PathBuf,
    pueue: Option<PathBuf>,
}

/// Measures all of it.
pub fn measure(world: &World) {
    let desk = Desk::new(world);
    desk.limits(AT_ONCE);
    desk.enqueued();
    desk.run();
    desk.seen();
    desk.limits(TASKS);
    desk.waiting();
    desk.ended();
    if desk.pueue.is_some() {
        succeeded(desk.pueue_command().arg("shutdown"));
    }
}

impl<'w> Desk<'w> {
    fn new(world: &'w World) -> Self {
        let root = world.fixture.repo.with_file_name("queue");
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        let desk = Self { world, root, pueue: world.peer("WT_BENCH_PUEUE") };
        if let Some(pueue) = &desk.pueue {
            // Not by its output's end: the daemon keeps that open.
            let mut daemon = desk.own(pueue.with_file_name("pueued"));
            daemon.arg("-d").stdout(Stdio::null()).stderr(Stdio::null());
            assert!(daemon.status().unwrap().success());
            desk.until("pueue answers", || {
                desk.pueue_command().arg("status").output().unwrap().status.success()
            });
            let at_once = AT_ONCE.to_string();
            succeeded(desk.pueue_command().args(["parallel", &at_once]));
        }
        desk
    }

    fn own(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = self.world.fixture.command(program, &self.world.fixture.repo);
        command.env("HOME", &self.root).env("XDG_STATE_HOME", self.root.join("state"));
        command.env("XDG_CONFIG_HOME", self.root.join("config"));
        command
    }

    fn pueue_command(&self) -> Command {
        self.own(self.pueue.as_ref().unwrap())
    }

    fn wt(&self, args: &[&str]) -> String {
        let output = succeeded(self.own(env!("CARGO_BIN_EXE_wt")).args(args));
        String::from_utf8(output.stdout).unwrap()
    }

    fn limits(&self, at_once: usize) {
        let config = self.root.join("config/wt/config.toml");
        fs::create_dir_all(config.parent().unwrap()).unwrap();
        let text = format!(
            "[limits]\ntasks = {at_once}\nbuild = {at_once}\ncpu_percent = 100\nmemory_percent = 100\ndisk_free = \"0\"\n"
        );
        fs::write(config, text).unwrap();
    }

    fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(120);
        while !holds() {
            assert!(Instant::now() < deadline, "not within two minutes: {what}");
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }

    fn enqueued(&self) {
        self.wt(&["queue", "pause"]);
        let mut cases = vec![Case::new("wt task", || {
            self.wt(&["task", "--lane", "build", "--", "true"]);
        })];
        if self.pueue.is_some() {
            succeeded(self.pueue_command().arg("pause"));
            let add = || drop(succeeded(self.pueue_command().args(["add", "--", "true"])));
            cases.push(Case::new("pueue add", add));
        }
        let timings = in_turn(self.world.runs * 3, &mut cases);
        report("enqueue one task", &timings, &["pueue add"], "at most 3 × pueue add");
        self.settle();
    }

    /// Ends what is queued by letting it run.
    fn settle(&self) {
        self.wt(&["queue", "resume"]);
        self.wt(&["wait", "--all"]);
        if self.pueue.is_some() {
            succeeded(self.pueue_command().arg("start"));
            succeeded(self.pueue_command().args(["wait", "--quiet"]));
            succeeded(self.pueue_command().arg("clean"));
        }
    }

    fn run(&self) {
        let fill = |_| {
            self.wt(&["queue", "pause"]);
            for _ in 0..TASKS {
                self.wt(&["task", "--lane", "build", "--", "true"]);
            }
        };
        let go = |_| {
            self.wt(&["queue", "resume"]);
            self.wt(&["wait", "--all"]);
        };
        let mut cases = vec![Case { name: "wt", before: Box::new(fill), run: Box::new(go) }];
        if self.pueue.is_some() {
            let fill = |_| {
                succeeded(self.pueue_command().arg("pause"));
                for _ in 0..TASKS {
                    succeeded(self.pueue_command().args(["add", "--", "true"]));
                }
            };
            let go = |_| {
                succeeded(self.pueue_command().arg("start"));
                succeeded(self.pueue_command().args(["wait", "--quiet"]));
                succeeded(self.pueue_command().arg("clean"));
            };
            cases.push(Case { name: "pueue", before: Box::new(fill), run: Box::new(go) });
        }
        let title = format!("{TASKS} tasks that do nothing, {AT_ONCE} at once");
        report(&title, &in_turn(2, &mut cases), &["pueue"], "at most a tenth of pueue's time");
    }

    /// From a task's last act to the first `wt status` that calls it done.
    fn seen(&self) {
        let stamp = self.root.join("ended-at");
        let script = format!("date +%s%N > '{}'", stamp.display());
        let mut took = vec![];
        for _ in 0..self.world.runs {
            let _ = fs::remove_file(&stamp);
            let queued = self.wt(&["--json", "task", "--lane", "build", "--", "sh", "-c", &script]);
            let queued: serde_json::Value = serde_json::from_str(&queued).unwrap();
            let task = queued["task"].as_str().unwrap().to_owned();
            self.until("it is seen", || {
                let status = self.wt(&["--json", "status", &task]);
                status.contains("\"state\":\"done\"")
            });
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            let ended: u128 = fs::read_to_string(&stamp).unwrap().trim().parse().unwrap();
            took.push(now.as_nanos().saturating_sub(ended) / 1_000_000);
        }
        took.sort_unstable();
        println!("\nan end is seen");
        println!("  least {} ms, median {} ms", took[0], took[took.len() / 2]);
        println!("  goal: within 100 ms, the time of `wt status` included");
    }

    /// Memory and processor time while tasks sleep.
    fn waiting(&self) {
        for _ in 0..TASKS {
            self.wt(&["task", "--lane", "build", "--", "sleep", "600"]);
        }
        let holders = || of_kind(&self.root, "__hold");
        self.until("all of them run", || holders().len() == TASKS);
        let engines = of_kind(&self.root, "__engine");
        let all: Vec<PathBuf> = holders().into_iter().chain(engines.clone()).collect();
        let before: u64 = all.iter().map(|process| ticks(process)).sum();
        std::thread::park_timeout(IDLE);
        let after: u64 = all.iter().map(|process| ticks(process)).sum();
        println!("\nwaiting, {TASKS} tasks that sleep");
        println!("  most private memory of a holder   {:>6} KiB", kept_by(&holders()));
        println!("  private memory of the engine      {:>6} KiB", kept_by(&engines));
        println!(
            "  processor time in {} s            {:>6} ms",
            IDLE.as_secs(),
            (after - before) * 10
        );
        println!("  goal: at most 1024 KiB, 10240 KiB, and none");
        self.wt(&["stop", "--all"]);
    }

    fn ended(&self) {
        let layout = Layout::at(self.root.join("state/wt"));
        let store = Store::open(layout).unwrap();
        store
            .write(|tx| {
                tx.execute_batch(
                    "CREATE TEMP TABLE t AS SELECT * FROM tasks WHERE state = 'done' LIMIT 1;
                 CREATE TEMP TABLE a AS SELECT * FROM attempts WHERE task = (SELECT id FROM t);",
                )?;
                for number in 0..ENDED {
                    let id = format!("task-ended-{number:06}");
                    tx.execute("UPDATE t SET id = ?1", [&id])?;
                    tx.execute("UPDATE a SET task = ?1, id = ?1 || '.1'", [&id])?;
                    tx.execute_batch(
                        "INSERT INTO tasks SELECT * FROM t; INSERT INTO attempts SELECT * FROM a;",
                    )?;
                }
                tx.execute_batch("DROP TABLE t; DROP TABLE a;")?;
                Ok::<(), wt::store::error::StoreError>(())
            })
            .unwrap();
        let mut cases = [
            Case::new("wt --version", || drop(self.wt(&["--version"]))),
            Case::new("wt status", || drop(self.wt(&["status"]))),
        ];
        let timings = in_turn(self.world.runs * 3, &mut cases);
        report(
            &format!("status, {ENDED} ended tasks"),
            &timings,
            &["wt --version"],
            "within 30 ms",
        );
    }
}

/// The processor time that a process has used, in hundredths of a second: fields 14 and 15 of
/// `/proc/PID/stat`, counted after the name in brackets.
fn ticks(process: &Path) -> u64 {
    let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).map(|field| field.parse::<u64>().unwrap_or(0)).sum()
}
