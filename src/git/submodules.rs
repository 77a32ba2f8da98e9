//! Submodules of a new worktree, which git leaves empty.

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;

/// Whether the commit checked out in a worktree has submodules.
pub fn are_there(place: &Place) -> bool {
    let file = place.work_tree.as_ref().map(|top| top.join(".gitmodules"));
    file.is_some_and(|file| file.symlink_metadata().is_ok_and(|meta| meta.is_file()))
}

/// Takes the submodules of a worktree into the repository's configuration, which all worktrees
/// share: the caller holds the repository's lock.
///
/// # Errors
/// git's own.
pub fn register(place: &Place) -> Result<(), GitError> {
    Git::write(place).args(["submodule", "--quiet", "init"]).run().map(drop)
}

/// Fetches and checks out the registered submodules of a worktree, and theirs.
///
/// # Errors
/// git's own: a submodule cannot be fetched.
pub fn fill(place: &Place) -> Result<(), GitError> {
    let asked = ["submodule", "--quiet", "update", "--init", "--recursive"];
    Git::write(place).args(asked).run().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;
    use crate::git::worktree::registration_named_in;

    #[test]
    fn submodules_are_filled() {
        let inner = Sample::new();
        let sample = Sample::new();
        let inner_url = inner.path.to_str().unwrap();
        let allow = "protocol.file.allow=always";
        sample.git(&["-c", allow, "submodule", "--quiet", "add", inner_url, "sub/in ner"]);
        sample.commit("submodule");
        sample.git(&["worktree", "add", "-q", "../new"]);
        let path = sample.beside("new");
        let place = Place::checkout(
            registration_named_in(&path).unwrap(),
            sample.repo().common_dir(),
            &path,
        );
        assert!(are_there(&place) && !path.join("sub/in ner/a.txt").exists());
        // The file protocol is off by default, and only a test needs it.
        register(&place).unwrap();
        let refused = fill(&place).unwrap_err();
        assert!(refused.to_string().contains("not allowed"), "{refused}");
        let config = sample.beside("gitconfig");
        std::fs::write(&config, "[protocol \"file\"]\n\tallow = always\n").unwrap();
        let asked = ["submodule", "--quiet", "update", "--init", "--recursive"];
        Git::write(&place).env("GIT_CONFIG_GLOBAL", &config).args(asked).run().unwrap();
        assert!(path.join("sub/in ner/a.txt").exists());
        fill(&place).unwrap();
    }
}
