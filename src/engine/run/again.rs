//! The attempt that follows a bad end by itself: rendered and written beside the loop, recorded
//! together with that end.
//!
//! An engine that dies in between leaves files that nobody knows of; the next one finds the attempt
//! unfinished and does all of it again, over the same files.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::agents::registry::Registry;
use crate::agents::render::{Rendered, Session};
use crate::agents::reset::reset_at;
use crate::agents::role::Roles;
use crate::agents::template::Template;
use crate::domain::attempt::{Again, AttemptKind, Manner};
use crate::domain::launch::{Dialect, LaunchSpec};
use crate::domain::task::{FailureClass, Task, TaskState};
use crate::domain::usage::SessionTotals;
use crate::domain::variant::VariantState;
use crate::engine::evidence::Verdict;
use crate::engine::queue::{self, Order};
use crate::engine::relaunch::{Further, relaunch};
use crate::engine::retry::words::{self, Known};
use crate::engine::retry::{Case, Next, Plan, decide};
use crate::engine::run::job::{Job, STDERR_MAX, place};
use crate::engine::run::tail::end_of;
use crate::git::repo::Repo;
use crate::git::snapshot;
use crate::store::environment::Environment;
use crate::store::folder::{ExitRecord, read_environment};
use crate::store::random;

/// How much of what the verify command said is told to the agent.
const LAST_LINES: u64 = 4 * 1024;

/// The attempt that follows, its files written.
pub struct Following {
    /// Its task, as it was.
    pub task: Task,
    /// Afresh, or in the session.
    pub kind: AttemptKind,
    /// Why `wt` makes it by itself; `None` when a person asked for it.
    pub again: Option<Again>,
    /// When it may begin.
    pub not_before: Option<Timestamp>,
    /// The newest message that it is told.
    pub told: Option<i64>,
    /// What runs.
    pub spec: LaunchSpec,
    /// What it is told.
    pub words: String,
    /// The same with what its role puts around it.
    pub input: String,
}

impl Following {
    /// As the queue takes it.
    pub fn order(&self) -> Order<'_> {
        Order {
            spec: &self.spec,
            kind: self.kind,
            prompt: &self.words,
            input: &self.input,
            environment: None,
            again: self.again.as_ref(),
            not_before: self.not_before,
        }
    }
}

impl Job {
    /// Decides what follows a bad end, and prepares it. When nothing does, the verdict says that it
    /// is a person's turn.
    pub(super) fn follow_up(
        &self,
        verdict: &mut Verdict,
        record: &ExitRecord,
        troubles: &mut Vec<String>,
    ) -> Option<Following> {
        let ended_well = matches!(verdict.state, TaskState::Done | TaskState::NeedsHuman);
        if ended_well && record.stop.is_none() && !self.messages.is_empty() {
            let told = self.told();
            return told.map_err(|error| troubles.push(format!("it was not told: {error}"))).ok();
        }
        let class = verdict.failure.filter(|_| verdict.state == TaskState::Failed)?;
        let (registry, roles) = match &self.roles {
            Some(dir) => (Registry::load(dir), Roles::load(dir)),
            None => (Registry::built_in(), Roles::built_in()),
        };
        let template = registry.get(&self.task.agent).ok();
        let past = self.past();
        if let Some(template) = template
            && let Some(plan) = self.decided((class, &verdict.reason), template, &past, record)
        {
            match self.prepared(plan, (template, &roles), (class, &verdict.reason)) {
                Ok(following) => return Some(following),
                Err(error) => troubles.push(format!("it was not tried again: {error}")),
            }
        }
        self.leave_to_a_person(verdict, (class, !past.is_empty()), template);
        None
    }

    /// What a person has said meanwhile, in its session.
    fn told(&self) -> Result<Following, String> {
        let (registry, roles) = match &self.roles {
            Some(dir) => (Registry::load(dir), Roles::load(dir)),
            None => (Registry::built_in(), Roles::built_in()),
        };
        let template = registry.get(&self.task.agent).map_err(|error| error.to_string())?;
        let session = self.session().ok_or("its agent has told no session to go on in")?;
        let words: Vec<&str> = self.messages.iter().map(|one| one.words.as_str()).collect();
        let words = words.join("\n\n");
        let session = (Session::Resume(session), self.totals());
        let rendered = self.rendered((template, &roles), session, (&words, 1))?;
        self.put_aside(AttemptKind::FollowUp)?;
        let told = self.messages.last().map(|message| message.id);
        self.written(Following {
            task: self.task.clone(),
            kind: AttemptKind::FollowUp,
            again: None,
            not_before: None,
            told,
            spec: rendered.spec,
            words,
            input: rendered.prompt,
        })
    }

