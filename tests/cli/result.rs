//! `wt wait` and `wt result`: until work has ended, and what was said in the end.

use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;

/// Spawns a variant with a shell script as its agent.
fn spawn(repo: &TestRepo<'_>, name: &str, script: &str) {
    repo.wt(&["spawn", name, "--exec", "--", "sh", "-c", script]).ok();
}

#[test]
fn the_answer_is_on_stdout_alone() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    spawn(&shop, "good", "echo first; echo changed >> README.md; echo the answer");
    shop.wt(&["wait", "good", "--timeout", "60s"]).ok();
    let said = shop.wt(&["result", "good"]).ok();
    assert!(said.stdout.contains("the answer"), "{said:?}");
    assert!(said.stderr.contains("good  done"), "{said:?}");
    let json = shop.wt(&["result", "good", "--json"]).ok().json();
    assert_eq!((&json["kind"], &json["state"]), (&"result".into(), &"done".into()));
    assert_eq!(json["branch"], "feature/good");
}

#[test]
fn what_failed_fails_and_can_be_read_all_the_same() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    spawn(&shop, "bad", "echo so far; exit 3");
    let waited = shop.wt(&["wait", "bad", "--timeout", "60s"]).code(1);
    assert!(waited.stderr.contains("not all ended well: `bad` failed"), "{waited:?}");
    let refused = shop.wt(&["result", "bad"]).code(1);
    assert!(refused.stderr.contains("`bad` has no finished result"), "{refused:?}");
    let partial = shop.wt(&["result", "bad", "--partial"]).ok();
    assert!(partial.stdout.contains("so far"), "{partial:?}");
}

#[test]
fn a_wait_ends_with_its_time_or_with_the_first() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    env.write("go", "");
    std::fs::remove_file(env.dir().join("go")).unwrap();
    let go = env.dir().join("go");
    spawn(&shop, "slow", &format!("until [ -e '{}' ]; do sleep 0.05; done", go.display()));
    spawn(&shop, "quick", "echo x > x");
    let first = shop.wt(&["wait", "slow", "quick", "--any", "--timeout", "60s"]).ok();
    assert!(first.stdout.contains("quick  done"), "{first:?}");
    let out = shop.wt(&["wait", "--all", "--timeout", "50ms"]).code(6);
    assert!(out.stderr.contains("the time ran out; still under way: slow"), "{out:?}");
    let json = shop.wt(&["wait", "slow", "--timeout", "1ms", "--json"]).code(6).json();
    assert_eq!(json["error"]["data"]["under_way"][0]["name"], "slow");
    let early = shop.wt(&["result", "slow"]).code(1);
    assert!(early.stderr.contains("wt wait slow"), "{early:?}");
    std::fs::write(&go, "").unwrap();
    shop.wt(&["wait", "slow", "--timeout", "60s"]).ok();
    let none = shop.wt(&["wait", "--all"]).ok();
    assert_eq!(none.stdout.trim(), "nothing is under way");
    shop.wt(&["wait", "nobody"]).code(1);
    shop.wt(&["wait", "slow", "--timeout", "soon"]).code(2);
}

#[test]
fn a_spawn_can_be_waited_for() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let said = shop.wt(&["spawn", "a", "--wait", "--exec", "--", "sh", "-c", "echo x > x"]).ok();
    assert!(said.stdout.contains("a  done"), "{said:?}");
    let json = ["spawn", "b", "--wait", "--json", "--exec", "--", "false"];
    let json = shop.wt(&json).code(1).json();
    assert_eq!(json["error"]["data"]["waited"]["ended"][0]["state"], "failed");
}
