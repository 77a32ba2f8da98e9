//! A repository: where it is, what kind it is, and what its names stand for.

use std::path::{Path, PathBuf};

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;

/// A repository that git accepts.
pub struct Repo {
    common_dir: PathBuf,
    main: Option<PathBuf>,
    /// libgit2's view; `None` for formats that it cannot read (reftable, SHA-256).
    lib: Option<git2::Repository>,
}

/// What HEAD of a checkout is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// On a branch that has a commit.
    Branch {
        /// Without `refs/heads/`.
        name: String,
        /// Its commit, in hex.
        commit: String,
    },
    /// On a branch that has no commit.
    Unborn {
        /// Without `refs/heads/`.
        name: String,
    },
    /// On a commit itself.
    Detached {
        /// In hex.
        commit: String,
    },
}

impl Head {
    /// The commit, if there is one.
    pub fn commit(&self) -> Option<&str> {
        match self {
            Self::Branch { commit, .. } | Self::Detached { commit } => Some(commit),
            Self::Unborn { .. } => None,
        }
    }

    /// The branch, if it is on one.
    pub fn branch(&self) -> Option<&str> {
        match self {
            Self::Branch { name, .. } | Self::Unborn { name } => Some(name),
            Self::Detached { .. } => None,
        }
    }
}

impl Repo {
    /// Finds the repository that `dir` is in, and the checkout within it.
    ///
    /// Not for directories inside a variant: the caller knows those from its records and uses
    /// [`Repo::open`].
    ///
    /// # Errors
    /// [`GitError::NotARepository`], or [`GitError::Unusable`] when git refuses it.
    pub fn discover(dir: &Path) -> Result<(Self, Place), GitError> {
        match git2::Repository::discover(dir) {
            Ok(lib) => {
                let git_dir = clean(lib.path());
                let common_dir = clean(lib.commondir());
                let work_tree = lib.workdir().map(clean);
                let place = Place { git_dir, common_dir: common_dir.clone(), work_tree };
                Ok((Self::with_lib(common_dir, Some(lib)), place))
            }
            Err(error) if error.code() == git2::ErrorCode::NotFound => {
                Err(GitError::NotARepository(dir.to_path_buf()))
            }
            Err(_) => Self::discover_by_program(dir),
        }
    }

    /// For formats that libgit2 does not open.
    fn discover_by_program(dir: &Path) -> Result<(Self, Place), GitError> {
        let asked = ["--path-format=absolute", "--git-dir", "--git-common-dir"];
        let answer = Git::discovering(dir).arg("rev-parse").args(asked).answer()?;
        if answer.code != Some(0) {
            return Err(if answer.stderr.contains("not a git repository") {
                GitError::NotARepository(dir.to_path_buf())
            } else {
                GitError::Unusable { path: dir.to_path_buf(), why: answer.stderr.trim().to_owned() }
            });
        }
        let text = answer.text();
        let mut lines = text.lines().map(PathBuf::from);
        let (Some(git_dir), Some(common_dir)) = (lines.next(), lines.next()) else {
            return Err(GitError::Unexpected { what: "rev-parse".into(), answer: text });
        };
        // Fails in a bare repository, which is an answer, too.
        let top = Git::discovering(dir).args(["rev-parse", "--show-toplevel"]).answer()?;
        let work_tree = (top.code == Some(0)).then(|| PathBuf::from(top.text()));
        let place = Place { git_dir, common_dir: common_dir.clone(), work_tree };
        Ok((Self::with_lib(common_dir, None), place))
    }

    /// Opens the repository whose common directory is known.
    ///
    /// # Errors
    /// [`GitError::NotARepository`] when there is none any more.
    pub fn open(common_dir: &Path) -> Result<Self, GitError> {
        if !common_dir.join("HEAD").exists() {
            return Err(GitError::NotARepository(common_dir.to_path_buf()));
        }
        let flags = git2::RepositoryOpenFlags::NO_SEARCH | git2::RepositoryOpenFlags::NO_DOTGIT;
        let none: [&Path; 0] = [];
        let lib = git2::Repository::open_ext(common_dir, flags, none).ok();
        Ok(Self::with_lib(clean(common_dir), lib))
    }

