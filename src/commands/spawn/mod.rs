//! `wt spawn`: makes variants, each with its worktree, branch and agent, and returns at once.

mod base;
pub(crate) mod crew;
pub(super) mod furnish;
pub(super) mod make;
mod prompt;
pub(crate) mod spot;
pub mod undo;

use std::path::PathBuf;

use serde::Serialize;

use crate::commands::allot::{self, Allotment, Allowed, Work};
use crate::commands::context::{Context, Here};
use crate::commands::queue::warn_if_held_up;
use crate::commands::when::{self, When};
use crate::commands::{trust, wait};
use crate::domain::budget::Amount;
use crate::domain::id::TaskId;
use crate::domain::idea;
use crate::domain::name::VariantName;
use crate::domain::problem::Problem;
use crate::domain::settings::Permissions;
use crate::domain::task::Lane;
use crate::domain::variant::Idea;
use crate::engine::start::{Ensured, ensure};

pub use base::Base;
use crew::Launch;
pub use crew::{CrewRequest, FAN_OUT_MAX};
use furnish::Furnishing;
pub use furnish::{Changes, Furnished, LeftBehind, Submodules};
use make::{Made, Member, Plan};
pub use prompt::{PROMPT_MAX, PromptFrom, read_all, words};
use spot::{Spot, require_free, warn_if_in_sight};

/// The priority without `--priority`.
pub const PRIORITY: u8 = 5;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The variant's name, or the stem of a fan-out's.
    pub name: String,
    /// What the agents are asked to do.
    pub prompt: PromptFrom,
    /// Who works in them.
    pub crew: CrewRequest,
    /// What they fork from; without it, what is checked out where the command stands.
    pub from: Option<String>,
    /// Take the uncommitted work along.
    pub with_changes: bool,
    /// The idea they belong to.
    pub idea: Option<String>,
    /// 1 to 10; without it 5.
    pub priority: Option<u8>,
    /// When their agents start.
    pub when: when::Request,
    /// What they may use together, in all their attempts; without it each what its role or the
    /// settings say.
    pub budget: Option<Amount>,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The variants, in the order of their names.
    pub variants: Vec<Spawned>,
    /// What they forked from.
    pub base: Base,
    /// Their idea.
    pub idea: Option<Idea>,
    /// The variants that the idea was suggested together with.
    pub idea_with: Vec<VariantName>,
    /// The setup commands that run in each before its agent, or have run.
    pub setup: Vec<String>,
    /// When the agents start, where that is not at once.
    #[serde(skip_serializing_if = "When::is_now")]
    pub when: When,
    /// Whether an engine looks at the agents: `Later` when only the next command from outside of
    /// an attempt will start one.
    pub engine: Option<Engine>,
    /// How the agents' work stood when it had ended, where that was waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waited: Option<wait::Outcome>,
    /// Where the command stood, to show paths from there.
    #[serde(skip)]
    pub stood: PathBuf,
}

/// One new variant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spawned {
    /// Its name.
    pub name: VariantName,
    /// Its branch.
    pub branch: String,
    /// Its directory, absolute.
    pub path: PathBuf,
    /// Who works in it; `None` when nobody does.
    pub agent: Option<Engaged>,
    /// What was put into its worktree besides the commit.
    #[serde(flatten)]
    pub furnished: Furnished,
}

/// An agent that was queued.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Engaged {
    /// Its task's id.
    pub task: String,
    /// The agent's name; `plain` for a command.
    pub name: String,
    /// Its role.
    pub role: String,
    /// The model asked for.
    pub model: Option<String>,
    /// What it may do.
    pub permissions: Permissions,
    /// The command line, for a plain command.
    pub command: Option<Vec<String>>,
    /// What it may use; `None` without limit.
    pub budget: Option<Allowed>,
}

/// Who looks at what was queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// The engine that was there already.
    Running,
    /// One that was started.
    Started,
    /// The next one that is started from outside of an attempt.
    Later,
}

impl From<Ensured> for Engine {
    fn from(ensured: Ensured) -> Self {
        match ensured {
            Ensured::Running => Self::Running,
            Ensured::Started => Self::Started,
            Ensured::Later => Self::Later,
        }
    }
}

/// Makes the variants and queues their agents.
///
/// # Errors
/// Whatever is missing or in the way; nothing is changed then.
pub fn run(ctx: &Context<'_>, request: &Request) -> Result<Outcome, Problem> {
    let mut here = ctx.here()?;
    let mut when = request.when.resolve(ctx)?;
    let (plan, idea_with) = plan(ctx, &mut here, (request, &mut when))?;
    let made = make::make(ctx, &mut here, &plan)?;
    let launches = plan.members.iter().filter_map(|member| member.launch.as_ref());
    let agents: Vec<&str> = launches.map(|launch| launch.agent.as_str()).collect();
    let engine = if agents.is_empty() {
        None
    } else {
        warn_if_held_up(ctx, (&here.registered(ctx)?.id, Lane::Agent), &agents)?;
        Some(ensure(ctx.store.layout(), ctx.environment)?.into())
    };
    let variants = made.into_iter().zip(&plan.members);
    let variants = variants.map(|(made, member)| spawned(made, member, &plan, &request.crew));
    let variants = variants.collect();
    Ok(Outcome {
        variants,
        base: plan.base,
        idea: plan.idea,
        idea_with,
        setup: here.settings().worktree.setup.clone(),
        when,
        engine,
        waited: None,
        stood: ctx.environment.cwd.clone(),
    })
}

