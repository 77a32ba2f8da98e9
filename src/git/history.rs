//! How two commits lie to each other.

use serde::Serialize;

use crate::git::error::GitError;
use crate::git::side_objects::Objects;

/// How far a commit is from another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Distance {
    /// Commits that it has and the other one has not.
    pub ahead: usize,
    /// Commits that the other one has and it has not.
    pub behind: usize,
}

/// How far `tip` is from `base`, both commits in hex.
///
/// # Errors
/// When one is missing.
pub fn distance(objects: &Objects, tip: &str, base: &str) -> Result<Distance, GitError> {
    if tip == base {
        return Ok(Distance::default());
    }
    if let Some(lib) = objects.lib() {
        let (ahead, behind) = lib.graph_ahead_behind(id(tip)?, id(base)?)?;
        return Ok(Distance { ahead, behind });
    }
    let range = format!("{tip}...{base}");
    let text = objects.git().args(["rev-list", "--left-right", "--count", &range, "--"]).text()?;
    let mut counts = text.split_whitespace().map(str::parse);
    match (counts.next(), counts.next()) {
        (Some(Ok(ahead)), Some(Ok(behind))) => Ok(Distance { ahead, behind }),
        _ => Err(GitError::Unexpected { what: "rev-list".into(), answer: text }),
    }
}

/// The commit from which both went on; `None` when they share no history. Of several, git's first.
///
/// # Errors
/// When one is missing.
pub fn merge_base(objects: &Objects, one: &str, other: &str) -> Result<Option<String>, GitError> {
    if one == other {
        return Ok(Some(one.to_owned()));
    }
    if let Some(lib) = objects.lib() {
        return match lib.merge_base(id(one)?, id(other)?) {
            Ok(base) => Ok(Some(base.to_string())),
            Err(error) if error.code() == git2::ErrorCode::NotFound => {
                // Also said of a commit that is missing.
                for commit in [one, other] {
                    lib.find_commit(id(commit)?)?;
                }
                Ok(None)
            }
            Err(error) => Err(error.into()),
        };
    }
    let answer = objects.git().args(["merge-base", one, other]).answer()?;
    match answer.code {
        Some(0) => Ok(Some(answer.text())),
        Some(1) => Ok(None),
        _ => Err(answer.failure()),
    }
}

fn id(commit: &str) -> Result<git2::Oid, GitError> {
    Ok(git2::Oid::from_str(commit)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::{Sample, put};

    #[test]
    fn every_format_counts_alike() {
        for format in [&[][..], &["--object-format=sha256"], &["--ref-format=reftable"]] {
            let sample = Sample::with(format);
            let fork = sample.repo().commit("HEAD").unwrap();
            let place = sample.worktree("a");
            for name in ["1", "2"] {
                put(place.dir(), name, name);
                sample.git_in(place.dir(), &["add", "-A"]);
                sample.git_in(place.dir(), &["commit", "-q", "-m", name]);
            }
            sample.commit("main goes on");
            sample.git(&["checkout", "-q", "--orphan", "alien"]);
            sample.commit("alien");
            let repo = sample.repo();
            let at = |name: &str| repo.commit(name).unwrap();
            let (tip, main, alien) = (at("feature/a"), at("main"), at("alien"));
            let objects = Objects::in_memory(&repo).unwrap();
            let found = distance(&objects, &tip, &main).unwrap();
            assert_eq!(found, Distance { ahead: 2, behind: 1 }, "{format:?}");
            assert_eq!(distance(&objects, &tip, &tip).unwrap(), Distance::default());
            assert_eq!(merge_base(&objects, &tip, &main).unwrap(), Some(fork));
            assert_eq!(merge_base(&objects, &tip, &alien).unwrap(), None);
            let missing = "1".repeat(tip.len());
            assert!(merge_base(&objects, &tip, &missing).is_err());
            assert!(distance(&objects, &tip, &missing).is_err());
        }
    }

    #[test]
    fn a_shallow_clone_ends_where_it_ends() {
        let sample = Sample::new();
        sample.commit("two");
        sample.git(&[
            "clone",
            "-q",
            "--depth",
            "1",
            &format!("file://{}", sample.path.display()),
            "../s",
        ]);
        let path = sample.beside("s");
        for setting in [["config", "user.name", "a"], ["config", "user.email", "a@a"]] {
            sample.git_in(&path, &setting);
        }
        sample.git_in(&path, &["commit", "-q", "--allow-empty", "-m", "three"]);
        let repo = crate::git::repo::Repo::open(&path.join(".git")).unwrap();
        let (tip, base) = (repo.commit("HEAD").unwrap(), repo.commit("HEAD~1").unwrap());
        let objects = Objects::in_memory(&repo).unwrap();
        let found = distance(&objects, &tip, &base).unwrap();
        assert_eq!(found, Distance { ahead: 1, behind: 0 });
        assert_eq!(merge_base(&objects, &tip, &base).unwrap(), Some(base));
    }
}
