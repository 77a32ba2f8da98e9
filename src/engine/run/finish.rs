//! What happens when an attempt's processes are gone, seen from the engine's loop.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::domain::attempt::{Attempt, Exit, Manner, Progress, StopRequest};
use crate::domain::id::AttemptId;
use crate::domain::task::TaskState;
use crate::domain::usage::Usage;
use crate::engine::evidence::Verdict;
use crate::engine::health;
use crate::engine::process::identity::Liveness;
use crate::engine::process::signal::Handle;
use crate::engine::queue;
use crate::engine::run::again::Following;
use crate::engine::run::engine::{Engine, Message};
use crate::engine::run::job::{How, Job};
use crate::engine::run::orphan::{self, Orphan};
use crate::engine::run::settle::Settled;
use crate::engine::run::watched::Watched;
use crate::engine::transition::{self, End};
use crate::git::in_place::Stands;
use crate::git::leftovers::Committed;
use crate::store::clock::Clock;
use crate::store::db::Connection;
use crate::store::error::StoreError;
use crate::store::folder::ExitRecord;
use crate::store::tasks::Change;
use crate::store::{attempts, messages, repos, syncs, tasks, variants};

/// An ended attempt, looked at.
pub struct Finished {
    /// Which.
    pub attempt: Attempt,
    /// How it ended.
    pub record: ExitRecord,
    /// What becomes of its task.
    pub verdict: Verdict,
    /// Whether its worktree holds a change.
    pub changed: Option<bool>,
    /// What it used.
    pub usage: Usage,
    /// How far it came.
    pub progress: Progress,
    /// Its session.
    pub session: Option<String>,
    /// What became of the merge that it was at; `None` where that could not be looked at.
    pub settled: Option<Settled>,
    /// What became of what it had left uncommitted; `None` where nothing was to be committed.
    pub leftovers: Option<Committed>,
    /// The attempt that follows by itself.
    pub following: Option<Following>,
    /// The newest message that was known of.
    pub known: Option<i64>,
    /// What could not be done, one line each.
    pub troubles: Vec<String>,
}

impl Engine {
    /// A holder is gone: after its work, or before its agent's.
    pub(super) fn holder_gone(&mut self, id: &AttemptId) -> Result<(), StoreError> {
        let Some(watched) = self.watched.get_mut(id) else { return Ok(()) };
        if let Some(mut child) = watched.child.take() {
            child.wait().ok();
        }
        // What cannot be read says as little as what is not there.
        match watched.folder.exit().ok().flatten() {
            Some(record) => {
                self.finish(id, How::Told(record));
                Ok(())
            }
            None => self.bereaved(id),
        }
    }

    /// Its holder died without a word. An agent that still runs is left to run: its output goes
    /// into its files as before.
    fn bereaved(&mut self, id: &AttemptId) -> Result<(), StoreError> {
        let Some(watched) = self.watched.get_mut(id) else { return Ok(()) };
        let holder = watched.attempt.holder.clone();
        let Some(mut record) = watched.folder.holder().ok().flatten() else {
            return self.never_began(id);
        };
        let tree_of = (&watched.attempt, self.store.layout());
        Orphan::find_agent(&mut record, &watched.folder, tree_of);
        let runs = |agent: &_| self.here.liveness(agent) == Liveness::Alive;
        let agent = record.agent.as_ref().filter(|agent| runs(agent)).and_then(Handle::recorded);
        let Some(agent) = agent else {
            let exit = match &record.agent {
                Some(agent) => orphan::status(agent),
                None if watched.folder.stdout().exists() => None,
                None => Some(Exit::NotStarted { error: "its holder died during setup".into() }),
            };
            let gone = Orphan { exit, stop: stop_of(watched), record };
            self.finish(id, How::Orphaned(gone));
            return Ok(());
        };
        watched.orphaned = true;
        watched.record = Some(record);
        watched.deadline = deadline(watched, self.clock);
        let (attempt, stop) = (watched.attempt.clone(), stop_of(watched));
        let now = self.clock.now();
        self.journal.say(format!("the holder {:?} of `{id}` is gone", holder.map(|h| h.pid)));
        self.store.write_durably(|tx| transition::orphaned(tx, &attempt, now))?;
        if stop.is_some() {
            self.end_orphan(id, stop);
        } else {
            self.await_end(Some(agent), Message::AgentGone(id.clone()));
        }
        Ok(())
    }

