//! Faults of the machine: disks, clocks, pids, restarts, upgrades, processes that stand still.

use std::path::Path;

use rustix::process::Signal;
use wt::store::db::Store;
use wt::store::environment::Environment;
use wt::store::layout::Layout;

use crate::support::env::TestEnv;
use crate::support::left_behind::{Process, processes_of};
use crate::support::repo::TestRepo;
use crate::support::skip::skip;
use crate::support::wait::wait_until;

fn one(env: &TestEnv, words: &str) -> Option<Process> {
    processes_of(env.dir()).into_iter().find(|one| one.words.contains(words))
}

/// An agent that says so when it has begun, and ends when it may.
fn waiting(env: &TestEnv, shop: &TestRepo<'_>, name: &str) {
    let go = env.dir().join(format!("go-{name}"));
    let script =
        format!("echo begun >w; echo begun; until [ -e '{}' ]; do sleep 0.02; done", go.display());
    shop.wt(&["spawn", name, "--exec", "--", "sh", "-c", &script]).ok();
}

fn begun(shop: &TestRepo<'_>, name: &str) {
    wait_until("it has begun", || shop.wt(&["logs", name, "--raw"]).stdout.contains("begun"));
}

fn go(env: &TestEnv, name: &str) {
    std::fs::write(env.dir().join(format!("go-{name}")), "").unwrap();
}

fn state(shop: &TestRepo<'_>, name: &str) -> String {
    let said = shop.wt(&["status", name, "--json"]).ok().json();
    said["state"].as_str().unwrap().to_owned()
}

fn until(shop: &TestRepo<'_>, name: &str, wanted: &str) {
    wait_until(&format!("`{name}` is {wanted}"), || state(shop, name) == wanted);
}

/// Everything is killed, as when the power fails.
fn power_fails(env: &TestEnv) {
    wait_until("nothing runs", || {
        let all = processes_of(env.dir());
        for one in &all {
            one.signal(Signal::KILL);
        }
        all.is_empty()
    });
}

/// Changes what is on record about the holder and the agent of every attempt.
fn on_record(env: &TestEnv, from: &str, to: &str) {
    let environment = Environment::of(env.variables(), env.dir());
    let store = Store::open(Layout::prepare(&environment).unwrap()).unwrap();
    let sql = "UPDATE attempts SET holder = replace(holder, ?1, ?2), \
               agent = replace(agent, ?1, ?2)";
    assert!(store.read().execute(sql, [from, to]).unwrap() > 0);
    for folder in std::fs::read_dir(env.state().join("attempts")).unwrap().flatten() {
        let file = folder.path().join("holder.json");
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        std::fs::write(&file, text.replace(from, to)).unwrap();
    }
}

#[test]
fn after_a_restart_what_ran_is_lost_and_what_waited_is_asked_about() {
    let env = TestEnv::new();
    env.config("[limits]\ntasks = 1\n");
    let shop = env.repo("shop");
    waiting(&env, &shop, "ran");
    begun(&shop, "ran");
    shop.wt(&["spawn", "waited", "--exec", "--", "touch", "made.txt"]).ok();
    power_fails(&env);
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    on_record(&env, boot.trim(), "0c0ffee0-0000-4000-8000-000000000000");
    // What lives in memory is gone, too.
    std::fs::remove_dir_all(env.dir().join("run/wt")).unwrap();
    until(&shop, "ran", "lost");
    until(&shop, "waited", "needs-human");
    assert_eq!(shop.git(&["show", "feature/ran:w"]), "begun\n", "its work is kept");
    shop.wt(&["retry", "waited"]).ok();
    until(&shop, "waited", "done");
}

