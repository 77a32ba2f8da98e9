use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::task::FailureClass;
use crate::domain::waiting::Scope;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn ready(name: &str, priority: u8, age: i64) -> Ready {
    Ready {
        task: TaskId::new(name),
        repo: RepoId::new("r-1"),
        agent: "claude".into(),
        lane: Lane::Agent,
        priority,
        created_at: at(age),
        terms: Terms::default(),
        after: vec![],
        budget: None,
        reason: None,
    }
}

fn runs(lane: Lane) -> Running {
    Running { task: TaskId::new("running"), lane, until: None, stopping: false }
}

/// Room for so many tasks and agents, nothing paused, gates open.
fn snapshot(ready: Vec<Ready>, (tasks, agent): (u32, u32)) -> Snapshot {
    Snapshot {
        ready,
        running: vec![],
        limits: Limits { tasks, lanes: BTreeMap::from([(Lane::Agent, agent), (Lane::E2e, 1)]) },
        pauses: vec![],
        holds: vec![],
        gates: Gates { cpu_percent: 70, memory_percent: 85, disk_free: 1000 },
        load: None,
        zone: TimeZone::UTC,
    }
}

fn start(name: &str) -> Decision {
    Decision::Start(TaskId::new(name))
}

fn wait(name: &str, why: &str) -> Decision {
    Decision::Wait(TaskId::new(name), why.into())
}

#[test]
fn priority_goes_before_age_and_the_rest_is_told_why_it_waits() {
    let tasks = vec![ready("old", 5, 1), ready("urgent", 9, 3), ready("older", 5, 0)];
    let running = vec![runs(Lane::Agent)];
    let first = Snapshot { running, ..snapshot(tasks, (3, 6)) };
    let why = "for an agent slot (3 of 3 busy)";
    assert_eq!(decide(&first, at(9)), [start("urgent"), start("older"), wait("old", why)]);
    let told = Ready { reason: Some(why.into()), ..ready("old", 5, 1) };
    let again = Snapshot {
        ready: vec![told],
        running: vec![runs(Lane::Agent), runs(Lane::Agent), runs(Lane::Agent)],
        ..first
    };
    assert_eq!(decide(&again, at(9)), []);
}

#[test]
fn a_budget_without_anything_left_is_waited_for_and_lets_others_pass() {
    let why = "for the budget of the day (200,000 tokens used of 200,000 tokens)";
    let poor = Ready { budget: Some(why.into()), ..ready("poor", 9, 0) };
    let both = snapshot(vec![poor, ready("command", 1, 5)], (3, 3));
    assert_eq!(decide(&both, at(9)), [wait("poor", why), start("command")]);
}

#[test]
fn a_time_is_waited_for_once() {
    let mut later = ready("later", 9, 0);
    later.terms.not_before = Some(at(120));
    let here = snapshot(vec![later, ready("now", 1, 5)], (1, 1));
    let expected = [wait("later", "to start at 00:02"), start("now"), Decision::WakeAt(at(120))];
    assert_eq!(decide(&here, at(9)), expected);
    assert_eq!(decide(&here, at(120))[0], start("later"));
}

#[test]
fn what_is_over_neither_starts_nor_goes_on() {
    let mut late = ready("late", 9, 0);
    late.terms.until = Some(at(60));
    let running = Running { until: Some(at(90)), ..runs(Lane::Build) };
    let here = Snapshot { running: vec![running], ..snapshot(vec![late], (1, 9)) };
    let expected = [wait("late", "for a slot (1 of 1 busy)"), Decision::WakeAt(at(60))];
    assert_eq!(decide(&here, at(9)), expected);
    let over = "its time was over at 00:01, before it began".to_owned();
    let expire = Decision::Expire(TaskId::new("late"), over);
    assert_eq!(decide(&here, at(60)), [expire, Decision::WakeAt(at(90))]);
    let stop = "its time was over at 00:01".to_owned();
    assert_eq!(decide(&here, at(90))[0], Decision::Stop(TaskId::new("running"), stop));
    let mut told = here;
    told.running[0].stopping = true;
    assert!(!decide(&told, at(99)).iter().any(|d| matches!(d, Decision::Stop(..))));
}

