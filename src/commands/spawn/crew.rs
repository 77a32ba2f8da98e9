//! Who works in the new variants: agents, roles and models, found and rendered before anything is
//! made, so that whatever is missing is refused while nothing has changed.

use std::ffi::{OsStr, OsString};
use std::time::Duration;

use crate::agents::environment::passed;
use crate::agents::registry::Registry;
use crate::agents::render::{self, Rendered, Session, render, require_login};
use crate::agents::role::{Role, Roles};
use crate::agents::template::Says;
use crate::commands::context::{Context, Here};
use crate::commands::spawn::spot::Spot;
use crate::domain::budget::Allowance;
use crate::domain::fill::fill;
use crate::domain::id::{AttemptId, TaskId};
use crate::domain::problem::Problem;
use crate::domain::settings::Permissions;
use crate::domain::usage::SessionTotals;
use crate::engine::queue::task_id;
use crate::engine::relaunch::myself;
use crate::engine::retry;
use crate::store::random;

/// The most variants of one fan-out.
pub const FAN_OUT_MAX: u32 = 50;

/// The role without `--role`.
const ROLE: &str = "engineer";

/// The agent that `--exec` stands for.
const COMMAND: &str = "plain";

/// Who is asked for.
#[derive(Debug, Clone, Default)]
pub struct CrewRequest {
    /// Nobody: the variant alone.
    pub none: bool,
    /// One agent for all.
    pub agent: Option<String>,
    /// So many of each, in this order.
    pub agents: Vec<(String, u32)>,
    /// So many variants.
    pub variants: Option<u32>,
    /// The model.
    pub model: Option<String>,
    /// The role.
    pub role: Option<String>,
    /// What they may do.
    pub permissions: Option<Permissions>,
    /// How long each attempt may take.
    pub timeout: Option<Duration>,
    /// The command that must pass after they ended well.
    pub verify: Option<String>,
    /// Wait for the reset of usage limits.
    pub park: bool,
    /// A plain command as the agent: program and arguments.
    pub command: Vec<String>,
}

/// One agent, ready to be queued.
#[derive(Debug, Clone)]
pub struct Launch {
    /// Its task's id.
    pub task: TaskId,
    /// The agent's name.
    pub agent: String,
    /// Its role's name.
    pub role: String,
    /// The model asked for, by the person or the role.
    pub model: Option<String>,
    /// What it may do.
    pub permissions: Permissions,
    /// What runs.
    pub rendered: Rendered,
    /// The environment's values.
    pub environment: Vec<(OsString, OsString)>,
    /// What its role may use, where that says so.
    pub budget: Option<Allowance>,
}

impl CrewRequest {
    /// How many variants are asked for together; `None` for a single one under its own name.
    ///
    /// # Errors
    /// When there are none or too many.
    pub fn fan_out(&self) -> Result<Option<u32>, Problem> {
        let listed = (!self.agents.is_empty())
            .then(|| self.agents.iter().map(|(_, count)| u64::from(*count)).sum::<u64>());
        let Some(count) = listed.or(self.variants.map(u64::from)) else { return Ok(None) };
        match u32::try_from(count) {
            Ok(count @ 1..=FAN_OUT_MAX) => Ok(Some(count)),
            _ => Err(Problem::usage(format!("{count} variants at once: 1 to {FAN_OUT_MAX} go"))),
        }
    }

    /// The agent of the member at `index`.
    fn agent_of<'a>(&'a self, index: usize, role: &'a Role, default: &'a str) -> &'a str {
        if !self.command.is_empty() {
            return COMMAND;
        }
        let each = self.agents.iter().flat_map(|(name, count)| (0..*count).map(move |_| name));
        let listed = each.clone().nth(index).map(String::as_str);
        listed.or(self.agent.as_deref()).or(role.agent.as_deref()).unwrap_or(default)
    }
}

