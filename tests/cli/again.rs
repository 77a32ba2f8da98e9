//! `wt send` and `wt retry`: a further attempt in the same worktree.

use serde_json::Value;

use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;
use crate::support::wait::wait_until;

/// An agent that speaks claude's dialect: it writes down what it was started with, leaves a file,
/// and ends by asking until it is told something.
const CLAUDE: &str = r#"#!/bin/sh
echo "$@" >> "$HOME/started"
words=$(cat)
echo '{"type":"system","subtype":"init","session_id":"s-1","model":"m"}'
echo work > "made-$(wc -l < "$HOME/started")"
answer='Done.'
case "$*" in *--resume*) ;; *) answer='Tailwind or CSS modules?' ;; esac
echo '{"type":"result","subtype":"success","is_error":false,"result":"'"$answer"'","session_id":"s-1","usage":{"input_tokens":5,"output_tokens":2},"total_cost_usd":0.01}'
"#;

fn world() -> TestEnv {
    let mut env = TestEnv::new();
    env.set("ANTHROPIC_API_KEY", "test-key");
    env.program("claude", CLAUDE);
    env
}

fn asked(env: &TestEnv) -> TestRepo<'_> {
    let repo = env.repo("shop");
    repo.wt(&["spawn", "dark", "--agent", "claude", "A dark theme"]).ok();
    repo.wt(&["wait", "dark", "--timeout", "60s"]).code(1);
    repo
}

fn status(repo: &TestRepo<'_>) -> Value {
    repo.wt(&["status", "dark", "--json"]).ok().json()
}

#[test]
fn an_answer_goes_into_the_same_session_and_worktree() {
    let env = world();
    let repo = asked(&env);
    assert_eq!(status(&repo)["question"], "Tailwind or CSS modules?");
    let said = repo.wt(&["send", "dark", "CSS modules"]).ok();
    assert_eq!(
        said.stdout,
        "dark  goes on in its session · attempt 2 · claude\nfollow  wt logs -f dark\n"
    );
    repo.wt(&["wait", "dark", "--timeout", "60s"]).ok();
    let now = status(&repo);
    assert_eq!((now["state"].as_str(), now["attempt"].as_u64()), (Some("done"), Some(2)));
    assert_eq!(now["attempts"][1]["why"], "follow-up");
    assert_eq!(now["attempts"][1]["prompt"], "CSS modules");
    let home = env.dir().join("home/started");
    let started = std::fs::read_to_string(home).unwrap();
    let second = started.lines().nth(1).unwrap();
    assert!(second.contains("--resume s-1"), "{started}");
    let worktree = env.at(env.dir().join("shop-worktrees/dark"));
    assert!(worktree.has("made-1") && worktree.has("made-2"));
}

#[test]
fn a_retry_is_a_new_session_after_a_snapshot() {
    let env = world();
    let repo = asked(&env);
    repo.wt(&["retry", "dark"]).ok();
    repo.wt(&["wait", "dark", "--timeout", "60s"]).code(1);
    let now = status(&repo);
    assert_eq!((now["attempt"].as_u64(), &now["attempts"][1]["why"]), (Some(2), &"retry".into()));
    let started = std::fs::read_to_string(env.dir().join("home/started")).unwrap();
    assert!(!started.contains("--resume"), "{started}");
    let backups = repo.git(&["for-each-ref", "refs/wt/backup"]);
    assert!(backups.contains("retry"), "{backups}");
}

#[test]
fn who_is_at_work_is_left_alone() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.wt(&["spawn", "dark", "--exec", "--", "sleep", "600"]).ok();
    let said = repo.wt(&["retry", "dark"]).code(5);
    assert!(said.stderr.contains("once this attempt has ended"), "{said}");
    assert!(said.stderr.contains("wt stop dark"), "{said}");
    let said = repo.wt(&["send", "dark", "more"]).code(5);
    assert!(said.stderr.contains("no session to be told more in"), "{said}");
    repo.wt(&["stop", "dark"]).ok();
    let said = repo.wt(&["send", "dark", "more"]).code(5);
    assert!(said.stderr.contains("has no session to go on in"), "{said}");
    assert!(said.stderr.contains("wt retry dark"), "{said}");
    repo.wt(&["send", "dark", "  "]).code(2);
}

#[test]
fn who_is_at_work_is_told_once_its_attempt_has_ended() {
    let env = world();
    let slow =
        CLAUDE.replace("words=$(cat)", "words=$(cat); while [ ! -e go ]; do sleep 0.02; done");
    env.program("claude", &slow);
    let repo = env.repo("shop");
    repo.wt(&["spawn", "dark", "--agent", "claude", "A dark theme"]).ok();
    wait_until("it is at work", || status(&repo)["state"] == "running");
    let said = repo.wt(&["send", "dark", "CSS modules"]).ok();
    assert_eq!(said.stdout, "dark  is told once its present attempt has ended\n");
    let said = repo.wt(&["send", "dark", "and no blue", "--json"]).ok().json();
    assert_eq!(said["waiting"], 2);
    assert!(repo.wt(&["status"]).ok().stdout.contains("2 messages to tell"));
    env.at(env.dir().join("shop-worktrees/dark")).write("go", "");
    repo.wt(&["wait", "dark", "--timeout", "60s"]).ok();
    let now = status(&repo);
    assert_eq!((&now["state"], now["attempt"].as_u64()), (&"done".into(), Some(2)));
    assert_eq!(now["attempts"][1]["why"], "follow-up");
    assert_eq!(now["attempts"][1]["again"], Value::Null, "a person asked");
    assert_eq!(now["attempts"][1]["prompt"], "CSS modules\n\nand no blue");
    assert_eq!(now["messages"], 0);
}

#[test]
fn a_stop_forgets_what_was_to_be_told() {
    let env = world();
    env.program("claude", &CLAUDE.replace("words=$(cat)", "exec sleep 600"));
    let repo = env.repo("shop");
    repo.wt(&["spawn", "dark", "--agent", "claude", "A dark theme"]).ok();
    wait_until("it is at work", || status(&repo)["state"] == "running");
    repo.wt(&["send", "dark", "more"]).ok();
    repo.wt(&["stop", "dark"]).ok();
    let now = status(&repo);
    assert_eq!((&now["state"], &now["messages"]), (&"cancelled".into(), &0.into()));
}

#[test]
fn a_plain_command_runs_again_word_for_word() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let script = "echo \"$1\" >> said.txt";
    repo.wt(&["spawn", "dark", "--exec", "--", "sh", "-c", script, "sh", "two  words"]).ok();
    repo.wt(&["wait", "dark", "--timeout", "60s"]).ok();
    repo.wt(&["retry", "dark"]).ok();
    repo.wt(&["wait", "dark", "--timeout", "60s"]).ok();
    let worktree = env.at(env.dir().join("shop-worktrees/dark"));
    assert_eq!(worktree.read("said.txt"), "two  words\ntwo  words\n");
}
