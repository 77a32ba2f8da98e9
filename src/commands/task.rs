//! `wt task`: background work without a variant, in the checkout stood in.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::agents::environment::passed;
use crate::agents::registry::Registry;
use crate::agents::render::{self, Rendered, Session, render, require_login};
use crate::agents::role::{Role, Roles};
use crate::agents::template::{Says, Template};
use crate::commands::allot::{self, Allotment, Allowed, Work};
use crate::commands::context::{Context, Here};
use crate::commands::queue::warn_if_held_up;
use crate::commands::spawn::{Engine, PRIORITY, PromptFrom, words};
use crate::commands::wait;
use crate::commands::when::{self, When};
use crate::domain::attempt::AttemptKind;
use crate::domain::budget::Amount;
use crate::domain::id::{AttemptId, RepoId, TaskId};
use crate::domain::name::slug;
use crate::domain::problem::Problem;
use crate::domain::settings::Permissions;
use crate::domain::task::{Lane, Task, TaskState};
use crate::domain::usage::SessionTotals;
use crate::engine::queue::{self, Order, task_id};
use crate::engine::start::ensure;
use crate::engine::{relaunch, retry};
use crate::store::error::StoreError;
use crate::store::random;

/// The role of words without `--role`.
const ROLE: &str = "explorer";

/// What any command goes by as an agent, and its role: that of `wt spawn --exec`.
const COMMAND: (&str, &str) = ("plain", "engineer");

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// What an agent is to do, unless there is a command.
    pub prompt: PromptFrom,
    /// The agent's role.
    pub role: Option<String>,
    /// The agent.
    pub agent: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// A command: program and arguments.
    pub command: Vec<String>,
    /// What it counts in; without it agents for words, builds for a command.
    pub lane: Option<Lane>,
    /// 1 to 10; without it 5.
    pub priority: Option<u8>,
    /// How long each attempt may take.
    pub timeout: Option<Duration>,
    /// When it starts.
    pub when: when::Request,
    /// What all its attempts may use; without it what its role or the settings say.
    pub budget: Option<Amount>,
}

/// What was queued.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The task.
    pub task: TaskId,
    /// The agent's name; `plain` for a command.
    pub agent: String,
    /// Its role.
    pub role: String,
    /// The model asked for.
    pub model: Option<String>,
    /// What it may do.
    pub permissions: Permissions,
    /// The command line, for a command.
    pub command: Option<Vec<String>>,
    /// What it counts in.
    pub lane: Lane,
    /// What it may use; `None` without limit.
    pub budget: Option<Allowed>,
    /// Where it runs.
    pub cwd: PathBuf,
    /// When it starts, where that is not at once.
    #[serde(skip_serializing_if = "When::is_now")]
    pub when: When,
    /// Whether an engine looks at it.
    pub engine: Engine,
    /// How it stood when it had ended, where that was waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waited: Option<wait::Outcome>,
}

/// Queues it, and wakes the engine.
///
/// # Errors
/// No repository here, an unknown role, agent or task to wait for, a role that writes, no program.
pub fn run(ctx: &Context<'_>, request: &Request) -> Result<Outcome, Problem> {
    let mut here = ctx.here()?;
    let when = request.when.resolve(ctx)?;
    let (registry, roles) = match ctx.environment.config_dir() {
        Some(dir) => (Registry::load(&dir), Roles::load(&dir)),
        None => (Registry::built_in(), Roles::built_in()),
    };
    let is_command = !request.command.is_empty();
    let role =
        roles.get(if is_command { COMMAND.1 } else { request.role.as_deref().unwrap_or(ROLE) })?;
    if role.write && !is_command {
        return Err(writes(role));
    }
    let default = role.agent.as_deref().unwrap_or(&here.settings().agent.default);
    let agent = request.agent.as_deref().unwrap_or(default);
    let template = registry.get(if is_command { COMMAND.0 } else { agent })?;
    let asked = if is_command { String::new() } else { words(ctx, &request.prompt)? };
    let id = id(request, &asked);
    let rendered = rendered(ctx, &here, request, (template, role), (&id, &asked))?;
    let model = request.model.as_deref().or(role.model.as_deref());
    let work = Work { spec: &rendered.spec, model, role: role.budget };
    let budgets = allot::allot(ctx, request.budget, &here.settings().budget, &[work])?;
    let repo = here.registered(ctx)?.id.clone();
    let task = task(ctx, request, &rendered, (repo, &asked), role);
    record(ctx, (&task, &rendered, &when), template, &budgets)?;
    warn_if_held_up(ctx, (&task.repo, task.lane), &[&task.agent])?;
    let engine = ensure(ctx.store.layout(), ctx.environment)?.into();
    Ok(Outcome {
        task: task.id,
        agent: task.agent,
        role: task.role,
        model: task.model,
        permissions: rendered.spec.permissions,
        command: is_command.then(|| request.command.clone()),
        lane: task.lane,
        budget: budgets.first().map(|own| Allowed::of(&own.budget, 1)),
        cwd: rendered.spec.cwd,
        when,
        engine,
        waited: None,
    })
}

