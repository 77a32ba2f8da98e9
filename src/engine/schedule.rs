//! What starts next, and what everything else waits for. Pure: a snapshot and a time in, decisions
//! out.

use std::cmp::Reverse;

use jiff::Timestamp;

use crate::domain::id::TaskId;
use crate::domain::task::Lane;
use crate::engine::limits::{Limits, Occupied};

/// All that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Tasks whose newest attempt is prepared and not let go, in any order.
    pub ready: Vec<Ready>,
    /// The lanes of what runs or is being started, over all repositories.
    pub running: Vec<Lane>,
    /// How much may run at once.
    pub limits: Limits,
}

/// A task that would start if nothing held it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// Which.
    pub task: TaskId,
    /// The class of work whose parallelism it counts in.
    pub lane: Lane,
    /// 1 to 10; higher goes first.
    pub priority: u8,
    /// When it was queued; older goes first among equals.
    pub created_at: Timestamp,
    /// It does not start before this moment.
    pub not_before: Option<Timestamp>,
    /// What it is said to wait for at present.
    pub reason: Option<String>,
}

/// One thing to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Start this task.
    Start(TaskId),
    /// Say that this task waits, and for what.
    Wait(TaskId, String),
    /// Decide again at this moment, the earliest at which time alone changes anything.
    WakeAt(Timestamp),
}

/// Decides. Tasks come in the order of priority, then age; one that has to wait for its own lane
/// or for its time lets later ones pass. What a task waits for is said only when it is not said
/// already.
pub fn decide(snapshot: &Snapshot, now: Timestamp) -> Vec<Decision> {
    let mut ready: Vec<&Ready> = snapshot.ready.iter().collect();
    ready.sort_by_key(|task| (Reverse(task.priority), task.created_at, &task.task));
    let mut occupied: Occupied = snapshot.running.iter().copied().collect();
    let mut decisions = vec![];
    let mut wake: Option<Timestamp> = None;
    for task in ready {
        match held_back(task, now).or_else(|| full(task, &snapshot.limits, &occupied)) {
            None => {
                occupied.add(task.lane);
                decisions.push(Decision::Start(task.task.clone()));
            }
            Some(reason) if task.reason.as_ref() == Some(&reason) => {}
            Some(reason) => decisions.push(Decision::Wait(task.task.clone(), reason)),
        }
        let later = task.not_before.filter(|at| *at > now);
        wake = wake.into_iter().chain(later).min();
    }
    decisions.extend(wake.map(Decision::WakeAt));
    decisions
}

fn held_back(task: &Ready, now: Timestamp) -> Option<String> {
    task.not_before.filter(|at| *at > now).map(|at| {
        // Whole seconds: a reason that differs in milliseconds is no other reason.
        let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
        format!("until {at}")
    })
}

