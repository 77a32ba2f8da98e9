//! `wt queue`, and when work starts: after other work, at a time, when there is room.

use std::path::Path;

use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use wt::domain::id::TaskId;
use wt::domain::waiting::Terms;
use wt::store::bell;
use wt::store::db::Store;
use wt::store::environment::Environment;
use wt::store::layout::Layout;
use wt::store::terms;

use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;
use crate::support::wait::wait_until;

/// A command that works until the file `go` is there, and leaves a file with its own name.
const WORKS: &str = "while [ ! -e \"$HOME/go\" ]; do sleep 0.05; done; echo work > \"$WT_NAME\"";

fn spawn(repo: &TestRepo<'_>, name: &str, script: &str, more: &[&str]) {
    let mut args = vec!["spawn", name, "--exec"];
    args.extend(more);
    args.extend(["--", "sh", "-c", script]);
    repo.wt(&args).ok();
}

fn go(env: &TestEnv) {
    env.write("home/go", "");
}

fn status(repo: &TestRepo<'_>, name: &str) -> Value {
    repo.wt(&["status", name, "--json"]).ok().json()
}

/// Waits until a task waits for something that begins so.
#[track_caller]
fn waits(repo: &TestRepo<'_>, name: &str, why: &str) {
    wait_until(&format!("`{name}` waits {why}"), || {
        let now = status(repo, name);
        now["state"] == "waiting" && now["reason"].as_str().unwrap().starts_with(why)
    });
}

#[track_caller]
fn is(repo: &TestRepo<'_>, name: &str, state: &str) {
    wait_until(&format!("`{name}` is {state}"), || status(repo, name)["state"] == state);
}

fn engine(env: &TestEnv) -> Option<Pid> {
    let lock = std::fs::metadata(env.state().join("locks/engine")).unwrap();
    let inode = format!(":{}", std::os::unix::fs::MetadataExt::ino(&lock));
    let locks = std::fs::read_to_string("/proc/locks").unwrap();
    let line = locks.lines().find(|line| line.contains(&inode))?;
    Pid::from_raw(line.split_ascii_whitespace().nth(4)?.parse().ok()?)
}

#[test]
fn what_comes_after_starts_once_that_ended_well() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    spawn(&repo, "base", WORKS, &[]);
    is(&repo, "base", "running");
    let said = repo.wt(&["spawn", "top", "--after", "base", "--exec", "--", "touch", "made"]).ok();
    assert!(said.stdout.contains("starts   after base\n"), "{said}");
    spawn(&repo, "roof", "touch made", &["--after", "top", "--after", "base"]);
    waits(&repo, "top", "after base (running)");
    waits(&repo, "roof", "after base (running), top (waiting)");
    insta::assert_snapshot!(*repo.wt(&["queue"]).ok(), @r"
    SLOTS   agent 1 of 6 · build 0 of 2 · e2e 0 of 1 · in all 1 of 5
       TASK  LANE   PRIORITY  WAITS
    1  top   agent         5  after base (running)
    2  roof  agent         5  after base (running), top (waiting)
    ");
    let queue = repo.wt(&["queue", "--json"]).ok().json();
    assert_eq!(queue["waiting"][0]["name"], "top");
    assert_eq!(queue["waiting"][0]["after"][0]["name"], "base");
    assert_eq!(queue["slots"][0]["busy"], 1);
    let early = std::fs::exists(env.dir().join("shop-worktrees/top/made")).unwrap();
    assert!(!early, "it has not begun");
    go(&env);
    let said = repo.wt(&["wait", "roof", "--timeout", "60s"]).ok();
    assert!(said.stderr.contains("roof waits: after ") || said.stderr.is_empty(), "{said}");
    let times = |name: &str, what: &str| -> Timestamp {
        status(&repo, name)[what].as_str().unwrap().parse().unwrap()
    };
    assert!(times("base", "ended_at") <= times("top", "started_at"));
    assert!(times("top", "ended_at") <= times("roof", "started_at"));
}

