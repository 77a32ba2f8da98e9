//! Taking back what was made: when a step fails, and when the process that was at it died.

use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::commands::context::Context;
use crate::domain::id::{AttemptId, TaskId};
use crate::domain::problem::Problem;
use crate::engine::process::marked;
use crate::git::repo::Repo;
use crate::git::worktree::{self, Leftover, MARK_VARIABLE, Unmake};
use crate::store::error::StoreError;
use crate::store::intents::{self, Intent};
use crate::store::variants;

/// The kind of intent that precedes a new worktree.
pub const KIND: &str = "spawn";

/// How long a git that outlived its `wt` may take to end by itself.
const PATIENCE: SignedDuration = SignedDuration::from_secs(10);

/// What is about to be made, so that it can be found and taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// What the registration is locked with while it is made.
    pub mark: String,
    /// The worktree's directory.
    pub path: PathBuf,
    /// The commit that will be checked out.
    pub commit: String,
    /// The branch, if it is made, too.
    pub made_branch: Option<String>,
    /// Directories above it that are not there and will be, the deepest first.
    pub made_dirs: Vec<PathBuf>,
    /// The task that will work in it.
    pub task: Option<TaskId>,
}

impl Planned {
    /// What is to be made at a path, with the directories that are missing above it.
    pub fn new(path: &Path, commit: &str, mark: String) -> Self {
        let above = path.ancestors().skip(1);
        let made_dirs = above.take_while(|dir| !dir.exists()).map(Path::to_path_buf).collect();
        let (path, commit) = (path.to_path_buf(), commit.to_owned());
        Self { mark, path, commit, made_branch: None, made_dirs, task: None }
    }

    /// Takes it back: files, registration, branch, directories, the task's folder. The caller
    /// holds the repository's lock. Says what is left.
    ///
    /// # Errors
    /// When a part cannot be removed; it can be tried again.
    pub fn unmake(&self, ctx: &Context<'_>, repo: &Repo) -> Result<Option<String>, Problem> {
        marked::end(MARK_VARIABLE, &self.mark, PATIENCE);
        let gone = Unmake {
            path: &self.path,
            mark: &self.mark,
            commit: &self.commit,
            made_branch: self.made_branch.as_deref(),
            aside: &self.aside(),
        };
        let leftover = worktree::unmake(repo, &gone)?;
        for dir in &self.made_dirs {
            // Only an empty one goes: another variant may be in it by now.
            std::fs::remove_dir(dir).ok();
        }
        if let Some(task) = &self.task {
            let layout = ctx.store.layout();
            std::fs::remove_dir_all(layout.attempt(&AttemptId::of(task, 1))).ok();
            std::fs::remove_file(layout.environment_file(task)).ok();
        }
        Ok(match leftover {
            Leftover::None => None,
            Leftover::MovedAside(path) => {
                Some(format!("it held files of yours, which are now in `{}`", path.display()))
            }
            Leftover::Foreign(path) => {
                Some(format!("`{}` is something else by now and was not touched", path.display()))
            }
        })
    }

    fn aside(&self) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let number = self.mark.rsplit(' ').next().unwrap_or_default();
        self.path.with_file_name(format!("{name}.interrupted-{number}"))
    }
}

/// Takes back a spawn whose process died. Its agent was not queued: that, the end of the intent and
/// the variant's being ready are one transaction. The caller holds the repository's lock.
///
/// # Errors
/// When a part cannot be taken back; the next command tries again.
pub fn recover(ctx: &Context<'_>, repo: &Repo, intent: &Intent) -> Result<String, Problem> {
    let planned: Planned = intent.data()?;
    let left = planned.unmake(ctx, repo)?;
    forget(ctx, intent.id, intent.variant)?;
    let name = planned.path.file_name().unwrap_or_default().to_string_lossy();
    let said = format!("making variant `{name}` had been interrupted, and was taken back");
    Ok(match left {
        Some(left) => format!("{said}; {left}"),
        None => said,
    })
}

/// Closes an intent whose effect was taken back, and forgets the variant that it was about.
///
/// # Errors
/// The store's.
pub fn forget(ctx: &Context<'_>, intent: i64, variant: Option<i64>) -> Result<(), StoreError> {
    ctx.store.write_durably(|tx| {
        if let Some(key) = variant {
            variants::forget_unmade(tx, key)?;
        }
        intents::close(tx, intent)
    })
}
