//! What outlives whoever started it, or is outlived by whoever waits for it.

use std::path::Path;
use std::process::Stdio;

use rustix::process::Signal;

use crate::support::env::{TestEnv, program_on_path};
use crate::support::left_behind::{Process, processes_of};
use crate::support::wait::wait_until;

/// A git that holds HEAD locked when its `wt` is killed, and goes on holding it.
const SLOW: &str = r#"#!/bin/sh
case "$*" in *'wt: into the trash'*) ;; *) exec '@GIT@' "$@" ;; esac
[ -e '@ONCE@' ] && exec '@GIT@' "$@"
touch '@ONCE@'
for word; do case "$word" in --git-dir=*) place=$word ;; esac; done
{ printf 'start\noption no-deref\nupdate HEAD %s\nprepare\n' "$word"; exec sleep 600; } |
    '@GIT@' "$place" update-ref --stdin |
    while read -r said; do [ "$said" = 'prepare: ok' ] && kill -9 $PPID; done
"#;

#[test]
fn a_git_that_outlives_its_wt_is_ended_before_anything_is_put_right() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    shop.wt(&["spawn", "dark", "--no-agent"]).ok();
    let git = program_on_path("git").unwrap();
    let once = env.dir().join("tmp/once");
    let slow = SLOW.replace("@GIT@", git.to_str().unwrap());
    env.program("git", &slow.replace("@ONCE@", once.to_str().unwrap()));
    assert_eq!(shop.wt(&["cleanup", "dark", "--yes"]).exit, None, "it was killed");
    let said = shop.wt(&["path"]).ok();
    assert!(said.stderr.contains("an interrupted cleanup was finished"), "{said}");
    assert!(!env.dir().join("shop-worktrees/dark").exists());
    shop.wt(&["restore", "dark"]).ok();
    shop.wt(&["doctor"]).ok();
}

fn touched_an_hour_ago(env: &TestEnv, file: &Path) {
    let touched = env.command("touch", env.dir()).args(["-d", "1 hour ago"]).arg(file).status();
    assert!(touched.unwrap().success());
}

/// A git that is killed together with its `wt` while it holds a branch locked.
const DOOMED: &str = r#"#!/bin/sh
case "$*" in *'update-ref -m wt: out of the trash'*) ;; *) exec '@GIT@' "$@" ;; esac
[ -e '@ONCE@' ] && exec '@GIT@' "$@"
touch '@ONCE@'
: >"@HEADS@/dark.lock"
kill -9 $PPID $$
"#;

#[test]
fn a_lock_of_a_git_that_was_killed_with_its_wt_is_in_nobody_s_way() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    shop.wt(&["spawn", "dark", "--no-agent"]).ok();
    shop.wt(&["cleanup", "dark", "--yes"]).ok();
    let git = program_on_path("git").unwrap();
    let doomed = DOOMED
        .replace("@GIT@", git.to_str().unwrap())
        .replace("@ONCE@", env.dir().join("tmp/once").to_str().unwrap())
        .replace("@HEADS@", shop.dir.join(".git/refs/heads/feature").to_str().unwrap());
    std::fs::create_dir_all(shop.dir.join(".git/refs/heads/feature")).unwrap();
    env.program("git", &doomed);
    // One that was there before is somebody else's.
    let older = shop.dir.join(".git/refs/heads/other.lock");
    touched_an_hour_ago(&env, &older);
    assert_eq!(shop.wt(&["restore", "dark"]).exit, None, "it was killed");
    let said = shop.wt(&["path"]).ok();
    assert!(said.stderr.contains("an interrupted restore was finished: dark"), "{said}");
    assert!(env.dir().join("shop-worktrees/dark/README.md").exists());
    assert!(older.exists());
}

#[test]
fn a_lock_that_an_agent_s_git_left_does_not_keep_its_worktree() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    shop.wt(&["spawn", "dark", "--no-agent"]).ok();
    let lock = shop.dir.join(".git/worktrees/dark/HEAD.lock");
    touched_an_hour_ago(&env, &lock);
    shop.wt(&["cleanup", "dark", "--yes"]).ok();
    assert!(!env.dir().join("shop-worktrees/dark").exists());
    shop.wt(&["restore", "dark"]).ok();
}

fn engines(env: &TestEnv) -> Vec<Process> {
    let all = processes_of(env.dir()).into_iter();
    all.filter(|process| process.words.contains(" __engine")).collect()
}

#[test]
fn who_waits_replaces_an_engine_that_dies_meanwhile() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let go = env.dir().join("go");
    let script = format!("until [ -e '{}' ]; do sleep 0.02; done", go.display());
    shop.wt(&["spawn", "dark", "--exec", "--", "sh", "-c", &script]).ok();
    let mut waits = env.wt_command(&shop.dir);
    waits.args(["wait", "dark", "--timeout", "60s"]).stdout(Stdio::null());
    let mut waits = waits.stderr(Stdio::null()).spawn().unwrap();
    for _ in 0..2 {
        let mut killed = None;
        wait_until("there is an engine", || {
            killed = engines(&env).into_iter().next();
            killed.as_ref().is_some_and(|engine| engine.signal(Signal::KILL))
        });
        let killed = killed.unwrap().pid;
        wait_until("there is another", || engines(&env).iter().any(|engine| engine.pid != killed));
    }
    std::fs::write(go, "").unwrap();
    // It made no change, so it is done, and yet not what an engineer promises.
    assert!(waits.wait().unwrap().code().is_some_and(|code| code < 2));
    let said = shop.wt(&["status", "dark", "--json"]).ok().json();
    assert_eq!(said["state"], "done", "{said}");
}