/// `task-make-test-x7k2m9`: what it is about in a few words.
fn id(request: &Request, asked: &str) -> TaskId {
    let about =
        if request.command.is_empty() { asked.to_owned() } else { request.command.join(" ") };
    let about = slug(&about).unwrap_or_else(|| "work".into());
    task_id("task", &about)
}

fn writes(role: &Role) -> Problem {
    let name = &role.name;
    Problem::refused(format!("role `{name}` changes files, and so works in a variant"))
        .hint(format!("make it one: `wt spawn NAME --role {name} \"…\"`"))
}

fn rendered(
    ctx: &Context<'_>,
    here: &Here,
    request: &Request,
    (template, role): (&Template, &Role),
    (id, asked): (&TaskId, &str),
) -> Result<Rendered, Problem> {
    let is_command = !request.command.is_empty();
    let limits = retry::Asked { park: false, timeout: request.timeout, is_command };
    let rules = retry::rules(role, &here.settings().retry, limits);
    let cwd = &ctx.environment.cwd;
    let asked = render::Request {
        attempt: AttemptId::of(id, 1),
        task: id.clone(),
        role,
        prompt: asked,
        model: request.model.as_deref().or(role.model.as_deref()),
        permissions: if is_command { Permissions::Work } else { Permissions::Read },
        session: Session::New(&random::uuid()),
        baseline: SessionTotals::default(),
        cwd: std::fs::canonicalize(cwd).unwrap_or_else(|_| cwd.clone()),
        setup: vec![],
        env: vec![("WT_TASK".to_owned(), id.to_string())],
        command: &request.command,
        timeout_s: rules.limit_s,
        verify: None,
        rules,
        resources: here.resources(ctx)?,
        myself: &relaunch::myself(),
    };
    let rendered = render(template, &asked, ctx.environment)?;
    require_login(template, rendered.login)?;
    if rendered.login == Says::Maybe {
        let name = &template.name;
        ctx.observer.warn(&format!("cannot tell whether `{name}` is logged in; going on"));
    }
    Ok(rendered)
}

fn task(
    ctx: &Context<'_>,
    request: &Request,
    rendered: &Rendered,
    (repo, asked): (RepoId, &str),
    role: &Role,
) -> Task {
    let usual = if request.command.is_empty() { Lane::Agent } else { Lane::Build };
    Task {
        id: rendered.spec.task.clone(),
        repo,
        variant: None,
        role: role.name.clone(),
        agent: rendered.spec.agent.clone(),
        model: request.model.clone().or_else(|| role.model.clone()),
        prompt: asked.to_owned(),
        lane: request.lane.unwrap_or(usual),
        priority: request.priority.unwrap_or(PRIORITY),
        state: TaskState::Queued,
        reason: None,
        failure: None,
        question: None,
        changed: None,
        verify: None,
        created_at: ctx.clock.now(),
        started_at: None,
        ended_at: None,
    }
}

fn record(
    ctx: &Context<'_>,
    (task, rendered, when): (&Task, &Rendered, &When),
    template: &Template,
    budgets: &[Allotment],
) -> Result<(), Problem> {
    let values = passed(template, ctx.environment).into_iter();
    let values: Vec<(OsString, OsString)> =
        values.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let order = Order {
        spec: &rendered.spec,
        kind: AttemptKind::First,
        prompt: &task.prompt,
        input: &rendered.prompt,
        environment: Some(&values),
        again: None,
        not_before: None,
    };
    let layout = ctx.store.layout();
    queue::prepare(layout, &order)?;
    let recorded: Result<(), StoreError> = ctx.store.write_durably(|tx| {
        queue::record(tx, task, &order, task.created_at)?;
        queue::condition(tx, &task.id, &when.conditions(ctx))?;
        allot::record(tx, budgets, task.created_at)
    });
    if recorded.is_err() {
        queue::forget(layout, &rendered.spec);
    }
    Ok(recorded?)
}
