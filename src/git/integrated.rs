//! Whether all that a branch brings is in another one already, however it got there.

use std::path::PathBuf;

use serde::Serialize;

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;
use crate::git::predict::{Merge, Prediction, predict};
use crate::git::repo::Repo;
use crate::git::side_objects::Objects;

/// How many of the target's newest commits are looked at for a squashed branch.
const SQUASHES: &str = "--max-count=500";

/// How a branch came to be part of its target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum Integrated {
    /// Both stand at the same commit.
    SameCommit,
    /// The target has the branch's commit.
    Ancestor,
    /// The branch changes nothing since they parted.
    NoChange,
    /// Both hold the same files.
    SameFiles,
    /// Merging it would change nothing in the target.
    AddsNothing,
    /// One commit of the target makes the same change as the whole branch.
    Squashed {
        /// That commit, in hex.
        commit: String,
    },
}

/// The commits that a branch counts as integrated into: the local tip or its upstream's, whichever
/// is ahead; both when they went apart. Empty when there is no such branch.
///
/// # Errors
/// When git cannot say.
pub fn targets(repo: &Repo, branch: &str) -> Result<Vec<String>, GitError> {
    let Some(local) = repo.branch(branch)? else { return Ok(vec![]) };
    let Ok(upstream) = repo.commit(&format!("refs/heads/{branch}@{{upstream}}")) else {
        return Ok(vec![local]);
    };
    let place = repo.place();
    Ok(match merge_base(&place, &local, &upstream)? {
        Some(base) if base == local => vec![upstream],
        Some(base) if base == upstream => vec![local],
        _ => vec![local, upstream],
    })
}

