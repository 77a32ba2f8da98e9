//! The built-in agent as a process: fed a prompt, acting in its directory, interrupted.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::env::TestEnv;

const SESSION: &str = "11111111-2222-4333-8444-555555555555";

fn last_event(stdout: &str) -> Value {
    serde_json::from_str(stdout.lines().last().unwrap()).unwrap()
}

#[test]
fn it_plays_a_scenario_and_goes_on_in_its_session() {
    let env = TestEnv::new();
    let start = ["__scripted", "--permissions", "work", "--session", SESSION];
    let said = env.wt_fed(env.dir(), &start, "write a greeting @hello\n");
    let result = last_event(&said.ok().stdout);
    assert_eq!(result["result"], "Done: hello.txt written.");
    let resume = ["__scripted", "--permissions", "work", "--resume", SESSION];
    let said = env.wt_fed(env.dir(), &resume, "greet me too\n");
    assert_eq!(last_event(&said.ok().stdout)["total_cost_usd"], 0.04);
    let text = std::fs::read_to_string(env.dir().join("hello.txt")).unwrap();
    assert_eq!(text, "hello from the scripted agent\ngreet me too\n");
}

#[test]
fn interrupted_it_tells_what_it_used_and_exits_with_zero() {
    let env = TestEnv::new();
    let scenario = env.write(
        "scenario.toml",
        "about = 'waits'\nusage = { output = 3 }\n[[turn]]\nstep = [{ say = 'now' }, { hang = true }]\n",
    );
    let mut command = env.wt_command(env.dir());
    command.args(["__scripted", "--session", SESSION]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let prompt = format!("@{}", scenario.display());
    child.stdin.take().unwrap().write_all(prompt.as_bytes()).unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let spoken = lines.find(|line| line.contains("\"text\":\"now\""));
    assert!(spoken.is_some());
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let result: Value = serde_json::from_str(&lines.last().unwrap()).unwrap();
    assert_eq!((&result["is_error"], &result["usage"]["output_tokens"]), (&true.into(), &3.into()));
    assert!(child.wait().unwrap().success());
}

#[test]
fn typed_by_hand_it_says_whose_it_is() {
    let env = TestEnv::new();
    let said = env.wt_fed(env.dir(), &["__scripted"], "").code(2);
    assert!(said.stderr.contains("started by `wt` alone"), "{}", said.stderr);
}
