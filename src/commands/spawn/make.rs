//! Makes the planned variants: intent before effect, everything or nothing.

use std::path::{Path, PathBuf};

use crate::commands::allot::{self, Allotment};
use crate::commands::context::{Context, Here};
use crate::commands::spawn::base::Base;
use crate::commands::spawn::crew::Launch;
use crate::commands::spawn::furnish::{Furnished, Furnishing};
use crate::commands::spawn::spot::{Spot, require_free};
use crate::commands::spawn::undo::{self, Planned};
use crate::domain::attempt::{AttemptKind, ProcessIdentity};
use crate::domain::id::RepoId;
use crate::domain::problem::Problem;
use crate::domain::task::{Lane, Task, TaskState};
use crate::domain::variant::{Idea, Variant, VariantState};
use crate::domain::waiting::Conditions;
use crate::engine::process::identity::own;
use crate::engine::queue::{self, Order};
use crate::git::place::Place;
use crate::git::worktree::{self, BranchFor, NewWorktree};
use crate::store::db::Connection;
use crate::store::error::StoreError;
use crate::store::events::{self, NewEvent};
use crate::store::intents::{self, NewIntent};
use crate::store::lock::Lock;
use crate::store::{random, variants};

/// What is to be made: decided, and nothing of it done.
pub struct Plan {
    /// What it forks from.
    pub base: Base,
    /// The variants, at least one.
    pub members: Vec<Member>,
    /// Their idea.
    pub idea: Option<Idea>,
    /// Present variants that the idea was suggested together with, and that have none yet.
    pub joined: Vec<i64>,
    /// What is put into each worktree.
    pub furnishing: Furnishing,
    /// The agents' priority, 1 to 10.
    pub priority: u8,
    /// What the person asked for.
    pub words: String,
    /// What the agents' start depends on.
    pub conditions: Conditions,
    /// What the agents may use.
    pub budgets: Vec<Allotment>,
}

/// One variant of a plan.
pub struct Member {
    /// Where it goes.
    pub spot: Spot,
    /// Who works in it.
    pub launch: Option<Launch>,
}

/// One variant that was made.
pub struct Made {
    /// It.
    pub variant: Variant,
    /// What was put into it.
    pub furnished: Furnished,
}

/// Makes all of a plan.
///
/// # Errors
/// What stood in the way or failed; everything made until then was taken back, and what could not
/// be is told.
pub fn make(ctx: &Context<'_>, here: &mut Here, plan: &Plan) -> Result<Vec<Made>, Problem> {
    let owner = own().map_err(|error| Problem::failed(error.to_string()))?;
    let repo = here.registered(ctx)?.id.clone();
    let mut making = Making { ctx, here, plan, repo, owner, begun: vec![] };
    match making.all() {
        Ok(made) => Ok(made),
        Err(problem) => Err(making.take_back(problem)),
    }
}

struct Making<'a> {
    ctx: &'a Context<'a>,
    here: &'a Here,
    plan: &'a Plan,
    repo: RepoId,
    owner: ProcessIdentity,
    begun: Vec<Begun>,
}

/// A member whose intent is recorded.
struct Begun {
    intent: i64,
    key: i64,
    planned: Planned,
    admin_dir: PathBuf,
    furnished: Furnished,
}

