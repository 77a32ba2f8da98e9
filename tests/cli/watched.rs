//! Agents that say nothing, and how long work takes.

use serde_json::Value;

use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;
use crate::support::wait::wait_until;

/// A world whose agent speaks claude's dialect as the script says, watched with these times (at the
/// start, of silence, of slowness; milliseconds).
fn world(script: &str, times: &str) -> TestEnv {
    let mut env = TestEnv::new();
    env.set("ANTHROPIC_API_KEY", "test-key");
    env.set("WT_TEST_WATCHDOG", times);
    env.program("claude", &format!("#!/bin/sh\n{script}\n"));
    env
}

const INIT: &str = r#"echo '{"type":"system","subtype":"init","session_id":"s-1","model":"m"}'"#;

/// So long that it never comes.
const NEVER: &str = "100000000";

fn status(repo: &TestRepo<'_>) -> Value {
    repo.wt(&["status", "dark", "--json"]).ok().json()
}

fn spawn<'e>(env: &'e TestEnv, more: &[&str]) -> TestRepo<'e> {
    let repo = env.repo("shop");
    repo.wt(&[&["spawn", "dark", "--agent", "claude", "A dark theme"], more].concat()).ok();
    repo
}

#[test]
fn silence_is_told_and_ends_nothing_by_itself() {
    let env = world(&format!("{INIT}; exec sleep 600"), &format!("{NEVER} 50 {NEVER}"));
    let repo = spawn(&env, &[]);
    wait_until("it is stalled", || status(&repo)["pace"] == "stalled");
    let now = status(&repo);
    assert_eq!((&now["state"], &now["standing"]), (&"running".into(), &"running".into()));
    let said = repo.wt(&["status"]).ok();
    assert!(said.stdout.contains("stalled  "), "{said}");
    let said = repo.wt(&["list"]).ok();
    assert!(said.stdout.contains("stalled "), "{said}");
    let listed = repo.wt(&["list", "--json"]).ok().json();
    assert_eq!(listed["repositories"][0]["variants"][0]["pace"], "stalled");
    repo.wt(&["stop", "dark"]).ok();
    assert_eq!(status(&repo)["pace"], Value::Null);
}

#[test]
fn talk_that_leads_nowhere_is_slow() {
    let script = format!("{INIT}; while :; do echo; sleep 0.05; done");
    let env = world(&script, &format!("{NEVER} {NEVER} 50"));
    let repo = spawn(&env, &[]);
    wait_until("it is slow", || status(&repo)["pace"] == "slow");
    repo.wt(&["stop", "dark"]).ok();
}

#[test]
fn who_waits_for_a_limit_is_limited() {
    let retry = r#"echo '{"type":"system","subtype":"api_retry","attempt":1,"max_retries":10,"error_status":429,"error":"rate_limit"}'"#;
    let script = format!("{INIT}; {retry}; exec sleep 600");
    let env = world(&script, &format!("{NEVER} {NEVER} {NEVER}"));
    let repo = spawn(&env, &[]);
    wait_until("it is limited", || status(&repo)["pace"] == "limited");
    repo.wt(&["stop", "dark"]).ok();
}

#[test]
fn who_never_said_a_word_is_ended_where_its_role_says_so_and_gets_more_time() {
    let env = world("exec sleep 600", &format!("500 {NEVER} {NEVER}"));
    let role = "about = 'keeps watch'\nwrite = true\nretries = 1\nend_stalled = true\n";
    env.write("config/wt/roles/sentry.toml", role);
    let repo = spawn(&env, &["--role", "sentry"]);
    repo.wt(&["wait", "dark", "--timeout", "60s"]).code(1);
    let now = status(&repo);
    let attempts = now["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 2);
    for attempt in attempts {
        assert_eq!(attempt["failure"], "stalled");
        assert_eq!(attempt["reason"], "stalled: no output at all within 500ms");
    }
    assert_eq!(attempts[1]["again"]["how"], "longer");
    assert_eq!(now["state"], "needs-human");
}

#[test]
fn an_estimate_comes_from_this_repositorys_own_work() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.wt(&["spawn", "new", "--exec", "--", "sleep", "600"]).ok();
    wait_until("it runs", || {
        repo.wt(&["status", "new", "--json"]).ok().json()["state"] == "running"
    });
    let first = repo.wt(&["status", "new", "--json"]).ok().json();
    assert_eq!(first["estimate_s"], Value::Null, "nothing is known yet");
    for name in ["one", "two", "three"] {
        repo.wt(&["spawn", name, "--wait", "--exec", "--", "touch", "made"]).ok();
    }
    repo.wt(&["spawn", "dark", "--exec", "--", "sleep", "600"]).ok();
    wait_until("it runs", || status(&repo)["state"] == "running");
    assert!(status(&repo)["estimate_s"].is_number());
    let said = repo.wt(&["status"]).ok();
    assert!(said.stdout.contains(" of about "), "{said}");
    repo.wt(&["stop", "dark", "new"]).ok();
}