    /// It was let go on record, but its holder died before it wrote down that it began; so it
    /// never began. After a loss of power that file may be lost: then nobody knows.
    fn never_began(&mut self, id: &AttemptId) -> Result<(), StoreError> {
        let Some(watched) = self.unwatch(id) else { return Ok(()) };
        let same_boot = watched.attempt.holder.as_ref().is_none_or(|h| self.here.same_boot(h));
        if !same_boot {
            let how = How::Unseen { stop: stop_of(&watched) };
            self.spawn_job(watched, how);
            return Ok(());
        }
        let now = self.clock.now();
        self.store.write_durably(|tx| transition::taken_back(tx, &watched.attempt, now))
    }

    /// An orphan's agent is gone.
    pub(super) fn agent_gone(&mut self, id: &AttemptId) -> Result<(), StoreError> {
        let Some(watched) = self.watched.get(id) else { return Ok(()) };
        let Some(record) = watched.record.clone() else { return Ok(()) };
        let (exit, stop) = (record.agent.as_ref().and_then(orphan::status), stop_of(watched));
        self.finish(id, How::Orphaned(Orphan { record, exit, stop }));
        Ok(())
    }

    /// Ends an orphan whose agent still runs.
    pub(super) fn end_orphan(&mut self, id: &AttemptId, stop: Option<StopRequest>) {
        let Some(record) = self.watched.get(id).and_then(|watched| watched.record.clone()) else {
            return;
        };
        self.finish(id, How::Orphaned(Orphan { record, exit: None, stop }));
    }

    fn finish(&mut self, id: &AttemptId, how: How) {
        if let Some(watched) = self.unwatch(id) {
            self.spawn_job(watched, how);
        }
    }

    /// Everything that takes time is done beside the loop.
    fn spawn_job(&mut self, watched: Watched, how: How) {
        let id = watched.attempt.id.clone();
        let job = match self.job(watched, how) {
            Ok(job) => job,
            // Found again as running and not followed at the next look.
            Err(error) => return self.journal.say(error),
        };
        self.finishing.insert(id.clone());
        let sender = self.sender.clone();
        tokio::spawn(async move {
            if let Ok(finished) = tokio::task::spawn_blocking(|| job.run()).await {
                sender.send(Message::Finished(id, Box::new(finished))).ok();
            }
        });
    }

    fn job(&self, watched: Watched, how: How) -> Result<Job, StoreError> {
        let db = self.store.read();
        let gone = || StoreError::Moved {
            what: watched.attempt.task.to_string(),
            expected: "there".into(),
        };
        let task = tasks::by_id(db, &watched.attempt.task)?.ok_or_else(gone)?;
        let variant = task.variant.map(|key| variants::by_key(db, key)).transpose()?.flatten();
        let repo = repos::by_id(db, &task.repo)?;
        let sync = task.variant.map(|key| syncs::of_variant(db, key)).transpose()?.flatten();
        Ok(Job {
            sync,
            attempt: watched.attempt,
            spec: watched.spec,
            folder: watched.folder,
            tail: watched.tail,
            attempts: attempts::of_task(db, &task.id)?,
            messages: messages::of_task(db, &task.id)?,
            task,
            worktree: variant.zip(repo),
            exit: Exit::Unobserved,
            how,
            layout: self.store.layout().clone(),
            roles: self.environment.config_dir(),
            clock: self.clock,
        })
    }

    /// All is known and written; the transition makes it so.
    pub(super) fn finished(
        &mut self,
        id: &AttemptId,
        finished: Finished,
    ) -> Result<(), StoreError> {
        self.finishing.remove(id);
        for trouble in &finished.troubles {
            self.journal.say(format!("`{id}`: {trouble}"));
        }
        let usage = self.priced(&finished.attempt, finished.usage, &finished.progress)?;
        let finished = Finished { usage, ..finished };
        let Some(going_on) = self.store.write_durably(|tx| conclude(tx, &finished))? else {
            // It runs on record, and is taken up and finished once more.
            return Ok(());
        };
        let spec = finished.following.as_ref().map(|following| &following.spec);
        if let Some(spec) = spec.filter(|_| !going_on) {
            queue::forget(self.store.layout(), spec);
        }
        if !going_on {
            self.forget_environment(&finished.attempt.task);
        }
        Ok(())
    }

    /// What became of it cannot be found out at all.
    pub(super) fn lost(&mut self, attempt: &Attempt, why: &str) -> Result<(), StoreError> {
        let change = Change { reason: Some(why.to_owned()), ..Change::default() };
        let end = End {
            usage: attempt.usage,
            progress: &attempt.progress,
            session: None,
            exit: &Exit::Unobserved,
            to: TaskState::Lost,
            change: &change,
            told: Map::new(),
        };
        let now = self.clock.now();
        self.store.write_durably(|tx| transition::ended(tx, attempt, end, now))
    }
}