#[test]
fn what_runs_on_another_machine_is_let_alone() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    waiting(&env, &shop, "away");
    begun(&shop, "away");
    let engine = one(&env, " __engine").unwrap();
    assert!(engine.signal(Signal::KILL));
    let environment = Environment::of(env.variables(), env.dir());
    let machine = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let ours = format!("\"machine_id\":\"{}\"", machine.trim());
    let store = Store::open(Layout::prepare(&environment).unwrap()).unwrap();
    let set = |from: &str, to: &str| {
        let sql = "UPDATE attempts SET holder = replace(holder, ?1, ?2)";
        store.read().execute(sql, [from, to]).unwrap();
    };
    let theirs = "\"machine_id\":\"of another\"";
    set(&ours, theirs);
    let holder = one(&env, " __hold").unwrap().pid;
    wait_until("it is told", || shop.wt(&["status", "away"]).stdout.contains("elsewhere"));
    assert_eq!(shop.wt(&["stop", "away"]).exit, Some(5));
    assert_eq!(one(&env, " __hold").unwrap().pid, holder, "it was not touched");
    // It is ours after all.
    set(theirs, &ours);
    go(&env, "away");
    until(&shop, "away", "done");
}

#[test]
fn a_pid_that_is_another_s_by_now_is_never_touched() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    waiting(&env, &shop, "dark");
    begun(&shop, "dark");
    let holder = one(&env, " __hold").unwrap().pid.as_raw_nonzero();
    power_fails(&env);
    let mut bystander = std::process::Command::new("sleep").arg("600").spawn().unwrap();
    on_record(&env, &format!("\"pid\":{holder}"), &format!("\"pid\":{}", bystander.id()));
    until(&shop, "dark", "lost");
    shop.wt(&["stop", "dark"]).ok();
    shop.wt(&["cleanup", "dark", "--force", "--yes"]).ok();
    assert!(bystander.try_wait().unwrap().is_none(), "a bystander was ended");
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}

#[test]
fn an_engine_or_a_holder_that_stands_still_holds_up_nothing_for_ever() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    for who in [" __engine", " __hold"] {
        let name = who.trim_start_matches(" __");
        waiting(&env, &shop, name);
        begun(&shop, name);
        let still = one(&env, who).unwrap();
        assert!(still.signal(Signal::STOP));
        go(&env, name);
        // Whoever looks is answered meanwhile.
        assert_eq!(state(&shop, name), "running");
        shop.wt(&["list"]).ok();
        assert!(still.signal(Signal::CONT));
        until(&shop, name, "done");
    }
}

#[test]
fn an_engine_becomes_the_new_program_and_loses_nothing() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let program = env.dir().join("bin/wt");
    let built = assert_cmd::cargo::cargo_bin!("wt");
    std::fs::copy(built, &program).unwrap();
    let wt = |words: &[&str]| {
        let said = env.command(&program, &shop.dir).args(words).output().unwrap();
        assert!(said.status.success(), "{words:?}: {}", String::from_utf8_lossy(&said.stderr));
    };
    let go = env.dir().join("go");
    let script = format!("echo w >w; until [ -e '{}' ]; do sleep 0.02; done", go.display());
    wt(&["spawn", "dark", "--exec", "--", "sh", "-c", &script]);
    until(&shop, "dark", "running");
    let engine = one(&env, " __engine").unwrap().pid.as_raw_nonzero();
    let newer = env.dir().join("newer");
    std::fs::copy(built, &newer).unwrap();
    std::fs::rename(&newer, &program).unwrap();
    let number = std::cell::Cell::new(0);
    let runs = || std::fs::read_link(format!("/proc/{engine}/exe")).unwrap();
    assert!(runs().to_string_lossy().contains("deleted"));
    wait_until("the engine is the new program", || {
        number.set(number.get() + 1);
        wt(&["spawn", &format!("n{}", number.get()), "--exec", "--", "true"]);
        runs() == Path::new(&program)
    });
    std::fs::write(go, "").unwrap();
    until(&shop, "dark", "done");
    assert_eq!(shop.wt(&["status", "dark", "--json"]).ok().json()["attempt"], 1);
}