#[test]
fn what_forks_from_what_it_waits_for_starts_from_its_work() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    spawn(&repo, "base", WORKS, &[]);
    is(&repo, "base", "running");
    let stacked = ["spawn", "top", "--after", "base", "--from", "base", "--exec", "--"];
    let script = "cp base top; git rev-parse HEAD > \"$HOME/started-at\"";
    let said = repo.wt(&[&stacked[..], &["sh", "-c", script]].concat()).ok();
    let starts = "starts   after base · from feature/base as it stands then\n";
    assert!(said.stdout.contains(starts), "{said}");
    // One that somebody has worked in already cannot be moved on, and says so.
    let own = ["spawn", "own", "--after", "base", "--from", "base", "--exec", "--", "true"];
    repo.wt(&own).ok();
    let worktree = env.at(env.dir().join("shop-worktrees/own"));
    worktree.write("mine.txt", "mine\n");
    worktree.commit("mine");
    go(&env);
    repo.wt(&["wait", "top", "--timeout", "60s"]).ok();
    let tip = repo.git_line(&["rev-parse", "feature/base"]);
    let started = std::fs::read_to_string(env.dir().join("home/started-at")).unwrap();
    assert_eq!(started.trim_end(), tip, "the work of `base` is what it started from");
    let top = env.at(env.dir().join("shop-worktrees/top"));
    assert_eq!(top.read("top"), "work\n");
    let listed = repo.wt(&["diff", "top", "--json"]).ok().stdout.clone();
    assert!(listed.contains("\"top\"") && !listed.contains("\"base\""), "{listed}");
    is(&repo, "own", "failed");
    let why = status(&repo, "own")["reason"].as_str().unwrap().to_owned();
    assert!(why.contains("cannot start from `feature/base`"), "{why}");
    assert_eq!(worktree.read("mine.txt"), "mine\n");
}

#[test]
fn after_a_failure_a_person_decides() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    spawn(&repo, "base", "exit 1", &[]);
    is(&repo, "base", "failed");
    let said = repo.wt(&["spawn", "top", "--after", "base", "--exec", "--", "touch", "made"]).ok();
    assert!(said.stderr.contains("`base` failed: what comes after it waits"), "{said}");
    spawn(&repo, "roof", "touch made", &["--after", "top"]);
    spawn(&repo, "any", "touch made", &["--after-any", "base"]);
    repo.wt(&["wait", "any", "--timeout", "60s"]).ok();
    waits(&repo, "top", "after base, which failed");
    insta::assert_snapshot!(*repo.wt(&["wait", "roof", "--timeout", "60s"]).code(5), @r"
    --- stderr ---
    roof waits: after top (waiting)
    error: `top` waits for `base`, which failed
    hint: let that run again: `wt retry base`
    hint: go on without it: `wt queue edit top --skip`
    hint: or give it up: `wt stop top`
    [exit 5]
    ");
    let line = repo.wt(&["status"]).ok();
    assert!(line.stdout.contains("after base, which failed  → wt retry base"), "{line}");
    let refused = repo.wt(&["queue", "edit", "roof", "--skip"]).code(5);
    assert!(refused.stderr.contains("nothing that `roof` waits for has failed"), "{refused}");
    repo.wt(&["queue", "edit", "top", "--skip"]).ok();
    repo.wt(&["wait", "roof", "--timeout", "60s"]).ok();
}

#[test]
fn a_success_without_a_change_is_none() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    spawn(&repo, "base", "true", &[]);
    is(&repo, "base", "done");
    spawn(&repo, "top", "touch made", &["--after", "base"]);
    waits(&repo, "top", "after base, which made no changes");
    repo.wt(&["stop", "top"]).ok();
    is(&repo, "top", "cancelled");
}

#[test]
fn a_retry_that_succeeds_sets_free_what_waits() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    spawn(&repo, "base", "[ -e \"$HOME/go\" ] && touch made", &[]);
    is(&repo, "base", "failed");
    spawn(&repo, "top", "touch made", &["--after", "base"]);
    waits(&repo, "top", "after base, which failed");
    go(&env);
    repo.wt(&["retry", "base"]).ok();
    repo.wt(&["wait", "top", "--timeout", "60s"]).ok();
}

#[test]
fn what_cannot_be_waited_for_is_refused() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let refused = |more: &[&str], code: i32| {
        let args = [&["spawn", "a", "--exec"][..], more, &["--", "true"]].concat();
        repo.wt(&args).code(code).stderr.clone()
    };
    let said = refused(&["--after", "nobody"], 1);
    assert!(said.contains("there is no task `nobody`"), "{said}");
    let said = refused(&["--at", "2020-01-01 10:00"], 2);
    assert!(said.contains("--at: `2020-01-01 10:00` is over already"), "{said}");
    let said = refused(&["--until", "soon"], 2);
    assert!(said.contains("--until: `soon` is no time; times are written 18:00"), "{said}");
    let said = refused(&["--at", "2090-01-02", "--until", "2090-01-01"], 2);
    assert!(said.contains("it would have to end before it starts"), "{said}");
    refused(&["--at", "18:00", "--in", "2h"], 2);
    refused(&["--in", "-2h"], 2);
    repo.wt(&["spawn", "a", "--no-agent", "--after", "b"]).code(2);
    assert!(!env.dir().join("shop-worktrees").exists(), "nothing was made");
    spawn(&repo, "one", "touch made", &["--in", "2h"]);
    spawn(&repo, "two", "touch made", &["--after", "one"]);
    spawn(&repo, "three", "touch made", &["--after", "two"]);
    insta::assert_snapshot!(*repo.wt(&["queue", "edit", "one", "--after", "three"]).code(2), @r"
    --- stderr ---
    error: `one` would wait for itself
      worktree-one-xxxxxx → worktree-three-xxxxxx → worktree-two-xxxxxx → worktree-one-xxxxxx
    [exit 2]
    ");
    let said = repo.wt(&["queue", "edit", "one", "--after", "one"]).code(2);
    assert!(said.stderr.contains("`one` would wait for itself"), "{said}");
    repo.wt(&["queue", "edit", "one"]).code(2);
    repo.wt(&["stop", "--all"]).ok();
    repo.wt(&["queue", "edit", "one", "--now"]).code(5);
}

