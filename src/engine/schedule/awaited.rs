//! How a task that others wait for stands, as far as they care.

use crate::domain::task::{Task, TaskState};

/// Another task that is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    /// What a person calls it.
    pub name: String,
    /// How it stands.
    pub state: Awaited,
}

/// How a task that is waited for stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaited {
    /// It may still come to what is waited for; in a word.
    Pending(&'static str),
    /// It ended otherwise: only a person can decide. To be read after `which`.
    Missed(&'static str),
}

/// How a task stands for one that waits for its success, or with `any` for any end of it; `None`
/// when that is there. A success without a change where one was promised is none.
pub fn awaited(on: Option<&Task>, any: bool) -> Option<Awaited> {
    let Some(on) = on else {
        return if any { None } else { Some(Awaited::Missed("is gone")) };
    };
    let missed = match on.state {
        TaskState::Queued | TaskState::Waiting => return Some(Awaited::Pending("waiting")),
        TaskState::Running => return Some(Awaited::Pending("running")),
        // An answer makes it go on.
        TaskState::NeedsHuman if !on.gave_up() => return Some(Awaited::Pending("asks")),
        TaskState::Done if on.changed != Some(false) => return None,
        TaskState::Done => "made no changes",
        TaskState::Cancelled => "was stopped",
        TaskState::Lost => "is lost",
        TaskState::Failed | TaskState::NeedsHuman => "failed",
    };
    if any { None } else { Some(Awaited::Missed(missed)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::task::FailureClass;
    use crate::store::db::tests::store;
    use crate::store::tasks::tests::queued;

    #[test]
    fn only_success_counts_unless_any_end_does() {
        let (_dir, store) = store();
        let task = queued(store.read(), "task-a-1");
        let said =
            |state, changed, any| awaited(Some(&Task { state, changed, ..task.clone() }), any);
        assert_eq!(said(TaskState::Done, Some(true), false), None);
        assert_eq!(said(TaskState::Done, None, false), None, "work without a worktree");
        assert_eq!(
            said(TaskState::Done, Some(false), false),
            Some(Awaited::Missed("made no changes"))
        );
        assert_eq!(said(TaskState::Done, Some(false), true), None);
        for state in TaskState::ALL {
            let strict = said(state, None, false);
            let any = said(state, None, true);
            match strict {
                None => assert_eq!((state, any), (TaskState::Done, None)),
                Some(Awaited::Pending(_)) => assert_eq!(any, strict, "{state:?}"),
                Some(Awaited::Missed(_)) => assert_eq!(any, None, "{state:?}"),
            }
        }
        assert_eq!(said(TaskState::NeedsHuman, None, true), Some(Awaited::Pending("asks")));
        let failure = Some(FailureClass::Crash);
        let used_up = Task { state: TaskState::NeedsHuman, failure, ..task };
        assert_eq!(awaited(Some(&used_up), false), Some(Awaited::Missed("failed")));
        assert_eq!(awaited(Some(&used_up), true), None);
        assert_eq!(awaited(None, false), Some(Awaited::Missed("is gone")));
    }
}
