//! `wt restore`: removed variants come back, to the same path and branch, exactly as they were.

pub mod act;
mod list;
pub mod rewind;

use std::path::PathBuf;

use serde::Serialize;

use crate::commands::cleanup;
use crate::commands::context::{Context, Here, canonical};
use crate::commands::restore::act::Restored;
use crate::commands::restore::list::trashed;
use crate::commands::restore::rewind::Rewound;
use crate::domain::problem::Problem;
use crate::domain::undo::Record;
use crate::git::branch::is_branch_name;

pub use list::{Kept, Restorable};

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Which variants, by name or as the list names them; none: list what can come back.
    pub names: Vec<String>,
    /// Another directory than the one it was in; for one variant.
    pub to: Option<PathBuf>,
    /// A new branch instead of the one it was on; for one variant.
    pub branch: Option<String>,
    /// Take a checkout back to this snapshot instead: a ref, or the end of its name.
    pub snapshot: Option<String>,
    /// Overwrite changes that are in the snapshot's way.
    pub force: bool,
}

/// What came back, or what could.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// Without a name.
    List {
        /// Removed variants, the last removed first.
        restorable: Vec<Restorable>,
        /// Snapshots of checkouts that were taken before something destructive.
        snapshots: Vec<Kept>,
    },
    /// With a snapshot.
    Rewound {
        /// The checkout that went back.
        rewound: Rewound,
    },
    /// With names.
    Restored {
        /// What came back.
        restored: Vec<Restored>,
    },
}

/// Lists what can come back, or brings it back.
///
/// # Errors
/// When something is in the way: that variant stays in the trash.
pub fn run(ctx: &Context<'_>, request: &Request) -> Result<Outcome, Problem> {
    let here = ctx.here()?;
    if let Some(snapshot) = &request.snapshot {
        let _lock = cleanup::lock(ctx, &here)?;
        let rewound = rewind::run(ctx, &here, snapshot, request.force)?;
        return Ok(Outcome::Rewound { rewound });
    }
    if request.names.is_empty() {
        if request.to.is_some() || request.branch.is_some() {
            return Err(Problem::usage("which variant is meant is not said")
                .hint("see what can come back: `wt restore`"));
        }
        let restorable = trashed(ctx, &here)?;
        return Ok(Outcome::List { restorable, snapshots: list::snapshots(&here)? });
    }
    if request.names.len() > 1 && (request.to.is_some() || request.branch.is_some()) {
        return Err(Problem::usage("`--to` and `--branch` are for one variant"));
    }
    if let Some(branch) = request.branch.as_deref().filter(|branch| !is_branch_name(branch)) {
        return Err(Problem::usage(format!("`{branch}` cannot be a branch")));
    }
    let to = request.to.as_ref().map(|to| place(ctx, &here, to)).transpose()?;
    let mut wanted = vec![];
    for name in &request.names {
        let found = list::find(ctx, &here, name)?;
        wanted.push(act::Wanted { key: found.key, to: to.clone(), branch: request.branch.clone() });
    }
    wanted.dedup_by_key(|one| one.key);
    let _lock = cleanup::lock(ctx, &here)?;
    let restored = act::begin(ctx, &here.repo, &wanted, Record::Yes)?;
    Ok(Outcome::Restored { restored })
}

/// The directory that was asked for, absolute.
fn place(ctx: &Context<'_>, here: &Here, to: &std::path::Path) -> Result<PathBuf, Problem> {
    let to = canonical(&ctx.environment.cwd.join(to));
    if to.starts_with(here.repo.common_dir()) {
        return Err(Problem::usage(format!(
            "`{}` is inside of the repository's `.git`",
            to.display()
        )));
    }
    Ok(to)
}