    fn with_lib(common_dir: PathBuf, lib: Option<git2::Repository>) -> Self {
        let main = main_checkout(&common_dir, lib.as_ref());
        Self { common_dir, main, lib }
    }

    /// The directory that all its worktrees share (`…/.git`), absolute.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// The main checkout's directory; `None` in a bare repository.
    pub fn main_dir(&self) -> Option<&Path> {
        self.main.as_deref()
    }

    /// libgit2's view, where it can read this repository's format. It may have been opened from a
    /// linked worktree: ask it for objects and refs only.
    pub fn lib(&self) -> Option<&git2::Repository> {
        self.lib.as_ref()
    }

    /// The repository without a checkout.
    pub fn place(&self) -> Place {
        Place::bare(&self.common_dir)
    }

    /// The main checkout as a place.
    pub fn main_place(&self) -> Option<Place> {
        let main = self.main.as_ref()?;
        Some(Place::checkout(&self.common_dir, &self.common_dir, main))
    }

    /// The directory that relative settings count from: the main checkout, or what stands in its
    /// place around a bare repository (`proj` for `proj/.bare` and `proj/.git`, else itself).
    pub fn root(&self) -> &Path {
        if let Some(main) = &self.main {
            return main;
        }
        let name = self.common_dir.file_name().map(|name| name.as_encoded_bytes());
        match self.common_dir.parent() {
            Some(parent) if name.is_some_and(|name| name.starts_with(b".")) => parent,
            _ => &self.common_dir,
        }
    }

    /// Its name, for `{repo}`: the root directory's, without `.git`.
    pub fn name(&self) -> String {
        let name = self.root().file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_else(|| "repository".into());
        name.strip_suffix(".git").map(str::to_owned).unwrap_or(name)
    }

    /// The commit that a revision names, in full hex.
    ///
    /// # Errors
    /// [`GitError::NoSuchRevision`].
    pub fn commit(&self, revision: &str) -> Result<String, GitError> {
        let missing = || GitError::NoSuchRevision(revision.to_owned());
        if let Some(lib) = &self.lib {
            let found = lib.revparse_single(revision).and_then(|object| object.peel_to_commit());
            return found.map(|commit| commit.id().to_string()).map_err(|_| missing());
        }
        let asked = ["rev-parse", "--verify", "--quiet", "--end-of-options"];
        let question = format!("{revision}^{{commit}}");
        let answer = Git::read(&self.place()).args(asked).arg(question).answer()?;
        if answer.code == Some(0) { Ok(answer.text()) } else { Err(missing()) }
    }