    fn rendered(
        &self,
        (template, roles): (&Template, &Roles),
        session: (Session<'_>, SessionTotals),
        (words, times): (&str, u32),
    ) -> Result<Rendered, String> {
        let further = Further {
            task: &self.task,
            last: &self.spec,
            exit: Some(&self.exit),
            number: self.attempt.number + 1,
            session,
            words,
            times,
        };
        let values = read_environment(&self.layout.environment_file(&self.task.id));
        let environment = Environment::of(values.map_err(|error| error.to_string())?, "/");
        let role = roles.get(&self.task.role).map_err(|error| error.to_string())?;
        relaunch((template, role), &further, &environment).map_err(|error| error.to_string())
    }

    fn written(&self, following: Following) -> Result<Following, String> {
        queue::prepare(&self.layout, &following.order()).map_err(|error| error.to_string())?;
        Ok(following)
    }

    /// What `wt` made by itself since a person last asked for an attempt.
    fn past(&self) -> Vec<Again> {
        let mut past: Vec<Again> =
            self.attempts.iter().rev().map_while(|attempt| attempt.again.clone()).collect();
        past.reverse();
        past
    }

    fn decided(
        &self,
        (class, why): (FailureClass, &str),
        template: &Template,
        past: &[Again],
        record: &ExitRecord,
    ) -> Option<Plan> {
        let error = self.tail.report().error.as_ref().map(|error| error.message.as_str());
        let told =
            format!("{} {}", error.unwrap_or_default(), end_of(&self.folder.stderr(), STDERR_MAX));
        let now = record.ended_at;
        let next = decide(&Case {
            class,
            why,
            rules: self.spec.rules,
            past,
            speaks: self.spec.dialect != Dialect::Plain,
            resumable: template.resumes() && self.session().is_some(),
            reset_at: reset_at(&told, now, &TimeZone::system()),
            random: random::number(),
            now,
        });
        match next {
            Next::Again(plan) => Some(plan),
            Next::Person => None,
        }
    }

    /// Renders it, takes a snapshot of the worktree before a fresh start, and writes its files.
    fn prepared(
        &self,
        mut plan: Plan,
        (template, roles): (&Template, &Roles),
        (class, why): (FailureClass, &str),
    ) -> Result<Following, String> {
        let task = self.task.clone();
        let fresh = random::uuid();
        let resumed = self.session().filter(|_| plan.kind == AttemptKind::FollowUp);
        let session = match resumed {
            Some(id) => (Session::Resume(id), self.totals()),
            None => (Session::New(&fresh), SessionTotals::default()),
        };
        let last_lines = end_of(&self.folder.verify_log(), LAST_LINES);
        let failed: Vec<(u32, String)> = self.failed(why);
        let known =
            Known { asked: &task.prompt, class, why, last_lines: &last_lines, failed: &failed };
        let words = words::text(plan.words, &known);
        let rendered = self.rendered((template, roles), session, (&words, plan.times))?;
        self.put_aside(plan.kind)?;
        if plan.again.how == Manner::Parked {
            plan.again.base = self.base_tip();
        }
        self.written(Following {
            task,
            kind: plan.kind,
            again: Some(plan.again),
            not_before: Some(plan.not_before),
            told: None,
            spec: rendered.spec,
            words,
            input: rendered.prompt,
        })
    }

    /// Keeps the worktree as it is before a fresh start in it.
    fn put_aside(&self, kind: AttemptKind) -> Result<(), String> {
        let Some((variant, repo)) = &self.worktree else { return Ok(()) };
        if variant.state != VariantState::Ready || !variant.path.is_dir() {
            return Err(format!("its worktree is gone: `{}`", variant.path.display()));
        }
        if kind == AttemptKind::FollowUp {
            return Ok(());
        }
        let request = snapshot::Request::new(variant.name.as_str(), "retry", self.clock.now());
        let taken = snapshot::take(&place(variant, repo), &request);
        taken.map(drop).map_err(|error| error.to_string())
    }

    /// Number and reason of each attempt since a person last asked for one.
    fn failed(&self, why: &str) -> Vec<(u32, String)> {
        let automatic = self.attempts.iter().rev().take_while(|one| one.again.is_some()).count();
        let since = self.attempts.len().saturating_sub(automatic + 1);
        let reason = |one: &crate::domain::attempt::Attempt| {
            if one.id == self.attempt.id {
                return why.to_owned();
            }
            one.reason.clone().unwrap_or_default()
        };
        self.attempts.iter().skip(since).map(|one| (one.number, reason(one))).collect()
    }

    fn session(&self) -> Option<&str> {
        let told = self.tail.report().session.as_deref();
        told.or(self.attempt.session.as_deref())
    }

    fn totals(&self) -> SessionTotals {
        self.tail.report().cumulative.unwrap_or(self.attempt.baseline)
    }

    fn base_tip(&self) -> Option<String> {
        let (variant, repo) = self.worktree.as_ref()?;
        Repo::open(&repo.common_dir).ok()?.branch(variant.base_branch.as_deref()?).ok()?
    }

    /// What an agent could not do is a person's turn; a plain command that failed by itself has
    /// just failed, and so has a setup command.
    fn leave_to_a_person(
        &self,
        verdict: &mut Verdict,
        (class, tried): (FailureClass, bool),
        template: Option<&Template>,
    ) {
        let speaks = self.spec.dialect != Dialect::Plain;
        if class == FailureClass::SetupFailed || !(speaks || tried) {
            return;
        }
        verdict.state = TaskState::NeedsHuman;
        if class == FailureClass::MissingContext {
            verdict.question = Some(verdict.reason.clone());
        }
        if class == FailureClass::Auth
            && let Some(command) = template.and_then(|template| template.login.command.as_ref())
        {
            verdict.reason = format!("{}; log in: `{command}`", verdict.reason);
        }
    }
}
