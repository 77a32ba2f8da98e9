//! Moving a worktree's branch on to where another one has come, before anybody worked in it.

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;

/// Fast-forwards the branch that is checked out in a worktree to a commit, files included. What is
/// uncommitted in other files stays; nothing of it is ever overwritten. No hook runs: nothing was
/// made that one would have to look at.
///
/// # Errors
/// git's own, and nothing has changed: the branch has commits of its own, or something uncommitted
/// is in the way.
pub fn forward(place: &Place, commit: &str) -> Result<(), GitError> {
    let git = Git::write(place).config("core.hooksPath=/dev/null").config("gc.auto=0");
    let answer = git.args(["merge", "--ff-only", "--quiet", "--no-stat", commit]).answer()?;
    if answer.code == Some(0) { Ok(()) } else { Err(answer.failure()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    #[test]
    fn it_moves_on_or_stays_as_it_is() {
        let sample = Sample::new();
        sample.git(&["worktree", "add", "-q", "-b", "top", "../top"]);
        let admin_dir = sample.repo().common_dir().join("worktrees/top");
        let place = Place::checkout(&admin_dir, sample.repo().common_dir(), sample.beside("top"));
        sample.write("new.txt", "base");
        sample.git(&["add", "new.txt"]);
        sample.commit("more");
        let tip = sample.repo().commit("HEAD").unwrap();
        let file = sample.beside("top").join("new.txt");
        std::fs::write(&file, "mine").unwrap();
        assert!(forward(&place, &tip).is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
        std::fs::remove_file(&file).unwrap();
        std::fs::write(sample.beside("top").join("other.txt"), "mine").unwrap();
        forward(&place, &tip).unwrap();
        forward(&place, &tip).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "base");
        assert_eq!(sample.repo().branch("top").unwrap(), Some(tip));
        assert!(sample.beside("top").join("other.txt").exists());
    }
}