    /// The commit that a branch stands at; `None` when there is no such branch.
    ///
    /// # Errors
    /// When git cannot say.
    pub fn branch(&self, name: &str) -> Result<Option<String>, GitError> {
        match self.commit(&format!("refs/heads/{name}")) {
            Ok(commit) => Ok(Some(commit)),
            Err(GitError::NoSuchRevision(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What HEAD of a checkout is.
    ///
    /// # Errors
    /// When git cannot say.
    pub fn head(&self, place: &Place) -> Result<Head, GitError> {
        let symbolic = match std::fs::read_to_string(place.git_dir.join("HEAD")) {
            // A reftable repository keeps a stand-in in this file.
            Ok(text) if !text.contains("refs/heads/.invalid") => {
                text.trim().strip_prefix("ref: ").map(|name| name.trim().to_owned())
            }
            _ => {
                let asked = ["symbolic-ref", "--quiet", "HEAD"];
                let answer = Git::read(place).args(asked).answer()?;
                (answer.code == Some(0)).then(|| answer.text())
            }
        };
        let Some(full) = symbolic else {
            let asked = ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"];
            return Ok(Head::Detached { commit: Git::read(place).args(asked).text()? });
        };
        let name = full.strip_prefix("refs/heads/").unwrap_or(&full).to_owned();
        Ok(match self.branch(&name)? {
            Some(commit) => Head::Branch { name, commit },
            None => Head::Unborn { name },
        })
    }
}

/// libgit2 ends directories in a slash; git and our records do not.
fn clean(path: &Path) -> PathBuf {
    path.components().collect()
}

/// The main checkout of a common directory: none in a bare repository, what `core.worktree` says
/// (a submodule), else the directory that holds `.git`.
fn main_checkout(common_dir: &Path, lib: Option<&git2::Repository>) -> Option<PathBuf> {
    let setting = |name: &str| match lib.and_then(|lib| lib.config().ok()) {
        Some(config) => config.get_string(name).ok(),
        None => {
            let asked = ["config", "--get", name];
            Git::read(&Place::bare(common_dir)).args(asked).text().ok()
        }
    };
    if setting("core.bare").is_some_and(|bare| bare.eq_ignore_ascii_case("true")) {
        return None;
    }
    match setting("core.worktree").filter(|path| !path.is_empty()) {
        Some(path) => std::fs::canonicalize(common_dir.join(path)).ok(),
        None if common_dir.ends_with(".git") => common_dir.parent().map(Path::to_path_buf),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(dir: &Path, args: &[&str]) {
        let mut git = Git::discovering(dir).env("GIT_CONFIG_GLOBAL", "/dev/null");
        for (name, value) in
            [("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a@a"), ("GIT_COMMITTER_NAME", "a")]
        {
            git = git.env(name, value);
        }
        git.env("GIT_COMMITTER_EMAIL", "a@a").args(args).run().unwrap();
    }

    fn made(args: &[&str]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = std::fs::canonicalize(dir.path()).unwrap().join("my shöp");
        std::fs::create_dir(&path).unwrap();
        git(&path, &[&["init", "-q", "-b", "main"], args].concat());
        (dir, path)
    }

    #[test]
    fn every_format_answers_alike() {
        for format in [&[][..], &["--object-format=sha256"], &["--ref-format=reftable"]] {
            let (_dir, path) = made(format);
            let (repo, place) = Repo::discover(&path).unwrap();
            assert_eq!(repo.head(&place).unwrap(), Head::Unborn { name: "main".into() });
            git(&path, &["commit", "-q", "--allow-empty", "-m", "one"]);
            std::fs::create_dir(path.join("sub")).unwrap();
            let (repo, place) = Repo::discover(&path.join("sub")).unwrap();
            assert_eq!(repo.common_dir(), path.join(".git"));
            assert_eq!(repo.main_dir(), Some(path.as_path()), "{format:?}");
            assert_eq!(place.work_tree.as_deref(), Some(path.as_path()));
            assert_eq!(repo.name(), "my shöp");
            let commit = repo.commit("main").unwrap();
            let head = Head::Branch { name: "main".into(), commit: commit.clone() };
            assert_eq!(repo.head(&place).unwrap(), head);
            git(&path, &["checkout", "-q", "--detach"]);
            assert_eq!(repo.head(&place).unwrap(), Head::Detached { commit });
            assert!(matches!(repo.commit("no-such"), Err(GitError::NoSuchRevision(_))));
            assert_eq!(repo.branch("none").unwrap(), None);
        }
    }

    #[test]
    fn a_bare_repository_has_a_root_but_no_checkout() {
        let dir = tempfile::tempdir().unwrap();
        let proj = std::fs::canonicalize(dir.path()).unwrap().join("proj");
        std::fs::create_dir(&proj).unwrap();
        git(&proj, &["init", "-q", "--bare", ".bare"]);
        let repo = Repo::open(&proj.join(".bare")).unwrap();
        assert_eq!((repo.main_dir(), repo.root()), (None, proj.as_path()));
        assert_eq!(repo.name(), "proj");
    }
}
