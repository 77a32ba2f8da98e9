//! When an agent has failed too often in too short a time for more of it to be started.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::domain::task::{FailureClass, Task};
use crate::domain::waiting::Hold;
use crate::store::db::Connection;
use crate::store::error::StoreError;
use crate::store::events::{self, NewEvent};
use crate::store::holds;

/// How many failures hold an agent's queue.
const FAILURES: usize = 3;

/// Within how long.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// The agent that stands for any command: what one of them does says nothing about another.
const COMMAND: &str = "plain";

/// Whether a failure speaks against its agent rather than its task.
fn counts(class: FailureClass) -> bool {
    matches!(class, FailureClass::Auth | FailureClass::Limit | FailureClass::Crash)
}

/// Whether these failures of an agent hold its queue: three within five minutes. One is enough
/// where it is not logged in, for the next would fail just the same.
pub fn hold(agent: &str, failures: &[(Timestamp, FailureClass)], now: Timestamp) -> Option<Hold> {
    let recent: Vec<FailureClass> = failures
        .iter()
        .filter(|(at, class)| now.duration_since(*at) <= WINDOW && counts(*class))
        .map(|(_, class)| *class)
        .collect();
    let class = *recent.last()?;
    if recent.len() < FAILURES && class != FailureClass::Auth {
        return None;
    }
    let failures = u32::try_from(recent.len()).unwrap_or(u32::MAX);
    Some(Hold { agent: agent.to_owned(), class, failures, at: now })
}

/// Remembers how a task failed, in the caller's transaction, and holds its agent's queue if that
/// is due.
///
/// # Errors
/// The database's.
pub fn note(
    db: &Connection,
    task: &Task,
    class: FailureClass,
    now: Timestamp,
) -> Result<(), StoreError> {
    if task.agent == COMMAND || !counts(class) {
        return Ok(());
    }
    let since = now.checked_sub(WINDOW).unwrap_or(now);
    holds::failed(db, (&task.agent, class), (since, now))?;
    let failures = holds::failures(db, &task.agent)?;
    let Some(due) = hold(&task.agent, &failures, now) else { return Ok(()) };
    if !holds::hold(db, &due)? {
        return Ok(());
    }
    let data = json!({ "agent": due.agent, "class": due.class, "failures": due.failures });
    let data = if let Value::Object(map) = data { map } else { Map::new() };
    let (repo, task) = (Some(&task.repo), Some(&task.id));
    let event = NewEvent { kind: "agent-held", repo, task, data, ..NewEvent::default() };
    events::record(db, now, &event).map(drop)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::db::tests::store;
    use crate::store::tasks::tests::queued;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn three_within_five_minutes_hold_and_one_without_login() {
        use FailureClass::{Auth, Crash, Limit, Transient};
        let two = [(at(0), Crash), (at(10), Limit)];
        assert_eq!(hold("claude", &two, at(20)), None);
        let three = [(at(0), Crash), (at(10), Limit), (at(20), Crash)];
        let held = hold("claude", &three, at(20)).unwrap();
        assert_eq!((held.failures, held.class, held.at), (3, Crash, at(20)));
        assert_eq!(hold("claude", &three, at(301)), None, "the first is older than five minutes");
        let other = [(at(0), Crash), (at(10), Transient), (at(20), Crash)];
        assert_eq!(hold("claude", &other, at(20)), None);
        assert_eq!(hold("claude", &[(at(0), Auth)], at(0)).unwrap().failures, 1);
        assert_eq!(hold("claude", &[], at(0)), None);
    }

    #[test]
    fn a_hold_is_recorded_and_told_once() {
        let (_dir, store) = store();
        let db = store.read();
        let task = Task { agent: "claude".into(), ..queued(db, "task-a-1") };
        for second in 0..5 {
            note(db, &task, FailureClass::Crash, at(second)).unwrap();
        }
        let held = holds::all(db).unwrap();
        assert_eq!((held.len(), held[0].failures, held[0].at), (1, 3, at(2)));
        let told = events::of_task(db, &task.id).unwrap();
        assert_eq!(told.iter().filter(|event| event.kind == "agent-held").count(), 1);
        let command = Task { agent: COMMAND.into(), ..task };
        for second in 0..5 {
            note(db, &command, FailureClass::Crash, at(second)).unwrap();
        }
        assert_eq!(holds::all(db).unwrap().len(), 1, "commands have nothing in common");
    }

    proptest! {
        #[test]
        fn it_is_a_matter_of_counting(seconds in prop::collection::vec(0i64..900, 0..12)) {
            let mut sorted = seconds;
            sorted.sort_unstable();
            let now = at(900);
            let failures: Vec<_> = sorted.iter().map(|s| (at(*s), FailureClass::Crash)).collect();
            let recent = sorted.iter().filter(|second| **second >= 600).count();
            let held = hold("codex", &failures, now);
            prop_assert_eq!(held.is_some(), recent >= 3);
            prop_assert!(held.is_none_or(|held| held.failures as usize == recent));
        }
    }
}
