//! Where a new variant goes: its directory and its branch, made of the settings' patterns, and
//! whether both are free.

use std::path::{Component, Path, PathBuf};

use crate::commands::context::{Context, Here, canonical};
use crate::domain::fill::{fill, names, unknown};
use crate::domain::name::VariantName;
use crate::domain::problem::Problem;
use crate::domain::variant::Variant;
use crate::git::branch::{is_branch_name, parents};
use crate::git::carry::ignored;
use crate::git::worktree::{self, Worktree};
use crate::store::config::Origin;

/// A place for a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The variant's name.
    pub name: VariantName,
    /// Its branch, without `refs/heads/`.
    pub branch: String,
    /// The commit that the branch stands at, if it is there already and shall be adopted.
    pub tip: Option<String>,
    /// Its directory, absolute, links on the way resolved.
    pub path: PathBuf,
}

impl Spot {
    /// The place that the settings give a variant of this name.
    ///
    /// # Errors
    /// When a pattern cannot be used, naming the setting and where it comes from.
    pub fn of(here: &Here, name: VariantName) -> Result<Self, Problem> {
        let branch = branch(here, &name)?;
        let path = path(here, &name)?;
        Ok(Self { name, branch, tip: None, path })
    }
}

fn branch(here: &Here, name: &VariantName) -> Result<String, Problem> {
    let pattern = &here.settings().worktree.branch;
    check(here, "worktree.branch", pattern, &["name"])?;
    let branch = fill(pattern, &[("name", name.as_str())]);
    if is_branch_name(&branch) {
        return Ok(branch);
    }
    Err(bad(here, "worktree.branch", &format!("makes `{branch}`, which cannot be a branch")))
}

/// The directory of a variant of this name, by the settings' pattern.
///
/// # Errors
/// When the pattern cannot be used.
pub fn path(here: &Here, name: &VariantName) -> Result<PathBuf, Problem> {
    const KEY: &str = "worktree.path";
    let pattern = &here.settings().worktree.path;
    check(here, KEY, pattern, &["name", "repo"])?;
    let filled = fill(pattern, &[("repo", &here.repo.name()), ("name", name.as_str())]);
    let path = canonical(&settled(&here.repo.root().join(filled)));
    let root = canonical(here.repo.root());
    if path.starts_with(here.repo.common_dir()) {
        return Err(bad(here, KEY, "leads into the repository's own `.git`"));
    }
    // A repository may say where its variants go, but not anywhere on the machine.
    let beside = root.parent().unwrap_or(&root);
    if matches!(here.config.origin(KEY), Some(Origin::Repository(_))) && !path.starts_with(beside) {
        let why =
            format!("leads out of `{}`; only your own settings may do that", beside.display());
        return Err(bad(here, KEY, &why));
    }
    Ok(path)
}

fn check(here: &Here, key: &str, pattern: &str, known: &[&str]) -> Result<(), Problem> {
    if let Some(word) = unknown(pattern, known) {
        return Err(bad(here, key, &format!("holds `{{{word}}}`, which nothing fills in")));
    }
    if !names(pattern, "name") {
        return Err(bad(here, key, "must hold `{name}`, or all variants would be one"));
    }
    if pattern.contains(char::is_control) {
        return Err(bad(here, key, "holds a control character"));
    }
    Ok(())
}

fn bad(here: &Here, key: &str, why: &str) -> Problem {
    let origin = here.config.origin(key).map(ToString::to_string).unwrap_or_default();
    Problem::usage(format!("{origin}: `{key}` {why}"))
        .hint(format!("see it: `wt config show {key}`"))
}

/// Without `.` and `..`, read as they are written.
fn settled(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut clean, part| {
        match part {
            Component::ParentDir => drop(clean.pop()),
            Component::CurDir => {}
            part => clean.push(part),
        }
        clean
    })
}

/// Goes on only if nothing is in the way of these places. Looks at the names of variants, at
/// branches, at git's registrations and at the disk; to be sure, under the repository's lock.
///
/// # Errors
/// What is in the way, and what to do about it.
pub fn require_free(ctx: &Context<'_>, here: &Here, spots: &[Spot]) -> Result<(), Problem> {
    let worktrees = worktree::list(&here.repo)?;
    let obstacles = spots.iter().map(|spot| {
        branch_is_free(here, spot, &worktrees)?;
        path_is_free(here, &spot.path, &worktrees)
    });
    let obstacles: Vec<Result<(), Problem>> = obstacles.collect();
    // Afterwards, since a variant that is made just now is recorded before its branch is there.
    let variants = here.variants(ctx)?;
    for (spot, obstacle) in spots.iter().zip(obstacles) {
        let folded = spot.name.folded();
        if let Some(known) = variants.iter().find(|variant| variant.name.folded() == folded) {
            let problem = Problem::failed(format!("there is a variant `{}` already", known.name));
            return Err(problem.hint("look at it: `wt list`").hint(format!(
                "take another name: `wt spawn {}`",
                another(&variants, &spot.name)
            )));
        }
        obstacle?;
    }
    Ok(())
}