impl Making<'_> {
    fn all(&mut self) -> Result<Vec<Made>, Problem> {
        let plan = self.plan;
        let first = plan.members.first().ok_or_else(|| Problem::failed("no variant is planned"))?;
        let found = std::thread::scope(|scope| {
            let finding = scope.spawn(|| plan.furnishing.find(&first.spot));
            self.worktrees()?;
            let lost = |_| Problem::failed("looking for ignored files ended without an answer");
            Ok::<_, Problem>(finding.join().map_err(lost)??)
        })?;
        for (begun, member) in self.begun.iter_mut().zip(&self.plan.members) {
            let place = place(self.here, &begun.admin_dir, &member.spot.path);
            let setup_mark = member.launch.is_none().then_some(begun.planned.mark.as_str());
            let spot = (&member.spot, setup_mark);
            begun.furnished =
                self.plan.furnishing.put_into(self.ctx, self.here, (&place, &found), spot)?;
        }
        for member in &self.plan.members {
            if let Some(launch) = &member.launch {
                queue::prepare(self.ctx.store.layout(), &order(launch, &self.plan.words))?;
            }
        }
        for begun in &self.begun {
            worktree::mark_new(&begun.admin_dir)?;
            worktree::finish(&begun.admin_dir, &begun.planned.mark)?;
        }
        let made = self.ctx.store.write_durably(|tx| self.record(tx))?;
        let furnished = self.begun.drain(..).map(|begun| begun.furnished);
        Ok(made
            .into_iter()
            .zip(furnished)
            .map(|(variant, furnished)| Made { variant, furnished })
            .collect())
    }

    /// Under the repository's lock: whether all is free, the intents, and the worktrees.
    fn worktrees(&mut self) -> Result<(), Problem> {
        let _lock = self.lock()?;
        let spots: Vec<Spot> = self.plan.members.iter().map(|member| member.spot.clone()).collect();
        require_free(self.ctx, self.here, &spots)?;
        self.begin()?;
        let progress = self.ctx.observer.begin("making the worktree", None);
        let from = self.plan.furnishing.from(self.here);
        for (begun, spot) in self.begun.iter_mut().zip(&spots) {
            let name = &spot.branch;
            let branch = match &spot.tip {
                Some(_) => BranchFor::Existing { name },
                None => BranchFor::New { name, at: &self.plan.base.commit },
            };
            let new = NewWorktree { path: &spot.path, branch, mark: &begun.planned.mark };
            begun.admin_dir = worktree::add(&self.here.repo, &from, &new)?;
            self.plan
                .furnishing
                .register(self.here, &place(self.here, &begun.admin_dir, &spot.path))?;
        }
        drop(progress);
        // So that others see the worktree as what it is becoming, also while setup takes its time.
        Ok(self.ctx.store.write(|tx| self.located(tx))?)
    }

    /// Records where everything is.
    fn located(&self, tx: &Connection) -> Result<(), StoreError> {
        let mut all = self.begun.iter().zip(&self.plan.members);
        all.try_for_each(|(begun, member)| {
            variants::relocate(tx, begun.key, &member.spot.path, &begun.admin_dir)
        })
    }

    fn lock(&self) -> Result<Lock, Problem> {
        let path = self.ctx.store.layout().repo_lock(&self.repo);
        if let Some(lock) = Lock::try_take(&path)? {
            return Ok(lock);
        }
        let _waiting = self.ctx.observer.begin("waiting for another wt in this repository", None);
        Ok(Lock::take(&path)?)
    }

    /// Records what is about to happen.
    fn begin(&mut self) -> Result<(), Problem> {
        let now = self.ctx.clock.now();
        self.begun = self.ctx.store.write_durably(|tx| {
            let begin = |member: &Member| -> Result<Begun, StoreError> {
                let key = variants::insert(tx, &self.variant(member, VariantState::Creating))?;
                let planned = self.planned(member);
                let intent = NewIntent {
                    kind: undo::KIND,
                    repo: &self.repo,
                    variant: Some(key),
                    data: &planned,
                    owner: &self.owner,
                };
                let intent = intents::open(tx, &intent, now)?;
                let (admin_dir, furnished) = (PathBuf::new(), Furnished::default());
                Ok(Begun { intent, key, planned, admin_dir, furnished })
            };
            self.plan.members.iter().map(begin).collect::<Result<Vec<_>, _>>()
        })?;
        Ok(())
    }

    fn planned(&self, member: &Member) -> Planned {
        let mark = format!("wt is making this {}", random::letters(12));
        let spot = &member.spot;
        let commit = spot.tip.as_ref().unwrap_or(&self.plan.base.commit);
        Planned {
            made_branch: spot.tip.is_none().then(|| spot.branch.clone()),
            task: member.launch.as_ref().map(|launch| launch.task.clone()),
            ..Planned::new(&spot.path, commit, mark)
        }
    }

    fn variant(&self, member: &Member, state: VariantState) -> Variant {
        Variant {
            key: 0,
            repo: self.repo.clone(),
            name: member.spot.name.clone(),
            branch: member.spot.branch.clone(),
            path: member.spot.path.clone(),
            admin_dir: PathBuf::new(),
            base_branch: self.plan.base.branch.clone(),
            fork_commit: self.plan.base.commit.clone(),
            idea: self.plan.idea.clone(),
            state,
            made_branch: member.spot.tip.is_none(),
            made_worktree: true,
            created_at: self.ctx.clock.now(),
            merged: None,
        }
    }

    /// Ready, queued, and no intent any more: all in one transaction.
    fn record(&self, tx: &Connection) -> Result<Vec<Variant>, StoreError> {
        let now = self.ctx.clock.now();
        if let Some(idea) = &self.plan.idea {
            for key in &self.plan.joined {
                variants::set_idea(tx, *key, idea)?;
            }
        }
        let mut made = vec![];
        for (begun, member) in self.begun.iter().zip(&self.plan.members) {
            variants::transition(tx, begun.key, VariantState::Creating, VariantState::Ready)?;
            let data = serde_json::json!({
                "name": member.spot.name, "branch": member.spot.branch, "path": member.spot.path,
                "base": self.plan.base,
            });
            let event = NewEvent {
                kind: "variant-created",
                repo: Some(&self.repo),
                variant: Some(begun.key),
                data: data.as_object().cloned().unwrap_or_default(),
                ..NewEvent::default()
            };
            events::record(tx, now, &event)?;
            if let Some(launch) = &member.launch {
                let task = self.task(launch, begun.key);
                queue::record(tx, &task, &order(launch, &self.plan.words), now)?;
                queue::condition(tx, &task.id, &self.plan.conditions)?;
            }
            intents::close(tx, begun.intent)?;
            let variant = self.variant(member, VariantState::Ready);
            made.push(Variant { key: begun.key, admin_dir: begun.admin_dir.clone(), ..variant });
        }
        allot::record(tx, &self.plan.budgets, now)?;
        Ok(made)
    }

    fn task(&self, launch: &Launch, key: i64) -> Task {
        Task {
            id: launch.task.clone(),
            repo: self.repo.clone(),
            variant: Some(key),
            role: launch.role.clone(),
            agent: launch.agent.clone(),
            model: launch.model.clone(),
            prompt: self.plan.words.clone(),
            lane: Lane::Agent,
            priority: self.plan.priority,
            state: TaskState::Queued,
            reason: None,
            failure: None,
            question: None,
            changed: None,
            verify: launch.rendered.spec.verify.clone(),
            created_at: self.ctx.clock.now(),
            started_at: None,
            ended_at: None,
        }
    }

    /// Takes everything back that was begun; the problem is the one that made it necessary, with
    /// what could not be taken back.
    fn take_back(&mut self, problem: Problem) -> Problem {
        if self.begun.is_empty() {
            return problem;
        }
        let _lock = match self.lock() {
            Ok(lock) => lock,
            Err(error) => return problem.detail(format!("and nothing was taken back: {error}")),
        };
        self.begun.drain(..).rev().fold(problem, |problem, begun| {
            let undone = begun.planned.unmake(self.ctx, &self.here.repo).and_then(|left| {
                undo::forget(self.ctx, begun.intent, Some(begun.key))?;
                Ok(left)
            });
            match undone {
                Ok(None) => problem,
                Ok(Some(left)) => problem.detail(left),
                Err(error) => problem
                    .detail(format!(
                        "`{}` could not be taken back: {error}",
                        begun.planned.path.display()
                    ))
                    .hint("the next command in this repository tries again: `wt list`"),
            }
        })
    }
}

fn order<'a>(launch: &'a Launch, words: &'a str) -> Order<'a> {
    Order {
        spec: &launch.rendered.spec,
        kind: AttemptKind::First,
        prompt: words,
        input: &launch.rendered.prompt,
        environment: Some(&launch.environment),
        again: None,
        not_before: None,
    }
}

fn place(here: &Here, admin_dir: &Path, path: &Path) -> Place {
    Place::checkout(admin_dir, here.repo.common_dir(), path)
}
