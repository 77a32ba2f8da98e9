//! Agents that misbehave.

use crate::support::env::TestEnv;
use crate::support::left_behind::processes_of;
use crate::support::repo::TestRepo;
use crate::support::wait::wait_until;

fn shell(shop: &TestRepo<'_>, name: &str, script: &str) {
    shop.wt(&["spawn", name, "--exec", "--", "sh", "-c", script]).ok();
}

fn state(shop: &TestRepo<'_>, name: &str) -> String {
    let said = shop.wt(&["status", name, "--json"]).ok().json();
    said["state"].as_str().unwrap().to_owned()
}

fn ended(shop: &TestRepo<'_>, name: &str) -> String {
    let said = shop.wt(&["wait", name, "--timeout", "110s"]);
    assert!(matches!(said.exit, Some(0 | 1)), "{said}");
    state(shop, name)
}

#[test]
fn one_that_spawns_another_is_not_its_master() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let wt = assert_cmd::cargo::cargo_bin!("wt").display();
    let (top, go) = (shop.dir.display(), env.dir().join("go"));
    let inner = format!("until [ -e {} ]; do sleep 0.02; done; echo work >inner.txt", go.display());
    let outer =
        format!("'{wt}' -C '{top}' spawn inner --exec -- sh -c '{inner}' && exec sleep 600");
    shell(&shop, "outer", &outer);
    wait_until("the inner one runs", || {
        let said = shop.wt(&["status", "inner", "--json"]);
        said.exit == Some(0) && said.json()["state"] == "running"
    });
    shop.wt(&["stop", "outer"]).ok();
    assert_eq!(state(&shop, "inner"), "running", "a stop ends only what is the agent's own");
    std::fs::write(go, "").unwrap();
    assert_eq!(ended(&shop, "inner"), "done");
}

#[test]
fn endless_lines_and_what_is_no_text_cost_no_memory() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let megabytes = std::env::var("WT_CHAOS_MEGABYTES").unwrap_or_else(|_| "40".into());
    let bytes = megabytes.parse::<u64>().unwrap() * 1_000_000;
    let script = format!(
        "echo work >work.txt; printf '\\377\\376\\n'; head -c {bytes} /dev/zero | tr '\\0' x; \
         echo; echo last; until [ -e go ]; do sleep 0.02; done; rm go"
    );
    shell(&shop, "loud", &script);
    let folder = env.state().join("attempts");
    let stdout = || {
        let one = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
        std::fs::metadata(one.join("stdout")).map_or(0, |meta| meta.len())
    };
    wait_until("it has said all", || stdout() == bytes + 9);
    shop.wt(&["logs", "loud"]).ok();
    let peak = |words: &str| {
        let all = processes_of(env.dir()).into_iter();
        let pid = all.filter(|one| one.words.contains(words)).map(|one| one.pid).next().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero()));
        let status = status.unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
        line.split_ascii_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    };
    let (engine, holder) = (peak(" __engine"), peak(" __hold"));
    std::fs::write(env.dir().join("shop-worktrees/loud/go"), "").unwrap();
    assert_eq!(ended(&shop, "loud"), "done");
    assert!(engine < 80 && holder < 40, "engine {engine} MB, holder {holder} MB");
}

#[test]
fn one_that_truncates_its_own_output_is_followed_on() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let script = "echo work >w; seq 1000; : >\"$(readlink /proc/$$/fd/1)\"; echo after";
    shell(&shop, "cut", script);
    assert_eq!(ended(&shop, "cut"), "done");
    assert_eq!(shop.wt(&["logs", "cut", "--raw"]).ok().stdout, "after\n");
}

#[test]
fn daemons_in_sessions_of_their_own_end_with_it() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let script = "echo work >w; (setsid sh -c 'trap \"\" TERM HUP; exec sleep 600' &) ; \
                  (env -i setsid sleep 600 &) ; exit 0";
    shell(&shop, "parent", script);
    assert_eq!(ended(&shop, "parent"), "done");
    let left: Vec<String> = processes_of(env.dir()).into_iter().map(|one| one.words).collect();
    assert!(!left.iter().any(|words| words.contains("sleep")), "{left:?}");
}

#[test]
fn one_that_replaces_its_git_runs_nothing_and_loses_nothing() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let evil = env.dir().join("evil-was-here");
    let script = format!(
        "echo work >work.txt; rm .git; git init -q . ; git config core.fsmonitor 'touch {0}; :'; \
         git config core.hooksPath /tmp; printf '[alias]\\nx=!touch {0}\\n' >>.git/config",
        evil.display()
    );
    shell(&shop, "evil", &script);
    ended(&shop, "evil");
    for words in [
        &["list"][..],
        &["compare", "evil"],
        &["diff", "evil"],
        &["merge", "evil", "--dry-run"],
        &["cleanup", "evil", "--force", "--yes"],
        &["doctor"],
    ] {
        let said = shop.wt(words);
        assert!(said.exit.is_some_and(|code| code != 101 && code != 2), "{words:?}: {said}");
    }
    assert!(!evil.exists(), "something of the agent's was run");
    let tree = env.dir().join("shop-worktrees");
    let found = walkdir::WalkDir::new(tree).into_iter().filter_map(Result::ok);
    let kept = found.filter(|entry| entry.file_name() == "work.txt").count();
    let branch = shop.git(&["log", "--all", "--format=%H", "--", "work.txt"]);
    assert!(kept > 0 || !branch.is_empty(), "its work is gone");
}
