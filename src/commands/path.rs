//! `wt path`: where a variant is.

use std::path::PathBuf;

use serde::Serialize;

use crate::commands::context::Context;
use crate::commands::merge::waiting;
use crate::domain::problem::Problem;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The variant; without one, the one stood in, else the main checkout.
    pub name: Option<String>,
    /// The worktree in which its merge waits, instead of its own.
    pub merge: bool,
}

/// A place on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The variant's name; `None` for the main checkout.
    pub name: Option<String>,
    /// Its directory, absolute.
    pub path: PathBuf,
}

/// Finds the directory of a variant.
///
/// # Errors
/// When there is no such variant, or none of its merges waits.
pub fn run(ctx: &Context<'_>, request: Request) -> Result<Outcome, Problem> {
    let here = ctx.here()?;
    if request.merge {
        let name = request.name.as_deref();
        let waiting = waiting::find(ctx, &here, name)?.ok_or_else(waiting::none)?;
        let path = waiting.stored.scratch;
        return Ok(Outcome { name: Some(waiting.variant.name.to_string()), path });
    }
    if request.name.is_none() && here.variant.is_none() {
        return Ok(Outcome { name: None, path: here.repo.root().to_path_buf() });
    }
    let variant = here.named(ctx, request.name.as_deref())?;
    Ok(Outcome { name: Some(variant.name.to_string()), path: variant.path })
}
