//! `wt init`: proposes a `wt.toml` made of what the repository is.

mod propose;

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::commands::context::{Context, Here};
use crate::domain::problem::Problem;
use crate::git::carry::ignored;
use crate::git::place::Place;

/// The file's name.
const FILE: &str = "wt.toml";

/// What is asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request {
    /// Say what would be written, and write nothing.
    pub dry_run: bool,
}

/// The proposed settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The file, absolute.
    pub path: PathBuf,
    /// False when it was only shown.
    pub written: bool,
    /// What was found that the proposal rests on.
    pub found: Vec<String>,
    /// The whole text.
    pub text: String,
}

/// Writes a `wt.toml` into the main checkout, where it is read from. There must be none.
///
/// # Errors
/// When there is one already, or nowhere to write it.
pub fn run(ctx: &Context<'_>, request: Request) -> Result<Outcome, Problem> {
    let here = ctx.here()?;
    let place = checkout(&here)?;
    let top = place.dir();
    let path = top.join(FILE);
    if path.symlink_metadata().is_ok() && !request.dry_run {
        return Err(Problem::failed(format!(
            "`{}` is there already; it was not touched",
            path.display()
        ))
        .hint("see what would be proposed: `wt init --dry-run`")
        .hint("see what it says now: `wt config show`"));
    }
    let local = propose::local_files(top);
    let ignored =
        if local.is_empty() { local } else { ignored(&place, &local)?.into_iter().collect() };
    let look = propose::look(top, &ignored);
    let text = look.text();
    if !request.dry_run {
        write_new(&path, &text)?;
        if here.repo.main_dir().is_none() {
            ctx.observer.warn(
                "settings of a bare repository are read from its HEAD: commit this file there",
            );
        }
    }
    Ok(Outcome { path, written: !request.dry_run, found: look.found, text })
}

/// The main checkout; around a bare repository the one stood in.
fn checkout(here: &Here) -> Result<Place, Problem> {
    let standing = here.standing.work_tree.is_some().then(|| here.standing.clone());
    here.repo.main_place().or(standing).ok_or_else(|| {
        Problem::failed("there is no checkout here to write `wt.toml` into")
            .hint("go to a worktree of this repository: `git worktree list`")
    })
}

/// Writes a file that is not there: never over one that appeared meanwhile, nor through a link.
fn write_new(path: &Path, text: &str) -> Result<(), Problem> {
    let failed = |error| Problem::failed(format!("cannot write `{}`: {error}", path.display()));
    let mut file = std::fs::File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}
