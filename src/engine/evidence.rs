//! What an ended attempt makes of its task: `done` only on evidence.

use crate::agents::ask;
use crate::agents::classify::{known, status_in};
use crate::agents::dialect::has_terminal_event;
use crate::domain::attempt::{Exit, StopRequest};
use crate::domain::event::StreamReport;
use crate::domain::launch::{Dialect, FailurePattern};
use crate::domain::resources::size;
use crate::domain::task::{FailureClass, TaskState};
use crate::engine::last_words::last_words;

/// Everything that is known about an attempt whose last process is gone.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// How its output was read.
    pub dialect: Dialect,
    /// Its output, folded.
    pub report: &'a StreamReport,
    /// How its main process ended.
    pub exit: &'a Exit,
    /// The end of what it wrote to standard error.
    pub stderr_tail: &'a str,
    /// The failure patterns of its template.
    pub patterns: &'a [FailurePattern],
    /// True when its role promises a change in its worktree.
    pub needs_change: bool,
    /// Whether its worktree differs from where it started; `None` when that could not be seen.
    pub changed: Option<bool>,
    /// Why its end was asked for, if it was.
    pub stop: Option<&'a StopRequest>,
    /// The limit of its memory, in bytes, when some of it was killed for want of more.
    pub starved: Option<u64>,
    /// What it told that it cannot go on without.
    pub blocked: Option<&'a str>,
    /// What it promises that is not there, in words: `an answer`, "`REPORT.md`".
    pub missing: Option<&'a str>,
    /// The command that had to pass after it ended well, with how it ended where it ran.
    pub verify: Option<(&'a str, Option<&'a Exit>)>,
}

/// What becomes of the task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// A final state.
    pub state: TaskState,
    /// The kind of failure, when the state is `failed`.
    pub failure: Option<FailureClass>,
    /// What a person has to answer, when the state is `needs-human`.
    pub question: Option<String>,
    /// Why, in one line for people: `no changes`, `exit 1: …`. Empty when it is plainly done.
    pub reason: String,
}

/// Judges an ended attempt.
///
/// `done` takes all of: the terminal event of the dialect without an error flag, exit 0 (or an exit
/// that nobody saw, after a clean terminal event), no permission that was denied, no question at
/// its end, and a worktree that could be looked at where a change is promised. For programs without
/// a terminal event the exit code takes its place, unless they were told to stop: what a program
/// exits with then says nothing about its work. A stop also explains an end before the agent began.
pub fn judge(evidence: &Evidence) -> Verdict {
    let told_its_end = has_terminal_event(evidence.dialect);
    if let Some(reason) = evidence.blocked.filter(|_| evidence.stop.is_none()) {
        return failed(FailureClass::MissingContext, reason.to_owned());
    }
    // A stop after the agent's own good end came while its work was being verified.
    let verifying = evidence.verify.is_some_and(|(_, end)| end.is_some());
    let by_itself = evidence.stop.is_none() || told_its_end && !verifying;
    if ended_well(evidence) && by_itself {
        return delivered(evidence);
    }
    match evidence.stop {
        Some(stop @ StopRequest { class: None, .. }) => {
            Verdict { state: TaskState::Cancelled, ..because(stop.told()) }
        }
        Some(StopRequest { why, class: Some(class), .. }) => failed(*class, why.clone()),
        None => ended_badly(evidence),
    }
}

/// The verdict on an attempt that left something only a person can see to, such as files that still
/// conflict: it is not done. What failed or was stopped has a reason of its own.
pub fn unfinished(verdict: Verdict, why: &str) -> Verdict {
    match verdict.state {
        TaskState::Done => Verdict { state: TaskState::NeedsHuman, ..because(why.to_owned()) },
        _ => verdict,
    }
}

/// The verdict on an attempt whose work is not on its branch, because something stood against a
/// commit: what is plainly done says so.
pub fn uncommitted(verdict: Verdict, obstacle: &str) -> Verdict {
    if verdict.state != TaskState::Done || !verdict.reason.is_empty() {
        return verdict;
    }
    because(format!("not all of it is committed: {obstacle}"))
}

