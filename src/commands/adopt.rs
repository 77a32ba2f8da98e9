//! `wt adopt`: makes an existing branch, or an existing worktree, a variant.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::commands::context::{Context, Here};
use crate::commands::spawn::furnish::Furnishing;
use crate::commands::spawn::make::{self, Member, Plan};
use crate::commands::spawn::spot::{self, Spot};
use crate::commands::spawn::{Base, Furnished, PRIORITY};
use crate::commands::trust;
use crate::domain::name::{VariantName, slug};
use crate::domain::problem::Problem;
use crate::domain::variant::{Variant, VariantState};
use crate::domain::waiting::Conditions;
use crate::git::branch::is_branch_name;
use crate::git::history::merge_base;
use crate::git::repo::{Head, Repo};
use crate::git::side_objects::Objects;
use crate::git::worktree::{self, Naming, Worktree, WorktreeHead, naming};
use crate::store::events::{self, NewEvent};
use crate::store::lock::Lock;
use crate::store::variants;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// A branch, or the directory of a worktree.
    pub what: String,
    /// The variant's name; without it, one made of the branch.
    pub name: Option<String>,
    /// The branch that a merge goes into; without it, the one that the main checkout is on.
    pub base: Option<String>,
}

/// What became a variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Its name.
    pub name: VariantName,
    /// Its branch, which is not `wt`'s to delete.
    pub branch: String,
    /// Its directory, absolute.
    pub path: PathBuf,
    /// What it forked from.
    pub base: Base,
    /// True when a worktree was made for the branch; false when it had one already, which stays
    /// where it is and is not `wt`'s to remove.
    pub made_worktree: bool,
    /// What was put into a new worktree.
    #[serde(flatten)]
    pub furnished: Furnished,
    /// Where the command stood, to show paths from there.
    #[serde(skip)]
    pub stood: PathBuf,
}

/// Adopts it.
///
/// # Errors
/// When it is no branch and no worktree of this repository, is a variant already, or is the main
/// checkout; nothing is changed then.
pub fn run(ctx: &Context<'_>, request: &Request) -> Result<Outcome, Problem> {
    let mut here = ctx.here()?;
    let worktrees = worktree::list(&here.repo)?;
    let dir = ctx.environment.cwd.join(&request.what);
    // A branch wins over a directory of the same name, as long as no path is meant.
    let is_path = request.what.starts_with(['/', '.']);
    let branch = if is_path { None } else { local_branch(&here, &request.what)? };
    let found = match branch {
        Some(tip) => match holder(&worktrees, &request.what) {
            None => return make_for(ctx, &mut here, request, tip),
            Some(holder) => holder,
        },
        None if dir.is_dir() => at(&here, &worktrees, &dir)?,
        None => return Err(nothing(&here, &request.what)),
    };
    in_place(ctx, &mut here, request, found)
}

fn local_branch(here: &Here, name: &str) -> Result<Option<String>, Problem> {
    let name = name.strip_prefix("refs/heads/").unwrap_or(name);
    if is_branch_name(name) { Ok(here.repo.branch(name)?) } else { Ok(None) }
}

fn holder<'w>(worktrees: &'w [Worktree], branch: &str) -> Option<&'w Worktree> {
    let branch = branch.strip_prefix("refs/heads/").unwrap_or(branch);
    worktrees.iter().find(|one| one.branch() == Some(branch))
}

/// The problem that there is nothing of this name, with what may have been meant.
fn nothing(here: &Here, what: &str) -> Problem {
    let text = format!("there is no branch and no worktree `{what}`");
    let problem = Problem::failed(text);
    if here.repo.commit(&format!("refs/remotes/{what}")).is_ok() {
        let name = slug(what.rsplit('/').next().unwrap_or(what)).unwrap_or_else(|| "NAME".into());
        return problem
            .detail(format!("`{what}` is a branch of a remote"))
            .hint(format!("begin a variant at it: `wt spawn {name} --from {what}`"));
    }
    problem.hint("see what there is: `git worktree list; git branch --list`")
}