/// Finds and renders an agent for each place, in their order; `None` for each when nobody is asked
/// for. Warns where it cannot be sure that an agent is logged in.
///
/// # Errors
/// An unknown agent, role or model, no program, no login, or what rendering refuses.
pub fn recruit(
    ctx: &Context<'_>,
    here: &Here,
    request: &CrewRequest,
    (spots, words): (&[Spot], &str),
) -> Result<Vec<Option<Launch>>, Problem> {
    if request.none {
        return Ok(spots.iter().map(|_| None).collect());
    }
    let config = ctx.environment.config_dir();
    let (registry, roles) = match &config {
        Some(dir) => (Registry::load(dir), Roles::load(dir)),
        None => (Registry::built_in(), Roles::built_in()),
    };
    let role = roles.get(request.role.as_deref().unwrap_or(ROLE))?;
    let (myself, resources) = (myself(), here.resources(ctx)?);
    let mut unsure: Vec<&str> = vec![];
    let mut launches = vec![];
    for (index, spot) in spots.iter().enumerate() {
        let agent = request.agent_of(index, role, &here.settings().agent.default);
        let template = registry.get(agent)?;
        let task = task_id("worktree", spot.name.as_str());
        let permissions = request.permissions.unwrap_or(here.settings().agent.permissions);
        let model = request.model.as_deref().or(role.model.as_deref());
        let asked = retry::Asked {
            park: request.park,
            timeout: request.timeout,
            is_command: !request.command.is_empty(),
        };
        let rules = retry::rules(role, &here.settings().retry, asked);
        let asked = render::Request {
            attempt: AttemptId::of(&task, 1),
            task: task.clone(),
            role,
            prompt: words,
            model,
            permissions,
            session: Session::New(&random::uuid()),
            baseline: SessionTotals::default(),
            cwd: spot.path.clone(),
            setup: here.settings().worktree.setup.clone(),
            env: vec![
                ("WT_TASK".to_owned(), task.to_string()),
                ("WT_NAME".to_owned(), spot.name.to_string()),
                ("WT_BRANCH".to_owned(), spot.branch.clone()),
            ],
            command: &request.command,
            timeout_s: rules.limit_s,
            verify: request.verify.clone().or_else(|| role.verify.clone()),
            rules,
            resources,
            myself: &myself,
        };
        let rendered = render(template, &asked, ctx.environment)?;
        require_login(template, rendered.login)?;
        if rendered.login == Says::Maybe && !unsure.contains(&template.name.as_str()) {
            unsure.push(&template.name);
        }
        let environment = environment(here, spot, passed(template, ctx.environment))?;
        launches.push(Some(Launch {
            task,
            agent: template.name.clone(),
            role: role.name.clone(),
            model: model.map(str::to_owned),
            permissions: if role.write { permissions } else { Permissions::Read },
            rendered,
            environment,
            budget: role.budget,
        }));
    }
    for name in unsure {
        ctx.observer.warn(&format!("cannot tell whether `{name}` is logged in; going on"));
    }
    Ok(launches)
}

/// The values that everything in a variant gets: those passed on, and `[env]` filled in, which
/// wins. They go into the task's private file and nowhere else.
///
/// # Errors
/// When the variant's path is no UTF-8.
pub fn environment(
    here: &Here,
    spot: &Spot,
    passed: Vec<(&OsStr, &OsStr)>,
) -> Result<Vec<(OsString, OsString)>, Problem> {
    let Some(path) = spot.path.to_str() else {
        return Err(Problem::failed(format!("`{}` is no UTF-8 path", spot.path.display())));
    };
    let repo = here.repo.name();
    let values = [
        ("name", spot.name.as_str()),
        ("branch", spot.branch.as_str()),
        ("path", path),
        ("repo", repo.as_str()),
    ];
    let set = &here.settings().env;
    let mut all: Vec<(OsString, OsString)> = passed
        .into_iter()
        .filter(|(name, _)| name.to_str().is_none_or(|name| !set.contains_key(name)))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    all.extend(set.iter().map(|(name, value)| (name.into(), fill(value, &values).into())));
    Ok(all)
}
