//! Which tasks a command is about: by a variant's name, by the beginning of a task's id, by a
//! pattern, all that are under way, or the one of the variant stood in.

use globset::{GlobBuilder, GlobMatcher};

use crate::commands::context::{Context, unknown_variant};
use crate::domain::attempt::Attempt;
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::task::{Task, TaskState};
use crate::domain::variant::Variant;
use crate::git::error::GitError;
use crate::git::repo::Repo;
use crate::store::repos::{self, RepoRow};
use crate::store::{attempts, tasks, variants};

/// A task, with what a person calls it.
#[derive(Debug, Clone, PartialEq)]
pub struct Errand {
    /// The variant's name where the task is the one that says how the variant stands, else the
    /// task's id: what can be typed for it.
    pub name: String,
    /// The task.
    pub task: Task,
    /// Its newest attempt.
    pub attempt: Attempt,
    /// The variant it works in.
    pub variant: Option<Variant>,
}

/// What was typed.
#[derive(Debug, Clone, Default)]
pub struct Which {
    /// Variants' names, beginnings of task ids, patterns (`theme-*`).
    pub names: Vec<String>,
    /// Every task that is not at its end.
    pub all: bool,
}

/// Where a command stands, as far as tasks care.
#[derive(Debug, Clone, Default)]
pub struct Stood {
    /// The repository, if it ever had a variant.
    pub repo: Option<RepoRow>,
    /// The variant.
    pub variant: Option<Variant>,
}