#[test]
fn a_time_is_waited_for_whoever_dies() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    spawn(&repo, "late", "touch made", &["--at", "2090-01-01T10:00:00Z"]);
    waits(&repo, "late", "to start at 1 Jan 10:00");
    kill_process(engine(&env).unwrap(), Signal::KILL).unwrap();
    wait_until("the engine is gone", || engine(&env).is_none());
    let queue = repo.wt(&["queue", "--json"]).ok().json();
    assert_eq!(queue["waiting"][0]["at"], "2090-01-01T10:00:00Z");
    wait_until("another engine looks after it", || engine(&env).is_some());
    waits(&repo, "late", "to start at 1 Jan 10:00");
    let said = repo.wt(&["queue", "edit", "late", "--now"]).ok();
    assert!(said.stdout.contains("late") || said.stdout.contains("begun"), "{said}");
    repo.wt(&["wait", "late", "--timeout", "60s"]).ok();
}

#[test]
fn when_the_time_is_over_nothing_starts_and_what_runs_is_stopped() {
    let env = TestEnv::new();
    env.config("[limits]\ntasks = 1\n");
    let repo = env.repo("shop");
    let until = ["--until", "2090-01-01"];
    spawn(&repo, "runs", "echo half > half; sleep 600", &until);
    spawn(&repo, "waits", "touch made", &until);
    waits(&repo, "waits", "for an agent slot");
    let worktree = env.at(env.dir().join("shop-worktrees/runs"));
    wait_until("it has done something", || worktree.has("half"));
    // The clock is not ours to move: the end is.
    let environment = Environment::of(env.variables(), env.dir());
    let store = Store::open(Layout::prepare(&environment).unwrap()).unwrap();
    for name in ["runs", "waits"] {
        let task = TaskId::new(status(&repo, name)["task"].as_str().unwrap());
        let over = terms::of(store.read(), &task).unwrap();
        let until = Some(Timestamp::UNIX_EPOCH);
        terms::put(store.read(), &task, &Terms { until, ..over }).unwrap();
    }
    bell::ring(&store.layout().bell()).unwrap();
    is(&repo, "waits", "cancelled");
    is(&repo, "runs", "cancelled");
    let why = status(&repo, "runs")["reason"].as_str().unwrap().to_owned();
    assert!(why.starts_with("stopped: its time was over at "), "{why}");
    let why = status(&repo, "waits")["reason"].as_str().unwrap().to_owned();
    assert!(why.ends_with(", before it began"), "{why}");
    assert!(!env.dir().join("shop-worktrees/waits/made").exists());
    assert_eq!(worktree.read("half"), "half\n");
    assert_eq!(worktree.status(), "", "what it left is committed");
    let backups = repo.git(&["for-each-ref", "refs/wt/backup/runs"]);
    assert!(backups.contains("stop"), "{backups}");
}

#[test]
fn a_pause_lets_go_on_what_runs() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    spawn(&repo, "runs", WORKS, &[]);
    is(&repo, "runs", "running");
    insta::assert_snapshot!(*repo.wt(&["queue", "pause"]).ok(), @r"
    the queue is paused: nothing of it starts
    1 task runs and goes on
    go on  wt queue resume
    ");
    let said = repo.wt(&["spawn", "waits", "--exec", "--", "touch", "made"]).ok();
    let warned = "the queue is paused; go on: `wt queue resume`";
    assert!(said.stderr.contains(warned), "{said}");
    waits(&repo, "waits", "the queue is paused");
    let said = repo.wt(&["queue"]).ok();
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert!(lines[1].starts_with("PAUSED  the queue since "), "{said}");
    assert_eq!(lines[3], "1  waits  agent         5  the queue is paused  → wt queue resume");
    let said = repo.wt(&["status"]).ok();
    assert!(said.stdout.contains("the queue is paused  → wt queue resume"), "{said}");
    go(&env);
    repo.wt(&["wait", "runs", "--timeout", "60s"]).ok();
    repo.wt(&["queue", "pause", "--repo"]).ok();
    let said = repo.wt(&["queue", "resume"]).ok();
    assert!(said.stdout.contains("repository shop is still paused"), "{said}");
    waits(&repo, "waits", "this repository is paused");
    let other = env.repo("other");
    spawn(&other, "free", "touch made", &[]);
    other.wt(&["wait", "free", "--timeout", "60s"]).ok();
    other.wt(&["queue", "pause", "--lane", "agent"]).ok();
    repo.wt(&["queue", "resume", "--repo"]).ok();
    waits(&repo, "waits", "lane agent is paused");
    repo.wt(&["queue", "resume", "--lane", "agent"]).ok();
    repo.wt(&["wait", "waits", "--timeout", "60s"]).ok();
    let said = repo.wt(&["queue", "resume"]).ok();
    assert_eq!(said.stdout, "Nothing of the kind was paused.\n");
}