/// The worktree at a directory, which must be one of this repository's.
fn at<'w>(here: &Here, worktrees: &'w [Worktree], dir: &Path) -> Result<&'w Worktree, Problem> {
    let real = std::fs::canonicalize(dir).unwrap_or_else(|_| dir.to_path_buf());
    let is_it = |one: &&Worktree| {
        one.path == real || std::fs::canonicalize(&one.path).is_ok_and(|path| path == real)
    };
    if let Some(found) = worktrees.iter().find(is_it) {
        return Ok(found);
    }
    let shown = real.display();
    if let Some(around) = worktrees.iter().find(|one| real.starts_with(&one.path)) {
        let text = format!("`{shown}` is inside of the worktree `{}`", around.path.display());
        return Err(Problem::failed(text).hint("name the worktree's own directory"));
    }
    Err(match Repo::discover(&real) {
        Ok((other, _)) if other.common_dir() != here.repo.common_dir() => {
            Problem::failed(format!("`{shown}` belongs to another repository"))
                .hint(format!("adopt it there: `wt -C {} adopt {shown}`", other.root().display()))
        }
        _ => Problem::failed(format!("`{shown}` is no worktree of this repository"))
            .hint("see those there are: `git worktree list`"),
    })
}

/// An existing worktree becomes a variant where it is. Nothing on disk changes.
fn in_place(
    ctx: &Context<'_>,
    here: &mut Here,
    request: &Request,
    found: &Worktree,
) -> Result<Outcome, Problem> {
    let shown = found.path.display();
    if found.id.is_none() {
        return Err(Problem::refused(format!(
            "`{shown}` is the main checkout, which is no variant"
        ))
        .hint("make a variant of what is in it: `wt spawn NAME --with-changes`"));
    }
    let branch = match &found.head {
        WorktreeHead::Branch(name) => name.clone(),
        _ => {
            let text = format!("`{shown}` has no branch checked out");
            let hint = format!("give it one: `git -C {shown} switch -c NAME`");
            return Err(Problem::failed(text).hint(hint));
        }
    };
    if naming(&found.path, &found.git_dir) != Naming::Mutual {
        let text = format!("`{shown}` and git's registration of it do not name each other");
        return Err(Problem::failed(text).hint("mend it: `git worktree repair`"));
    }
    let Some(tip) = here.repo.branch(&branch)? else {
        return Err(Problem::failed(format!("branch `{branch}` has no commit yet"))
            .hint(format!("make a first one: `git -C {shown} commit --allow-empty -m start`")));
    };
    let repo = here.registered(ctx)?.id.clone();
    let _lock = Lock::take(&ctx.store.layout().repo_lock(&repo))?;
    refuse_variant(ctx, here, &found.path)?;
    let name = name(ctx, here, request, &branch)?;
    let base = base(ctx, here, request, (&branch, &tip))?;
    let now = ctx.clock.now();
    let variant = Variant {
        key: 0,
        repo: repo.clone(),
        name: name.clone(),
        branch: branch.clone(),
        path: found.path.clone(),
        admin_dir: found.git_dir.clone(),
        base_branch: base.branch.clone(),
        fork_commit: base.commit.clone(),
        idea: None,
        state: VariantState::Ready,
        made_branch: false,
        made_worktree: false,
        created_at: now,
        merged: None,
    };
    ctx.store.write_durably(|tx| {
        let key = variants::insert(tx, &variant)?;
        let data = serde_json::json!({ "name": name, "branch": branch, "path": found.path });
        let event = NewEvent {
            kind: "variant-adopted",
            repo: Some(&repo),
            variant: Some(key),
            data: data.as_object().cloned().unwrap_or_default(),
            ..NewEvent::default()
        };
        events::record(tx, now, &event)
    })?;
    // Its index may have been written in the second of its files: the next list repairs that once.
    worktree::mark_new(&found.git_dir).ok();
    Ok(Outcome {
        name,
        branch,
        path: found.path.clone(),
        base,
        made_worktree: false,
        furnished: Furnished::default(),
        stood: ctx.environment.cwd.clone(),
    })
}

