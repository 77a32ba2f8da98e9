//! What follows a bad end: another attempt, in which manner and when, or a person's decision. Pure:
//! everything that counts in, a decision out.
//!
//! Nothing is tried for ever. Attempts that `wt` makes by itself are counted from the last one that
//! a person asked for; there are at most [`Rules::retries`] of them, at most one corrective one for
//! each kind of failure, and at most [`PARKED_MAX`] that waited for a usage limit.

pub mod words;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::agents::role::Role;
use crate::domain::attempt::{Again, AttemptKind, Manner};
use crate::domain::launch::Rules;
use crate::domain::settings::RetrySettings;
use crate::domain::task::FailureClass;

/// How often at most a usage limit is waited for.
pub const PARKED_MAX: u32 = 5;

/// The longest that the reset of a limit is waited for.
pub const PARKED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// How long a limit is waited for whose reset nobody told.
const RESET_UNKNOWN: SignedDuration = SignedDuration::from_hours(1);

/// The longest pause, however often it was doubled.
const PAUSE_MAX: u64 = 60 * 60 * 1000;

/// The first pause of plain commands, in milliseconds.
const COMMAND_PAUSE: u64 = 2_000;

/// An attempt that ended badly, and what led to it.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// What kind of failure it was.
    pub class: FailureClass,
    /// Why it failed, in one line.
    pub why: &'a str,
    /// What may be done by itself.
    pub rules: Rules,
    /// What was made by itself since a person last asked for an attempt, oldest first, the one that
    /// ended now included if it was.
    pub past: &'a [Again],
    /// True for an agent, which reads words; false for a plain command.
    pub speaks: bool,
    /// Whether it can go on in the session.
    pub resumable: bool,
    /// When the usage limit is reset, if that was told.
    pub reset_at: Option<Timestamp>,
    /// Any number.
    pub random: u64,
    /// When it ended.
    pub now: Timestamp,
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Another attempt.
    Again(Plan),
    /// Nothing by itself; only a person can go on.
    Person,
}

/// Another attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Why there is it.
    pub again: Again,
    /// Afresh, or in the session.
    pub kind: AttemptKind,
    /// When it may begin.
    pub not_before: Timestamp,
    /// What it is told.
    pub words: Words,
    /// How many times the limit of the first attempt it may run: 1 to 3.
    pub times: u32,
}

/// What another attempt is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// What the person asked for.
    Same,
    /// The same, and what failed before.
    SameAndHistory,
    /// Only what was missing: it knows the rest.
    Missing,
    /// What the person asked for, and what was missing.
    SameAndMissing,
}

/// What is asked for one task beside the settings.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    /// Wait for the reset of usage limits.
    pub park: bool,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// It is a plain command, which has no limit unless one is asked for.
    pub is_command: bool,
}

/// What may be done by itself for a task of this role: the smaller of what the role and the
/// settings allow.
pub fn rules(role: &Role, settings: &RetrySettings, asked: Asked) -> Rules {
    let pause = u64::try_from(settings.backoff.as_millis()).unwrap_or(PAUSE_MAX);
    let limit = asked.timeout.or((!asked.is_command).then(|| role.limit()));
    Rules {
        retries: role.retries.min(settings.max),
        backoff_ms: if asked.is_command { COMMAND_PAUSE.min(pause) } else { pause },
        park: asked.park || settings.park,
        limit_s: limit.map(|limit| limit.as_secs().max(1)),
        end_stalled: role.end_stalled && !asked.is_command,
    }
}

