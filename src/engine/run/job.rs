//! What is done once an attempt's last process is gone: its output read to the end, its leftovers
//! committed, its answer written, the evidence judged.
//!
//! Every step can be repeated: an engine that dies in between leaves the attempt running on record
//! and its exit in its folder, and the next one does all of it again.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::agents::role::{Deliverable, Role, Roles};
use crate::domain::attempt::{Attempt, Exit, Pace, Progress, StopRequest};
use crate::domain::launch::{Dialect, LaunchSpec};
use crate::domain::resources::Refused;
use crate::domain::sync::SyncWaiting;
use crate::domain::task::Task;
use crate::domain::variant::{Variant, VariantState};
use crate::engine::evidence::{Evidence, Verdict, judge, uncommitted, unfinished};
use crate::engine::process::bounds;
use crate::engine::run::finish::Finished;
use crate::engine::run::orphan::Orphan;
use crate::engine::run::settle::{Settled, settle};
use crate::engine::run::tail::{Tail, end_of};
use crate::git::leftovers::{self, Committed, Ended};
use crate::git::place::Place;
use crate::store::clock::Clock;
use crate::store::folder::{EXIT_SCHEMA, ExitRecord, Folder};
use crate::store::layout::Layout;
use crate::store::messages::Message;
use crate::store::repos::RepoRow;

/// How much of what an agent wrote to standard error is looked at.
pub const STDERR_MAX: u64 = 16 * 1024;

/// How long the index of its worktree is waited for while another git holds it.
const LOCK_PATIENCE: Duration = Duration::from_secs(20);

/// How an attempt came to its end.
pub enum How {
    /// Its holder told.
    Told(ExitRecord),
    /// Its holder died first.
    Orphaned(Orphan),
    /// Nobody knows, and nothing of it can be left.
    Unseen {
        /// The request that there was.
        stop: Option<StopRequest>,
    },
}

/// An attempt to be finished. Owns all it needs, since it works beside the loop.
pub struct Job {
    /// The attempt.
    pub attempt: Attempt,
    /// What ran.
    pub spec: LaunchSpec,
    /// Its folder.
    pub folder: Folder,
    /// Its output.
    pub tail: Tail,
    /// Its task.
    pub task: Task,
    /// The variant it worked in.
    pub worktree: Option<(Variant, RepoRow)>,
    /// The sync of that variant that waits for its conflicts to be settled.
    pub sync: Option<SyncWaiting>,
    /// All attempts of the task, first to last.
    pub attempts: Vec<Attempt>,
    /// What it was told while it ran.
    pub messages: Vec<Message>,
    /// How it ended, once that is known.
    pub exit: Exit,
    /// How it came to its end.
    pub how: How,
    /// Where the state is.
    pub layout: Layout,
    /// Where the user's roles are.
    pub roles: Option<PathBuf>,
    /// Tells the time.
    pub clock: Clock,
}

impl Job {
    /// Does it all.
    pub fn run(mut self) -> Finished {
        let mut troubles = vec![];
        let record = self.record(&mut troubles);
        self.exit = record.exit.clone();
        let mut note = |what: &str, error: String| troubles.push(format!("{what}: {error}"));
        if let Err(error) = self.tail.finish() {
            note("its output was not read to the end", error.to_string());
        }
        let settled = self.settle(&record).unwrap_or_else(|error| {
            note("what it was merging could not be looked at", error);
            None
        });
        let leftovers = self.commit(&record).unwrap_or_else(|error| {
            note("its leftovers were not committed", error);
            None
        });
        let changed = self.changed().unwrap_or_else(|error| {
            note("its worktree could not be looked at", error);
            None
        });
        let report = self.tail.report();
        if let Some(text) = &report.final_text
            && let Err(error) = self.folder.write_result(text)
        {
            note("its answer was not written", error.to_string());
        }
        let mut verdict = self.judged(&record, changed, settled.as_ref());
        if let Some(obstacle) = leftovers.as_ref().and_then(|done| done.obstacle.as_ref()) {
            verdict = uncommitted(verdict, &obstacle.to_string());
        }
        let following = self.follow_up(&mut verdict, &record, &mut troubles);
        let report = self.tail.report();
        let (usage, session) = (report.usage, report.session.clone());
        let progress = self.progress();
        let known = self.messages.last().map(|message| message.id);
        let attempt = self.attempt;
        Finished {
            attempt,
            record,
            verdict,
            changed,
            usage,
            progress,
            session,
            settled,
            leftovers,
            following,
            known,
            troubles,
        }
    }

    /// How it ended. What a dead holder could not write is written in its place, so that it is
    /// said the same way ever after.
    fn record(&self, troubles: &mut Vec<String>) -> ExitRecord {
        let mut refused = Refused::default();
        let (exit, stop, (ended, survived)) = match &self.how {
            How::Told(record) => return record.clone(),
            How::Unseen { stop } => (None, stop.clone(), (0, 0)),
            How::Orphaned(orphan) => {
                refused = bounds::refused(&orphan.record.keepers);
                let ended = orphan.end(&self.attempt, &self.spec.stop, &self.layout);
                (orphan.exit.clone(), orphan.stop.clone(), ended)
            }
        };
        let record = ExitRecord {
            schema: EXIT_SCHEMA,
            exit: exit.unwrap_or(Exit::Unobserved),
            started_at: self.attempt.started_at,
            ended_at: self.clock.now(),
            stop,
            ended,
            survived,
            verify: None,
            refused,
        };
        if let Err(error) = self.folder.write_exit(&record) {
            troubles.push(format!("how it ended was not written: {error}"));
        }
        record
    }

