//! How a variant stands, in a word.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::commands::list::{Row, Seen};
use crate::commands::spent::Spent;
use crate::commands::work::{Standing, Work};
use crate::domain::variant::{Variant, VariantState};

/// How a variant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is being made.
    Creating,
    /// It is being removed.
    Removing,
    /// Nobody was ever set to work in it.
    Idle,
    /// It is part of its base, and nobody is at work in it.
    Merged,
    /// As the work in it stands.
    Work(Standing),
}

impl State {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Removing => "removing",
            Self::Idle => "idle",
            Self::Merged => "merged",
            Self::Work(standing) => standing.word(),
        }
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// How a variant stands, and since when: what happens to it goes before what happens in it, work
/// under way before a merge, a merge before work that ended earlier.
fn standing(variant: &Variant, work: Option<&Work>) -> (State, Timestamp) {
    match (variant.state, work, &variant.merged) {
        (VariantState::Creating, _, _) => (State::Creating, variant.created_at),
        (VariantState::Ready, Some(work), merged) => match merged {
            Some(merged) if !work.state.is_under_way() && work.since <= merged.at => {
                (State::Merged, merged.at)
            }
            _ => (State::Work(work.state), work.since),
        },
        (VariantState::Ready, None, Some(merged)) => (State::Merged, merged.at),
        (VariantState::Ready, None, None) => (State::Idle, variant.created_at),
        _ => (State::Removing, variant.created_at),
    }
}

pub(super) fn row(variant: &Variant, work: Option<Work>, seen: Seen) -> Row {
    let (state, since) = standing(variant, work.as_ref());
    let usage = work.as_ref().map(|work| work.usage);
    let budget = work.as_ref().and_then(|work| work.budget);
    Row {
        name: variant.name.clone(),
        idea: variant.idea.clone(),
        state,
        since,
        pace: work.as_ref().and_then(|work| work.pace),
        until: work.as_ref().and_then(|work| work.until),
        reason: work.as_ref().and_then(|work| work.reason.clone()),
        changed: work.as_ref().and_then(|work| work.changed),
        task: work.map(|work| work.task),
        path: variant.path.clone(),
        branch: variant.branch.clone(),
        stands_on: seen.stands_on,
        commit: seen.commit,
        base: variant.base_branch.clone(),
        fork_commit: variant.fork_commit.clone(),
        distance: seen.distance,
        changes: seen.changes,
        operation: seen.operation,
        syncing: None,
        unmerged: seen.unmerged,
        used: usage.as_ref().and_then(Spent::of),
        usage,
        budget,
        merged: variant.merged.clone(),
        trouble: seen.trouble,
        detail: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{RepoId, TaskId};
    use crate::domain::usage::Usage;
    use crate::domain::variant::Merged;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn variant(state: VariantState, merged_at: Option<i64>) -> Variant {
        let merged = |second| Merged { into: "main".into(), commit: "aa".into(), at: at(second) };
        Variant {
            key: 1,
            repo: RepoId::new("r-1"),
            name: "a".parse().unwrap(),
            branch: "feature/a".into(),
            path: "/w/a".into(),
            admin_dir: "/r/.git/worktrees/a".into(),
            base_branch: Some("main".into()),
            fork_commit: "aa".into(),
            idea: None,
            state,
            made_branch: true,
            made_worktree: true,
            created_at: at(1),
            merged: merged_at.map(merged),
        }
    }

    fn work(state: Standing, since: i64) -> Work {
        Work {
            task: TaskId::new("worktree-a-aaaaaa"),
            state,
            since: at(since),
            reason: None,
            changed: None,
            usage: Usage::default(),
            budget: None,
            until: None,
            pace: None,
        }
    }

    fn word(state: VariantState, merged: Option<i64>, work: Option<Work>) -> (&'static str, i64) {
        let (state, since) = standing(&variant(state, merged), work.as_ref());
        (state.word(), since.as_second())
    }

    #[test]
    fn what_comes_last_counts() {
        use VariantState::{Creating, Ready, Removing};
        assert_eq!(word(Creating, None, Some(work(Standing::Running, 5))), ("creating", 1));
        assert_eq!(word(Removing, Some(3), None), ("removing", 1));
        assert_eq!(word(Ready, None, None), ("idle", 1));
        assert_eq!(word(Ready, None, Some(work(Standing::Done, 5))), ("done", 5));
        assert_eq!(word(Ready, Some(9), None), ("merged", 9));
        assert_eq!(word(Ready, Some(9), Some(work(Standing::Done, 5))), ("merged", 9));
        // Work that went on after the merge, and work that only began before it.
        assert_eq!(word(Ready, Some(9), Some(work(Standing::Failed, 12))), ("failed", 12));
        assert_eq!(word(Ready, Some(9), Some(work(Standing::Running, 5))), ("running", 5));
    }
}
