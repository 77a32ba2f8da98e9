//! A repository's objects as one thread reads them, with room beside for objects that are made
//! for an answer and thrown away with it: nothing is ever written into the repository.

mod directory;

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;
use crate::git::repo::Repo;

pub use directory::Directory;

/// Work with so many bytes at most is small.
const SMALL_MAX: u64 = 4 << 20;

/// Who and when, in the commits that are thrown away.
const NOBODY: (&str, &str) = ("wt", "wt@localhost");

/// Objects beside those of a repository; gone when dropped.
#[derive(Debug)]
pub struct SideObjects {
    /// For what is small: in memory where the system has room there.
    small: Directory,
    /// For everything else.
    large: Directory,
}

/// The objects of a repository, and those beside.
pub struct Objects {
    place: Place,
    /// Reads; writes into memory where there are no `writers`. `None` for formats that libgit2
    /// cannot read.
    lib: Option<git2::Repository>,
    /// Write into the side objects: what is small, and everything else.
    writers: Option<(git2::Repository, git2::Repository)>,
    side: OnceCell<Arc<SideObjects>>,
}

impl SideObjects {
    /// A place for objects beside those of a repository.
    ///
    /// # Errors
    /// When there is no room for temporary files.
    pub fn of(repo: &Repo) -> Result<Self, GitError> {
        Self::beside(repo.common_dir())
    }

    fn beside(common_dir: &Path) -> Result<Self, GitError> {
        let own = common_dir.join("objects");
        let small = Directory::quick(SMALL_MAX * 64, &[&own])?;
        let large = Directory::on_disk(&[&own, &small.objects()])?;
        Ok(Self { small, large })
    }

    /// The directory for `GIT_OBJECT_DIRECTORY`, which names the others as alternates.
    pub fn objects(&self) -> PathBuf {
        self.large.objects()
    }

    /// A call that reads the repository's objects and these, and writes only here.
    pub fn git(&self, place: &Place) -> Git {
        Git::read(place).env("GIT_OBJECT_DIRECTORY", self.objects())
    }
}

impl Objects {
    /// The objects of a repository; what is made goes into this process's memory alone.
    ///
    /// # Errors
    /// libgit2's.
    pub fn in_memory(repo: &Repo) -> Result<Self, GitError> {
        let lib = open(repo)?;
        if let Some(lib) = &lib {
            // Before the files in priority, so that writes come here.
            lib.odb()?.add_new_mempack_backend(1000)?;
        }
        Ok(Self { place: repo.place(), lib, writers: None, side: OnceCell::new() })
    }

    /// The objects of a repository and those beside; what is made goes to the latter.
    ///
    /// # Errors
    /// libgit2's.
    pub fn beside(repo: &Repo, side: &Arc<SideObjects>) -> Result<Self, GitError> {
        let lib = open(repo)?;
        let mut writers = None;
        if let Some(lib) = &lib {
            see(lib, side)?;
            writers = Some((side.small.open()?, side.large.open()?));
        }
        let side = OnceCell::from(Arc::clone(side));
        Ok(Self { place: repo.place(), lib, writers, side })
    }

    /// libgit2's view, where it can read this repository's format.
    pub fn lib(&self) -> Option<&git2::Repository> {
        self.lib.as_ref()
    }

    /// Where libgit2 writes so many bytes that are thrown away.
    pub(in crate::git) fn writer(&self, bytes: u64) -> Option<&git2::Repository> {
        match &self.writers {
            Some((small, _)) if bytes <= SMALL_MAX => Some(small),
            Some((_, large)) => Some(large),
            None => self.lib.as_ref(),
        }
    }

    /// The place on disk for what the git program writes, made when first needed.
    ///
    /// # Errors
    /// When there is no room for temporary files.
    pub fn side(&self) -> Result<&Arc<SideObjects>, GitError> {
        if let Some(side) = self.side.get() {
            return Ok(side);
        }
        let side = Arc::new(SideObjects::beside(&self.place.common_dir)?);
        if let Some(lib) = &self.lib {
            see(lib, &side)?;
        }
        Ok(self.side.get_or_init(|| side))
    }

    /// A call to git that sees these objects, those beside included.
    pub fn git(&self) -> Git {
        match self.side.get() {
            Some(side) => side.git(&self.place),
            None => Git::read(&self.place),
        }
    }

    /// The tree of a commit, both in hex.
    ///
    /// # Errors
    /// When there is no such commit.
    pub fn tree_of(&self, commit: &str) -> Result<String, GitError> {
        if let Some(lib) = &self.lib {
            return Ok(lib.find_commit(git2::Oid::from_str(commit)?)?.tree_id().to_string());
        }
        let question = format!("{commit}^{{tree}}");
        let asked = ["rev-parse", "--verify", "--quiet", "--end-of-options"];
        self.git().args(asked).arg(question).text()
    }

    /// The tree without entries.
    ///
    /// # Errors
    /// git's own.
    pub fn empty_tree(&self) -> Result<String, GitError> {
        if let Some(writer) = self.writer(0) {
            return Ok(writer.treebuilder(None)?.write()?.to_string());
        }
        self.side()?.git(&self.place).arg("mktree").text()
    }

