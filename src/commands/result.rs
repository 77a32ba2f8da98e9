//! `wt result`: what an agent said in the end.

use serde::Serialize;

use crate::commands::context::Context;
use crate::commands::errand::{self, Errand};
use crate::commands::status::{Line, line};
use crate::commands::work::Standing;
use crate::domain::attempt::Attempt;
use crate::domain::id::AttemptId;
use crate::domain::problem::Problem;
use crate::domain::task::TaskState;
use crate::engine::run::tail::Tail;
use crate::store::attempts;
use crate::store::error::StoreError;
use crate::store::folder::Folder;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The task; without one, that of the variant stood in.
    pub task: Option<String>,
    /// The number of the attempt; without one, the newest.
    pub attempt: Option<u32>,
    /// Also what it has said so far, or said before it failed.
    pub partial: bool,
}

/// What an agent said in the end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The attempt whose words these are.
    pub of: AttemptId,
    /// Its final answer, Markdown as the agent wrote it; with `partial` its last words so far.
    /// `None` when it said nothing.
    pub text: Option<String>,
    /// The branch that holds its work.
    pub branch: Option<String>,
    /// How its task stands.
    #[serde(flatten)]
    pub line: Line,
}

/// Finds the final answer of a task.
///
/// # Errors
/// When there is no such task, or it is not done and `partial` was not asked for.
pub fn run(ctx: &Context<'_>, request: &Request) -> Result<Outcome, Problem> {
    let errand = errand::single(ctx, request.task.as_deref())?;
    let attempt = match request.attempt {
        None => errand.attempt.clone(),
        Some(number) => earlier(ctx, &errand, number)?,
    };
    let line = line(ctx, &errand, ctx.clock.now())?;
    let is_newest = attempt.id == errand.attempt.id;
    if is_newest && errand.task.state != TaskState::Done && !request.partial {
        return Err(unfinished(&line));
    }
    let branch = errand.variant.as_ref().map(|variant| variant.branch.clone());
    let text = words(ctx, &attempt)?;
    Ok(Outcome { of: attempt.id, text, branch, line })
}

fn earlier(ctx: &Context<'_>, errand: &Errand, number: u32) -> Result<Attempt, Problem> {
    let id = AttemptId::of(&errand.task.id, number);
    attempts::by_id(ctx.store.read(), &id)?.ok_or_else(|| {
        let (name, last) = (&errand.name, errand.attempt.number);
        Problem::failed(format!("`{name}` has no attempt {number}; its newest is {last}"))
            .hint(format!("see them: `wt status {name}`"))
    })
}

/// The answer as it was kept when the attempt ended, else what its output says so far.
fn words(ctx: &Context<'_>, attempt: &Attempt) -> Result<Option<String>, Problem> {
    let folder = Folder::of(ctx.store.layout(), &attempt.id);
    let kept = folder.result();
    match std::fs::read_to_string(&kept) {
        Ok(text) => return Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(StoreError::file("read", kept)(error).into()),
    }
    let mut output = Tail::new(&folder.spec()?, folder.stdout());
    output.finish().map_err(StoreError::file("read", folder.stdout()))?;
    Ok(output.report().final_text.clone())
}

fn unfinished(line: &Line) -> Problem {
    let name = &line.name;
    let why = line.question.as_ref().or(line.reason.as_ref());
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    let word = line.standing.word();
    let problem = Problem::failed(format!("`{name}` has no finished result, it is {word}{why}"));
    let problem = match line.standing {
        Standing::Asks => {
            Problem { message: format!("`{name}` did not finish, it asks{why}"), ..problem }
                .hint(format!("answer it: `wt send {name} \"…\"`"))
        }
        standing if standing.is_under_way() => {
            problem.hint(format!("wait for it: `wt wait {name}`"))
        }
        _ => problem.hint(format!("see what happened: `wt logs {name}`")),
    };
    problem.hint(format!("what it said so far: `wt result {name} --partial`")).data(line)
}