#[test]
fn a_clock_that_is_set_back_or_on_harms_nothing() {
    let mut env = TestEnv::new();
    env.repo("shop");
    let times = ["2099-01-01T00:00:00Z", "2001-01-01T00:00:00Z", "2026-11-21T10:00:00Z"];
    for (number, now) in times.iter().cycle().take(6).enumerate() {
        env.set("WT_TEST_NOW", now);
        let shop = env.at(env.dir().join("shop"));
        let name = format!("v{number}");
        shop.wt(&["spawn", &name, "--exec", "--", "sh", "-c", "echo w >w"]).ok();
        shop.wt(&["wait", &name, "--timeout", "60s"]).ok();
        for words in [&["list"][..], &["status"], &["status", &name], &["compare"]] {
            let said = shop.wt(words).ok();
            assert!(!said.stdout.contains("-1") && !said.stdout.contains("−1 "), "{said}");
        }
        shop.wt(&["cleanup", &name, "--force", "--yes"]).ok();
        shop.wt(&["restore", &name]).ok();
    }
}

/// Mounts a small disk over the state, which takes the rights to do so; what is in `script` then
/// runs with it, and nobody else sees it.
fn with_small_disk(env: &TestEnv, options: &str, script: &str) -> Option<std::process::Output> {
    let tried = env.command("unshare", env.dir()).args(["-m", "true"]).output();
    if !tried.is_ok_and(|tried| tried.status.success()) {
        skip("a full disk: no mount namespace can be made here");
        return None;
    }
    let state = env.dir().join("state");
    let mount = format!(
        "set -e; mount -t tmpfs -o {options} none '{}'; cd shop; wt='{}'; {script}",
        state.display(),
        assert_cmd::cargo::cargo_bin!("wt").display()
    );
    Some(env.command("unshare", env.dir()).args(["-m", "sh", "-c", &mount]).output().unwrap())
}

#[test]
fn a_full_disk_is_told_and_nothing_is_left_half_made() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let script = "
        \"$wt\" spawn one --exec -- sh -c 'echo w >w'
        \"$wt\" wait one --timeout 60s
        head -c 9000000 /dev/zero >../state/fill 2>/dev/null || true
        if \"$wt\" spawn two --exec -- sh -c 'echo w >w'; then echo 'it was made'; fi
        \"$wt\" list >/dev/null || echo 'no list'
        test ! -e ../shop-worktrees/two || echo 'something is left'
        rm ../state/fill
        \"$wt\" spawn two --exec -- sh -c 'echo w >w'
        \"$wt\" wait two --timeout 60s
        \"$wt\" list >/dev/null
        echo 'all is well'";
    let Some(said) = with_small_disk(&env, "size=6m,mode=700", script) else { return };
    let (told, answer) =
        (String::from_utf8_lossy(&said.stderr), String::from_utf8_lossy(&said.stdout));
    assert!(said.status.success() && answer.contains("all is well"), "{answer}\n{told}");
    assert!(!answer.contains("something is left") && !answer.contains("it was made"), "{answer}");
    assert!(
        told.contains("the disk that holds the state is full") && told.contains("`wt gc`"),
        "{told}"
    );
    assert_eq!(shop.git(&["branch", "--list", "feature/*"]).lines().count(), 2);
}

#[test]
fn a_state_that_can_only_be_read_is_told() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let script = "
        \"$wt\" spawn one --no-agent
        mount -o remount,ro ../state
        if \"$wt\" spawn two --no-agent; then echo 'it was made'; fi
        test ! -e ../shop-worktrees/two || echo 'something is left'
        echo 'all is well'";
    let Some(said) = with_small_disk(&env, "size=6m,mode=700", script) else { return };
    let (told, answer) =
        (String::from_utf8_lossy(&said.stderr), String::from_utf8_lossy(&said.stdout));
    assert!(answer.contains("all is well"), "{answer}\n{told}");
    assert!(!answer.contains("something is left") && !answer.contains("it was made"), "{answer}");
    assert!(told.contains("error: "), "{told}");
    assert_eq!(shop.git(&["branch", "--list", "feature/*"]).lines().count(), 1);
}
