//! Where a call to git happens: directories that `wt` knows, never ones that git discovers.

use std::path::{Path, PathBuf};

/// The directories of one checkout, or of a repository without one.
///
/// An agent owns its worktree and may rewrite the `.git` file in it; a plain `git status` there
/// then runs what the agent configured. So every call names the git directory, the common
/// directory and the work tree that `wt` recorded itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// `--git-dir`: the common dir itself for the main checkout, `…/worktrees/<id>` for a linked
    /// one.
    pub git_dir: PathBuf,
    /// `GIT_COMMON_DIR`.
    pub common_dir: PathBuf,
    /// `--work-tree`; `None` for calls that must not touch files.
    pub work_tree: Option<PathBuf>,
}

impl Place {
    /// The repository without any checkout: objects and refs.
    pub fn bare(common_dir: impl Into<PathBuf>) -> Self {
        let common_dir = common_dir.into();
        Self { git_dir: common_dir.clone(), common_dir, work_tree: None }
    }

    /// A checkout: its git directory, the repository's common directory and its files.
    pub fn checkout(
        git_dir: impl Into<PathBuf>,
        common_dir: impl Into<PathBuf>,
        work_tree: impl Into<PathBuf>,
    ) -> Self {
        Self {
            git_dir: git_dir.into(),
            common_dir: common_dir.into(),
            work_tree: Some(work_tree.into()),
        }
    }

    /// Where a process started for this place stands.
    pub fn dir(&self) -> &Path {
        self.work_tree.as_deref().unwrap_or(&self.git_dir)
    }

    /// True for the main checkout (its git directory is the common one).
    pub fn is_main(&self) -> bool {
        self.git_dir == self.common_dir
    }
}
