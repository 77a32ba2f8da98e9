//! What work waits for by a person's word or by what went before: other tasks, times, pauses, holds.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::id::{RepoId, TaskId};
use crate::domain::task::{FailureClass, Lane};

/// What a task's start depends on besides its place in the queue. Without any of it, the default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Terms {
    /// It starts at this moment or later.
    pub not_before: Option<Timestamp>,
    /// What that moment is for, to be followed by it: `parked, goes on`. `None` when a person chose
    /// the moment.
    pub why: Option<String>,
    /// From this moment on it neither starts nor goes on.
    pub until: Option<Timestamp>,
    /// Nobody sat in front of it when it was queued.
    pub unattended: bool,
    /// The branch that its own starts from, as that stands when it starts: work stacked upon that
    /// of another task.
    pub onto: Option<String>,
}

/// One task that waits for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// The one that waits.
    pub task: TaskId,
    /// The one it waits for.
    pub on: TaskId,
    /// Any end of it counts; without, only its success.
    pub any: bool,
    /// A person decided to go on without it.
    pub skipped: bool,
}

/// All that a new task's start is to depend on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conditions {
    /// Its terms.
    pub terms: Terms,
    /// The tasks it waits for; true where any end of one counts.
    pub after: Vec<(TaskId, bool)>,
}

/// What a pause holds up.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Everything.
    All,
    /// One lane, over all repositories.
    Lane(Lane),
    /// One repository.
    Repo(RepoId),
}

/// A person's word that nothing starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// What it holds up.
    pub scope: Scope,
    /// Since when.
    pub at: Timestamp,
}

/// An agent that starts no more, since it failed too often in too short a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The agent.
    pub agent: String,
    /// What kind its newest failure was.
    pub class: FailureClass,
    /// How many there were.
    pub failures: u32,
    /// Since when.
    pub at: Timestamp,
}

impl Scope {
    /// The text kept in the store: `all`, `lane:build`, `repo:r-…`.
    pub fn text(&self) -> String {
        match self {
            Self::All => "all".into(),
            Self::Lane(lane) => format!("lane:{}", lane.as_str()),
            Self::Repo(repo) => format!("repo:{repo}"),
        }
    }

    /// The reverse of [`Self::text`].
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None => (text == "all").then_some(Self::All),
            Some(("lane", lane)) => Lane::parse(lane).map(Self::Lane),
            Some(("repo", repo)) => Some(Self::Repo(RepoId::new(repo))),
            Some(_) => None,
        }
    }

    /// Whether it holds up work of this lane in this repository.
    pub fn covers(&self, lane: Lane, repo: &RepoId) -> bool {
        match self {
            Self::All => true,
            Self::Lane(paused) => *paused == lane,
            Self::Repo(paused) => paused == repo,
        }
    }
}

/// The way from one task back to itself, if it waited for `on`, too: the tasks on it in order,
/// beginning and ending with `task`. `None` when it could.
pub fn cycle(known: &[Dependency], task: &TaskId, on: &TaskId) -> Option<Vec<TaskId>> {
    if task == on {
        return Some(vec![task.clone(), task.clone()]);
    }
    let mut ways = vec![vec![task.clone(), on.clone()]];
    let mut seen = vec![on.clone()];
    while let Some(way) = ways.pop() {
        let end = way.last()?.clone();
        for next in known.iter().filter(|known| known.task == end && !known.skipped) {
            let on: Vec<TaskId> = way.iter().cloned().chain([next.on.clone()]).collect();
            if next.on == *task {
                return Some(on);
            }
            if !seen.contains(&next.on) {
                seen.push(next.on.clone());
                ways.push(on);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(n: usize) -> TaskId {
        TaskId::new(format!("t{n}"))
    }

    fn edge((task, on): (usize, usize)) -> Dependency {
        Dependency { task: id(task), on: id(on), any: false, skipped: false }
    }

    #[test]
    fn a_scope_is_written_and_read_back() {
        let scopes = [Scope::All, Scope::Lane(Lane::E2e), Scope::Repo(RepoId::new("r-abc"))];
        for scope in scopes {
            assert_eq!(Scope::parse(&scope.text()), Some(scope));
        }
        assert_eq!(Scope::parse("lane:none"), None);
        assert_eq!(Scope::parse("else"), None);
    }

    #[test]
    fn the_way_around_is_told() {
        let known = [edge((1, 2)), edge((2, 3))];
        assert_eq!(cycle(&known, &id(3), &id(1)), Some(vec![id(3), id(1), id(2), id(3)]));
        assert_eq!(cycle(&known, &id(3), &id(3)), Some(vec![id(3), id(3)]));
        assert_eq!(cycle(&known, &id(1), &id(3)), None);
        let skipped = [edge((1, 2)), Dependency { skipped: true, ..edge((2, 3)) }];
        assert_eq!(cycle(&skipped, &id(3), &id(1)), None);
    }

    proptest! {
        /// Edges taken only where none closes a cycle leave an order in which all can run.
        #[test]
        fn without_cycles_everything_gets_its_turn(
            edges in prop::collection::vec((0usize..8, 0usize..8), 0..24),
        ) {
            let mut known: Vec<Dependency> = vec![];
            for (task, on) in edges {
                if cycle(&known, &id(task), &id(on)).is_none() {
                    known.push(edge((task, on)));
                }
            }
            let mut done: Vec<TaskId> = vec![];
            for _ in 0..8 {
                let free = |n: &usize| {
                    let open = |k: &&Dependency| k.task == id(*n) && !done.contains(&k.on);
                    !done.contains(&id(*n)) && known.iter().find(open).is_none()
                };
                let next = (0..8).find(free);
                prop_assert!(next.is_some(), "{known:?} after {done:?}");
                done.extend(next.map(id));
            }
        }

        /// A cycle that is told is one: each step is an edge, but for the first.
        #[test]
        fn a_way_that_is_told_is_one(
            edges in prop::collection::vec((0usize..6, 0usize..6), 0..16),
            task in 0usize..6, on in 0usize..6,
        ) {
            let known: Vec<Dependency> = edges.into_iter().map(edge).collect();
            if let Some(way) = cycle(&known, &id(task), &id(on)) {
                prop_assert_eq!(way.first(), Some(&id(task)));
                prop_assert_eq!(way.last(), Some(&id(task)));
                prop_assert_eq!(&way[1], &id(on));
                for step in way[1..].windows(2) {
                    prop_assert!(known.iter().any(|k| k.task == step[0] && k.on == step[1]));
                }
            }
        }
    }
}
