//! `[resources]`: what one task may take of the machine.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;
use crate::support::skip::skip;
use crate::support::wait::wait_until;

/// Holds 300 MB in its memory, where it may; the shell's own end is that of the last program.
const TAKES_MEMORY: &str = "head -c 400000000 /dev/zero | tail -c 300000000 >/dev/null";

/// Starts forty programs that stay.
const FORKS: &str = "i=0; while [ $i -lt 40 ]; do sleep 600 & i=$((i+1)); done; echo all";

/// Runs a shell script as a task to its end; gives its id and `wt status ID --json`.
fn run(repo: &TestRepo<'_>, script: &str) -> (String, Value) {
    let queued = repo.wt(&["--json", "task", "--", "sh", "-c", script]).ok().json();
    let id = queued["task"].as_str().unwrap().to_owned();
    wait_until("the task has ended", || {
        let status = repo.wt(&["status", &id, "--json"]).ok().json();
        status["state"] == "done" || status["state"] == "failed"
    });
    let status = repo.wt(&["status", &id, "--json"]).ok().json();
    (id, status)
}

fn limits(status: &Value) -> &Value {
    &status["attempts"][0]["limits"]
}

#[test]
fn what_takes_too_much_memory_is_killed_and_told() {
    let env = TestEnv::new();
    env.config("[resources]\nmemory = \"50MB\"\n");
    let repo = env.repo("shop");
    let (id, status) = run(&repo, TAKES_MEMORY);
    let memory = &limits(&status)["memory"];
    assert_eq!((&memory["most"], &status["state"]), (&50_000_000.into(), &"failed".into()));
    if memory["kept_by"] != "cgroup" {
        return skip("a limit of memory for all processes together: no cgroup may be written");
    }
    assert!(memory["refused"].as_u64().unwrap() > 0, "{status}");
    assert_eq!(status["attempts"][0]["failure"], "crash");
    assert_eq!(status["attempts"][0]["reason"], "out of memory: its limit of 50 MB");
    let told = repo.wt(&["status", &id]).ok();
    let told = told.stdout.lines().find(|line| line.starts_with("limits")).unwrap();
    assert!(told.contains("memory 50 MB (cgroup) · "), "{told}");
    assert!(told.ends_with(" killed for want of memory"), "{told}");
    let left = repo.wt(&["--json", "task", "--wait", "--", "true"]).ok().json();
    assert_eq!(left["waited"]["ended"][0]["state"], "done", "{left}");
}

#[test]
fn what_forks_too_often_is_refused_and_told() {
    let env = TestEnv::new();
    env.config("[resources]\nprocesses = 20\n");
    let repo = env.repo("shop");
    let (id, status) = run(&repo, FORKS);
    let processes = &limits(&status)["processes"];
    assert_eq!(processes["most"], 20);
    if processes["kept_by"] != "cgroup" {
        assert_eq!(processes["obstacle"], "no cgroup may be written");
        return skip("a limit of processes: no cgroup may be written");
    }
    assert_eq!(status["state"], "failed", "{status}");
    assert!(processes["refused"].as_u64().unwrap() > 0, "{status}");
    let told = repo.wt(&["status", &id]).ok();
    assert!(told.stdout.contains("processes 20 (cgroup) · "), "{told}");
    assert!(told.stdout.contains(" refused"), "{told}");
}

#[test]
fn each_process_alone_is_limited_where_that_is_asked_for() {
    let env = TestEnv::new();
    env.config("[resources]\nmemory = \"50MB\"\nprocesses = 20\nby = \"process\"\n");
    let repo = env.repo("shop");
    let (id, status) = run(&repo, TAKES_MEMORY);
    assert_eq!(status["state"], "failed", "{status}");
    assert_eq!(limits(&status)["memory"]["kept_by"], "process");
    let told = repo.wt(&["status", &id]).ok();
    let (_, told) = told.stdout.split_once("limits").unwrap();
    insta::assert_snapshot!(told.trim(), @r#"
    memory 50 MB for each process alone · processes 20 (not enforced)
               process limit not enforced: by = "process" does not count them
    "#);
    let (_, status) = run(&repo, FORKS);
    assert_eq!(status["state"], "done", "their number is not kept to: {status}");
}

#[test]
fn only_the_task_stands_back_and_not_what_holds_it() {
    let env = TestEnv::new();
    env.config("[resources]\nnice = 7\nmemory = \"900MB\"\nby = \"process\"\n");
    let repo = env.repo("shop");
    let script = "nice; ulimit -d; cut -d' ' -f19 /proc/$PPID/stat; \
                  grep 'Max data' /proc/$PPID/limits | tr -s ' ' | cut -d' ' -f4";
    let before = std::process::Command::new("sh")
        .args(["-c", "nice; ulimit -d"])
        .output()
        .map(|output| String::from_utf8(output.stdout).unwrap())
        .unwrap();
    let (own_nice, own_data) = before.trim().split_once('\n').unwrap();
    let own: i32 = own_nice.parse().unwrap();
    let (id, status) = run(&repo, script);
    assert_eq!((&status["state"], &limits(&status)["nice"]), (&"done".into(), &7.into()));
    let logs = repo.wt(&["logs", &id]).ok();
    let said: Vec<&str> = logs.stdout.lines().map(str::trim).collect();
    let expected = [own.max(7).to_string(), "878906".into(), own_nice.into(), own_data.into()];
    assert!(said.windows(4).any(|four| four == expected), "{expected:?} in {logs}");
}

#[test]
fn a_program_that_cannot_begin_under_its_limits_is_told_so() {
    let env = TestEnv::new();
    env.config("[resources]\nnice = 1\n");
    let repo = env.repo("shop");
    let broken = env.write("home/bin/broken", "#!/nonexistent/shell\n");
    std::fs::set_permissions(&broken, std::fs::Permissions::from_mode(0o755)).unwrap();
    let said = repo.wt(&["task", "--wait", "--", broken.to_str().unwrap()]).code(1);
    let id = said.stdout.split_whitespace().nth(1).unwrap().to_owned();
    let status = repo.wt(&["status", &id, "--json"]).ok().json();
    let reason = status["attempts"][0]["reason"].as_str().unwrap();
    assert_eq!(reason, "could not be started: No such file or directory (os error 2)");
}

#[test]
fn a_repository_lowers_the_limits_and_never_raises_them() {
    let env = TestEnv::new();
    env.config("[resources]\nnice = 3\nmemory = \"900MB\"\nprocesses = 500\n");
    let repo = env.repo("shop");
    repo.write("wt.toml", "[resources]\nnice = 0\nmemory = \"800MB\"\nprocesses = \"none\"\n");
    let (_, status) = run(&repo, "true");
    let limits = limits(&status);
    let most = |what: &str| limits[what]["most"].as_u64();
    assert_eq!(limits["nice"], 3);
    assert_eq!((most("memory"), most("processes")), (Some(800_000_000), Some(500)));
}
