//! `wt status TASK`: everything about one task.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;

use crate::commands::context::Context;
use crate::commands::errand::{self, Errand};
use crate::commands::spent::Spent;
use crate::commands::status::bounds::{self, Bounds};
use crate::commands::status::line::{self, Line};
use crate::domain::attempt::{Again, Attempt, AttemptKind, AttemptState, Exit, StopRequest};
use crate::domain::id::AttemptId;
use crate::domain::problem::Problem;
use crate::domain::task::FailureClass;
use crate::domain::usage::Usage;
use crate::engine::process::cgroup::Cgroup;
use crate::engine::process::identity::{Here, Liveness};
use crate::engine::process::tree::Tree;
use crate::engine::start;
use crate::store::attempts;
use crate::store::folder::Folder;

/// Everything about one task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// When it was asked; ages count to here.
    pub now: Timestamp,
    /// How it stands.
    #[serde(flatten)]
    pub line: Line,
    /// What the person asked for, word for word.
    pub prompt: String,
    /// The program and its arguments, where the person asked for those and not for words.
    pub command: Vec<String>,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When its first attempt began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Where it works.
    pub worktree: Option<PathBuf>,
    /// Its attempts, first to last.
    pub attempts: Vec<Try>,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Try {
    /// Its id.
    pub id: AttemptId,
    /// Its number, from 1.
    pub number: u32,
    /// Why there is this attempt.
    #[serde(rename = "why")]
    pub kind: AttemptKind,
    /// Where it is.
    pub state: AttemptState,
    /// What it was told.
    pub prompt: String,
    /// When it was let go.
    pub started_at: Option<Timestamp>,
    /// When its last process was gone.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub exit: Option<Exit>,
    /// Why it was made, if nobody asked for it.
    pub again: Option<Again>,
    /// What kind of failure it ended with.
    pub failure: Option<FailureClass>,
    /// Why it ended as it did, in one line.
    pub reason: Option<String>,
    /// Who asked for its end, and why.
    pub stop: Option<StopRequest>,
    /// How well its processes are contained: `cgroup`, `subreaper`, `weak`.
    pub containment: Option<String>,
    /// How many processes of it run now; `None` when it does not run, or not here.
    pub processes: Option<usize>,
    /// What it may take of the machine; `None` is as much as it likes.
    pub limits: Option<Bounds>,
    /// The agent's own id for the session.
    pub session: Option<String>,
    /// What it used.
    pub spent: Option<Spent>,
    /// The same with what is not known kept apart.
    #[serde(skip)]
    pub usage: Usage,
    /// Its folder: what ran, what it wrote, how it ended.
    pub folder: PathBuf,
}

/// Looks at one task. Starts the engine if none looks after it.
///
/// # Errors
/// When there is none of that name.
pub fn run(ctx: &Context<'_>, name: &str) -> Result<Outcome, Problem> {
    let errand = errand::single(ctx, Some(name))?;
    if !errand.task.state.is_final() {
        start::ensure_running(ctx.store.layout(), ctx.environment)?;
    }
    let now = ctx.clock.now();
    let tries = attempts::of_task(ctx.store.read(), &errand.task.id)?;
    Ok(Outcome {
        now,
        line: line::of(ctx, &errand, now)?,
        command: command(ctx, &errand),
        prompt: errand.task.prompt,
        created_at: errand.task.created_at,
        started_at: errand.task.started_at,
        ended_at: errand.task.ended_at,
        worktree: errand.variant.map(|variant| variant.path),
        attempts: tries.into_iter().map(|attempt| one(ctx, attempt)).collect(),
    })
}

fn command(ctx: &Context<'_>, errand: &Errand) -> Vec<String> {
    if !errand.task.prompt.is_empty() {
        return vec![];
    }
    let spec = Folder::of(ctx.store.layout(), &errand.attempt.id).spec();
    spec.map(|spec| spec.argv).unwrap_or_default()
}

fn one(ctx: &Context<'_>, attempt: Attempt) -> Try {
    let folder = Folder::of(ctx.store.layout(), &attempt.id);
    Try {
        processes: processes(ctx, &attempt, &folder),
        limits: bounds::of(&folder, attempt.state),
        folder: folder.dir().to_path_buf(),
        number: attempt.number,
        kind: attempt.kind,
        state: attempt.state,
        prompt: attempt.prompt,
        started_at: attempt.started_at,
        ended_at: attempt.ended_at,
        exit: attempt.exit,
        again: attempt.again,
        failure: attempt.failure,
        reason: attempt.reason,
        stop: attempt.stop_requested,
        containment: attempt.containment,
        session: attempt.session,
        spent: Spent::of(&attempt.usage),
        usage: attempt.usage,
        id: attempt.id,
    }
}

fn processes(ctx: &Context<'_>, attempt: &Attempt, folder: &Folder) -> Option<usize> {
    let holder = attempt.holder.as_ref().filter(|_| attempt.state == AttemptState::Running)?;
    let liveness = Here::read().liveness(holder);
    if liveness == Liveness::Elsewhere {
        return None;
    }
    let cgroup = folder.holder().ok().flatten().and_then(|record| record.cgroup).map(Cgroup::at);
    let tree = Tree {
        attempt: &attempt.id,
        holder: (liveness == Liveness::Alive).then_some(holder.pid),
        agent: None,
        cgroup: cgroup.as_ref(),
        layout: ctx.store.layout(),
    };
    Some(tree.members().len())
}