    fn judged(
        &self,
        record: &ExitRecord,
        changed: Option<bool>,
        settled: Option<&Settled>,
    ) -> Verdict {
        let (role, verify) = (self.role(), self.spec.verify.as_deref());
        let missing = role.as_ref().and_then(|role| self.missing(role));
        let blocked = self.blocked();
        let verdict = judge(&Evidence {
            dialect: self.spec.dialect,
            report: self.tail.report(),
            exit: &record.exit,
            stderr_tail: &end_of(&self.folder.stderr(), STDERR_MAX),
            patterns: &self.spec.failures,
            needs_change: self.needs_change(role.as_ref()),
            changed,
            stop: record.stop.as_ref(),
            starved: self.spec.resources.memory.filter(|_| record.refused.killed > 0),
            blocked: blocked.as_deref(),
            missing: missing.as_deref(),
            verify: verify.map(|command| (command, record.verify.as_ref())),
        });
        match settled.and_then(|settled| settled.open.as_deref()) {
            Some(open) => unfinished(verdict, open),
            None => verdict,
        }
    }

    /// Goes on with the merge that it was at.
    fn settle(&self, record: &ExitRecord) -> Result<Option<Settled>, String> {
        let Some((variant, _)) = &self.worktree else { return Ok(None) };
        let Some(place) = self.to_itself(record) else { return Ok(None) };
        let settled = settle(&place, (variant, &self.task.id), self.sync.as_ref());
        settled.map(Some).map_err(|error| error.to_string())
    }

    /// Its worktree, if it ever ran, nothing of it is left to write, and that is still in use.
    fn to_itself(&self, record: &ExitRecord) -> Option<Place> {
        let (variant, repo) = self.worktree.as_ref()?;
        let in_use = variant.state == VariantState::Ready && variant.path.is_dir();
        let gone = record.started_at.is_some() && record.survived == 0;
        (in_use && gone).then(|| place(variant, repo))
    }

    /// Commits what it left, if it ever ran, nothing of it is left to write, and its worktree is
    /// still in use.
    fn commit(&self, record: &ExitRecord) -> Result<Option<Committed>, String> {
        let Some((variant, _)) = &self.worktree else { return Ok(None) };
        let Some(place) = self.to_itself(record) else { return Ok(None) };
        let ended = Ended {
            branch: &variant.branch,
            task: Some(&self.task.id),
            subject: &self.attempt.prompt,
            at: Some(SystemTime::from(record.ended_at)),
        };
        let committed = leftovers::commit_when_free(&place, &ended, LOCK_PATIENCE);
        committed.map(Some).map_err(|error| error.to_string())
    }

    fn changed(&self) -> Result<Option<bool>, String> {
        let Some((variant, repo)) = &self.worktree else { return Ok(None) };
        if variant.state != VariantState::Ready || !variant.path.is_dir() {
            return Ok(None);
        }
        let changed = leftovers::changed(&place(variant, repo), &variant.fork_commit);
        changed.map(Some).map_err(|error| error.to_string())
    }

    fn needs_change(&self, role: Option<&Role>) -> bool {
        // A role that is gone or broken promises what every one with a worktree does.
        self.task.variant.is_some() && role.is_none_or(Role::needs_change)
    }

    /// What it told that it cannot go on without.
    fn blocked(&self) -> Option<String> {
        let now = self.attempts.iter().find(|attempt| attempt.id == self.attempt.id);
        now?.told.as_ref()?.blocked.clone()
    }

    fn role(&self) -> Option<Role> {
        let roles = self.roles.as_deref().map_or_else(Roles::built_in, Roles::load);
        roles.get(&self.task.role).ok().cloned()
    }

    /// The first thing that its role promises and that is not there; a change is looked for apart.
    /// A plain command promises nothing but its exit code.
    fn missing(&self, role: &Role) -> Option<String> {
        if self.spec.dialect == Dialect::Plain {
            return None;
        }
        let answer = self.tail.report().final_text.as_deref().unwrap_or_default();
        role.deliverables.iter().find_map(|deliverable| match deliverable {
            Deliverable::Change => None,
            Deliverable::Answer => answer.trim().is_empty().then(|| "an answer".to_owned()),
            Deliverable::File(path) => {
                (!self.spec.cwd.join(path).is_file()).then(|| format!("`{path}`"))
            }
        })
    }

    fn progress(&self) -> Progress {
        let report = self.tail.report();
        Progress {
            offset: self.tail.offset(),
            heard_at: self.attempt.progress.heard_at,
            model: report.model.clone(),
            todo: report.todo,
            activity: None,
            cumulative: report.cumulative,
            pace: Pace::default(),
        }
    }
}

/// A variant's worktree as a place.
pub fn place(variant: &Variant, repo: &RepoRow) -> Place {
    Place::checkout(&variant.admin_dir, &repo.common_dir, &variant.path)
}
