//! Before a merge begins: which commits are picked, and the variant's uncommitted work committed.

use crate::commands::context::{Context, Here};
use crate::commands::merge::done::{Uncommitted, counted};
use crate::commands::merge::plan::LeftBehind;
use crate::domain::problem::Problem;
use crate::domain::task::Task;
use crate::domain::variant::Variant;
use crate::git::command::Git;
use crate::git::leftovers::{self, Ended as AgentEnded};

/// The commits of `--pick`, in hex: each must be one that the variant has. `HEAD` is the variant's.
///
/// # Errors
/// When a revision names none, or one that cannot be picked.
pub fn picked(
    here: &Here,
    variant: &Variant,
    revisions: &[String],
) -> Result<Vec<String>, Problem> {
    let place = here.place(variant);
    let mut picked = vec![];
    for revision in revisions {
        let walk = if revision.contains("..") { "--reverse" } else { "--no-walk" };
        let asked = ["rev-list", walk, "--end-of-options", revision, "--"];
        let answer = Git::read(&place).args(asked).answer()?;
        let found: Vec<String> = answer.text().lines().map(str::to_owned).collect();
        if answer.code != Some(0) || found.is_empty() {
            let text = format!("`{revision}` names no commit of `{}`", variant.name);
            let hint = format!("see its commits: `git log {}`", variant.branch);
            return Err(Problem::usage(text).hint(hint));
        }
        for commit in found {
            check_pick(here, variant, &commit)?;
            picked.push(commit);
        }
    }
    Ok(picked)
}

fn check_pick(here: &Here, variant: &Variant, commit: &str) -> Result<(), Problem> {
    let place = here.repo.place();
    let asked = ["merge-base", "--is-ancestor", commit, &format!("refs/heads/{}", variant.branch)];
    let short = commit.get(..7).unwrap_or(commit);
    if Git::read(&place).args(asked).answer()?.code != Some(0) {
        let text = format!("`{short}` is not among the commits of `{}`", variant.name);
        let hint = format!("see them: `git log {}`", variant.branch);
        return Err(Problem::usage(text).hint(hint));
    }
    let asked = ["rev-list", "--parents", "--max-count=1", commit, "--"];
    let parents = Git::read(&place).args(asked).text()?.split(' ').count() - 1;
    if parents > 1 {
        let text = format!("`{short}` is a merge, which cannot be picked");
        return Err(Problem::usage(text).hint("pick the commits that it brought"));
    }
    Ok(())
}

/// Uncommitted work of a variant, before its branch is merged or moved.
#[derive(Debug, Clone, Copy)]
pub struct Leftovers<'a> {
    /// The variant.
    pub variant: &'a Variant,
    /// What its last agent was asked, for the commit's message.
    pub last_task: Option<&'a Task>,
    /// How many paths are to be committed.
    pub paths: usize,
    /// What is known to stay.
    pub left_behind: Option<&'a LeftBehind>,
    /// What is not done with what stays: `merged`.
    pub not: &'a str,
}

/// Commits leftovers; what has to stay uncommitted is named.
///
/// # Errors
/// When git fails.
pub fn commit_leftovers(
    ctx: &Context<'_>,
    here: &Here,
    leftovers: &Leftovers<'_>,
) -> Result<Uncommitted, Problem> {
    let Leftovers { variant, last_task, paths, left_behind, not } = *leftovers;
    let mut result = Uncommitted { committed: 0, left: left_behind.cloned() };
    if paths > 0 {
        let ended = AgentEnded {
            branch: &variant.branch,
            task: last_task.map(|task| &task.id),
            subject: last_task.map_or("uncommitted work", |task| &task.prompt),
            at: None,
        };
        let done = leftovers::commit(&here.place(variant), &ended)?;
        result.committed = done.paths;
        result.left = match (&done.obstacle, done.left.as_slice()) {
            (Some(obstacle), _) => Some(LeftBehind { paths, why: obstacle.to_string() }),
            (None, []) => None,
            (None, left) => {
                let named = left.iter().map(|one| format!("{} ({})", one.path.display(), one.why));
                let why = named.collect::<Vec<_>>().join(", ");
                Some(LeftBehind { paths: left.len(), why })
            }
        };
        if result.committed > 0 {
            let files = counted(result.committed, "uncommitted file", "uncommitted files");
            ctx.observer.tell(&format!("First   commit    {files} of {}", variant.name));
        }
    }
    if let Some(left) = &result.left {
        let files = counted(left.paths, "uncommitted file", "uncommitted files");
        let (name, why) = (&variant.name, &left.why);
        ctx.observer.warn(&format!("{files} of `{name}` not {not}: {why}"));
    }
    Ok(result)
}
