//! Putting a worktree into the trash.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::repo::{Head, Repo};
use crate::git::trash::record::{self, HeadWas};
use crate::git::trash::{Trashed, copy, is_marked, rename_dir};
use crate::git::worktree::{
    LOCKED, Naming, line, naming, read_small, registered_path, registrations, write_small,
};

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// It is in the trash.
    Done,
    /// Left alone: directory and registration do not name each other.
    NotOurs(Naming),
    /// Left alone: the user has locked it, for this reason.
    Locked(String),
    /// Left alone: this other checkout of the repository is inside of it.
    Holds(PathBuf),
}

/// Puts a worktree into the trash, or goes on where a killed process left off.
///
/// The caller holds the repository's lock, has recorded what it is about to do, and has ended what
/// ran there. Nothing is removed, except when the trash is on another file system: then the files
/// are copied, compared, and removed.
///
/// # Errors
/// When a step fails; it can be repeated, or taken back with [`super::take_out`].
pub fn put(repo: &Repo, gone: &Trashed) -> Result<Put, GitError> {
    let under_way = is_marked(&gone.admin_dir, &gone.mark());
    if !(under_way && gone.is_there()) {
        match check(repo, gone, under_way)? {
            Put::Done => {}
            refused => return Ok(refused),
        }
        write_small(&gone.admin_dir.join(LOCKED), &format!("{}\n", gone.mark()))?;
        detach(repo, gone)?;
        move_there(gone)?;
        name_place(gone)?;
    }
    // A copy that was complete may have left the rest of the original behind.
    copy::remove_copied(&gone.path, &gone.trash, &gone.admin_dir)?;
    Ok(Put::Done)
}

fn check(repo: &Repo, gone: &Trashed, under_way: bool) -> Result<Put, GitError> {
    let naming = naming(&gone.path, &gone.admin_dir);
    // Renamed, and killed before the registration was told.
    let renamed =
        under_way && naming == Naming::NoDirectory && gone.names_registration(&gone.trash);
    if naming != Naming::Mutual && !renamed {
        return Ok(Put::NotOurs(naming));
    }
    if let Some(reason) = read_small(&gone.admin_dir.join(LOCKED)).filter(|_| !under_way) {
        return Ok(Put::Locked(line(&reason).into_owned()));
    }
    let inside = |path: &Path| path != gone.path && path.starts_with(&gone.path);
    if inside(repo.common_dir()) {
        return Ok(Put::Holds(repo.common_dir().to_path_buf()));
    }
    let registered = registrations(repo.common_dir())?;
    let mut others = registered.iter().filter_map(|admin_dir| registered_path(admin_dir));
    Ok(others.find(|other| inside(other) && other.exists()).map_or(Put::Done, Put::Holds))
}

/// Detaches HEAD where it stands, and writes down what it was.
fn detach(repo: &Repo, gone: &Trashed) -> Result<(), GitError> {
    let place = gone.git_place(repo);
    let head = repo.head(&place)?;
    let was = match head {
        Head::Branch { name, commit } => {
            HeadWas::Branch { name: format!("refs/heads/{name}"), commit }
        }
        Head::Detached { commit } => HeadWas::Detached { commit },
        Head::Unborn { name } => HeadWas::Unborn { name: format!("refs/heads/{name}") },
    };
    record::write(&gone.admin_dir, &was)?;
    let HeadWas::Branch { commit, .. } = was else { return Ok(()) };
    let asked = ["update-ref", "-m", "wt: into the trash", "--no-deref", "HEAD", &commit];
    Git::write(&place).config("core.hooksPath=/dev/null").args(asked).run().map(drop)
}

fn move_there(gone: &Trashed) -> Result<(), GitError> {
    if gone.names_registration(&gone.trash) {
        return Ok(());
    }
    if let Some(folder) = gone.trash.parent() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(GitError::file("create", folder))?;
    }
    if rename_dir(&gone.path, &gone.trash)? {
        return Ok(());
    }
    copy::copy_dir(&gone.path, &gone.trash)
}

fn name_place(gone: &Trashed) -> Result<(), GitError> {
    let named = gone.trash.join(".git");
    let text = named.to_str().ok_or_else(|| GitError::Unexpected {
        what: "worktree".into(),
        answer: format!("`{}` is no UTF-8", named.display()),
    })?;
    write_small(&gone.admin_dir.join("gitdir"), &format!("{text}\n"))
}
