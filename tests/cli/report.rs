//! `wt report`: what an agent tells of itself, from inside its attempt.

use serde_json::Value;

use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;
use crate::support::wait::wait_until;

fn status(repo: &TestRepo<'_>) -> Value {
    repo.wt(&["status", "dark", "--json"]).ok().json()
}

#[test]
fn steps_and_milestones_stand_in_the_status() {
    let mut env = TestEnv::new();
    env.set("WT", assert_cmd::cargo::cargo_bin!("wt"));
    let repo = env.repo("shop");
    let script = "\"$WT\" report --step 3/5 --phase tests --milestone 'it parses' > said; \
                  while [ ! -e go ]; do sleep 0.02; done; \
                  \"$WT\" report --progress 0.75; while [ ! -e on ]; do sleep 0.02; done";
    repo.wt(&["spawn", "dark", "--exec", "--", "sh", "-c", script]).ok();
    wait_until("it has told its step", || status(&repo)["step"] == serde_json::json!([3, 5]));
    let now = status(&repo);
    assert_eq!((&now["activity"], &now["milestone"]), (&"tests".into(), &"it parses".into()));
    assert_eq!(now["progress"], 0.6);
    let said = repo.wt(&["status"]).ok();
    assert!(said.stdout.contains("step 3/5 tests"), "{said}");
    let worktree = env.at(env.dir().join("shop-worktrees/dark"));
    assert!(worktree.read("said").starts_with("reported for worktree-dark-"));
    worktree.write("go", "");
    wait_until("it has told its part", || status(&repo)["progress"] == 0.75);
    let now = status(&repo);
    assert_eq!((&now["step"], &now["activity"]), (&Value::Null, &"tests".into()));
    assert!(repo.wt(&["status"]).ok().stdout.contains("75% tests"));
    worktree.write("on", "");
    repo.wt(&["wait", "dark", "--timeout", "60s"]).ok();
}

#[test]
fn who_is_blocked_is_asked_once_more_and_then_a_person() {
    let mut env = TestEnv::new();
    env.set("ANTHROPIC_API_KEY", "test-key");
    // What an agent sees of the caller's environment is not everything, so it is told where.
    let wt = assert_cmd::cargo::cargo_bin!("wt").display().to_string();
    let script = format!(
        r#"#!/bin/sh
cat >> "$HOME/words"
{wt} report --blocked "which  database?" > /dev/null || exit 9
echo '{{"type":"system","subtype":"init","session_id":"s-1","model":"m"}}'
echo '{{"type":"result","subtype":"success","is_error":false,"result":"I stop.","session_id":"s-1"}}'
"#
    );
    env.program("claude", &script);
    let repo = env.repo("shop");
    repo.wt(&["spawn", "dark", "--agent", "claude", "Migrate"]).ok();
    repo.wt(&["wait", "dark", "--timeout", "60s"]).code(1);
    let now = status(&repo);
    assert_eq!((&now["state"], &now["standing"]), (&"needs-human".into(), &"asks".into()), "{now}");
    assert_eq!(now["question"], "which database?");
    let attempts = now["attempts"].as_array().unwrap();
    assert_eq!((attempts.len(), &attempts[0]["failure"]), (2, &"missing-context".into()));
    assert_eq!(
        (&attempts[1]["why"], &attempts[1]["again"]["how"]),
        (&"follow-up".into(), &"corrective".into())
    );
    let words = std::fs::read_to_string(env.dir().join("home/words")).unwrap();
    assert!(words.contains("The work stopped here: which database?."), "{words}");
}

#[test]
fn outside_of_an_attempt_there_is_nothing_to_report_on() {
    let mut env = TestEnv::new();
    let said = env.wt(&["report", "--progress", "0.5"]).code(5);
    assert!(said.stderr.contains("this is no agent's work"), "{said}");
    for wrong in [&["report"][..], &["report", "--progress", "2"], &["report", "--step", "6/5"]] {
        env.wt(wrong).code(2);
    }
    env.set("WT_ATTEMPT", "worktree-other-x7k2m9.1");
    env.wt(&["report", "--progress", "0.5"]).code(5);
}