#[test]
fn others_are_waited_for_and_a_failure_is_said_first() {
    let after = |name: &str, state| After { name: name.into(), state };
    let running = after("base", Awaited::Pending("running"));
    let mut task = ready("top", 5, 0);
    task.after = vec![running.clone(), after("docs", Awaited::Pending("queued"))];
    let here = snapshot(vec![task.clone()], (9, 9));
    assert_eq!(decide(&here, at(9)), [wait("top", "after base (running), docs (queued)")]);
    task.after = vec![running, after("docs", Awaited::Missed("failed"))];
    let here = snapshot(vec![task], (9, 9));
    assert_eq!(decide(&here, at(9)), [wait("top", "after docs, which failed")]);
}

#[test]
fn a_pause_and_a_hold_name_what_they_hold() {
    let here = snapshot(vec![ready("a", 5, 0)], (9, 9));
    let paused = |scope| Snapshot { pauses: vec![Pause { scope, at: at(0) }], ..here.clone() };
    let said = |here: Snapshot| decide(&here, at(9));
    assert_eq!(said(paused(Scope::All)), [wait("a", "the queue is paused")]);
    assert_eq!(said(paused(Scope::Lane(Lane::Agent))), [wait("a", "lane agent is paused")]);
    assert_eq!(said(paused(Scope::Lane(Lane::Build))), [start("a")]);
    let repo = Scope::Repo(RepoId::new("r-1"));
    assert_eq!(said(paused(repo)), [wait("a", "this repository is paused")]);
    assert_eq!(said(paused(Scope::Repo(RepoId::new("r-2")))), [start("a")]);
    let hold = |agent: &str| Snapshot {
        holds: vec![Hold {
            agent: agent.into(),
            class: FailureClass::Auth,
            failures: 3,
            at: at(0),
        }],
        ..here.clone()
    };
    let why = "claude is held since 00:00: 3 failures (auth)";
    assert_eq!(said(hold("claude")), [wait("a", why)]);
    assert_eq!(said(hold("codex")), [start("a")]);
}

#[test]
fn only_what_nobody_sits_in_front_of_waits_for_the_machine() {
    let mut waited = ready("waited", 9, 0);
    waited.terms.unattended = true;
    let mut here = snapshot(vec![waited, ready("typed", 1, 5)], (9, 9));
    assert_eq!(decide(&here, at(9)), [start("typed"), Decision::Measure]);
    here.load = Some(Load { cpu_percent: 91, ..Load::default() });
    let why = "for CPU (91% busy, more than 70%)";
    let again = Decision::Measure;
    assert_eq!(decide(&here, at(9)), [wait("waited", why), start("typed"), again.clone()]);
    here.ready[0].reason = Some(why.into());
    assert_eq!(decide(&here, at(9)), [start("typed"), again]);
    here.load = Some(Load { cpu_percent: 9, ..Load::default() });
    assert_eq!(decide(&here, at(9)), [start("waited"), start("typed")]);
    here.load = None;
    here.gates = Gates { cpu_percent: 100, memory_percent: 100, disk_free: 0 };
    assert_eq!(decide(&here, at(9)), [start("waited"), start("typed")]);
}

#[test]
fn another_day_is_named() {
    let zone = TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC);
    let tomorrow = clock(at(86_400 + 3600), (at(0), &TimeZone::UTC));
    assert_eq!(tomorrow, "2 Jan 01:00");
    assert_eq!(clock(at(5), (at(0), &zone)).len(), "00:00:05".len());
}

fn lanes() -> impl Strategy<Value = Lane> {
    prop_oneof![Just(Lane::Agent), Just(Lane::Build), Just(Lane::E2e)]
}

fn awaiting() -> impl Strategy<Value = Vec<After>> {
    let state = prop_oneof![Just(Awaited::Pending("running")), Just(Awaited::Missed("failed"))];
    prop_oneof![
        3 => Just(vec![]),
        1 => prop::collection::vec(state.prop_map(|state| After { name: "x".into(), state }), 1..3),
    ]
}

type Drawn = (Lane, (u8, i64), (Option<i64>, Option<i64>), (bool, bool), Vec<After>);

fn drawn(n: usize, (lane, (priority, age), times, (unattended, other), after): Drawn) -> Ready {
    let terms = Terms {
        not_before: times.0.map(at),
        until: times.1.map(at),
        unattended,
        ..Terms::default()
    };
    let agent = if other { "codex" } else { "claude" };
    Ready { lane, terms, after, agent: agent.into(), ..ready(&format!("t{n}"), priority, age) }
}