/// Whether all that `tip` brings is in one of the targets, by the cheapest proof that there is;
/// `None` when there is none, which includes all that cannot be told.
///
/// # Errors
/// When git cannot say.
pub fn integrated(
    repo: &Repo,
    tip: &str,
    targets: &[String],
) -> Result<Option<Integrated>, GitError> {
    for target in targets {
        if let Some(found) = into_one(repo, tip, target)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn into_one(repo: &Repo, tip: &str, target: &str) -> Result<Option<Integrated>, GitError> {
    let place = &repo.place();
    if tip == target {
        return Ok(Some(Integrated::SameCommit));
    }
    let base = merge_base(place, tip, target)?;
    if base.as_deref() == Some(tip) {
        return Ok(Some(Integrated::Ancestor));
    }
    let tree = |commit: &str| format!("{commit}^{{tree}}");
    let mut asked = vec![tree(tip), tree(target)];
    asked.extend(base.as_deref().map(tree));
    let trees = Git::read(place).arg("rev-parse").args(asked).text()?;
    let trees: Vec<&str> = trees.lines().collect();
    if trees.get(2) == Some(&trees[0]) {
        return Ok(Some(Integrated::NoChange));
    }
    if trees[0] == trees[1] {
        return Ok(Some(Integrated::SameFiles));
    }
    // Where the target has not moved on since they parted, it cannot hold anything of the branch.
    let Some(base) = base.filter(|base| base != target) else { return Ok(None) };
    if merged_tree(repo, target, tip)?.as_deref() == Some(trees[1]) {
        return Ok(Some(Integrated::AddsNothing));
    }
    Ok(squashed(place, &base, tip, target)?.map(|commit| Integrated::Squashed { commit }))
}

fn merge_base(place: &Place, one: &str, other: &str) -> Result<Option<String>, GitError> {
    let answer = Git::read(place).args(["merge-base", one, other]).answer()?;
    match answer.code {
        Some(0) => Ok(Some(answer.text())),
        Some(1) => Ok(None),
        _ => Err(answer.failure()),
    }
}

/// The tree that a merge would make; `None` when it would conflict. Writes nothing into the
/// repository.
fn merged_tree(repo: &Repo, target: &str, tip: &str) -> Result<Option<String>, GitError> {
    let merge = Merge { into: target.to_owned(), from: tip.to_owned() };
    let predicted = predict(repo, &Objects::in_memory(repo)?, &[merge])?.pop();
    Ok(match predicted {
        Some(Prediction::Clean { tree }) => Some(tree),
        _ => None,
    })
}

/// The one commit of the target that makes the branch's whole change, by patch id. Only changes
/// that a patch id tells apart are looked for: no binary files, no changes of mode alone.
fn squashed(
    place: &Place,
    base: &str,
    tip: &str,
    target: &str,
) -> Result<Option<String>, GitError> {
    let Some(path) = one_changed_path(place, base, tip)? else { return Ok(None) };
    let whole = Git::read(place).arg("diff-tree").args(PATCH).args([base, tip]).run()?;
    let Some(wanted) = patch_ids(place, whole)?.pop() else { return Ok(None) };
    // A commit that makes the whole change touches every path of it, so also this one.
    let range = format!("{base}..{target}");
    let candidates = Git::read(place)
        .arg("--literal-pathspecs")
        .args(["rev-list", "--no-merges", SQUASHES, &range, "--"])
        .arg(&path)
        .run()?;
    if candidates.is_empty() {
        return Ok(None);
    }
    let patches =
        Git::read(place).args(["diff-tree", "--stdin"]).args(PATCH).input(candidates).run()?;
    let found = patch_ids(place, patches)?.into_iter().find(|(id, _)| *id == wanted.0);
    Ok(found.map(|(_, commit)| commit))
}

/// Patches as they are, whatever the user's settings for diffs are.
const PATCH: &[&str] =
    &["-p", "-r", "--no-ext-diff", "--no-textconv", "--no-renames", "--full-index", "--no-color"];

/// A path that the branch changes; `None` when one of its changes has no patch id to be told by.
fn one_changed_path(place: &Place, base: &str, tip: &str) -> Result<Option<PathBuf>, GitError> {
    use std::os::unix::ffi::OsStrExt;
    let asked = ["diff-tree", "-r", "-z", "--numstat", "--no-renames", base, tip];
    let output = Git::read(place).args(asked).run()?;
    let mut first = None;
    for line in output.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
        let mut parts = line.splitn(3, |byte| *byte == b'\t');
        let (Some(plus), Some(minus), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            return Ok(None);
        };
        if plus == b"-" || (plus == b"0" && minus == b"0") {
            return Ok(None);
        }
        first.get_or_insert_with(|| PathBuf::from(std::ffi::OsStr::from_bytes(path)));
    }
    Ok(first)
}

/// Each patch's id and the commit it belongs to. White space counts.
fn patch_ids(place: &Place, patches: Vec<u8>) -> Result<Vec<(String, String)>, GitError> {
    let text = Git::read(place).args(["patch-id", "--verbatim"]).input(patches).text()?;
    let pairs = text.lines().filter_map(|line| line.split_once(' '));
    Ok(pairs.map(|(id, commit)| (id.to_owned(), commit.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::{Sample, git_in, put};

    /// A worktree on `feature/a` with two commits.
    fn branched(sample: &Sample) -> Place {
        let place = sample.worktree("a");
        for (file, text) in [("new.txt", "one\ntwo\n"), ("more.txt", "three\n")] {
            put(place.dir(), file, text);
            git_in(place.dir(), &["add", "-A"]);
            git_in(place.dir(), &["commit", "-q", "-m", file]);
        }
        place
    }

    fn found(sample: &Sample) -> Option<Integrated> {
        let repo = sample.repo();
        let tip = repo.commit("feature/a").unwrap();
        integrated(&repo, &tip, &targets(&repo, "main").unwrap()).unwrap()
    }

    #[test]
    fn each_way_into_a_branch_is_seen() {
        for format in [&[][..], &["--object-format=sha256"], &["--ref-format=reftable"]] {
            let sample = Sample::with(format);
            let place = sample.worktree("a");
            assert_eq!(found(&sample), Some(Integrated::SameCommit));
            sample.git(&["worktree", "remove", "--force", place.dir().to_str().unwrap()]);
            sample.git(&["branch", "-D", "feature/a"]);
            branched(&sample);
            assert_eq!(found(&sample), None, "{format:?}");
            sample.git(&["merge", "-q", "--no-ff", "-m", "merge", "feature/a"]);
            assert_eq!(found(&sample), Some(Integrated::Ancestor));
        }
    }

    #[test]
    fn a_branch_that_takes_itself_back_changes_nothing() {
        let sample = Sample::new();
        let place = sample.worktree("a");
        put(place.dir(), "x", "x");
        git_in(place.dir(), &["add", "-A"]);
        git_in(place.dir(), &["commit", "-q", "-m", "x"]);
        git_in(place.dir(), &["revert", "--no-edit", "HEAD"]);
        sample.write("main", "m");
        sample.commit("main");
        assert_eq!(found(&sample), Some(Integrated::NoChange));
    }

    #[test]
    fn a_rebased_and_a_squashed_branch_are_seen() {
        let sample = Sample::new();
        branched(&sample);
        sample.write("other", "o");
        sample.commit("other");
        sample.git(&["cherry-pick", "feature/a~1", "feature/a"]);
        assert_eq!(found(&sample), Some(Integrated::AddsNothing));

        // worktrunk#1818: squash-merged, and the target went on in the same lines.
        let sample = Sample::new();
        branched(&sample);
        sample.git(&["merge", "-q", "--squash", "feature/a"]);
        sample.git(&["commit", "-q", "-m", "squashed"]);
        let commit = sample.repo().commit("HEAD").unwrap();
        assert_eq!(found(&sample), Some(Integrated::SameFiles));
        sample.write("new.txt", "rewritten\n");
        sample.commit("later");
        assert_eq!(found(&sample), Some(Integrated::Squashed { commit }));
    }

    #[test]
    fn what_only_looks_alike_is_not_integrated() {
        let sample = Sample::new();
        let place = sample.worktree("a");
        put(place.dir(), "code.py", "if a:\n    b()\n");
        git_in(place.dir(), &["add", "-A"]);
        git_in(place.dir(), &["commit", "-q", "-m", "a"]);
        // The same but for white space.
        sample.write("code.py", "if a:\nb()\n");
        sample.commit("b");
        sample.write("code.py", "later\n");
        sample.commit("c");
        assert_eq!(found(&sample), None);
        // Two binary files of one name.
        let sample = Sample::new();
        let place = sample.worktree("a");
        put(place.dir(), "image", "\0one");
        git_in(place.dir(), &["add", "-A"]);
        git_in(place.dir(), &["commit", "-q", "-m", "a"]);
        sample.write("image", "\0two");
        sample.commit("b");
        sample.write("image", "\0three");
        sample.commit("c");
        assert_eq!(found(&sample), None);
    }

    #[test]
    fn the_upstream_counts_where_it_is_ahead() {
        let sample = Sample::new();
        branched(&sample);
        // worktrunk#3519: local main is stale, the remote one has the branch.
        sample.git(&["clone", "-q", ".", "../remote"]);
        sample.git(&["remote", "add", "origin", "../remote"]);
        let remote = sample.beside("remote");
        git_in(&remote, &["merge", "-q", "origin/feature/a"]);
        sample.git(&["fetch", "-q", "origin"]);
        sample.git(&["branch", "-q", "--set-upstream-to=origin/main", "main"]);
        assert_eq!(found(&sample), Some(Integrated::SameCommit));
        sample.write("local", "l");
        sample.commit("went apart");
        assert_eq!(targets(&sample.repo(), "main").unwrap().len(), 2);
        assert_eq!(found(&sample), Some(Integrated::SameCommit));
        assert_eq!(targets(&sample.repo(), "none").unwrap(), Vec::<String>::new());
    }
}
