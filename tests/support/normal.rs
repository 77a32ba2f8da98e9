//! Output in a form that is the same in every run.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// `text` with everything replaced that differs from run to run: the test's directory by `$DIR`,
/// moments by `[date]`, the end of task ids by `xxxxxx`, object ids by as many `#`, durations by
/// `[time]` with the space around them made even.
pub fn normal(text: &str, dir: &str) -> String {
    static DATE: LazyLock<Regex> = LazyLock::new(|| {
        regex(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?")
    });
    static TASK: LazyLock<Regex> = LazyLock::new(|| {
        regex(
            r"\b((?:worktree|task|research|review|explore|plan)(?:-[A-Za-z0-9._]+)*)-[a-z2-9]{6}\b",
        )
    });
    static OBJECT: LazyLock<Regex> = LazyLock::new(|| regex(r"\b[0-9a-f]{7,64}\b"));
    static TIME: LazyLock<Regex> = LazyLock::new(|| {
        regex(r"( {2,})?\b\d+(?:\.\d+)?(?:ms|s|m|h|d)\b(?: \d+(?:ms|s|m|h)\b)?( {2,})?")
    });
    let text = text.replace(dir, "$DIR");
    let text = DATE.replace_all(&text, "[date]");
    let text = TASK.replace_all(&text, "$1-xxxxxx");
    let text = OBJECT.replace_all(&text, |found: &Captures<'_>| "#".repeat(found[0].len()));
    let even = |found: &Captures<'_>, side| found.get(side).map_or("", |_| "  ");
    let text = TIME.replace_all(&text, |found: &Captures<'_>| {
        format!("{}[time]{}", even(found, 1), even(found, 2))
    });
    text.into_owned()
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}

#[test]
fn what_differs_from_run_to_run_is_replaced() {
    let text = "task worktree-theme-dark-x7k2m9 in /tmp/wt-test-1/shop from 1a2b3c4 for 5m 30s";
    assert_eq!(
        normal(text, "/tmp/wt-test-1"),
        "task worktree-theme-dark-xxxxxx in $DIR/shop from ####### for [time]"
    );
    assert_eq!(normal("a    12.5ms   b", "/x"), "a  [time]  b");
    assert_eq!(normal("at 2026-11-21T09:32:41.5Z.", "/x"), "at [date].");
}

#[test]
fn what_is_the_same_in_every_run_stays() {
    let text = "theme-dark  done  8 files +142 −17  18,450 tokens  $0.94  142 tests";
    assert_eq!(normal(text, "/x"), text);
}
