//! What `wt` does by itself after a bad end: again, corrected, parked, or left to a person.

use serde_json::Value;

use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;
use crate::support::wait::wait_until;

/// A world whose agent speaks claude's dialect and runs a script of the test's for its answer. The
/// script sees the number of the run in `$run`, and says `good TEXT` or `bad TEXT`.
fn world(script: &str, backoff: &str) -> TestEnv {
    let mut env = TestEnv::new();
    env.set("ANTHROPIC_API_KEY", "test-key");
    env.config(&format!("[retry]\nbackoff = \"{backoff}\"\n"));
    let program = format!(
        r#"#!/bin/sh
echo "$@" >> "$HOME/started"
run=$(wc -l < "$HOME/started")
cat > "$HOME/words-$run"
said() {{
  echo '{{"type":"result","subtype":"success","is_error":'"$1"',"result":"'"$2"'","session_id":"s-1","usage":{{"input_tokens":5,"output_tokens":2}},"total_cost_usd":0.01}}'
}}
good() {{ said false "$1"; exit 0; }}
bad() {{ said true "$1"; exit 1; }}
echo '{{"type":"system","subtype":"init","session_id":"s-1","model":"m"}}'
{script}
"#
    );
    env.program("claude", &program);
    env
}

fn spawn<'e>(env: &'e TestEnv, more: &[&str]) -> TestRepo<'e> {
    let repo = env.repo("shop");
    repo.wt(&[&["spawn", "dark", "--agent", "claude", "A dark theme"], more].concat()).ok();
    repo
}

fn status(repo: &TestRepo<'_>) -> Value {
    repo.wt(&["status", "dark", "--json"]).ok().json()
}

fn words(env: &TestEnv, run: u32) -> String {
    std::fs::read_to_string(env.dir().join(format!("home/words-{run}"))).unwrap()
}

const OVERLOADED: &str = "API Error: 529 Overloaded";

