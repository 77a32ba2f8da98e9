//! What is compared with what.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use crate::commands::base::{bases, parted_at};
use crate::commands::contents::{Contents, look, why_left_out};
use crate::commands::context::{Context, Here, unknown_variant};
use crate::domain::problem::Problem;
use crate::domain::variant::Variant;
use crate::git::side_objects::{Objects, SideObjects};
use crate::git::worktree_tree::Bounds;

/// The most paths that a warning names.
const NAMED_MAX: usize = 5;

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    /// The variant or branch; of a commit that a variant parted at, the base's name, if it has
    /// one.
    pub name: Option<String>,
    /// What it is.
    pub kind: SideKind,
    /// The commit checked out or stood at, in hex.
    pub commit: String,
    /// How many paths are uncommitted in it and count as part of it; `null` when there is no
    /// worktree to look at.
    pub uncommitted: Option<usize>,
    /// Its tree; uncommitted work makes one that lives no longer than the answer.
    #[serde(skip)]
    pub tree: String,
}

/// What a side is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SideKind {
    /// A variant as it is now.
    Variant,
    /// What a branch holds.
    Branch,
    /// The commit from which a variant and its base went on.
    PartedAt,
}

enum Named {
    Variant(Box<Variant>),
    Branch { name: String, commit: String },
}

/// The old and the new side.
pub(super) fn sides(
    ctx: &Context<'_>,
    here: &Here,
    side: &Arc<SideObjects>,
    names: &[String],
) -> Result<(Side, Side), Problem> {
    let objects = Objects::beside(&here.repo, side)?;
    match names {
        [] | [_] => {
            let name = names.first().map(String::as_str);
            let variant = match name.map(|name| named(ctx, here, name)).transpose()? {
                None => here.named(ctx, None)?,
                Some(Named::Variant(variant)) => *variant,
                Some(Named::Branch { name, .. }) => return Err(alone(&name)),
            };
            since_parted(ctx, here, &objects, (side, &variant))
        }
        [one, other] => {
            let both = [named(ctx, here, one)?, named(ctx, here, other)?];
            let variants: Vec<Variant> = both
                .iter()
                .filter_map(|named| match named {
                    Named::Variant(variant) => Some((**variant).clone()),
                    Named::Branch { .. } => None,
                })
                .collect();
            let mut contents = contents(ctx, here, side, &variants)?.into_iter();
            let mut of = |named: &Named| match named {
                Named::Branch { name, commit } => Ok(Side {
                    name: Some(name.clone()),
                    kind: SideKind::Branch,
                    tree: objects.tree_of(commit)?,
                    commit: commit.clone(),
                    uncommitted: None,
                }),
                Named::Variant(variant) => contents
                    .next()
                    .map(|contents| of_variant(variant, contents))
                    .ok_or_else(|| Problem::failed(format!("`{}` cannot be read", variant.name))),
            };
            Ok((of(&both[0])?, of(&both[1])?))
        }
        _ => {
            Err(Problem::usage("more than two names")
                .hint("paths come after `--`: `wt diff -- PATH`"))
        }
    }
}

fn since_parted(
    ctx: &Context<'_>,
    here: &Here,
    objects: &Objects,
    (side, variant): (&Arc<SideObjects>, &Variant),
) -> Result<(Side, Side), Problem> {
    let variants = std::slice::from_ref(variant);
    let base = bases(&here.repo, variants)?.remove(0);
    let contents = contents(ctx, here, side, variants)?.remove(0);
    if let (true, Some(branch)) = (base.gone, &base.branch) {
        ctx.observer.warn(&format!(
            "`{branch}`, which {} forked from, is gone; compared with the commit it forked from",
            variant.name
        ));
    }
    let commit = parted_at(objects, &contents, &base, variant);
    let from = Side {
        name: base.branch,
        kind: SideKind::PartedAt,
        tree: objects.tree_of(&commit)?,
        commit,
        uncommitted: None,
    };
    Ok((from, of_variant(variant, contents)))
}

fn of_variant(variant: &Variant, contents: Contents) -> Side {
    Side {
        name: Some(variant.name.to_string()),
        kind: SideKind::Variant,
        commit: contents.head,
        uncommitted: contents.worktree.map(|worktree| worktree.changed.len()),
        tree: contents.tree,
    }
}

/// What variants hold; what is missing of it is told.
fn contents(
    ctx: &Context<'_>,
    here: &Here,
    side: &Arc<SideObjects>,
    variants: &[Variant],
) -> Result<Vec<Contents>, Problem> {
    let looked = look(here.repo.common_dir(), side, variants, &Bounds::CAREFUL);
    let mut all = Vec::with_capacity(variants.len());
    for (variant, looked) in variants.iter().zip(looked) {
        let why = looked.trouble.unwrap_or_default();
        let Some(contents) = looked.contents else {
            let text = format!("variant `{}` cannot be read: {why}", variant.name);
            return Err(Problem::failed(text).hint("look for damage: `wt doctor`"));
        };
        match &contents.worktree {
            None => ctx.observer.warn(&format!(
                "the worktree of {} cannot be read, only commits are compared: {why}",
                variant.name
            )),
            Some(worktree) => {
                if let Some(why) = why_left_out(&worktree.left_out) {
                    let paths = worktree.left_out.iter().take(NAMED_MAX);
                    let named: Vec<_> =
                        paths.map(|left| left.path.to_string_lossy().into_owned()).collect();
                    let more = worktree.left_out.len().saturating_sub(NAMED_MAX);
                    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                    ctx.observer.warn(&format!(
                        "uncommitted in {}, but not compared ({why}): {}{more}",
                        variant.name,
                        named.join(", ")
                    ));
                }
            }
        }
        all.push(contents);
    }
    Ok(all)
}

/// A variant of that name, or a branch.
fn named(ctx: &Context<'_>, here: &Here, name: &str) -> Result<Named, Problem> {
    let present = here.variants(ctx)?;
    let folded = name.to_ascii_lowercase();
    if let Some(variant) = present.iter().find(|variant| variant.name.folded() == folded) {
        return Ok(Named::Variant(Box::new(variant.clone())));
    }
    if let Some(commit) = here.repo.branch(name)? {
        return Ok(Named::Branch { name: name.to_owned(), commit });
    }
    let problem = unknown_variant(name, present.iter().map(|variant| &variant.name));
    Err(if Path::new(name).is_relative() && ctx.environment.cwd.join(name).exists() {
        problem.hint(format!("if it is a path: `wt diff -- {name}`"))
    } else {
        problem
    })
}

fn alone(name: &str) -> Problem {
    Problem::usage(format!("`{name}` is a branch, and no variant"))
        .hint(format!("where a variant differs from it: `wt diff {name} VARIANT`"))
}
