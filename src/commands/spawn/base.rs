//! What a new variant forks from.

use serde::Serialize;

use crate::commands::context::{Context, Here};
use crate::domain::problem::Problem;
use crate::git::branch::is_branch_name;
use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::repo::Head;

/// A commit, and the branch that a merge would go back to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Base {
    /// The branch; `None` when HEAD was detached or a plain commit was given.
    pub branch: Option<String>,
    /// The commit, in hex.
    pub commit: String,
}

/// The base that a revision names; without one, what is checked out where the command stands.
///
/// # Errors
/// When it names no commit, or the branch stood on has none.
pub fn resolve(ctx: &Context<'_>, here: &Here, from: Option<&str>) -> Result<Base, Problem> {
    let Some(from) = from else { return standing(here) };
    if matches!(from, "HEAD" | "@") {
        return standing(here);
    }
    if from.is_empty() || from.starts_with('-') {
        return Err(GitError::NoSuchRevision(from.to_owned()).into());
    }
    let name = from.strip_prefix("refs/heads/").unwrap_or(from);
    if let Some(commit) = branch(here, name)? {
        return Ok(Base { branch: Some(name.to_owned()), commit });
    }
    let folded = from.to_ascii_lowercase();
    let variants = here.variants(ctx)?;
    if let Some(variant) = variants.into_iter().find(|variant| variant.name.folded() == folded)
        && let Some(commit) = branch(here, &variant.branch)?
    {
        return Ok(Base { branch: Some(variant.branch), commit });
    }
    // Asked where the command stands: `HEAD~2` and `@{upstream}` mean another commit elsewhere.
    let asked = ["rev-parse", "--verify", "--quiet", "--end-of-options"];
    let question = format!("{from}^{{commit}}");
    let answer = Git::read(&here.standing).args(asked).arg(question).answer()?;
    if answer.code != Some(0) {
        return Err(GitError::NoSuchRevision(from.to_owned()).into());
    }
    Ok(Base { branch: None, commit: answer.text() })
}

fn standing(here: &Here) -> Result<Base, Problem> {
    match here.repo.head(&here.standing)? {
        Head::Branch { name, commit } => Ok(Base { branch: Some(name), commit }),
        Head::Detached { commit } => Ok(Base { branch: None, commit }),
        Head::Unborn { name } => Err(Problem::failed(format!("branch `{name}` has no commit yet"))
            .hint("make a first one: `git commit --allow-empty -m start`")
            .hint("or fork from another branch: `wt spawn NAME --from BRANCH`")),
    }
}

fn branch(here: &Here, name: &str) -> Result<Option<String>, Problem> {
    if is_branch_name(name) { Ok(here.repo.branch(name)?) } else { Ok(None) }
}