    /// Makes a commit that is thrown away: a tree on top of a parent.
    ///
    /// # Errors
    /// git's own.
    pub fn commit(&self, tree: &str, parent: Option<&str>) -> Result<String, GitError> {
        let (name, mail) = NOBODY;
        if let Some(lib) = &self.lib {
            let id = git2::Oid::from_str(tree)?;
            // A repository that is shallow says so to `lib` alone.
            let parent = match parent {
                Some(parent) => Some(lib.find_commit(git2::Oid::from_str(parent)?)?.id()),
                None => None,
            };
            // Where the tree is there is room for its commit.
            let writer = [self.writer(0), self.writer(u64::MAX)].into_iter().flatten();
            let mut found = writer.filter_map(|writer| Some((writer, writer.find_tree(id).ok()?)));
            let (writer, tree) =
                found.next().ok_or_else(|| GitError::NoSuchRevision(tree.to_owned()))?;
            let author = git2::Signature::new(name, mail, &git2::Time::new(0, 0))?;
            let parent = parent.map(|parent| writer.find_commit(parent)).transpose()?;
            let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
            let made = writer.commit(None, &author, &author, "uncommitted work", &tree, &parents);
            return Ok(made?.to_string());
        }
        let mut git = self.side()?.git(&self.place);
        for who in ["AUTHOR", "COMMITTER"] {
            git = git.env(&format!("GIT_{who}_NAME"), name).env(&format!("GIT_{who}_EMAIL"), mail);
            git = git.env(&format!("GIT_{who}_DATE"), "@0 +0000");
        }
        let git = git.args(["commit-tree", "-m", "uncommitted work"]);
        let git = parent.into_iter().fold(git, |git, parent| git.args(["-p", parent]));
        git.arg(tree).text()
    }
}

/// Lets a handle read side objects, too; libgit2 does not follow their own alternates here.
fn see(lib: &git2::Repository, side: &SideObjects) -> Result<(), GitError> {
    for directory in [&side.small, &side.large] {
        lib.odb()?.add_disk_alternate(&text(&directory.objects())?)?;
    }
    Ok(())
}

/// A handle of this thread's own, on what the repository itself has.
fn open(repo: &Repo) -> Result<Option<git2::Repository>, GitError> {
    if repo.lib().is_none() {
        return Ok(None);
    }
    let flags = git2::RepositoryOpenFlags::NO_SEARCH | git2::RepositoryOpenFlags::NO_DOTGIT;
    let none: [&Path; 0] = [];
    Ok(Some(git2::Repository::open_ext(repo.common_dir(), flags, none)?))
}

fn text(path: &Path) -> Result<String, GitError> {
    let odd = || {
        let error = std::io::Error::other("the name is no UTF-8");
        GitError::file("use", path)(error)
    };
    path.to_str().map(str::to_owned).ok_or_else(odd)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    fn count(repo: &Repo) -> usize {
        let objects = repo.common_dir().join("objects");
        walkdir::WalkDir::new(objects).into_iter().filter(|e| e.as_ref().is_ok()).count()
    }

    #[test]
    fn nothing_is_written_into_the_repository() {
        for format in [&[][..], &["--object-format=sha256"], &["--ref-format=reftable"]] {
            let sample = Sample::with(format);
            let repo = sample.repo();
            let before = count(&repo);
            let head = repo.commit("HEAD").unwrap();
            let side = Arc::new(SideObjects::of(&repo).unwrap());
            for objects in [Objects::in_memory(&repo), Objects::beside(&repo, &side)] {
                let objects = objects.unwrap();
                let empty = objects.empty_tree().unwrap();
                let commit = objects.commit(&empty, Some(&head)).unwrap();
                assert_eq!(objects.tree_of(&commit).unwrap(), empty, "{format:?}");
                assert_eq!(objects.tree_of(&head).unwrap(), sample.git(&["write-tree"]));
                assert!(objects.tree_of(&"0".repeat(head.len())).is_err());
            }
            assert_eq!(count(&repo), before);
            let dirs = [side.small.objects(), side.large.objects()];
            assert!(dirs.iter().all(|dir| dir.is_dir()));
            drop(side);
            assert!(!dirs.iter().any(|dir| dir.exists()));
        }
    }

    #[test]
    fn git_and_libgit2_see_what_either_wrote_beside() {
        let sample = Sample::new();
        let repo = sample.repo();
        let head = repo.commit("HEAD").unwrap();
        let side = Arc::new(SideObjects::of(&repo).unwrap());
        let objects = Objects::beside(&repo, &side).unwrap();
        let made = objects.commit(&objects.empty_tree().unwrap(), Some(&head)).unwrap();
        let shown = side.git(&repo.place()).args(["cat-file", "-t", &made]).text();
        assert_eq!(shown.unwrap(), "commit");
        let asked = ["hash-object", "-w", "--stdin"];
        let blob = side.git(&repo.place()).args(asked).input("new").text().unwrap();
        let found = objects.lib().unwrap().find_blob(git2::Oid::from_str(&blob).unwrap());
        assert_eq!(found.unwrap().content(), b"new");
    }
}
