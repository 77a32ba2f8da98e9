//! Which variants are compared when nobody says so.

use serde::Serialize;

use crate::commands::compare::Request;
use crate::commands::context::{Context, Here};
use crate::commands::select::Selection;
use crate::domain::problem::Problem;
use crate::domain::variant::{Idea, Variant};

/// How the variants were chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scope {
    /// By what.
    pub by: ChosenBy,
    /// The idea, when it is one.
    pub idea: Option<Idea>,
    /// Present variants of the repository that are not among those compared.
    pub others: usize,
}

/// By what variants were chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChosenBy {
    /// They were named, or all were asked for.
    Named,
    /// They are of the idea that was named.
    IdeaNamed,
    /// They are of the idea of the variant that the command stands in.
    IdeaHere,
    /// They are of the newest idea that several variants share.
    IdeaNewest,
    /// They are all there are: no idea is shared.
    All,
}

/// Finds the variants to compare, oldest first unless they were named.
pub(super) fn choose(
    ctx: &Context<'_>,
    here: &Here,
    request: Request,
) -> Result<(Vec<Variant>, Scope), Problem> {
    let present = here.variants(ctx)?;
    if present.is_empty() {
        return Err(Problem::failed("there is no variant to compare")
            .hint("make two: `wt spawn NAME --variants 2 \"…\"`"));
    }
    let (variants, by, idea) = if request.all || !request.names.is_empty() {
        let selection = Selection { names: request.names, all: request.all };
        (selection.resolve(ctx, here)?, ChosenBy::Named, None)
    } else if let Some(name) = &request.idea {
        let members = members(&present, name);
        let idea = members.first().and_then(|variant| variant.idea.clone());
        (members, ChosenBy::IdeaNamed, Some(idea.ok_or_else(|| unknown_idea(name, &present))?))
    } else {
        unnamed(&present, here.variant.as_ref())
    };
    let others = present.len().saturating_sub(variants.len());
    Ok((variants, Scope { by, idea, others }))
}

/// The idea stood in, else the newest that is shared, else all.
fn unnamed(
    present: &[Variant],
    stood_in: Option<&Variant>,
) -> (Vec<Variant>, ChosenBy, Option<Idea>) {
    if let Some(idea) = stood_in.and_then(|variant| variant.idea.clone()) {
        return (members(present, &idea.name), ChosenBy::IdeaHere, Some(idea));
    }
    let ideas = present.iter().rev().filter_map(|variant| variant.idea.as_ref());
    for idea in ideas.filter(|_| stood_in.is_none()) {
        let members = members(present, &idea.name);
        if members.len() > 1 {
            return (members, ChosenBy::IdeaNewest, Some(idea.clone()));
        }
    }
    (present.to_vec(), ChosenBy::All, None)
}

fn members(present: &[Variant], name: &str) -> Vec<Variant> {
    let of_it = |variant: &&Variant| variant.idea.as_ref().is_some_and(|idea| idea.name == name);
    present.iter().filter(of_it).cloned().collect()
}

fn unknown_idea(name: &str, present: &[Variant]) -> Problem {
    let mut ideas: Vec<&str> =
        present.iter().filter_map(|variant| Some(variant.idea.as_ref()?.name.as_str())).collect();
    ideas.dedup();
    let problem = Problem::failed(format!("no variant is of the idea `{name}`"));
    match ideas.as_slice() {
        [] => problem.hint("name variants instead: `wt compare NAME NAME`"),
        known => problem
            .detail(format!("ideas there are: {}", known.join(", ")))
            .hint("see which variant is of which: `wt list --tree`"),
    }
}