impl Stood {
    /// Where this command stands. Outside of every repository that is nowhere, which is fine:
    /// tasks have names that are good anywhere.
    ///
    /// # Errors
    /// When a repository is there and cannot be used.
    pub fn of(ctx: &Context<'_>) -> Result<Self, Problem> {
        let db = ctx.store.read();
        let cwd = std::fs::canonicalize(&ctx.environment.cwd)
            .unwrap_or_else(|_| ctx.environment.cwd.clone());
        if let Some(variant) = variants::holding(db, &cwd)? {
            return Ok(Self { repo: repos::by_id(db, &variant.repo)?, variant: Some(variant) });
        }
        match Repo::discover(&cwd) {
            Ok((repo, _)) => {
                let repo = repos::by_common_dir(db, repo.common_dir())?;
                Ok(Self { repo, variant: None })
            }
            Err(GitError::NotARepository(_)) => Ok(Self::default()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Which {
    /// The tasks, each once, in the order of the names, those of a pattern oldest first.
    ///
    /// # Errors
    /// When a name has no task or more than one, or nothing is named where no variant is.
    pub fn resolve(&self, ctx: &Context<'_>) -> Result<Vec<Errand>, Problem> {
        let stood = Stood::of(ctx)?;
        let mut found: Vec<Errand> = vec![];
        let mut add = |errands: Vec<Errand>| {
            for errand in errands {
                if !found.iter().any(|known| known.task.id == errand.task.id) {
                    found.push(errand);
                }
            }
        };
        if self.all {
            add(under_way(ctx, &stood)?);
        } else if self.names.is_empty() {
            add(vec![here(ctx, &stood)?]);
        }
        for name in &self.names {
            let is_pattern = name.contains(['*', '?', '[', '{']);
            add(if is_pattern {
                matching(ctx, &stood, name)?
            } else {
                vec![named(ctx, &stood, name)?]
            });
        }
        Ok(found)
    }
}

/// The one task of this name, or that of the variant stood in.
///
/// # Errors
/// When there is none, or more than one.
pub fn single(ctx: &Context<'_>, name: Option<&str>) -> Result<Errand, Problem> {
    let stood = Stood::of(ctx)?;
    match name {
        Some(name) => named(ctx, &stood, name),
        None => here(ctx, &stood),
    }
}

/// Every task that is not at its end, of the repository stood in, else of all; oldest first.
///
/// # Errors
/// The store's.
pub fn under_way(ctx: &Context<'_>, stood: &Stood) -> Result<Vec<Errand>, Problem> {
    let all = tasks::open(ctx.store.read())?;
    let here =
        all.into_iter().filter(|task| stood.repo.as_ref().is_none_or(|repo| repo.id == task.repo));
    here.filter_map(|task| errand(ctx, task).transpose()).collect()
}

/// A task as an errand; `None` when it has no attempt, which no version of `wt` leaves behind.
///
/// # Errors
/// The store's.
pub fn errand(ctx: &Context<'_>, task: Task) -> Result<Option<Errand>, Problem> {
    let db = ctx.store.read();
    let Some(attempt) = attempts::latest(db, &task.id)? else { return Ok(None) };
    let variant = task.variant.map(|key| variants::by_key(db, key)).transpose()?.flatten();
    let speaks = match &variant {
        Some(variant) if variant.state.is_present() => {
            telling(&tasks::of_variant(db, variant.key)?).is_some_and(|known| known.id == task.id)
        }
        _ => false,
    };
    let name = variant.as_ref().filter(|_| speaks).map(|variant| variant.name.to_string());
    Ok(Some(Errand { name: name.unwrap_or_else(|| task.id.to_string()), task, attempt, variant }))
}

/// The task that says how a variant stands: one that runs, else the newest.
fn telling(tasks: &[Task]) -> Option<&Task> {
    let runs = tasks.iter().rev().find(|task| task.state == TaskState::Running);
    runs.or(tasks.last())
}

fn here(ctx: &Context<'_>, stood: &Stood) -> Result<Errand, Problem> {
    match &stood.variant {
        Some(variant) => worked_in(ctx, variant),
        None => Err(Problem::usage("no task is named, and this is no variant")
            .hint("name one of those there are: `wt status`")),
    }
}

/// The task that says how a variant stands; `None` when it was made without an agent.
///
/// # Errors
/// The store's.
pub fn of_variant(ctx: &Context<'_>, variant: &Variant) -> Result<Option<Errand>, Problem> {
    let mut all = tasks::of_variant(ctx.store.read(), variant.key)?;
    let task = telling(&all).map(|task| task.id.clone());
    all.retain(|known| Some(&known.id) == task.as_ref());
    Ok(all.pop().map(|task| errand(ctx, task)).transpose()?.flatten())
}

fn worked_in(ctx: &Context<'_>, variant: &Variant) -> Result<Errand, Problem> {
    of_variant(ctx, variant)?.ok_or_else(|| {
        let name = &variant.name;
        Problem::failed(format!("variant `{name}` has no task: it was made without an agent"))
            .hint(format!("work in it yourself: `cd \"$(wt path {name})\"`"))
    })
}

/// A variant's name first: it is what a person calls the work. Then the id or its beginning, then
/// the name of a variant that is gone, whose transcripts and results stay.
fn named(ctx: &Context<'_>, stood: &Stood, name: &str) -> Result<Errand, Problem> {
    let db = ctx.store.read();
    if let Some(repo) = &stood.repo
        && let Some(variant) = variants::by_name(db, &repo.id, name)?
    {
        return worked_in(ctx, &variant);
    }
    let mut found: Vec<Task> = tasks::by_id(db, &TaskId::new(name))?.into_iter().collect();
    if found.is_empty() && !name.is_empty() {
        found = tasks::by_prefix(db, name)?;
    }
    if found.is_empty()
        && let Some(repo) = &stood.repo
    {
        let about = |task: &Task| subject(&task.id).is_some_and(|s| s.eq_ignore_ascii_case(name));
        found.extend(tasks::of_repo(db, &repo.id)?.into_iter().rev().find(about));
    }
    match found.as_slice() {
        [] => Err(unknown(ctx, stood, name)?),
        [_] => {
            let task = found.pop().map(|task| errand(ctx, task)).transpose()?.flatten();
            task.ok_or_else(|| Problem::failed(format!("`{name}` has no attempt")))
        }
        several => {
            let ids = several.iter().map(|task| task.id.to_string());
            Err(Problem::usage(format!("`{name}` begins more than one task's id"))
                .details(ids)
                .hint("type more of the one you mean"))
        }
    }
}

/// What a task of a variant was about: `theme-dark` of `worktree-theme-dark-x7k2m9`.
fn subject(id: &TaskId) -> Option<&str> {
    let (about, _) = id.as_str().rsplit_once('-')?;
    about.split_once('-').map(|(_, subject)| subject)
}

fn unknown(ctx: &Context<'_>, stood: &Stood, name: &str) -> Result<Problem, Problem> {
    let Some(repo) = &stood.repo else {
        return Ok(Problem::failed(format!("there is no task `{name}`"))
            .hint("see all of them: `wt status --all`"));
    };
    let present = variants::present(ctx.store.read(), &repo.id)?;
    let problem = unknown_variant(name, present.iter().map(|variant| &variant.name));
    Ok(Problem { message: format!("there is no variant or task `{name}`"), ..problem })
}

fn matching(ctx: &Context<'_>, stood: &Stood, pattern: &str) -> Result<Vec<Errand>, Problem> {
    let glob = glob(pattern)?;
    let Some(repo) = &stood.repo else {
        return Err(Problem::usage(format!("`{pattern}` is a pattern, and this is no repository"))
            .hint("name tasks by their ids: `wt status --all`"));
    };
    let mut found = vec![];
    for variant in variants::present(ctx.store.read(), &repo.id)? {
        if glob.is_match(variant.name.as_str()) {
            found.extend(of_variant(ctx, &variant)?);
        }
    }
    let open = under_way(ctx, stood)?;
    found.extend(open.into_iter().filter(|errand| glob.is_match(errand.task.id.as_str())));
    if found.is_empty() {
        return Err(Problem::failed(format!("no variant or task matches `{pattern}`"))
            .hint("see those there are: `wt status`"));
    }
    Ok(found)
}

fn glob(pattern: &str) -> Result<GlobMatcher, Problem> {
    let glob = GlobBuilder::new(pattern).case_insensitive(true).build();
    let refuse = |error: globset::Error| {
        Problem::usage(format!("`{pattern}` is no pattern: {}", error.kind()))
    };
    Ok(glob.map_err(refuse)?.compile_matcher())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_which_variant_it_was_about() {
        assert_eq!(subject(&TaskId::new("worktree-theme-dark-x7k2m9")), Some("theme-dark"));
        assert_eq!(subject(&TaskId::new("worktree")), None);
    }
}
