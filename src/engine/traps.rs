//! The traps of real agents, each by name: what a reader that believes the obvious gets wrong.

use super::streams::{judged, read};
use crate::domain::attempt::Exit;
use crate::domain::task::{FailureClass, TaskState};
use crate::domain::usage::{Certainty, MicroUsd, SessionTotals, Tokens};

const ZERO: Exit = Exit::Code { code: 0 };

fn fresh(file: &str) -> crate::domain::event::StreamReport {
    read(file, SessionTotals::default())
}

/// What the second run of a session used, read after the first.
fn resumed(first: &str, second: &str) -> (Tokens, Option<MicroUsd>) {
    let baseline = fresh(first).cumulative.unwrap();
    let usage = read(second, baseline).usage;
    (usage.tokens, usage.cost)
}

#[test]
fn claude_repeats_the_usage_of_a_message_with_each_of_its_blocks() {
    let report = fresh("claude-2.1.329-killed-in-tool.jsonl");
    assert_eq!(report.usage.tokens.input, 1_201, "two lines, one message");
    assert_eq!(report.usage.certainty, Certainty::AtLeast);
}

#[test]
fn codex_tells_the_whole_thread_after_a_resume() {
    let (tokens, _) = resumed("codex-0.169.0-ok.jsonl", "codex-0.169.0-resume.jsonl");
    assert_eq!(tokens, Tokens { input: 1_307, cache_read: 7_657, cache_write: 67, output: 21 });
}

#[test]
fn qwen_tells_the_whole_session_after_a_resume() {
    let (tokens, _) = resumed("qwen-0.15.10-ok.jsonl", "qwen-0.15.10-resume.jsonl");
    assert_eq!(tokens, Tokens { input: 2_614, cache_read: 15_314, cache_write: 0, output: 42 });
}

#[test]
fn claude_tells_this_runs_tokens_and_the_whole_sessions_cost() {
    let (first, second) = ("claude-2.1.329-sessid.jsonl", "claude-2.1.329-resume.jsonl");
    let (tokens, cost) = resumed(first, second);
    assert_eq!(tokens.input, 1_307);
    assert_eq!(cost, Some(MicroUsd(7_514)));
    let sum = fresh(first).usage.cost.unwrap().0 + cost.unwrap().0;
    assert_eq!(sum, 24_168, "both together are what the second calls its total");
}

#[test]
fn a_total_below_the_baseline_is_this_runs_own() {
    let baseline =
        SessionTotals { tokens: Tokens { input: 1_000_000, ..Tokens::default() }, cost: None };
    let report = read("codex-0.169.0-ok.jsonl", baseline);
    assert_eq!(report.usage.tokens.input, 2_508);
}

#[test]
fn the_same_key_means_input_with_and_without_the_cache() {
    let (claude, qwen) = (fresh("claude-2.1.329-ok.jsonl"), fresh("qwen-0.15.10-ok.jsonl"));
    assert_eq!(claude.usage.tokens.input, 2_508, "`input_tokens` 2508 excludes the cache");
    assert_eq!(qwen.usage.tokens.input, 2_508, "`input_tokens` 17168 includes it");
    assert_eq!(claude.usage.tokens.cache_read, qwen.usage.tokens.cache_read);
}

#[test]
fn exit_zero_without_a_terminal_event_is_a_failure() {
    let file = "gemini-0.61.0-killed-group.jsonl";
    let verdict = judged(file, &fresh(file), &ZERO);
    assert_eq!((verdict.state, verdict.failure), (TaskState::Failed, Some(FailureClass::Crash)));
    assert_eq!(verdict.reason, "exit 0, but its output has no end");
}

#[test]
fn an_error_result_that_says_success_is_an_error() {
    let file = "claude-2.1.329-401.jsonl";
    let report = fresh(file);
    assert_eq!(report.terminal, Some(false));
    let verdict = judged(file, &report, &Exit::Code { code: 1 });
    assert_eq!(verdict.failure, Some(FailureClass::Auth));
}

#[test]
fn a_refused_key_with_exit_zero_and_no_error_flag_is_an_error() {
    let file = "qwen-0.15.10-401.jsonl";
    let verdict = judged(file, &fresh(file), &ZERO);
    assert_eq!((verdict.state, verdict.failure), (TaskState::Failed, Some(FailureClass::Auth)));
}

#[test]
fn a_denied_permission_with_exit_zero_needs_a_person() {
    for file in ["claude-2.1.329-denied.jsonl", "opencode-1.18.33-denied.jsonl"] {
        let verdict = judged(file, &fresh(file), &ZERO);
        assert_eq!(verdict.state, TaskState::NeedsHuman, "{file}");
        assert!(verdict.reason.ends_with("hello.txt"), "{}", verdict.reason);
    }
}

#[test]
fn paths_beneath_the_worktree_are_shown_from_there() {
    let mut spec = crate::engine::queue::tests::shell(
        &crate::domain::id::TaskId::new("task-a-x7k2m9"),
        "",
        std::path::Path::new("/home/dev/src/claude-denied"),
    );
    spec.dialect = crate::domain::launch::Dialect::Claude;
    let mut reader = crate::agents::dialect::Reader::of(&spec);
    let stream = super::streams::directory().join("claude-2.1.329-denied.jsonl");
    for line in std::fs::read(stream).unwrap().split(|&byte| byte == b'\n') {
        reader.line(line);
    }
    assert_eq!(reader.report().denied, ["Write hello.txt"]);
}

#[test]
fn an_agent_that_ends_by_asking_needs_a_person() {
    let file = "claude-2.1.329-ok.jsonl";
    let mut report = fresh(file);
    report.final_text = Some("I made the header. Tailwind or CSS modules?".into());
    let verdict = judged(file, &report, &ZERO);
    assert_eq!(verdict.state, TaskState::NeedsHuman);
    assert_eq!(verdict.question.as_deref(), Some("Tailwind or CSS modules?"));
}

#[test]
fn gemini_leaves_its_thoughts_out_of_its_output_and_counts_its_router() {
    let report = fresh("gemini-0.61.0-ok.jsonl");
    assert_eq!(report.usage.tokens.output, 55 + 15 + 3, "words, thoughts, the router's");
    assert_eq!(report.usage.tokens.input, 2_508 + 11);
    assert_eq!(report.model.as_deref(), Some("gemini-3.8-flash"), "not the router's");
}

#[test]
fn opencode_tells_its_reasoning_apart_from_its_output() {
    let report = fresh("opencode-1.18.33-ok.jsonl");
    assert_eq!(report.usage.tokens.output, 24 + 10 + 16 + 5);
}

#[test]
fn claude_interrupted_still_tells_what_it_used() {
    let file = "claude-2.1.329-sigint-in-tool.jsonl";
    let report = fresh(file);
    assert_eq!(report.usage.certainty, Certainty::Exact);
    assert_eq!(report.usage.tokens.output, 34);
    assert_eq!(judged(file, &report, &ZERO).state, TaskState::Failed, "exit 0, and yet not done");
}
