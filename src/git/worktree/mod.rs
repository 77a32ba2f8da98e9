//! Worktrees: which ones a repository has, and whether one is really where its registration says.
//!
//! Read from the files that git keeps under `worktrees/`, because starting git costs more than
//! reading a few dozen bytes per worktree; gitrepository-layout(5) documents them.

mod forward;
mod make;
mod refresh;
mod repair;

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;
use crate::git::repo::Repo;

pub use forward::forward;
pub use make::{
    BranchFor, Leftover, MARK_VARIABLE, NewWorktree, Unmake, add, finish, marked, unmake,
};
pub use refresh::{is_new, mark_new, refresh_when_due};
pub use repair::{follow, forget_vanished, name_again, register};
pub(crate) use repair::{sync_dir, write_small};

/// The most that is read of git's small files; a path fits in a tenth of it.
const SMALL_MAX: u64 = 64 * 1024;

/// The file in a registration that keeps `git worktree prune` away, and says why.
pub(crate) const LOCKED: &str = "locked";

/// One checkout of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worktree {
    /// The name of its registration under `worktrees/`; `None` for the main checkout.
    pub id: Option<String>,
    /// Its git directory: the registration, or the common directory for the main checkout.
    pub git_dir: PathBuf,
    /// Where its files are registered to be; it may not exist any more.
    pub path: PathBuf,
    /// What its HEAD stands for.
    pub head: WorktreeHead,
    /// Why it is locked, when it is; an empty text when no reason was given.
    pub locked: Option<String>,
}

/// What the HEAD of a worktree stands for, as its file says: no commit is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorktreeHead {
    /// A branch, without `refs/heads/`.
    Branch(String),
    /// A commit, in hex.
    Detached(String),
    /// The registration is broken.
    Unreadable,
}

impl Worktree {
    /// The branch it has checked out.
    pub fn branch(&self) -> Option<&str> {
        match &self.head {
            WorktreeHead::Branch(name) => Some(name),
            _ => None,
        }
    }

    /// It as a place, for calls to git.
    pub fn place(&self, repo: &Repo) -> Place {
        Place::checkout(&self.git_dir, repo.common_dir(), &self.path)
    }
}

/// Every checkout of the repository, the main one first, the others by the name of their
/// registration. Registrations that name no path (git was killed while making one) are left out.
///
/// # Errors
/// When the registrations cannot be read.
pub fn list(repo: &Repo) -> Result<Vec<Worktree>, GitError> {
    let mut all = Vec::new();
    if let Some(main) = repo.main_dir() {
        let git_dir = repo.common_dir().to_path_buf();
        let head = read_head(&git_dir);
        let path = main.to_path_buf();
        all.push((
            Worktree { id: None, git_dir, path, head: WorktreeHead::Unreadable, locked: None },
            head,
        ));
    }
    for admin_dir in registrations(repo.common_dir())? {
        let Some(path) = registered_path(&admin_dir) else { continue };
        let id = admin_dir.file_name().map(|name| name.to_string_lossy().into_owned());
        let locked = read_small(&admin_dir.join(LOCKED)).map(|text| line(&text).into_owned());
        let head = read_head(&admin_dir);
        let entry =
            Worktree { id, git_dir: admin_dir, path, head: WorktreeHead::Unreadable, locked };
        all.push((entry, head));
    }
    all.into_iter()
        .map(|(mut worktree, head)| {
            worktree.head = match head {
                HeadFile::Says(head) => head,
                HeadFile::StandIn => ask_head(&worktree.place(repo))?,
            };
            Ok(worktree)
        })
        .collect()
}

/// The checkout that is on a branch, if its directory is there.
///
/// # Errors
/// When the registrations cannot be read.
pub fn on_branch(repo: &Repo, branch: &str) -> Result<Option<Place>, GitError> {
    let all = list(repo)?;
    let found = all.iter().find(|one| one.branch() == Some(branch) && one.path.is_dir());
    Ok(found.map(|one| one.place(repo)))
}