#[test]
fn an_agent_that_fails_too_often_is_held() {
    let mut env = TestEnv::new();
    env.set("ANTHROPIC_API_KEY", "test-key");
    env.program("claude", "#!/bin/sh\n[ -e \"$HOME/go\" ] || exit 1\nexec touch made\n");
    let repo = env.repo("shop");
    repo.wt(&["spawn", "x", "--agent", "claude", "--variants", "3", "Do it"]).ok();
    wait_until("its queue is held", || {
        repo.wt(&["queue", "--json"]).ok().json()["held"][0]["agent"] == "claude"
    });
    let said = repo.wt(&["spawn", "more", "--agent", "claude", "Do it"]).ok();
    assert!(said.stderr.contains("claude is held, since it failed"), "{said}");
    waits(&repo, "more", "claude is held since ");
    let said = repo.wt(&["queue"]).ok();
    assert!(said.stdout.contains("→ wt queue resume --agent claude"), "{said}");
    spawn(&repo, "command", "touch made", &[]);
    repo.wt(&["wait", "command", "--timeout", "60s"]).ok();
    repo.wt(&["queue", "resume", "--agent", "claude"]).ok();
    wait_until("it has begun", || status(&repo, "more")["started_at"].is_string());
    let said = repo.wt(&["queue", "resume", "--agent", "codex"]).ok();
    assert!(said.stderr.contains("`codex` was not held"), "{said}");
}

#[test]
fn what_has_waited_starts_only_when_the_machine_has_room() {
    let env = TestEnv::new();
    env.config("[limits]\ntasks = 1\n");
    env.load((91, 20), 3_000_000_000);
    let repo = env.repo("shop");
    spawn(&repo, "first", WORKS, &[]);
    is(&repo, "first", "running");
    spawn(&repo, "second", "touch made", &[]);
    waits(&repo, "second", "for an agent slot (1 of 1 busy)");
    go(&env);
    waits(&repo, "second", "for CPU (91% busy, more than 70%)");
    env.load((20, 20), 1_000_000_000);
    waits(&repo, "second", "for disk space (1.0 GB free, less than 2.0 GB)");
    env.load((20, 20), 3_000_000_000);
    repo.wt(&["wait", "second", "--timeout", "60s"]).ok();
}

#[test]
fn the_order_and_the_room_can_be_changed() {
    let env = TestEnv::new();
    env.config("[limits]\ntasks = 1\n");
    let repo = env.repo("shop");
    spawn(&repo, "runs", WORKS, &[]);
    is(&repo, "runs", "running");
    for name in ["one", "two", "three"] {
        spawn(&repo, name, WORKS, &[]);
    }
    waits(&repo, "three", "for an agent slot");
    let said = repo.wt(&["queue", "priority", "9", "three"]).ok();
    assert!(said.stdout.contains("1  three  agent"), "{said}");
    repo.wt(&["queue", "priority", "11", "three"]).code(2);
    repo.wt(&["queue", "priority", "9", "runs"]).code(5);
    let said = repo.wt(&["queue", "parallel", "2"]).ok();
    assert!(said.stdout.ends_with(" of 2 (set here)\n"), "{said}");
    is(&repo, "three", "running");
    assert_eq!(status(&repo, "one")["state"], "waiting");
    repo.wt(&["queue", "parallel", "3", "agent"]).ok();
    let said = repo.wt(&["queue", "parallel", "default"]).ok();
    assert!(said.stdout.contains("agent 2 of 3 (set here)"), "{said}");
    assert!(said.stdout.ends_with("in all 2 of 1\n"), "{said}");
    repo.wt(&["queue", "parallel", "0"]).code(2);
    go(&env);
    repo.wt(&["wait", "--all", "--timeout", "60s"]).ok();
    assert!(Path::new(&env.dir().join("shop-worktrees/one/one")).exists());
}
