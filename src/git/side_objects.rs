//! A repository's objects as one thread reads them, with room beside for objects that are made
//! for an answer and thrown away with it: nothing is ever written into the repository.

use std::cell::OnceCell;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;
use crate::git::repo::Repo;

/// Who and when, in the commits that are thrown away.
const NOBODY: (&str, &str) = ("wt", "wt@localhost");

/// Objects on disk beside those of a repository; gone when dropped.
#[derive(Debug)]
pub struct SideObjects {
    dir: tempfile::TempDir,
    /// Those of the repository.
    own: PathBuf,
}

/// The objects of a repository, and those beside.
pub struct Objects {
    place: Place,
    /// Reads; writes into memory where there is no `writer`. `None` for formats that libgit2
    /// cannot read.
    lib: Option<git2::Repository>,
    /// Writes into the side objects.
    writer: Option<git2::Repository>,
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
        let made = tempfile::Builder::new().prefix("wt-objects-").tempdir();
        let dir = made.map_err(GitError::file("create", "a temporary directory"))?;
        let side = Self { dir, own: common_dir.join("objects") };
        let info = side.objects().join("info");
        std::fs::create_dir_all(&info).map_err(GitError::file("create", &info))?;
        std::fs::create_dir_all(side.dir.path().join("refs"))
            .map_err(GitError::file("create", side.dir.path()))?;
        // libgit2 takes the directory for a repository; git is told of the objects alone.
        for (name, text) in
            [("HEAD", "ref: refs/heads/none\n"), ("config", "[core]\nbare = true\n")]
        {
            put(&side.dir.path().join(name), text.as_bytes())?;
        }
        let mut alternate = side.own.as_os_str().as_bytes().to_vec();
        alternate.push(b'\n');
        put(&info.join("alternates"), &alternate)?;
        Ok(side)
    }

    /// The directory for `GIT_OBJECT_DIRECTORY`.
    pub fn objects(&self) -> PathBuf {
        self.dir.path().join("objects")
    }

    /// A call that reads the repository's objects and these, and writes only here.
    pub fn git(&self, place: &Place) -> Git {
        Git::read(place).env("GIT_OBJECT_DIRECTORY", self.objects())
    }
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), GitError> {
    let written = std::fs::File::create(path).and_then(|mut file| file.write_all(bytes));
    written.map_err(GitError::file("write", path))
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
        Ok(Self { place: repo.place(), lib, writer: None, side: OnceCell::new() })
    }

    /// The objects of a repository and those beside; what is made goes to the latter.
    ///
    /// # Errors
    /// libgit2's.
    pub fn beside(repo: &Repo, side: &Arc<SideObjects>) -> Result<Self, GitError> {
        let lib = open(repo)?;
        let mut writer = None;
        if let Some(lib) = &lib {
            lib.odb()?.add_disk_alternate(&text(&side.objects())?)?;
            writer = Some(git2::Repository::open_bare(side.dir.path())?);
        }
        let side = OnceCell::from(Arc::clone(side));
        Ok(Self { place: repo.place(), lib, writer, side })
    }

    /// libgit2's view, where it can read this repository's format.
    pub fn lib(&self) -> Option<&git2::Repository> {
        self.lib.as_ref()
    }

    /// Where libgit2 writes what is thrown away.
    pub(in crate::git) fn writer(&self) -> Option<&git2::Repository> {
        self.writer.as_ref().or(self.lib.as_ref())
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
            lib.odb()?.add_disk_alternate(&text(&side.objects())?)?;
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
        if let Some(writer) = self.writer() {
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
        if let (Some(writer), Some(lib)) = (self.writer(), &self.lib) {
            let author = git2::Signature::new(name, mail, &git2::Time::new(0, 0))?;
            let tree = writer.find_tree(git2::Oid::from_str(tree)?)?;
            // A repository that is shallow says so to `lib` alone.
            let parent = match parent {
                Some(parent) => Some(lib.find_commit(git2::Oid::from_str(parent)?)?.id()),
                None => None,
            };
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
            let dir = side.dir.path().to_path_buf();
            drop(side);
            assert!(!dir.exists());
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