#[test]
fn a_hiccup_is_tried_again_and_the_second_time_it_is_told_what_failed() {
    let script = format!(r#"[ $run -gt 2 ] || bad '{OVERLOADED}'; echo x > made; good Done."#);
    let env = world(&script, "0s");
    let repo = spawn(&env, &[]);
    repo.wt(&["wait", "dark", "--timeout", "60s"]).ok();
    let now = status(&repo);
    assert_eq!((&now["state"], now["attempt"].as_u64()), (&"done".into(), Some(3)));
    let attempts = now["attempts"].as_array().unwrap();
    assert_eq!(attempts[0]["failure"], "transient");
    assert_eq!(attempts[0]["again"], Value::Null, "a person asked for the first");
    assert_eq!(attempts[1]["again"]["how"], "retry");
    assert_eq!((&attempts[2]["again"]["nth"], &attempts[2]["again"]["of"]), (&2.into(), &2.into()));
    assert!(!words(&env, 2).contains("tried before"), "{}", words(&env, 2));
    let told = words(&env, 3);
    assert!(told.contains(&format!("- attempt 1: {OVERLOADED}")), "{told}");
    assert!(told.contains("- attempt 2:") && told.contains("A dark theme"), "{told}");
    let backups = repo.git(&["for-each-ref", "refs/wt/backup"]);
    assert!(backups.contains("retry"), "kept before each fresh start: {backups}");
}

#[test]
fn what_is_used_up_needs_a_person_who_sees_every_attempt() {
    let env = world(&format!("bad '{OVERLOADED}'"), "0s");
    let repo = spawn(&env, &[]);
    repo.wt(&["wait", "dark", "--timeout", "60s"]).code(1);
    let now = status(&repo);
    assert_eq!((&now["state"], &now["standing"]), (&"needs-human".into(), &"failed".into()));
    assert_eq!(now["attempts"].as_array().unwrap().len(), 3);
    let said = repo.wt(&["status", "--needs-you"]).ok();
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert!(lines[0].starts_with("NEEDS YOU  dark  failed,"), "{said}");
    assert!(lines[0].ends_with("→ wt logs dark"), "{said}");
    for (line, number) in lines[1..].iter().zip(1..) {
        assert_eq!(line.trim(), format!("attempt {number}  {OVERLOADED}"), "{said}");
    }
    assert_eq!(lines.len(), 4, "{said}");
    // A person's own attempt begins a new count.
    repo.wt(&["retry", "dark"]).ok();
    repo.wt(&["wait", "dark", "--timeout", "60s"]).code(1);
    assert_eq!(status(&repo)["attempts"].as_array().unwrap().len(), 6);
}

#[test]
fn a_pause_is_told_and_can_be_cut_short_or_ended() {
    let script = format!(r#"[ $run -gt 1 ] || bad '{OVERLOADED}'; good 'Which one?'"#);
    let env = world(&script, "1h");
    let repo = spawn(&env, &[]);
    wait_until("it is to be tried again", || status(&repo)["again"] != Value::Null);
    let said = repo.wt(&["status"]).ok();
    assert!(said.stdout.contains("retry 1 of 2 in "), "{said}");
    assert!(said.stdout.contains(&format!(": {OVERLOADED}")), "{said}");
    assert_eq!(status(&repo)["failure"], "transient");
    let said = repo.wt(&["retry", "dark"]).ok();
    assert!(said.stdout.contains("attempt 2"), "{said}");
    repo.wt(&["wait", "dark", "--timeout", "60s"]).code(1);
    assert_eq!(status(&repo)["question"], "Which one?");

    let env = world(&format!("bad '{OVERLOADED}'"), "1h");
    let repo = spawn(&env, &[]);
    wait_until("it is to be tried again", || status(&repo)["again"] != Value::Null);
    repo.wt(&["stop", "dark"]).ok();
    assert_eq!(status(&repo)["state"], "cancelled");
}

#[test]
fn a_verify_command_that_fails_is_told_to_the_agent_in_its_session() {
    let script = r#"echo x >> made; case "$*" in *--resume*) touch fixed;; esac; good Done."#;
    let env = world(script, "0s");
    let verify = "echo checking; ls; test -e fixed";
    let repo = spawn(&env, &["--verify", verify]);
    repo.wt(&["wait", "dark", "--timeout", "60s"]).ok();
    let now = status(&repo);
    let attempts = now["attempts"].as_array().unwrap();
    assert_eq!((&now["state"], attempts.len()), (&"done".into(), 2));
    assert_eq!(attempts[0]["failure"], "verify-failed");
    assert_eq!(attempts[0]["reason"], format!("verify `{verify}` failed: exit 1"));
    assert_eq!(
        (&attempts[1]["why"], &attempts[1]["again"]["how"]),
        (&"follow-up".into(), &"corrective".into())
    );
    let told = words(&env, 2);
    assert!(told.contains("Its last lines:") && told.contains("checking"), "{told}");
    assert!(!told.contains("You are an engineer"), "it knows the rest: {told}");
}

#[test]
fn a_verify_command_is_stopped_with_its_task() {
    let env = world("echo x > made; good Done.", "0s");
    let repo = spawn(&env, &["--verify", "touch ../verifying; exec sleep 600"]);
    wait_until("it is being verified", || env.dir().join("shop-worktrees/verifying").exists());
    repo.wt(&["stop", "dark"]).ok();
    assert_eq!(status(&repo)["state"], "cancelled");
}

#[test]
fn a_limit_is_waited_for_where_asked_and_only_over_the_same_base() {
    // Ten past, so that a minute more is the same hour.
    let reset = (jiff::Timestamp::now().as_second() / 3600 + 3) * 3600 + 600;
    let script = format!(r#"[ $run -gt 1 ] || bad 'usage limit reached|{reset}'; good Done."#);
    let env = world(&script, "0s");
    let repo = spawn(&env, &["--park"]);
    wait_until("it is parked", || status(&repo)["standing"] == "parked");
    let at = jiff::Timestamp::from_second(reset).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
    let said = repo.wt(&["list"]).ok();
    // The reset, and up to a minute that spreads those that wait for it.
    let hour = at.strftime("%H:").to_string();
    assert!(said.stdout.contains("parked to ") && said.stdout.contains(&hour), "{said}");
    let said = repo.wt(&["status"]).ok();
    assert!(said.stdout.contains("parked to "), "{said}");
    repo.write("README.md", "# Another shop\n");
    repo.commit("main moves on");
    repo.wt(&["retry", "dark"]).ok();
    repo.wt(&["wait", "dark", "--timeout", "60s"]).code(1);
    let now = status(&repo);
    assert_eq!(now["state"], "needs-human");
    assert!(now["reason"].as_str().unwrap().starts_with("its base moved from "), "{now}");
    repo.wt(&["retry", "dark"]).ok();
    repo.wt(&["wait", "dark", "--timeout", "60s"]).ok();
}

#[test]
fn without_being_asked_to_park_a_limit_is_a_persons_turn() {
    let env = world("bad 'usage limit reached|1'", "0s");
    let repo = spawn(&env, &[]);
    repo.wt(&["wait", "dark", "--timeout", "60s"]).code(1);
    let now = status(&repo);
    assert_eq!((&now["state"], &now["failure"]), (&"needs-human".into(), &"limit".into()));
    assert_eq!(now["attempts"].as_array().unwrap().len(), 1);
}

#[test]
fn a_refused_key_is_not_tried_again_and_says_how_to_log_in() {
    let env = world("bad 'API Error: 401 invalid api key'", "0s");
    let repo = spawn(&env, &[]);
    repo.wt(&["wait", "dark", "--timeout", "60s"]).code(1);
    let now = status(&repo);
    assert_eq!(now["attempts"].as_array().unwrap().len(), 1);
    assert!(now["reason"].as_str().unwrap().ends_with("; log in: `claude auth login`"), "{now}");
}

#[test]
fn who_runs_out_of_time_gets_more_of_it() {
    let env = world("[ $run -gt 1 ] || exec sleep 600; echo x > made; good Done.", "0s");
    let repo = spawn(&env, &["--timeout", "1s"]);
    let _ = repo.wt(&["wait", "dark", "--timeout", "60s"]);
    let attempts = status(&repo)["attempts"].clone();
    assert_eq!(attempts[0]["failure"], "timed-out");
    assert_eq!(attempts[0]["reason"], "timed out after 1s");
    assert_eq!(attempts[1]["again"]["how"], "longer");
    let spec = std::path::Path::new(attempts[1]["folder"].as_str().unwrap()).join("spec.json");
    let spec: Value = serde_json::from_slice(&std::fs::read(spec).unwrap()).unwrap();
    assert_eq!(spec["timeout_s"], 2);
}