/// Decides.
///
/// | failure | what follows |
/// |---|---|
/// | transient, an agent's crash | the same again after a pause that doubles |
/// | timed out, stalled | the same again with two, then three times the limit |
/// | missing context, deliverable missing, verify failed | one corrective attempt |
/// | limit | again once it is reset, where that is asked for |
/// | auth, setup failed, permanent, a command's crash | a person |
pub fn decide(case: &Case<'_>) -> Next {
    use FailureClass::{
        Auth, Crash, DeliverableMissing, Limit, MissingContext, Permanent, SetupFailed, Stalled,
        TimedOut, Transient, VerifyFailed,
    };
    let manner = match case.class {
        Transient => Manner::Retry,
        Crash if case.speaks => Manner::Retry,
        TimedOut | Stalled => Manner::Longer,
        MissingContext | DeliverableMissing | VerifyFailed if case.speaks => Manner::Corrective,
        Limit if case.rules.park => return parked(case),
        Auth | Crash | DeliverableMissing | Limit | MissingContext | Permanent | SetupFailed
        | VerifyFailed => return Next::Person,
    };
    let made = count(case, |again| again.how != Manner::Parked);
    let corrected = |again: &Again| again.how == manner && again.class == case.class;
    let once = manner == Manner::Corrective && count(case, corrected) > 0;
    if made >= case.rules.retries || once {
        return Next::Person;
    }
    Next::Again(plan(case, manner, made + 1))
}

fn plan(case: &Case<'_>, manner: Manner, nth: u32) -> Plan {
    let (kind, words) = match manner {
        Manner::Corrective if case.resumable => (AttemptKind::FollowUp, Words::Missing),
        Manner::Corrective => (AttemptKind::Retry, Words::SameAndMissing),
        _ if nth > 1 => (AttemptKind::Retry, Words::SameAndHistory),
        _ => (AttemptKind::Retry, Words::Same),
    };
    let pause = if manner == Manner::Retry { pause(case, nth) } else { 0 };
    let longer = count(case, |again| again.how == Manner::Longer);
    let times = 1 + longer + u32::from(manner == Manner::Longer);
    Plan {
        again: again(case, manner, (nth, case.rules.retries)),
        kind,
        not_before: later(case.now, SignedDuration::from_millis(pause)),
        words,
        times: times.min(3),
    }
}

/// Waits for the reset of a limit. What is further away than is waited for is a person's business.
/// The attempts of one limit do not all come back in the same second.
fn parked(case: &Case<'_>) -> Next {
    let nth = count(case, |again| again.how == Manner::Parked) + 1;
    let until = match case.reset_at {
        Some(at) => at.max(case.now),
        None => later(case.now, RESET_UNKNOWN),
    };
    if nth > PARKED_MAX || until.duration_since(case.now) > PARKED_FOR {
        return Next::Person;
    }
    let spread = SignedDuration::from_millis(i64::try_from(case.random % 60_000).unwrap_or(0));
    let longer = count(case, |again| again.how == Manner::Longer);
    Next::Again(Plan {
        again: again(case, Manner::Parked, (nth, PARKED_MAX)),
        kind: AttemptKind::Retry,
        not_before: later(until, spread),
        words: Words::Same,
        times: (1 + longer).min(3),
    })
}

fn again(case: &Case<'_>, how: Manner, (nth, of): (u32, u32)) -> Again {
    Again { how, nth, of, class: case.class, why: case.why.to_owned(), base: None }
}

/// Milliseconds: the first pause doubled with each retry, and up to a quarter more.
fn pause(case: &Case<'_>, nth: u32) -> i64 {
    let doubled = case.rules.backoff_ms.saturating_mul(1 << (nth - 1).min(20)).min(PAUSE_MAX);
    let jitter = case.random % (doubled / 4 + 1);
    i64::try_from(doubled + jitter).unwrap_or(0)
}

fn count(case: &Case<'_>, counts: impl Fn(&Again) -> bool) -> u32 {
    let number = case.past.iter().filter(|again| counts(again)).count();
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn later(from: Timestamp, by: SignedDuration) -> Timestamp {
    from.checked_add(by).unwrap_or(from)
}

/// Whether what was parked may go on: only while its base branch stands where it stood.
///
/// # Errors
/// In one line for people, why a person has to look first.
pub fn may_go_on(again: Option<&Again>, tip: Option<&str>) -> Result<(), String> {
    let Some(then) = again.and_then(|again| again.base.as_deref()) else { return Ok(()) };
    let short = |commit: &str| commit.get(..7).unwrap_or(commit).to_owned();
    match tip {
        Some(tip) if tip == then => Ok(()),
        Some(tip) => Err(format!(
            "its base moved from {} to {} while it was parked",
            short(then),
            short(tip)
        )),
        None => Err("its base branch is gone since it was parked".to_owned()),
    }
}

#[cfg(test)]
mod tests;
