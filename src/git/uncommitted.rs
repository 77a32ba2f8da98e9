//! Uncommitted work taken along into another worktree, without touching the one it is in.

use std::path::{Path, PathBuf};

use crate::git::changes::{ChangeKind, changes};
use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;
use crate::git::private_index::PrivateIndex;

/// What is uncommitted in a checkout, as two trees: what is staged, and what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncommitted {
    /// The commit it stands on, in hex.
    head: String,
    /// The tree that the index holds.
    staged: String,
    /// The tree of all that is there, untracked files included.
    there: String,
    /// How many paths differ from HEAD.
    pub paths: usize,
    /// What cannot be taken along, each with the reason.
    pub left: Vec<(PathBuf, String)>,
}

/// What [`take`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Nothing is uncommitted.
    Nothing,
    /// This is.
    Work(Uncommitted),
    /// A merge is under way that left conflicts in these paths; they have no content to take.
    Unmerged(Vec<PathBuf>),
}

/// Uncommitted work as it will be in another worktree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    onto: String,
    there: String,
    staged: String,
    /// False when everything will be unstaged, because the commit is another one.
    pub keeps_staging: bool,
}

/// What [`Uncommitted::onto`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fit {
    /// It goes onto that commit.
    Clean(Brought),
    /// It conflicts with that commit in these paths.
    Conflicts(Vec<PathBuf>),
}

/// Records what is uncommitted in a checkout as objects that nothing names, through an index of
/// our own. Ignored files are no part of it.
///
/// # Errors
/// When git cannot say, or cannot write objects.
pub fn take(source: &Place) -> Result<Taken, GitError> {
    let changes = changes(source)?;
    let of_kind = |kind: fn(&ChangeKind) -> bool| {
        changes
            .entries
            .iter()
            .filter(move |entry| kind(&entry.kind))
            .map(|entry| entry.path.as_path())
    };
    let unmerged: Vec<_> =
        of_kind(|kind| *kind == ChangeKind::Unmerged).map(Path::to_path_buf).collect();
    if !unmerged.is_empty() {
        return Ok(Taken::Unmerged(unmerged));
    }
    let (Some(head), false) = (changes.head.clone(), changes.entries.is_empty()) else {
        return Ok(Taken::Nothing);
    };
    let index = PrivateIndex::copy(source)?;
    let staged = index.write_tree()?;
    let all: Vec<&Path> = of_kind(|kind| match kind {
        ChangeKind::Tracked(tracked) => tracked.unstaged,
        ChangeKind::Untracked => true,
        ChangeKind::Unmerged | ChangeKind::Repository => false,
    })
    .collect();
    let mut left = index.add(&all)?;
    let nested = of_kind(|kind| *kind == ChangeKind::Repository);
    left.extend(nested.map(|path| (path.to_path_buf(), "is a repository of its own".to_owned())));
    let there = index.write_tree()?;
    let paths = changes.entries.len() - left.len();
    Ok(Taken::Work(Uncommitted { head, staged, there, paths, left }))
}

impl Uncommitted {
    /// How it goes onto a commit. On the commit it stands on already it stays as it is, staged
    /// and unstaged; on another one it is merged three ways and comes out unstaged.
    ///
    /// # Errors
    /// When git cannot merge at all.
    pub fn onto(&self, source: &Place, commit: &str) -> Result<Fit, GitError> {
        let onto = commit.to_owned();
        if commit == self.head {
            let (there, staged) = (self.there.clone(), self.staged.clone());
            return Ok(Fit::Clean(Brought { onto, there, staged, keeps_staging: true }));
        }
        // Three commits of which the first is the others' merge base, so that the oldest git that
        // can merge trees at all merges them from where the work really began.
        let base = commit_tree(source, &format!("{}^{{tree}}", self.head), None)?;
        let ours = commit_tree(source, &format!("{commit}^{{tree}}"), Some(&base))?;
        let theirs = commit_tree(source, &self.there, Some(&base))?;
        let asked = ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages"];
        let answer = Git::read(source).args(asked).args([&ours, &theirs]).answer()?;
        let mut parts = answer.stdout.split(|byte| *byte == 0).filter(|part| !part.is_empty());
        let tree = parts.next().map(|tree| String::from_utf8_lossy(tree).into_owned());
        match (answer.code, tree) {
            (Some(0), Some(there)) => {
                let staged = format!("{commit}^{{tree}}");
                Ok(Fit::Clean(Brought { onto, there, staged, keeps_staging: false }))
            }
            (Some(1), Some(_)) => Ok(Fit::Conflicts(parts.map(path_of).collect())),
            _ => Err(answer.failure()),
        }
    }
}

impl Brought {
    /// Puts it into a new worktree that has the commit checked out, and nothing else in it.
    ///
    /// # Errors
    /// When git cannot write a file.
    pub fn apply(&self, target: &Place) -> Result<(), GitError> {
        let both = [self.onto.as_str(), self.there.as_str()];
        Git::write(target).args(["read-tree", "-m", "-u"]).args(both).run()?;
        // Files stay as they are; only what counts as staged goes back.
        Git::write(target).args(["read-tree", "-m", &self.staged]).run().map(drop)
    }
}