/// Ends the attempt on record, and queues the one that follows: both, or neither. True when one
/// does; `None`, with nothing changed, when a message came meanwhile that it has to be told. Somebody
/// who asked for the task's end meanwhile is heard.
fn conclude(tx: &Connection, finished: &Finished) -> Result<Option<bool>, StoreError> {
    let Finished { attempt, record, verdict, .. } = finished;
    let newest = messages::of_task(tx, &attempt.task)?.last().map(|message| message.id);
    if newest > finished.known {
        return Ok(None);
    }
    let stop = attempts::by_id(tx, &attempt.id)?.and_then(|now| now.stop_requested);
    let stop = stop.filter(|stop| stop.class.is_none());
    let following = finished.following.as_ref().filter(|_| stop.is_none());
    let stopped = stop.filter(|_| finished.following.is_some());
    let reason = stopped.as_ref().map(|stop| stop.told());
    let reason = reason.unwrap_or_else(|| verdict.reason.clone());
    let change = Change {
        reason: (!reason.is_empty()).then_some(reason),
        failure: verdict.failure.filter(|_| stopped.is_none()),
        question: verdict.question.clone().filter(|_| following.is_none()),
        changed: finished.changed,
    };
    let to = match (&stopped, following) {
        (Some(_), _) => TaskState::Cancelled,
        (None, Some(_)) => TaskState::Waiting,
        (None, None) => verdict.state,
    };
    let end = End {
        usage: finished.usage,
        progress: &finished.progress,
        session: finished.session.as_deref(),
        exit: &record.exit,
        to,
        change: &change,
        told: told(finished),
    };
    match finished.settled.as_ref().and_then(|settled| settled.sync.as_ref()) {
        Some((variant, sync, Stands::Done(tip))) => {
            syncs::moved(tx, variant, (sync, tip), record.ended_at)?;
        }
        Some((variant, _, Stands::GivenUp)) => syncs::remove(tx, variant.key)?,
        _ => {}
    }
    transition::ended(tx, attempt, end, record.ended_at)?;
    // One that waits for its limit's reset is no reason to hold what waits with it.
    let parked = following
        .and_then(|following| following.again.as_ref())
        .is_some_and(|again| again.how == Manner::Parked);
    let failure = verdict.failure.filter(|_| stopped.is_none() && !parked);
    let failed = tasks::by_id(tx, &attempt.task)?.zip(failure);
    if let Some((task, class)) = failed {
        health::note(tx, &task, class, record.ended_at)?;
    }
    if let Some(following) = following {
        queue::record_attempt(tx, &following.task, &following.order(), record.ended_at)?;
        if following.told.is_some() {
            messages::forget(tx, &attempt.task, following.told)?;
        }
    }
    if to == TaskState::Cancelled {
        messages::forget(tx, &attempt.task, None)?;
    }
    Ok(Some(following.is_some()))
}

/// The request on record, also when it came after the engine last looked.
fn stop_of(watched: &Watched) -> Option<StopRequest> {
    let asked = watched.folder.stop_request().ok().flatten();
    asked.or_else(|| watched.attempt.stop_requested.clone())
}

/// When its time is up, on a clock that nobody sets and that sleeps with the machine.
fn deadline(watched: &Watched, clock: Clock) -> Option<Instant> {
    let limit = Duration::from_secs(watched.spec.timeout_s?);
    let ran = clock.since(watched.attempt.started_at?).unsigned_abs();
    Some(Instant::now() + limit.saturating_sub(ran))
}

fn told(finished: &Finished) -> Map<String, Value> {
    let leftovers = finished.leftovers.as_ref().map(|leftovers| {
        let left = leftovers.left.iter().map(
            |left| json!({ "path": left.path.to_string_lossy(), "why": left.why.to_string() }),
        );
        json!({
            "commit": leftovers.commit,
            "paths": leftovers.paths,
            "left": left.collect::<Vec<_>>(),
            "obstacle": leftovers.obstacle.as_ref().map(ToString::to_string),
        })
    });
    let told = json!({
        "leftovers": leftovers,
        "ended": finished.record.ended,
        "survived": finished.record.survived,
        "troubles": finished.troubles,
    });
    if let Value::Object(told) = told { told } else { Map::new() }
}