fn full(task: &Ready, limits: &Limits, occupied: &Occupied) -> Option<String> {
    limits.room(task.lane, occupied).err().map(|full| full.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn ready(name: &str, priority: u8, age: i64) -> Ready {
        Ready {
            task: TaskId::new(name),
            lane: Lane::Agent,
            priority,
            created_at: at(age),
            not_before: None,
            reason: None,
        }
    }

    fn limits(tasks: u32, agent: u32) -> Limits {
        Limits { tasks, lanes: BTreeMap::from([(Lane::Agent, agent), (Lane::E2e, 1)]) }
    }

    #[test]
    fn priority_goes_before_age_and_the_rest_is_told_why_it_waits() {
        let tasks = vec![ready("old", 5, 1), ready("urgent", 9, 3), ready("older", 5, 0)];
        let snapshot = Snapshot { ready: tasks, running: vec![Lane::Agent], limits: limits(3, 6) };
        let why = "for an agent slot (3 of 3 busy)".to_owned();
        let expected = [
            Decision::Start(TaskId::new("urgent")),
            Decision::Start(TaskId::new("older")),
            Decision::Wait(TaskId::new("old"), why.clone()),
        ];
        assert_eq!(decide(&snapshot, at(9)), expected);
        let told = Ready { reason: Some(why), ..ready("old", 5, 1) };
        let running = vec![Lane::Agent; 3];
        let again = Snapshot { ready: vec![told], running, ..snapshot };
        assert_eq!(decide(&again, at(9)), []);
    }

    #[test]
    fn a_time_is_waited_for_once() {
        let later = Ready { not_before: Some(at(20)), ..ready("later", 9, 0) };
        let tasks = vec![later, ready("now", 1, 5)];
        let snapshot = Snapshot { ready: tasks, running: vec![], limits: limits(1, 1) };
        let expected = [
            Decision::Wait(TaskId::new("later"), "until 1970-01-01T00:00:20Z".into()),
            Decision::Start(TaskId::new("now")),
            Decision::WakeAt(at(20)),
        ];
        assert_eq!(decide(&snapshot, at(9)), expected);
        assert_eq!(decide(&snapshot, at(20))[0], Decision::Start(TaskId::new("later")));
    }

    fn lanes() -> impl Strategy<Value = Lane> {
        prop_oneof![Just(Lane::Agent), Just(Lane::Build), Just(Lane::E2e)]
    }

    prop_compose! {
        fn snapshots()(
            tasks in prop::collection::vec((lanes(), 1u8..=10, 0i64..5, prop::option::of(0i64..20)), 0..12),
            running in prop::collection::vec(lanes(), 0..6),
            limit in 0u32..8,
            agent in 0u32..8,
        ) -> Snapshot {
            let ready = tasks.into_iter().enumerate().map(|(n, (lane, priority, age, later))| Ready {
                lane,
                not_before: later.map(at),
                ..ready(&format!("t{n}"), priority, age)
            });
            Snapshot { ready: ready.collect(), running, limits: limits(limit, agent) }
        }
    }

    /// The model: pick the best task that may start, again and again, until none may.
    fn model(snapshot: &Snapshot, now: Timestamp) -> Vec<TaskId> {
        let mut rest = snapshot.ready.clone();
        let mut running = snapshot.running.clone();
        let mut started = vec![];
        loop {
            let fits = |task: &&Ready| {
                let same = running.iter().filter(|lane| **lane == task.lane).count() as u32;
                let own = snapshot.limits.lanes.get(&task.lane).is_none_or(|limit| same < *limit);
                own && (running.len() as u32) < snapshot.limits.tasks
                    && task.not_before.is_none_or(|at| at <= now)
            };
            let best = rest.iter().filter(fits).min_by(|a, b| {
                b.priority
                    .cmp(&a.priority)
                    .then(a.created_at.cmp(&b.created_at))
                    .then(a.task.cmp(&b.task))
            });
            let Some(best) = best.cloned() else { return started };
            rest.retain(|task| task.task != best.task);
            running.push(best.lane);
            started.push(best.task);
        }
    }

    proptest! {
        #[test]
        fn the_same_tasks_start_as_one_by_one(snapshot in snapshots()) {
            let decisions = decide(&snapshot, at(10));
            let started: Vec<TaskId> = decisions.iter().filter_map(|decision| match decision {
                Decision::Start(task) => Some(task.clone()),
                _ => None,
            }).collect();
            prop_assert_eq!(started, model(&snapshot, at(10)));
        }

        #[test]
        fn each_task_starts_or_is_told_and_a_second_look_changes_nothing(snapshot in snapshots()) {
            let decisions = decide(&snapshot, at(10));
            let mut after = snapshot.clone();
            for decision in &decisions {
                match decision {
                    Decision::Start(id) => {
                        let task = after.ready.iter().position(|task| task.task == *id).unwrap();
                        after.running.push(after.ready.remove(task).lane);
                    }
                    Decision::Wait(id, why) => {
                        let task = after.ready.iter_mut().find(|task| task.task == *id).unwrap();
                        task.reason = Some(why.clone());
                    }
                    Decision::WakeAt(time) => prop_assert!(*time > at(10)),
                }
            }
            prop_assert!(after.ready.iter().all(|task| task.reason.is_some()));
            // What waits for a full limit may be told another number now, but never starts.
            let again = decide(&after, at(10));
            prop_assert!(!again.iter().any(|decision| matches!(decision, Decision::Start(_))));
        }
    }
}