prop_compose! {
    fn snapshots()(
        tasks in prop::collection::vec(
            (
                lanes(),
                (1u8..=10, 0i64..5),
                (prop::option::weighted(0.3, 0i64..20), prop::option::weighted(0.3, 0i64..20)),
                (any::<bool>(), any::<bool>()),
                awaiting(),
            ),
            0..12,
        ),
        running in prop::collection::vec(lanes(), 0..6),
        limit in 0u32..8,
        agent in 0u32..8,
        pause in prop::option::weighted(0.2, lanes()),
        held in prop::bool::weighted(0.2),
        load in prop::option::of(0u8..=100),
    ) -> Snapshot {
        let ready = tasks.into_iter().enumerate().map(|(n, one)| drawn(n, one)).collect();
        let class = FailureClass::Crash;
        let hold = Hold { agent: "codex".into(), class, failures: 3, at: at(0) };
        Snapshot {
            running: running.into_iter().map(runs).collect(),
            pauses: pause.map(|lane| Pause { scope: Scope::Lane(lane), at: at(0) }).into_iter().collect(),
            holds: held.then_some(hold).into_iter().collect(),
            load: load.map(|cpu_percent| Load { cpu_percent, ..Load::default() }),
            ..snapshot(ready, (limit, agent))
        }
    }
}

/// The model: pick the best task that may start, again and again, until none may.
fn model(snapshot: &Snapshot, now: Timestamp) -> Vec<TaskId> {
    let mut rest = snapshot.ready.clone();
    let mut running: Vec<Lane> = snapshot.running.iter().map(|task| task.lane).collect();
    let mut started = vec![];
    loop {
        let may = |task: &&Ready| {
            let same = running.iter().filter(|lane| **lane == task.lane).count() as u32;
            let room = snapshot.limits.lanes.get(&task.lane).is_none_or(|limit| same < *limit)
                && (running.len() as u32) < snapshot.limits.tasks;
            let time = task.terms.not_before.is_none_or(|at| at <= now)
                && task.terms.until.is_none_or(|until| now < until);
            let told = !snapshot.pauses.iter().any(|p| p.scope == Scope::Lane(task.lane))
                && !snapshot.holds.iter().any(|hold| hold.agent == task.agent);
            let cool = snapshot.load.as_ref().is_some_and(|load| load.cpu_percent <= 70);
            room && time && told && task.after.is_empty() && (!task.terms.unattended || cool)
        };
        let best = rest.iter().filter(may).min_by(|a, b| {
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

/// What is there once decisions were obeyed.
fn obeyed(snapshot: &Snapshot, decisions: &[Decision]) -> Snapshot {
    let mut after = snapshot.clone();
    for decision in decisions {
        let mut take = |id: &TaskId| {
            let at = after.ready.iter().position(|task| task.task == *id).unwrap();
            after.ready.remove(at)
        };
        match decision {
            Decision::Start(id) => {
                let task = take(id);
                after.running.push(Running { task: task.task, ..runs(task.lane) });
            }
            Decision::Expire(id, _) => drop(take(id)),
            Decision::Wait(id, why) => {
                let task = after.ready.iter_mut().find(|task| task.task == *id).unwrap();
                task.reason = Some(why.clone());
                task.terms.unattended = true;
            }
            Decision::Stop(..) | Decision::Measure | Decision::WakeAt(_) => {}
        }
    }
    after
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
    fn each_task_is_decided_and_a_second_look_starts_nothing(snapshot in snapshots()) {
        let decisions = decide(&snapshot, at(10));
        let measures = decisions.contains(&Decision::Measure);
        for decision in &decisions {
            if let Decision::WakeAt(time) = decision {
                prop_assert!(*time > at(10));
            }
        }
        let after = obeyed(&snapshot, &decisions);
        for task in &after.ready {
            let unmeasured = measures && task.terms.unattended;
            prop_assert!(task.reason.is_some() || unmeasured, "{task:?}");
        }
        // What waits for a full limit may be told another number now, but never starts.
        let again = decide(&after, at(10));
        let acts = |d: &Decision| matches!(d, Decision::Start(_) | Decision::Expire(..));
        prop_assert!(!again.iter().any(acts), "{again:?}");
    }

    #[test]
    fn limits_hold_whatever_there_is(snapshot in snapshots()) {
        let after = obeyed(&snapshot, &decide(&snapshot, at(10)));
        let before = snapshot.running.len();
        let all = after.running.len();
        prop_assert!(all == before || all <= snapshot.limits.tasks as usize);
        for (lane, limit) in &snapshot.limits.lanes {
            let count = |tasks: &[Running]| tasks.iter().filter(|task| task.lane == *lane).count();
            let (was, is) = (count(&snapshot.running), count(&after.running));
            prop_assert!(is == was || is <= *limit as usize);
        }
    }
}
