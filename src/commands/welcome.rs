//! Bare `wt` where there is nothing to show: the three next steps.

use serde::Serialize;

use crate::commands::context::Context;
use crate::domain::problem::Problem;
use crate::git::error::GitError;
use crate::git::repo::Repo;
use crate::store::{repos, variants};

/// The next steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The repository's name; `None` outside of any.
    pub repository: Option<String>,
    /// What to do, in this order.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What it is good for.
    pub what: &'static str,
    /// What to type.
    pub command: &'static str,
}

/// The next steps of a newcomer; `None` where there are variants: in this repository, or outside
/// of any repository anywhere.
///
/// # Errors
/// When the state cannot be read, or git cannot use the repository.
pub fn run(ctx: &Context<'_>) -> Result<Option<Outcome>, Problem> {
    let db = ctx.store.read();
    if variants::holding(db, &ctx.environment.cwd)?.is_some() {
        return Ok(None);
    }
    let repo = match Repo::discover(&ctx.environment.cwd) {
        Ok((repo, _)) => repo,
        Err(GitError::NotARepository(_)) => {
            let nowhere = variants::present_everywhere(db)?.is_empty();
            return Ok(nowhere.then(outside));
        }
        Err(error) => return Err(error.into()),
    };
    let row = repos::by_common_dir(db, repo.common_dir())?;
    let present = match row {
        Some(row) => variants::present(db, &row.id)?,
        None => vec![],
    };
    Ok(present.is_empty().then(|| inside(&repo)))
}

fn inside(repo: &Repo) -> Outcome {
    let born = repo.commit("HEAD").is_ok();
    let first = if born {
        step("set an agent to work in a place of its own", "wt spawn NAME \"what to do\"")
    } else {
        step("variants fork from a commit: make one", "git commit --allow-empty -m start")
    };
    let mut steps = vec![first];
    if !born {
        steps.push(step("set an agent to work", "wt spawn NAME \"what to do\""));
    }
    steps.push(step("see who is doing what, at what cost", "wt list"));
    if born {
        steps.push(step("put several side by side, and take the best", "wt compare"));
    }
    Outcome { repository: Some(repo.name()), steps }
}

fn outside() -> Outcome {
    let steps = vec![
        step("see all of it on a small sample", "wt demo"),
        step("go to a repository", "cd DIR"),
        step("set an agent to work in a place of its own", "wt spawn NAME \"what to do\""),
    ];
    Outcome { repository: None, steps }
}

fn step(what: &'static str, command: &'static str) -> Step {
    Step { what, command }
}