/// Decides everything, and refuses what cannot be. Nothing is changed, but that the person may
/// have approved the repository's settings.
fn plan(
    ctx: &Context<'_>,
    here: &mut Here,
    (request, when): (&Request, &mut When),
) -> Result<(Plan, Vec<VariantName>), Problem> {
    let fan_out = request.crew.fan_out()?;
    let names = names(&request.name, fan_out)?;
    let given = given_idea(request, fan_out.is_some())?;
    let base = base::resolve(ctx, here, request.from.as_deref())?;
    let spots: Vec<Spot> =
        names.into_iter().map(|name| Spot::of(here, name)).collect::<Result<_, _>>()?;
    require_free(ctx, here, &spots)?;
    if let Some(spot) = spots.first() {
        warn_if_in_sight(ctx, here, spot)?;
    }
    let furnishing = Furnishing::plan(here, &base, request.with_changes)?;
    let asks = request.prompt == PromptFrom::Ask && request.crew.command.is_empty();
    if asks && !request.crew.none {
        // Whatever is missing is said before a person writes a prompt for it.
        crew::recruit(ctx, here, &request.crew, (&spots, "?"))?;
    }
    let words = words_for(ctx, request)?;
    let launches = crew::recruit(ctx, here, &request.crew, (&spots, &words))?;
    let budgets = budgets(ctx, here, request, &launches)?;
    trust::ensure(ctx, here)?;
    let (idea, joined, idea_with) = idea(ctx, here, (&spots, &base), given)?;
    let members = spots.into_iter().zip(launches);
    let members = members.map(|(spot, launch)| Member { spot, launch }).collect();
    let priority = request.priority.unwrap_or(PRIORITY);
    when.stack(here.row.as_ref().map(|row| &row.id), base.branch.as_deref());
    let conditions = when.conditions(ctx);
    let plan =
        Plan { base, members, idea, joined, furnishing, priority, words, conditions, budgets };
    Ok((plan, idea_with))
}

/// What the agents may use.
fn budgets(
    ctx: &Context<'_>,
    here: &Here,
    request: &Request,
    launches: &[Option<Launch>],
) -> Result<Vec<Allotment>, Problem> {
    let works = launches.iter().flatten().map(|launch| Work {
        spec: &launch.rendered.spec,
        model: launch.model.as_deref(),
        role: launch.budget,
    });
    let works: Vec<Work<'_>> = works.collect();
    allot::allot(ctx, request.budget, &here.settings().budget, &works)
}

fn names(name: &str, fan_out: Option<u32>) -> Result<Vec<VariantName>, Problem> {
    let name: VariantName = name.parse()?;
    match fan_out {
        None => Ok(vec![name]),
        Some(count) => {
            Ok((1..=count).map(|number| name.member(number)).collect::<Result<_, _>>()?)
        }
    }
}

/// The idea that is asked for; a fan-out is one by itself.
fn given_idea(request: &Request, fan_out: bool) -> Result<Option<Idea>, Problem> {
    let name = match &request.idea {
        Some(idea) => idea.parse::<VariantName>()?.to_string(),
        None if fan_out => request.name.clone(),
        None => return Ok(None),
    };
    Ok(Some(Idea { name, suggested: false }))
}

/// The words for the agents; a command needs none, and without an agent there is nobody to read
/// them.
fn words_for(ctx: &Context<'_>, request: &Request) -> Result<String, Problem> {
    let asked = &request.prompt;
    if request.crew.none {
        return match asked {
            PromptFrom::Ask => Ok(String::new()),
            _ => Err(Problem::usage("without an agent there is nobody to read the prompt")
                .hint("leave out the prompt, or `--no-agent`")),
        };
    }
    match asked {
        PromptFrom::Ask if !request.crew.command.is_empty() => Ok(String::new()),
        asked => words(ctx, asked),
    }
}

/// The idea of new variants, the present variants that it was suggested together with, by key
/// where they had none, and all of them by name.
#[allow(clippy::type_complexity, reason = "used once, right here")]
fn idea(
    ctx: &Context<'_>,
    here: &Here,
    (spots, base): (&[Spot], &Base),
    given: Option<Idea>,
) -> Result<(Option<Idea>, Vec<i64>, Vec<VariantName>), Problem> {
    if given.is_some() {
        return Ok((given, vec![], vec![]));
    }
    let present = here.variants(ctx)?;
    let suggested =
        spots.first().and_then(|spot| idea::suggest(&spot.name, &base.commit, &present));
    let Some((idea, members)) = suggested else { return Ok((None, vec![], vec![])) };
    let without = members.iter().filter(|member| member.idea.is_none()).map(|member| member.key);
    let names = members.iter().map(|member| member.name.clone()).collect();
    Ok((Some(idea), without.collect(), names))
}

fn spawned(made: Made, member: &Member, plan: &Plan, crew: &CrewRequest) -> Spawned {
    let allowed = |task: &TaskId| {
        let own = plan.budgets.iter().find(|one| one.tasks.contains(task))?;
        Some(Allowed::of(&own.budget, own.tasks.len()))
    };
    let agent = member.launch.as_ref().map(|launch| Engaged {
        task: launch.task.to_string(),
        name: launch.agent.clone(),
        role: launch.role.clone(),
        model: launch.model.clone(),
        permissions: launch.permissions,
        command: (!crew.command.is_empty()).then(|| crew.command.clone()),
        budget: allowed(&launch.task),
    });
    let Made { variant, furnished } = made;
    Spawned { name: variant.name, branch: variant.branch, path: variant.path, agent, furnished }
}
