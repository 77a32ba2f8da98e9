//! `wt diff`: what a variant changed since it parted from its base, or where two differ;
//! uncommitted work included.
//!
//! Nothing is written into the repository: uncommitted work lives among side objects that are
//! thrown away with the answer.
//!
//! # JSON
//! `kind` is `diff`; the fields are those of [`Outcome`], in its order. Paths and the patch are
//! text; bytes that are no UTF-8 are replaced. Piped without `--json` the patch is raw and whole.

mod paths;
mod sides;

use std::ffi::OsString;
use std::io::Read;
use std::sync::Arc;

use serde::Serialize;

use crate::commands::changed::{Changed, changed_files};
use crate::commands::context::Context;
use crate::domain::problem::Problem;
use crate::git::command::Git;
use crate::git::diff::{LineCount, Pair, patch, tree_diffs};
use crate::git::error::GitError;
use crate::git::place::Place;
use crate::git::side_objects::SideObjects;

pub use sides::{Side, SideKind};

/// The most bytes of a patch that an answer holds.
const PATCH_MAX: u64 = 16 << 20;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Nobody (the variant stood in), a variant, or two variants or branches.
    pub names: Vec<String>,
    /// Pathspecs, from where the command stands; none for all.
    pub paths: Vec<OsString>,
    /// List the files that differ.
    pub files: bool,
    /// Have the patch in the answer, up to 16 MiB.
    pub patch: bool,
}

/// Where two contents differ.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The old side: where the variant parted from its base, or the first of two.
    pub from: Side,
    /// The new side: the variant, or the second of two.
    pub to: Side,
    /// The files that differ; `null` when nobody asked for them.
    pub files: Option<Vec<Changed>>,
    /// Lines of all of them together; those of binary files count as none.
    pub lines: Option<LineCount>,
    /// The patch, with `--patch`; at most 16 MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
    /// True when the patch is longer than that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch_cut: Option<bool>,
    /// Gives the patch, however long.
    #[serde(skip)]
    pub source: Source,
}

/// Gives a patch as git writes it.
#[derive(Debug)]
pub struct Source {
    side: Arc<SideObjects>,
    place: Place,
    pair: Pair,
    paths: Vec<OsString>,
}

impl Source {
    /// Lets a reader take in the patch while git writes it; a reader may leave early.
    ///
    /// # Errors
    /// When git cannot compare.
    pub fn patch<T>(&self, reader: impl FnOnce(&mut dyn Read) -> T) -> Result<T, GitError> {
        patch(self.git(), &self.pair, &self.paths, reader)
    }

    fn git(&self) -> Git {
        self.side.git(&self.place)
    }
}

/// Compares.
///
/// # Errors
/// When a name has neither a variant nor a branch, a path is outside of the repository, or what is
/// to be compared cannot be read.
pub fn run(ctx: &Context<'_>, request: &Request) -> Result<Outcome, Problem> {
    let here = ctx.here()?;
    let paths = paths::pathspecs(&here.standing, &ctx.environment.cwd, &request.paths)?;
    let side = Arc::new(SideObjects::of(&here.repo)?);
    let (from, to) = sides::sides(ctx, &here, &side, &request.names)?;
    let pair = Pair { from: from.tree.clone(), to: to.tree.clone() };
    let source = Source { side, place: here.repo.place(), pair, paths };
    let mut outcome =
        Outcome { from, to, files: None, lines: None, patch: None, patch_cut: None, source };
    if request.files {
        let source = &outcome.source;
        let pairs = std::slice::from_ref(&source.pair);
        let found = tree_diffs(&|| source.git(), pairs, &source.paths, &mut ())?;
        let diff = found.into_iter().next().transpose()?.unwrap_or_default();
        outcome.lines = Some(diff.lines());
        outcome.files = Some(changed_files(&diff));
    }
    if request.patch {
        let mut bytes = vec![];
        let read = outcome.source.patch(|out| out.take(PATCH_MAX + 1).read_to_end(&mut bytes))?;
        read.map_err(GitError::file("read", "the answer of git diff-tree"))?;
        let most = usize::try_from(PATCH_MAX).unwrap_or(usize::MAX);
        outcome.patch_cut = Some(bytes.len() > most);
        bytes.truncate(most);
        outcome.patch = Some(String::from_utf8_lossy(&bytes).into_owned());
    }
    Ok(outcome)
}
