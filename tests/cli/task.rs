//! `wt task`: work without a variant.

use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;
use crate::support::wait::wait_until;

fn queued(repo: &TestRepo<'_>, args: &[&str]) -> String {
    let said = repo.wt(&[&["--json", "task"][..], args].concat()).ok().json();
    said["task"].as_str().unwrap().to_owned()
}

#[test]
fn a_command_runs_where_one_stands_in_its_lane() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let said = repo.wt(&["task", "--", "sh", "-c", "pwd; echo made > made.txt"]).ok();
    insta::assert_snapshot!(*said, @r"
    task     task-sh-c-pwd-echo-made-xxxxxx · lane build
    runs     sh -c 'pwd; echo made > made.txt' · with your rights
    in       $DIR/shop
    follow   wt logs -f task-sh-c-pwd-echo-made-xxxxxx
    ");
    let id = said.stdout.split_whitespace().nth(1).unwrap().to_owned();
    repo.wt(&["wait", &id, "--timeout", "60s"]).ok();
    let logs = repo.wt(&["logs", &id]).ok();
    assert!(logs.stdout.contains(repo.dir.to_str().unwrap()), "{logs}");
    assert_eq!(repo.read("made.txt"), "made\n");
    assert_eq!(repo.status(), "?? made.txt\n", "what it made is left as it is");
    let status = repo.wt(&["status", &id, "--json"]).ok().json();
    assert_eq!((status["state"].as_str(), status["variant"].as_str()), (Some("done"), None));
}

#[test]
fn lanes_have_a_parallelism_of_their_own() {
    let env = TestEnv::new();
    env.config("[limits]\nbuild = 1\n");
    let repo = env.repo("shop");
    let works = "while [ ! -e \"$HOME/go\" ]; do sleep 0.05; done";
    let first = queued(&repo, &["--", "sh", "-c", works]);
    let second = queued(&repo, &["--lane", "build", "--", "true"]);
    let other = queued(&repo, &["--lane", "e2e", "--", "true"]);
    repo.wt(&["wait", &other, "--timeout", "60s"]).ok();
    wait_until("the second waits for the first", || {
        let status = repo.wt(&["status", &second, "--json"]).ok().json();
        status["reason"] == "for a build slot (1 of 1 busy)"
    });
    repo.wt(&["queue", "pause", "--lane", "build"]).ok();
    env.write("home/go", "");
    repo.wt(&["wait", &first, "--timeout", "60s"]).ok();
    wait_until("the lane is paused", || {
        let status = repo.wt(&["status", &second, "--json"]).ok().json();
        status["reason"] == "lane build is paused"
    });
    repo.wt(&["queue", "resume", "--lane", "build"]).ok();
    repo.wt(&["wait", &second, "--timeout", "60s"]).ok();
}

#[test]
fn a_command_that_fails_is_told_and_can_be_tried_again() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let script = "[ -e \"$HOME/go\" ] || exit 3";
    let said = repo.wt(&["task", "--wait", "--", "sh", "-c", script]).code(1);
    let id = said.stdout.split_whitespace().nth(1).unwrap().to_owned();
    let status = repo.wt(&["status"]).ok();
    assert!(status.stdout.starts_with("FAILED"), "{status}");
    let after = queued(&repo, &["--after", &id, "--", "true"]);
    let refused = repo.wt(&["wait", &after, "--timeout", "60s"]).code(5);
    assert!(refused.stderr.contains(&format!("`wt retry {id}`")), "{refused}");
    env.write("home/go", "");
    repo.wt(&["retry", &id]).ok();
    repo.wt(&["wait", &after, "--timeout", "60s"]).ok();
}

#[test]
fn an_agent_reads_where_one_stands_and_answers() {
    let mut env = TestEnv::new();
    env.set("ANTHROPIC_API_KEY", "test-key");
    let script = r#"#!/bin/sh
echo "$@" > "$HOME/started"
cat > "$HOME/read"
echo '{"type":"system","subtype":"init","session_id":"s-1","model":"m"}'
echo '{"type":"result","subtype":"success","is_error":false,"result":"In src/app.txt.","session_id":"s-1","usage":{"input_tokens":5,"output_tokens":2},"total_cost_usd":0.01}'
"#;
    env.program("claude", script);
    let repo = env.repo("shop");
    let id = queued(&repo, &["--agent", "claude", "Where are the lines?"]);
    assert!(id.starts_with("task-where-are-the-lines-"), "{id}");
    repo.wt(&["wait", &id, "--timeout", "60s"]).ok();
    assert_eq!(repo.wt(&["result", &id]).ok().stdout, "In src/app.txt.\n");
    let home = |name: &str| std::fs::read_to_string(env.dir().join("home").join(name)).unwrap();
    assert!(home("started").contains("--disallowedTools Bash,Edit,Write"), "{}", home("started"));
    assert!(home("read").contains("You are an explorer"), "{}", home("read"));
    repo.wt(&["send", &id, "And the theme?"]).ok();
    repo.wt(&["wait", &id, "--timeout", "60s"]).ok();
    assert!(home("started").contains("--resume s-1"), "{}", home("started"));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    insta::assert_snapshot!(*repo.wt(&["task", "--role", "engineer", "Do it"]).code(5), @r#"
    --- stderr ---
    error: role `engineer` changes files, and so works in a variant
    hint: make it one: `wt spawn NAME --role engineer "…"`
    [exit 5]
    "#);
    let said = repo.wt(&["task", "--", "no-such-program"]).code(1);
    assert!(said.stderr.contains("no `no-such-program` on PATH"), "{said}");
    repo.wt(&["task", "words", "--", "true"]).code(2);
    repo.wt(&["task", "--lane", "none", "--", "true"]).code(2);
    repo.wt(&["task", "--after", "nobody", "--", "true"]).code(1);
    env.wt(&["task", "--", "true"]).code(1);
    let open = repo.wt(&["queue", "--json"]).ok().json();
    assert_eq!(open["waiting"].as_array().unwrap().len(), 0, "nothing was queued");
}