fn ended_well(evidence: &Evidence) -> bool {
    let has_end = has_terminal_event(evidence.dialect);
    let exit_says = match evidence.exit {
        Exit::Code { code } => *code == 0,
        Exit::Unobserved => has_end,
        _ => false,
    };
    let stream_says = evidence.report.terminal.unwrap_or(!has_end);
    exit_says && stream_says && evidence.report.error.is_none()
}

/// It ended well by its own account: is it what was promised, or does a person have to act?
fn delivered(evidence: &Evidence) -> Verdict {
    if let [first, rest @ ..] = evidence.report.denied.as_slice() {
        let more =
            if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
        let question = Some(format!("may it use {first}{more}?"));
        let reason = format!("was denied: {first}{more}");
        return Verdict { state: TaskState::NeedsHuman, question, ..because(reason) };
    }
    let speaks = evidence.dialect != Dialect::Plain;
    let answer = evidence.report.final_text.as_deref().filter(|_| speaks).unwrap_or_default();
    if let Some(question) = ask::question(answer) {
        let state = TaskState::NeedsHuman;
        return Verdict { state, question: Some(question), ..because("asks".to_owned()) };
    }
    if let Some(missing) = evidence.missing {
        return failed(FailureClass::DeliverableMissing, format!("{missing} is missing"));
    }
    if let Some((command, end)) = evidence.verify
        && end != Some(&Exit::Code { code: 0 })
    {
        let how = end.map_or("was not run: its holder was gone".to_owned(), |end| match end {
            Exit::Code { code } => format!("failed: exit {code}"),
            Exit::Signal { signal } => format!("failed: killed by signal {signal}"),
            Exit::NotStarted { error } => format!("could not be started: {error}"),
            Exit::Setup { .. } | Exit::Unobserved => "ended unseen".to_owned(),
        });
        return failed(FailureClass::VerifyFailed, format!("verify `{command}` {how}"));
    }
    let (state, reason) = match evidence.changed {
        Some(false) if evidence.needs_change => (TaskState::Done, "no changes"),
        None if evidence.needs_change => {
            (TaskState::Lost, "ended well, but its worktree could not be looked at")
        }
        _ => (TaskState::Done, ""),
    };
    Verdict { state, ..because(reason.to_owned()) }
}

fn ended_badly(evidence: &Evidence) -> Verdict {
    if let Some(error) = &evidence.report.error {
        return failed(error.class, error.message.clone());
    }
    if let Some(limit) = evidence.starved.filter(|_| began(evidence.exit)) {
        return failed(FailureClass::Crash, format!("out of memory: its limit of {}", size(limit)));
    }
    let stderr = evidence.stderr_tail;
    let class = known(evidence.patterns, stderr, status_in(stderr));
    match evidence.exit {
        Exit::Setup { command, code } => setup_failed(command, *code),
        Exit::NotStarted { error } => {
            failed(FailureClass::Permanent, format!("could not be started: {error}"))
        }
        Exit::Code { code: 0 } => {
            let reason = "exit 0, but its output has no end".to_owned();
            failed(class.unwrap_or(FailureClass::Crash), reason)
        }
        Exit::Code { code } => {
            let has_end = has_terminal_event(evidence.dialect);
            let otherwise = if has_end { FailureClass::Crash } else { FailureClass::Permanent };
            failed(class.unwrap_or(otherwise), exit_in_words(*code, stderr))
        }
        Exit::Signal { signal } => {
            failed(class.unwrap_or(FailureClass::Crash), format!("killed by signal {signal}"))
        }
        Exit::Unobserved => Verdict {
            state: TaskState::Lost,
            ..because("it is gone, and nobody saw how it ended".to_owned())
        },
    }
}

/// Whether the agent itself ran.
fn began(exit: &Exit) -> bool {
    matches!(exit, Exit::Code { .. } | Exit::Signal { .. } | Exit::Unobserved)
}

fn setup_failed(command: &str, code: Option<i32>) -> Verdict {
    let how = code.map_or("killed by a signal".to_owned(), |code| format!("exit {code}"));
    failed(FailureClass::SetupFailed, format!("setup `{command}` failed: {how}"))
}

fn failed(class: FailureClass, reason: String) -> Verdict {
    Verdict { state: TaskState::Failed, failure: Some(class), ..because(reason) }
}

/// A verdict of which only the reason is said, to be built upon.
fn because(reason: String) -> Verdict {
    let reason = reason.lines().next().unwrap_or_default().chars().take(300).collect();
    Verdict { state: TaskState::Done, failure: None, question: None, reason }
}

