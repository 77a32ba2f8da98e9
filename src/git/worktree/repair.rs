//! Putting a worktree and its registration together again after somebody moved, removed or pruned
//! one of them.

use std::path::{Path, PathBuf};

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;
use crate::git::repo::Repo;
use crate::git::worktree::{
    LOCKED, Naming, naming, registered_path, registration_named_in, settled,
};

/// Unregisters a worktree whose directory is gone, if the registration names that directory and
/// nobody has locked it; anything else is left alone.
///
/// # Errors
/// When the registration cannot be removed.
pub fn forget_vanished(path: &Path, admin_dir: &Path) -> Result<(), GitError> {
    let ours = registered_path(admin_dir).is_some_and(|registered| registered == path);
    if !ours || path.symlink_metadata().is_ok() || admin_dir.join(LOCKED).exists() {
        return Ok(());
    }
    std::fs::remove_dir_all(admin_dir).map_err(GitError::file("remove", admin_dir))?;
    // git removes the directory of registrations with the last of them, too.
    admin_dir.parent().map(std::fs::remove_dir);
    Ok(())
}

/// Tells a registration where its worktree was moved by hand: the directory there names it, and
/// where it says the worktree is there is nothing.
///
/// # Errors
/// When the two do not fit together.
pub fn name_again(path: &Path, admin_dir: &Path) -> Result<(), GitError> {
    let gone = registered_path(admin_dir).is_some_and(|old| old.symlink_metadata().is_err());
    if !gone || registration_named_in(path).as_deref() != Some(admin_dir) {
        return Err(no_pair(path));
    }
    write_small(&admin_dir.join("gitdir"), &format!("{}\n", path.join(".git").display()))
}

/// Lets a worktree and its registration name each other after the repository was moved.
///
/// # Errors
/// When the directory names another registration than the old one.
pub fn follow(path: &Path, old: &Path, new: &Path) -> Result<(), GitError> {
    if naming(path, new) == Naming::Mutual {
        return Ok(());
    }
    let named = registration_named_in(path).ok_or_else(|| no_pair(path))?;
    if named != settled(old) && named != new {
        return Err(no_pair(path));
    }
    write_small(&path.join(".git"), &format!("gitdir: {}\n", new.display()))?;
    write_small(&new.join("gitdir"), &format!("{}\n", path.join(".git").display()))
}

/// Registers a worktree again that git has forgotten: its files are not touched, its index is that
/// of the branch. Gives the new registration.
///
/// # Errors
/// When the branch is checked out elsewhere, or git refuses.
pub fn register(repo: &Repo, path: &Path, branch: &str) -> Result<PathBuf, GitError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = path.with_file_name(format!(".{name}.registering"));
    let asked = ["worktree", "add", "--quiet", "--no-checkout"];
    Git::write(&repo.place()).args(asked).arg(&aside).arg(branch).run()?;
    let admin_dir = registration_named_in(&aside).ok_or_else(|| no_pair(&aside))?;
    let moved = std::fs::rename(aside.join(".git"), path.join(".git"));
    moved.map_err(GitError::file("rename", aside.join(".git")))?;
    std::fs::remove_dir(&aside).map_err(GitError::file("remove", &aside))?;
    write_small(&path.join(".git"), &format!("gitdir: {}\n", admin_dir.display()))?;
    write_small(&admin_dir.join("gitdir"), &format!("{}\n", path.join(".git").display()))?;
    let place = Place::checkout(&admin_dir, repo.common_dir(), path);
    Git::write(&place).args(["read-tree", "HEAD"]).run()?;
    let refreshed = Git::write(&place).args(["update-index", "-q", "--refresh"]).answer()?;
    // Exit code 1 means that files differ, as well they may.
    match refreshed.code {
        Some(0 | 1) => Ok(admin_dir),
        _ => Err(refreshed.failure()),
    }
}

fn no_pair(path: &Path) -> GitError {
    let answer = format!("`{}` and its registration do not name each other", path.display());
    GitError::Unexpected { what: "worktree".into(), answer }
}

/// Replaces a small file as a whole.
///
/// # Errors
/// When it cannot be written; the old one is still there then.
pub(crate) fn write_small(path: &Path, text: &str) -> Result<(), GitError> {
    let failed = || GitError::file("write", path);
    let dir = path.parent().unwrap_or(path);
    let mut builder = tempfile::Builder::new();
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    let mut file = builder.permissions(readable).tempfile_in(dir).map_err(failed())?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(failed())?;
    file.as_file().sync_all().map_err(failed())?;
    file.persist(path).map_err(|error| failed()(error.error))?;
    sync_dir(dir)
}

/// Waits until the names in a directory are on disk.
///
/// # Errors
/// When the disk says no.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), GitError> {
    std::fs::File::open(dir).and_then(|dir| dir.sync_all()).map_err(GitError::file("write", dir))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::{Sample, git_in, put};

    #[test]
    fn a_worktree_moved_by_hand_is_named_again() {
        let sample = Sample::new();
        let place = sample.worktree("a");
        let there = sample.beside("there");
        std::fs::rename(place.dir(), &there).unwrap();
        assert!(name_again(&sample.path, &place.git_dir).is_err());
        name_again(&there, &place.git_dir).unwrap();
        assert_eq!(naming(&there, &place.git_dir), Naming::Mutual);
        assert_eq!(git_in(&there, &["status", "--short", "--branch"]), "## feature/a");
    }

    #[test]
    fn worktrees_follow_a_moved_repository() {
        let sample = Sample::new();
        let place = sample.worktree("a");
        let moved = sample.beside("moved");
        std::fs::rename(&sample.path, &moved).unwrap();
        let new = moved.join(".git/worktrees/a");
        follow(place.dir(), &place.git_dir, &new).unwrap();
        follow(place.dir(), &place.git_dir, &new).unwrap();
        assert_eq!(git_in(place.dir(), &["status", "--short", "--branch"]), "## feature/a");
        assert!(follow(&moved, &place.git_dir, &new).is_err());
    }

    #[test]
    fn a_pruned_worktree_is_registered_again_with_its_files() {
        for format in [&[][..], &["--ref-format=reftable"]] {
            let sample = Sample::with(format);
            let place = sample.worktree("a");
            put(place.dir(), "a.txt", "changed\n");
            std::fs::remove_dir_all(&place.git_dir).unwrap();
            let admin_dir = register(&sample.repo(), place.dir(), "feature/a").unwrap();
            assert_eq!(naming(place.dir(), &admin_dir), Naming::Mutual);
            let said = git_in(place.dir(), &["status", "--short", "--branch"]);
            assert_eq!(said, "## feature/a\n M a.txt", "{format:?}");
        }
    }
}
