//! `wt stop`: stopped means stopped.

use serde_json::Value;

use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;
use crate::support::wait::wait_until;

/// Promise 4: own sessions, no mark, no parent, deaf to TERM; what it wrote is not lost.
const HYDRA: &str = "
    trap '' TERM HUP INT
    echo work > made.txt
    setsid sh -c 'trap \"\" TERM; echo $$; while :; do sleep 600; done' &
    (env -i setsid sh -c 'echo $$; exec sleep 600' &)
    echo $$
    while :; do sleep 600; done";

fn runs(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(") ").next().unwrap().starts_with('Z'))
}

/// Spawns a hydra and waits for all its heads.
fn hydra(repo: &TestRepo<'_>, name: &str) -> Vec<String> {
    repo.wt(&["spawn", name, "--exec", "--", "sh", "-c", HYDRA]).ok();
    let said = || repo.wt(&["logs", name, "--raw"]).stdout;
    wait_until("all of it runs", || said().lines().count() == 3);
    said().lines().map(str::to_owned).collect()
}

#[test]
fn everything_an_agent_started_ends_and_its_work_stays() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let pids = hydra(&repo, "dark");
    let plan = repo.wt(&["stop", "dark", "--dry-run"]).ok();
    assert_eq!(plan.stdout, "dark  would be stopped, with everything it started\n");
    assert!(pids.iter().all(|pid| runs(pid)));
    let said = repo.wt(&["stop", "dark"]).ok();
    assert!(said.stdout.starts_with("dark  stopped, "), "{said}");
    assert!(said.stdout.ends_with("  → wt retry dark\n"), "a plain command cannot be told: {said}");
    assert!(!pids.iter().any(|pid| runs(pid)), "{pids:?}");
    let worktree = env.at(env.dir().join("shop-worktrees/dark"));
    assert_eq!(worktree.status(), "", "what it left is committed");
    assert_eq!(worktree.read("made.txt"), "work\n");
    assert!(repo.git(&["log", "-1", "feature/dark"]).contains("Wt-Task: worktree-dark-"));
    let again = repo.wt(&["stop", "dark"]).ok();
    assert!(again.stdout.starts_with("dark  had ended already: stopped"), "{again}");
}

#[test]
fn a_dead_engine_is_no_excuse() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let pids = hydra(&repo, "dark");
    let listed = std::fs::read_to_string("/proc/locks").unwrap();
    let lock = std::fs::metadata(env.state().join("locks/engine")).unwrap();
    let inode = format!(":{}", std::os::unix::fs::MetadataExt::ino(&lock));
    let line = listed.lines().find(|line| line.contains(&inode)).unwrap();
    let engine: i32 = line.split_ascii_whitespace().nth(4).unwrap().parse().unwrap();
    let engine = rustix::process::Pid::from_raw(engine).unwrap();
    rustix::process::kill_process(engine, rustix::process::Signal::KILL).unwrap();
    repo.wt(&["stop", "dark"]).ok();
    assert!(!pids.iter().any(|pid| runs(pid)), "{pids:?}");
}

#[test]
fn what_waits_is_taken_out_of_the_queue() {
    let env = TestEnv::new();
    env.config("[limits]\ntasks = 1\n");
    let repo = env.repo("shop");
    hydra(&repo, "first");
    repo.wt(&["spawn", "second", "--exec", "--", "touch", "started"]).ok();
    let said = repo.wt(&["stop", "--all", "--json"]).ok().json();
    let how = |name: &str| -> Value {
        let all = said["tasks"].as_array().unwrap();
        all.iter().find(|task| task["name"] == name).unwrap()["how"].clone()
    };
    assert_eq!((how("first"), how("second")), ("stopped".into(), "unqueued".into()));
    assert!(!env.dir().join("shop-worktrees/second/started").exists());
    let said = repo.wt(&["stop", "--all"]).ok();
    assert_eq!(said.stdout, "Nothing to stop: nothing runs and nothing waits.\n");
    let said = repo.wt(&["stop", "secnod"]).code(1);
    assert!(said.stderr.contains("did you mean `second`?"), "{said}");
}