/// `exit 1: unknown option`, `exit 143 (signal 15)`: shells and agents that catch a signal add 128.
fn exit_in_words(code: i32, stderr: &str) -> String {
    let signal = if (129..=159).contains(&code) {
        format!(" (signal {})", code - 128)
    } else {
        String::new()
    };
    let words = last_words(stderr).map(|words| format!(": {words}")).unwrap_or_default();
    format!("exit {code}{signal}{words}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_would_be_done_is_unfinished() {
        let open = "1 file still conflicts: a";
        let done = unfinished(because(String::new()), open);
        assert_eq!((done.state, done.reason.as_str()), (TaskState::NeedsHuman, open));
        let failed = failed(FailureClass::Crash, "killed".into());
        assert_eq!(unfinished(failed.clone(), open), failed);
        assert_eq!(uncommitted(failed.clone(), "HEAD is detached"), failed);
        let told = uncommitted(because(String::new()), "HEAD is detached");
        assert_eq!(told.reason, "not all of it is committed: HEAD is detached");
        assert_eq!(uncommitted(because("no changes".into()), "x").reason, "no changes");
    }
    use crate::domain::event::StreamError;

    fn clean() -> StreamReport {
        StreamReport {
            terminal: Some(true),
            final_text: Some("Done.".into()),
            ..StreamReport::default()
        }
    }

    fn evidence<'a>(report: &'a StreamReport, exit: &'a Exit) -> Evidence<'a> {
        Evidence {
            dialect: Dialect::Claude,
            report,
            exit,
            stderr_tail: "",
            patterns: &[],
            needs_change: true,
            changed: Some(true),
            stop: None,
            starved: None,
            blocked: None,
            missing: None,
            verify: None,
        }
    }

    const ZERO: Exit = Exit::Code { code: 0 };

    #[test]
    fn done_takes_every_piece_of_evidence() {
        let report = clean();
        assert_eq!(judge(&evidence(&report, &ZERO)).state, TaskState::Done);
        assert_eq!(judge(&evidence(&report, &Exit::Unobserved)).state, TaskState::Done);
        for exit in [Exit::Code { code: 1 }, Exit::Signal { signal: 9 }] {
            assert_eq!(judge(&evidence(&report, &exit)).failure, Some(FailureClass::Crash));
        }
        for terminal in [None, Some(false)] {
            let report = StreamReport { terminal, ..clean() };
            assert_eq!(judge(&evidence(&report, &ZERO)).state, TaskState::Failed);
        }
    }

    #[test]
    fn no_change_is_said_and_an_unseen_worktree_is_lost() {
        let report = clean();
        let same = Evidence { changed: Some(false), ..evidence(&report, &ZERO) };
        let verdict = judge(&same);
        assert_eq!((verdict.state, verdict.reason.as_str()), (TaskState::Done, "no changes"));
        let unseen = Evidence { changed: None, ..same };
        assert_eq!(judge(&unseen).state, TaskState::Lost);
        let reader = Evidence { needs_change: false, ..unseen };
        assert_eq!((judge(&reader).state, judge(&reader).reason.as_str()), (TaskState::Done, ""));
    }

    #[test]
    fn asking_waits_for_a_person_whatever_was_changed() {
        let report = StreamReport { final_text: Some("Dark or light?".into()), ..clean() };
        for changed in [Some(true), Some(false)] {
            let verdict = judge(&Evidence { changed, ..evidence(&report, &ZERO) });
            assert_eq!(verdict.state, TaskState::NeedsHuman);
            assert_eq!(verdict.question.as_deref(), Some("Dark or light?"));
        }
        let plain = Evidence { dialect: Dialect::Plain, ..evidence(&report, &ZERO) };
        assert_eq!(judge(&plain).state, TaskState::Done, "a program's output asks nobody");
    }

    #[test]
    fn what_was_killed_for_want_of_memory_is_told_so() {
        let (report, killed) = (StreamReport::default(), Exit::Signal { signal: 9 });
        let starved = Evidence { starved: Some(8_000_000_000), ..evidence(&report, &killed) };
        let verdict = judge(&starved);
        assert_eq!(verdict.failure, Some(FailureClass::Crash));
        assert_eq!(verdict.reason, "out of memory: its limit of 8 GB");
        let report = clean();
        let went_on = Evidence { report: &report, exit: &ZERO, ..starved };
        assert_eq!(judge(&went_on).state, TaskState::Done, "only a tool of its was killed");
    }

    #[test]
    fn a_stop_explains_a_bad_end_and_not_a_good_one() {
        let report = StreamReport { terminal: Some(false), ..clean() };
        let by =
            |class| StopRequest { at: jiff::Timestamp::UNIX_EPOCH, why: "by you".into(), class };
        let (person, clock) = (by(None), by(Some(FailureClass::TimedOut)));
        let stopped = Evidence { stop: Some(&person), ..evidence(&report, &ZERO) };
        let verdict = judge(&stopped);
        assert_eq!(
            (verdict.state, verdict.reason.as_str()),
            (TaskState::Cancelled, "stopped by you")
        );
        let timed = Evidence { stop: Some(&clock), ..stopped };
        assert_eq!(judge(&timed).failure, Some(FailureClass::TimedOut));
        let report = clean();
        let late = Evidence { stop: Some(&person), ..evidence(&report, &ZERO) };
        assert_eq!(judge(&late).state, TaskState::Done);
    }

    #[test]
    fn what_was_stopped_before_it_could_tell_is_stopped() {
        let by = StopRequest { at: jiff::Timestamp::UNIX_EPOCH, why: "by you".into(), class: None };
        let nothing = StreamReport::default();
        let trapped = Evidence { dialect: Dialect::Plain, ..evidence(&nothing, &ZERO) };
        assert_eq!(judge(&trapped).state, TaskState::Done);
        let setup = Exit::Setup { command: "npm ci".into(), code: None };
        let not_started = Exit::NotStarted { error: "it was stopped before it started".into() };
        let ends = [trapped, evidence(&nothing, &setup), evidence(&nothing, &not_started)];
        for end in ends {
            let verdict = judge(&Evidence { stop: Some(&by), ..end });
            assert_eq!(verdict.state, TaskState::Cancelled);
            assert_eq!(verdict.reason, "stopped by you");
        }
    }

    #[test]
    fn an_end_that_nobody_saw_is_lost_unless_the_stream_tells() {
        let nothing = StreamReport::default();
        assert_eq!(judge(&evidence(&nothing, &Exit::Unobserved)).state, TaskState::Lost);
        let plain = Evidence { dialect: Dialect::Plain, ..evidence(&nothing, &Exit::Unobserved) };
        assert_eq!(judge(&plain).state, TaskState::Lost);
        let error = StreamError {
            message: "API Error: 401".into(),
            status: Some(401),
            class: FailureClass::Auth,
        };
        let report = StreamReport { terminal: Some(false), error: Some(error), ..clean() };
        assert_eq!(judge(&evidence(&report, &Exit::Unobserved)).failure, Some(FailureClass::Auth));
    }

    #[test]
    fn what_only_stderr_tells_is_found_there() {
        let nothing = StreamReport::default();
        let exit = Exit::Code { code: 1 };
        let stderr = "\u{1b}[91m\u{1b}[1mError: \u{1b}[0mSession not found\n\n";
        let verdict = judge(&Evidence { stderr_tail: stderr, ..evidence(&nothing, &exit) });
        assert_eq!(verdict.reason, "exit 1: Error: Session not found");
        let stderr = "Attempt 5 failed with status 500. Retrying";
        let verdict = judge(&Evidence { stderr_tail: stderr, ..evidence(&nothing, &exit) });
        assert_eq!(verdict.failure, Some(FailureClass::Transient));
    }

    #[test]
    fn what_went_wrong_before_the_agent_is_told_as_such() {
        let nothing = StreamReport::default();
        let exit = Exit::Setup { command: "npm ci".into(), code: Some(3) };
        let verdict = judge(&evidence(&nothing, &exit));
        assert_eq!(verdict.failure, Some(FailureClass::SetupFailed));
        assert_eq!(verdict.reason, "setup `npm ci` failed: exit 3");
        let exit = Exit::NotStarted { error: "no such file".into() };
        assert_eq!(judge(&evidence(&nothing, &exit)).failure, Some(FailureClass::Permanent));
    }
}