fn commit_tree(place: &Place, tree: &str, parent: Option<&str>) -> Result<String, GitError> {
    let mut git = Git::read(place);
    for who in ["AUTHOR", "COMMITTER"] {
        git = git
            .env(&format!("GIT_{who}_NAME"), "wt")
            .env(&format!("GIT_{who}_EMAIL"), "wt@localhost");
    }
    let git = git.args(["commit-tree", "-m", "uncommitted", tree]);
    parent.into_iter().fold(git, |git, parent| git.args(["-p", parent])).text()
}

fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    PathBuf::from(std::ffi::OsString::from_vec(bytes.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;
    use crate::git::worktree::registration_named_in;

    fn work(sample: &Sample) -> Uncommitted {
        match take(&sample.place()).unwrap() {
            Taken::Work(work) => work,
            other => panic!("{other:?}"),
        }
    }

    fn target(sample: &Sample, at: &str) -> Place {
        sample.git(&["worktree", "add", "-q", "-b", "new", "../new", at]);
        let path = sample.beside("new");
        Place::checkout(registration_named_in(&path).unwrap(), sample.repo().common_dir(), path)
    }

    fn status(place: &Place) -> String {
        Git::read(place).args(["status", "--porcelain=v1"]).text().unwrap()
    }

    fn changed(sample: &Sample) {
        sample.write("gone.txt", "gone");
        sample.write("both.txt", "1");
        sample.commit("two");
        sample.write("staged.txt", "new");
        sample.write("both.txt", "2");
        sample.git(&["add", "staged.txt", "both.txt"]);
        sample.write("both.txt", "3");
        sample.write("a.txt", "two\n");
        sample.write("dir/unträcked\nname", "u");
        std::fs::remove_file(sample.path.join("gone.txt")).unwrap();
    }

    #[test]
    fn staged_unstaged_and_untracked_work_comes_along_as_it_is() {
        for format in [&[][..], &["--ref-format=reftable"], &["--object-format=sha256"]] {
            let sample = Sample::with(format);
            changed(&sample);
            let before = status(&sample.place());
            let index = std::fs::read(sample.path.join(".git/index")).unwrap();
            let work = work(&sample);
            assert_eq!((work.paths, work.left.len()), (5, 0));
            let head = sample.repo().commit("HEAD").unwrap();
            let Fit::Clean(brought) = work.onto(&sample.place(), &head).unwrap() else { panic!() };
            assert!(brought.keeps_staging);
            let target = target(&sample, "HEAD");
            brought.apply(&target).unwrap();
            assert_eq!(status(&target), before, "{format:?}");
            let read = |name: &str| std::fs::read_to_string(target.dir().join(name)).unwrap();
            assert_eq!((read("both.txt"), read("dir/unträcked\nname")), ("3".into(), "u".into()));
            assert_eq!(Git::read(&target).args(["show", ":both.txt"]).text().unwrap(), "2");
            assert_eq!(status(&sample.place()), before);
            assert_eq!(std::fs::read(sample.path.join(".git/index")).unwrap(), index);
        }
    }

    #[test]
    fn onto_another_commit_it_is_merged_and_comes_out_unstaged() {
        let sample = Sample::new();
        let first = sample.repo().commit("HEAD").unwrap();
        changed(&sample);
        // `both.txt` and `gone.txt` are not in the first commit.
        let work_now = work(&sample);
        let Fit::Conflicts(paths) = work_now.onto(&sample.place(), &first).unwrap() else {
            panic!()
        };
        assert_eq!(paths, [PathBuf::from("both.txt")]);
        sample.git(&["checkout", "-q", "HEAD", "--", "both.txt"]);
        let Fit::Clean(brought) = work(&sample).onto(&sample.place(), &first).unwrap() else {
            panic!()
        };
        assert!(!brought.keeps_staging);
        let target = target(&sample, &first);
        brought.apply(&target).unwrap();
        assert_eq!(status(&target), " M a.txt\n?? dir/\n?? staged.txt");
    }

    #[test]
    fn nothing_and_what_has_no_content_are_told_apart() {
        let sample = Sample::new();
        assert_eq!(take(&sample.place()).unwrap(), Taken::Nothing);
        let nested = sample.path.join("nested");
        sample.git(&["init", "-q", nested.to_str().unwrap()]);
        sample.write("nested/file", "x");
        let work = work(&sample);
        assert_eq!((work.paths, work.left[0].0.as_path()), (0, Path::new("nested")));
        sample.git(&["checkout", "-q", "-b", "other"]);
        sample.write("a.txt", "theirs\n");
        sample.git(&["commit", "-q", "-a", "-m", "theirs"]);
        sample.git(&["checkout", "-q", "main"]);
        sample.write("a.txt", "ours\n");
        sample.git(&["commit", "-q", "-a", "-m", "ours"]);
        let merge = Git::discovering(&sample.path).args(["merge", "other"]).answer().unwrap();
        assert_eq!(merge.code, Some(1));
        assert_eq!(take(&sample.place()).unwrap(), Taken::Unmerged(vec!["a.txt".into()]));
    }
}