/// The directories under `worktrees/`, in the order of their names.
///
/// # Errors
/// When they cannot be read; there being none is no error.
pub(crate) fn registrations(common_dir: &Path) -> Result<Vec<PathBuf>, GitError> {
    let dir = common_dir.join("worktrees");
    let entries = match std::fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        Err(error) => return Err(GitError::file("read", dir)(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(GitError::file("read", &dir))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a directory is the worktree that a registration stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// Each names the other: it is this worktree.
    Mutual,
    /// There is no such directory.
    NoDirectory,
    /// There is no such registration, or it names nothing.
    NoRegistration,
    /// The registration is another directory's (it was moved, or the place was taken).
    RegistrationElsewhere,
    /// The directory's `.git` names another repository or registration, or is no file.
    DirectoryElsewhere,
}

/// Whether `path` and the registration `admin_dir` still name each other: the one condition under
/// which `wt` may remove either. Both sides are resolved, so a link on the way is no difference.
pub fn naming(path: &Path, admin_dir: &Path) -> Naming {
    if !std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir()) {
        return Naming::NoDirectory;
    }
    let Some(registered) = registered_path(admin_dir) else { return Naming::NoRegistration };
    if !same(&registered, path) {
        return Naming::RegistrationElsewhere;
    }
    match registration_named_in(path) {
        Some(named) if same(&named, admin_dir) => Naming::Mutual,
        _ => Naming::DirectoryElsewhere,
    }
}

/// The git directory that the `.git` file of a linked worktree names; `None` when there is no such
/// file (a main checkout has a directory there) or it says nothing of the kind.
pub fn registration_named_in(path: &Path) -> Option<PathBuf> {
    let file = path.join(".git");
    if !std::fs::symlink_metadata(&file).is_ok_and(|meta| meta.is_file()) {
        return None;
    }
    let text = read_small(&file)?;
    let named = trimmed(&text).strip_prefix(b"gitdir: ")?;
    Some(settled(&path.join(OsStr::from_bytes(named))))
}

/// Where a registration says its worktree is.
pub(crate) fn registered_path(admin_dir: &Path) -> Option<PathBuf> {
    let text = read_small(&admin_dir.join("gitdir"))?;
    let dot_git = Path::new(OsStr::from_bytes(trimmed(&text)));
    let parent = dot_git.parent().filter(|_| dot_git.file_name() == Some(OsStr::new(".git")))?;
    Some(settled(&admin_dir.join(parent)))
}

pub(crate) fn same(one: &Path, other: &Path) -> bool {
    match (std::fs::canonicalize(one), std::fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// Without `.` and `..`, which only relative registrations (`worktree.useRelativePaths`) hold.
pub(crate) fn settled(path: &Path) -> PathBuf {
    if !path.components().any(|part| part == Component::ParentDir) {
        return path.components().collect();
    }
    std::fs::canonicalize(path).unwrap_or_else(|_| {
        let mut clean = PathBuf::new();
        for part in path.components() {
            if part == Component::ParentDir {
                clean.pop();
            } else {
                clean.push(part);
            }
        }
        clean
    })
}

enum HeadFile {
    Says(WorktreeHead),
    /// A reftable repository keeps HEAD elsewhere; git has to be asked.
    StandIn,
}

fn read_head(git_dir: &Path) -> HeadFile {
    let Some(text) = read_small(&git_dir.join("HEAD")) else {
        return HeadFile::Says(WorktreeHead::Unreadable);
    };
    let text = line(&text);
    HeadFile::Says(match text.strip_prefix("ref:").map(str::trim) {
        Some("refs/heads/.invalid") => return HeadFile::StandIn,
        Some(full) => WorktreeHead::Branch(full.strip_prefix("refs/heads/").unwrap_or(full).into()),
        None if is_hex(&text) => WorktreeHead::Detached(text.into_owned()),
        None => WorktreeHead::Unreadable,
    })
}

fn ask_head(place: &Place) -> Result<WorktreeHead, GitError> {
    // The place itself may be gone, and git does not need it for this.
    let place = Place { work_tree: None, ..place.clone() };
    let answer = Git::read(&place).args(["symbolic-ref", "--quiet", "--short", "HEAD"]).answer()?;
    if answer.code == Some(0) {
        return Ok(WorktreeHead::Branch(answer.text()));
    }
    let asked = ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"];
    let answer = Git::read(&place).args(asked).answer()?;
    let found = answer.code == Some(0);
    Ok(if found { WorktreeHead::Detached(answer.text()) } else { WorktreeHead::Unreadable })
}

fn is_hex(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The beginning of a regular file; an agent may have put a FIFO in its place.
pub(crate) fn read_small(path: &Path) -> Option<Vec<u8>> {
    std::fs::symlink_metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let file = std::fs::File::open(path).ok()?;
    let mut text = Vec::new();
    file.take(SMALL_MAX).read_to_end(&mut text).ok()?;
    Some(text)
}

fn trimmed(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |at| at + 1);
    &text[..end]
}

pub(crate) fn line(text: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(trimmed(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    #[test]
    fn the_list_is_what_git_lists() {
        for format in [&[][..], &["--ref-format=reftable"], &["--object-format=sha256"]] {
            let sample = Sample::with(format);
            let repo = sample.repo();
            sample.git(&["worktree", "add", "-q", "-b", "feature/a", "../a b"]);
            sample.git(&["worktree", "add", "-q", "--detach", "../ünd"]);
            sample.git(&["worktree", "lock", "--reason", "mine", "../ünd"]);
            let all = list(&repo).unwrap();
            let beside = sample.path.parent().unwrap();
            let paths: Vec<_> = all.iter().map(|one| one.path.clone()).collect();
            assert_eq!(paths, [sample.path.clone(), beside.join("a b"), beside.join("ünd")]);
            let heads: Vec<_> = all.iter().map(|one| one.head.clone()).collect();
            let commit = repo.commit("HEAD").unwrap();
            let branch = |name: &str| WorktreeHead::Branch(name.into());
            let expected = [branch("main"), branch("feature/a"), WorktreeHead::Detached(commit)];
            assert_eq!(heads, expected, "{format:?}");
            assert_eq!(all[2].locked.as_deref(), Some("mine"));
            assert_eq!(naming(&all[1].path, &all[1].git_dir), Naming::Mutual);
        }
    }

    #[test]
    fn relative_registrations_are_understood() {
        let sample = Sample::new();
        sample.git(&["worktree", "add", "-q", "../a"]);
        let repo = sample.repo();
        let (path, admin) = (sample.beside("a"), repo.common_dir().join("worktrees/a"));
        std::fs::write(admin.join("gitdir"), "../../../../a/.git\n").unwrap();
        let main = sample.path.file_name().unwrap().to_str().unwrap();
        std::fs::write(path.join(".git"), format!("gitdir: ../{main}/.git/worktrees/a\n")).unwrap();
        assert_eq!(list(&repo).unwrap()[1].path, path);
        assert_eq!(naming(&path, &admin), Naming::Mutual);
    }

    #[test]
    fn a_place_that_was_taken_by_something_else_is_told_apart() {
        let sample = Sample::new();
        sample.git(&["worktree", "add", "-q", "../a"]);
        sample.git(&["worktree", "add", "-q", "../b"]);
        let (a, b) = (sample.beside("a"), sample.beside("b"));
        let admin = sample.repo().common_dir().join("worktrees");
        assert_eq!(naming(&a, &admin.join("b")), Naming::RegistrationElsewhere);
        assert_eq!(naming(&a, &admin.join("c")), Naming::NoRegistration);
        std::fs::rename(&a, sample.beside("moved")).unwrap();
        assert_eq!(naming(&a, &admin.join("a")), Naming::NoDirectory);
        assert_eq!(
            naming(&sample.beside("moved"), &admin.join("a")),
            Naming::RegistrationElsewhere
        );
        // Another repository now lives at the registered path.
        sample.git(&["init", "-q", a.to_str().unwrap()]);
        assert_eq!(naming(&a, &admin.join("a")), Naming::DirectoryElsewhere);
        // A link to a worktree is not the worktree.
        std::fs::remove_dir_all(&a).unwrap();
        std::os::unix::fs::symlink(&b, &a).unwrap();
        assert_eq!(naming(&a, &admin.join("a")), Naming::NoDirectory);
    }

    #[test]
    fn broken_registrations_stop_nothing() {
        let sample = Sample::new();
        let admin = sample.repo().common_dir().join("worktrees");
        std::fs::create_dir_all(admin.join("half")).unwrap();
        std::fs::write(admin.join("half/locked"), "initializing").unwrap();
        std::fs::create_dir_all(admin.join("odd")).unwrap();
        std::fs::write(admin.join("odd/gitdir"), "/nowhere/.git\n").unwrap();
        std::fs::write(admin.join("odd/HEAD"), [0xff; 100]).unwrap();
        let all = list(&sample.repo()).unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(all[1].head, WorktreeHead::Unreadable);
    }
}