/// A branch without a worktree gets one, as a spawned variant does.
fn make_for(
    ctx: &Context<'_>,
    here: &mut Here,
    request: &Request,
    tip: String,
) -> Result<Outcome, Problem> {
    let branch = request.what.strip_prefix("refs/heads/").unwrap_or(&request.what).to_owned();
    let name = name(ctx, here, request, &branch)?;
    let base = base(ctx, here, request, (&branch, &tip))?;
    let path = spot::path(here, &name)?;
    let spot = Spot { name, branch, tip: Some(tip), path };
    spot::require_free(ctx, here, std::slice::from_ref(&spot))?;
    let furnishing = Furnishing::plan(here, &base, false)?;
    trust::ensure(ctx, here)?;
    let plan = Plan {
        base,
        members: vec![Member { spot, launch: None }],
        idea: None,
        joined: vec![],
        furnishing,
        priority: PRIORITY,
        words: String::new(),
        conditions: Conditions::default(),
        budgets: vec![],
    };
    let made = make::make(ctx, here, &plan)?;
    let one = made.into_iter().next();
    let one = one.ok_or_else(|| Problem::failed("no variant was made"))?;
    Ok(Outcome {
        name: one.variant.name,
        branch: one.variant.branch,
        path: one.variant.path,
        base: plan.base,
        made_worktree: true,
        furnished: one.furnished,
        stood: ctx.environment.cwd.clone(),
    })
}

fn refuse_variant(ctx: &Context<'_>, here: &Here, path: &Path) -> Result<(), Problem> {
    let known = here.variants(ctx)?.into_iter().find(|variant| variant.path == path);
    known.map_or(Ok(()), |variant| {
        let text = format!("`{}` is a variant already: `{}`", path.display(), variant.name);
        Err(Problem::failed(text).hint("look at it: `wt list`"))
    })
}

/// The name that is asked for, or the branch's without what the settings put in front of it.
fn name(
    ctx: &Context<'_>,
    here: &Here,
    request: &Request,
    branch: &str,
) -> Result<VariantName, Problem> {
    let name: VariantName = match &request.name {
        Some(name) => name.parse()?,
        None => {
            let pattern = &here.settings().worktree.branch;
            let (before, after) = pattern.split_once("{name}").unwrap_or((pattern, ""));
            let inner = branch.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            let short = inner.or_else(|| branch.rsplit('/').next()).unwrap_or(branch);
            let made = short.parse().ok().or_else(|| slug(short)?.parse().ok());
            made.ok_or_else(|| {
                Problem::usage(format!("`{branch}` makes no name for a variant"))
                    .hint(format!("give it one: `wt adopt {branch} --name NAME`"))
            })?
        }
    };
    let folded = name.folded();
    if here.variants(ctx)?.iter().any(|variant| variant.name.folded() == folded) {
        return Err(Problem::failed(format!("there is a variant `{name}` already"))
            .hint(format!("take another name: `wt adopt {} --name NAME`", request.what)));
    }
    Ok(name)
}

/// The branch a merge would go into, and where the adopted one left it.
fn base(
    ctx: &Context<'_>,
    here: &Here,
    request: &Request,
    (branch, tip): (&str, &str),
) -> Result<Base, Problem> {
    let base = match &request.base {
        Some(base) => match local_branch(here, base)? {
            Some(_) => base.strip_prefix("refs/heads/").unwrap_or(base).to_owned(),
            None => {
                return Err(Problem::failed(format!("there is no branch `{base}`"))
                    .hint("see those there are: `git branch --list`"));
            }
        },
        None => match main_branch(here)?.filter(|main| main != branch) {
            Some(main) => main,
            None => return Ok(Base { branch: None, commit: tip.to_owned() }),
        },
    };
    let there = here.repo.branch(&base)?.unwrap_or_else(|| tip.to_owned());
    let objects = Objects::in_memory(&here.repo)?;
    match merge_base(&objects, &there, tip)? {
        Some(commit) => Ok(Base { branch: Some(base), commit }),
        None if request.base.is_none() => {
            ctx.observer.warn(&format!("`{branch}` shares no history with `{base}`"));
            Ok(Base { branch: None, commit: tip.to_owned() })
        }
        None => Err(Problem::failed(format!("`{branch}` shares no history with `{base}`"))
            .hint(format!("name its base: `wt adopt {} --base BRANCH`", request.what))),
    }
}

/// The branch of the main checkout, or the HEAD of a bare repository.
fn main_branch(here: &Here) -> Result<Option<String>, Problem> {
    let main = here.repo.main_place().unwrap_or_else(|| here.repo.place());
    Ok(match here.repo.head(&main)? {
        Head::Branch { name, .. } => Some(name),
        Head::Unborn { .. } | Head::Detached { .. } => None,
    })
}