/// The first free one of NAME-2, NAME-3, …
fn another(variants: &[Variant], name: &VariantName) -> String {
    let taken = |name: &VariantName| variants.iter().any(|v| v.name.folded() == name.folded());
    (2..100)
        .filter_map(|number| name.member(number).ok())
        .find(|name| !taken(name))
        .map_or_else(|| "OTHER-NAME".to_owned(), |name| name.to_string())
}

fn branch_is_free(here: &Here, spot: &Spot, worktrees: &[Worktree]) -> Result<(), Problem> {
    let holder = worktrees.iter().find(|one| one.branch() == Some(spot.branch.as_str()));
    if spot.tip.is_some() && holder.is_none() {
        return Ok(());
    }
    if here.repo.branch(&spot.branch)?.is_some() {
        let problem = match holder {
            Some(holder) => Problem::failed(format!(
                "branch `{}` exists already, checked out at `{}`",
                spot.branch,
                holder.path.display()
            )),
            None => Problem::failed(format!("branch `{}` exists already", spot.branch)),
        };
        let problem = match holder {
            Some(main) if main.id.is_none() => problem,
            _ => problem.hint(format!("make it a variant: `wt adopt {}`", spot.branch)),
        };
        return Err(problem.hint(format!("take another name: `wt spawn {}-2`", spot.name)));
    }
    for parent in parents(&spot.branch) {
        if here.repo.branch(parent)?.is_some() {
            let text =
                format!("there is a branch `{parent}`, so there cannot be `{}`", spot.branch);
            return Err(Problem::failed(text).hint(
                "name branches otherwise: `worktree.branch` in ~/.config/wt/config.toml or wt.toml",
            ));
        }
    }
    Ok(())
}

/// Warns of a place inside of the main checkout that git does not ignore: every variant would be
/// an untracked file there.
///
/// # Errors
/// When git cannot say.
pub fn warn_if_in_sight(ctx: &Context<'_>, here: &Here, spot: &Spot) -> Result<(), Problem> {
    let Some(main) = here.repo.main_place() else { return Ok(()) };
    let Ok(inside) = spot.path.strip_prefix(main.dir()) else { return Ok(()) };
    // A pattern that names a directory does not match what is no directory yet; what is in it, it
    // does.
    if ignored(&main, &[inside.to_path_buf(), inside.join("any")])?.is_empty() {
        let first = inside.iter().next().unwrap_or_default().to_string_lossy();
        ctx.observer.warn(&format!(
            "git does not ignore `{first}` in your checkout; `echo /{first}/ >> .git/info/exclude` \
             hides it"
        ));
    }
    Ok(())
}

/// Goes on only if a directory can be made here.
///
/// # Errors
/// What is in the way.
pub fn path_is_free(here: &Here, path: &Path, worktrees: &[Worktree]) -> Result<(), Problem> {
    let shown = path.display();
    let typed = |path: &Path| {
        let text = path.display().to_string();
        shlex::try_quote(&text).map(|quoted| quoted.into_owned()).unwrap_or(text)
    };
    if path.symlink_metadata().is_ok() {
        let theirs = worktrees.iter().find(|one| one.path == path && one.id.is_some());
        let problem = Problem::failed(format!("`{shown}` exists already; it was not touched"));
        return Err(match theirs {
            Some(_) => {
                problem.hint(format!("make this worktree a variant: `wt adopt {}`", typed(path)))
            }
            None => problem.hint("take another name, or move it away"),
        });
    }
    let above = path.ancestors().skip(1).find(|above| above.symlink_metadata().is_ok());
    if let Some(above) = above.filter(|above| !above.is_dir()) {
        let text = format!("`{shown}` cannot be made: `{}` is no directory", above.display());
        return Err(
            Problem::failed(text).hint("move it away, or see `wt config show worktree.path`")
        );
    }
    if let Some(gone) = worktrees.iter().find(|one| one.path == path) {
        let text = format!("`{shown}` is still registered as a worktree, though it is gone");
        let root = typed(here.repo.root());
        let hint = format!("forget it: `git -C {root} worktree remove {}`", typed(path));
        let problem = Problem::failed(text);
        return Err(match &gone.locked {
            Some(why) if !why.is_empty() => problem.detail(format!("it is locked: {why}")),
            _ => problem.hint(hint),
        });
    }
    Ok(())
}
