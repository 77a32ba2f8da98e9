//! The branch that a branch follows.

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::repo::Repo;

/// The branch that another follows, as it was when last fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// `origin/main`
    pub name: String,
    /// Commits that the branch has and it has not.
    pub ahead: u64,
    /// Commits that it has and the branch has not.
    pub behind: u64,
}

/// What a local branch follows; `None` when that is nothing, or gone.
///
/// # Errors
/// When git has to be asked, and fails.
pub fn upstream(repo: &Repo, branch: &str) -> Result<Option<Upstream>, GitError> {
    let Some(lib) = repo.lib() else { return by_program(repo, branch) };
    let find = || -> Result<Upstream, git2::Error> {
        let local = lib.find_branch(branch, git2::BranchType::Local)?;
        let upstream = local.upstream()?;
        let name = String::from_utf8_lossy(upstream.name_bytes()?).into_owned();
        let ends = (local.get().peel_to_commit()?.id(), upstream.get().peel_to_commit()?.id());
        let (ahead, behind) = lib.graph_ahead_behind(ends.0, ends.1)?;
        Ok(Upstream { name, ahead: ahead as u64, behind: behind as u64 })
    };
    Ok(find().ok())
}

/// For formats that libgit2 does not open.
fn by_program(repo: &Repo, branch: &str) -> Result<Option<Upstream>, GitError> {
    let asked = ["for-each-ref", "--format=%(upstream:short) %(upstream:track,nobracket)"];
    let reference = format!("refs/heads/{branch}");
    let text = Git::read(&repo.place()).args(asked).arg(reference).text()?;
    // A pattern also matches what lies below it; the branch itself comes first.
    let line = text.lines().next().unwrap_or_default();
    let (name, track) = line.split_once(' ').unwrap_or((line, ""));
    if name.is_empty() || track == "gone" {
        return Ok(None);
    }
    let count = |word: &str| {
        let part = track.split(", ").find_map(|part| part.strip_prefix(word));
        part.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
    };
    let (ahead, behind) = (count("ahead"), count("behind"));
    Ok(Some(Upstream { name: name.to_owned(), ahead, behind }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    #[test]
    fn every_format_tells_what_a_branch_follows() {
        for format in [&[][..], &["--object-format=sha256"], &["--ref-format=reftable"]] {
            let sample = Sample::with(format);
            sample.git(&["branch", "followed"]);
            sample.git(&["branch", "-q", "--set-upstream-to=followed"]);
            sample.commit("ours");
            sample.git(&["branch", "alone"]);
            let repo = sample.repo();
            let found = upstream(&repo, "main").unwrap();
            let wanted = Upstream { name: "followed".into(), ahead: 1, behind: 0 };
            assert_eq!(found, Some(wanted), "{format:?}");
            assert_eq!(upstream(&repo, "alone").unwrap(), None, "{format:?}");
            sample.git(&["branch", "-q", "-D", "followed"]);
            assert_eq!(upstream(&repo, "main").unwrap(), None, "{format:?}");
        }
    }
}
