//! What is uncommitted in a checkout, entry by entry, as git itself says.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Duration;

use walkdir::WalkDir;

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;
use crate::git::workers;

/// How long a checkout may take to say what is uncommitted in it.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same for a checkout that a step depends on, which may well be huge and not read lately.
const PATIENCE_ALONE: Duration = Duration::from_secs(120);
/// The most entries of a checkout that are looked at for what held git up.
const ENTRIES_MAX: usize = 500_000;

/// A checkout's HEAD and everything in it that differs from HEAD.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// The commit of HEAD in hex; `None` on a branch without a commit.
    pub head: Option<String>,
    /// The branch of HEAD without `refs/heads/`; `None` when HEAD is detached.
    pub branch: Option<String>,
    /// What differs, in git's order. Ignored files are no changes.
    pub entries: Vec<Change>,
}

/// One path that differs from HEAD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// From the checkout's top; any bytes.
    pub path: PathBuf,
    /// How it differs.
    pub kind: ChangeKind,
}

/// How a path differs from HEAD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// HEAD or the index knows it.
    Tracked(Tracked),
    /// The index holds several stages of it: a conflict.
    Unmerged,
    /// Nothing knows it.
    Untracked,
    /// A directory that is a repository of its own and no submodule; git looks no further.
    Repository,
}

/// A path that HEAD or the index knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracked {
    /// The index differs from HEAD.
    pub staged: bool,
    /// The file differs from the index.
    pub unstaged: bool,
    /// The file is gone from the checkout.
    pub deleted: bool,
    /// It is a submodule.
    pub submodule: bool,
    /// Mode in octal and object in hex that HEAD holds; `000000` and zeros for nothing.
    pub in_head: (String, String),
}

/// Asks for a checkout's changes.
///
/// Untracked directories are listed file by file. Submodules are compared by their commit alone:
/// looking into one would let git discover a repository inside a variant.
///
/// # Errors
/// When git cannot say.
pub fn changes(place: &Place) -> Result<Changes, GitError> {
    ask(place, Git::read(place).within(PATIENCE_ALONE))
}

/// The same for many checkouts at once, as many at a time as the machine has processors.
///
/// Each that is gone, broken or does not answer within half a minute is an error of its own.
pub fn changes_of_each(places: &[Place]) -> Vec<Result<Changes, GitError>> {
    workers::each(places, || (), |(), place| changes_among(place, places.len()))
}

/// As [`changes`], for a checkout of which an agent may have made anything, one of `many` that are
/// asked about at once.
///
/// # Errors
/// As [`changes`], and when git does not answer within half a minute.
pub fn changes_among(place: &Place, many: usize) -> Result<Changes, GitError> {
    let mut git = Git::read(place).within(PATIENCE);
    if many >= workers::count() {
        // Every processor is busy with a checkout of its own; a call's own threads only add cost.
        git = git.config("core.preloadIndex=false");
    }
    ask(place, git)
}

fn ask(place: &Place, git: Git) -> Result<Changes, GitError> {
    let asked = ["status", "--porcelain=v2", "-z", "--branch", "--no-ahead-behind"];
    let depth = ["--untracked-files=all", "--no-renames", "--ignore-submodules=dirty"];
    let answered = git.args(asked).args(depth).run();
    parse(&answered.map_err(|error| blocked(place, error))?)
}

/// A call that took too long, with what has held it up if that can be seen: a pipe where git reads
/// a file of settings, which it waits for to be written into.
pub fn blocked(place: &Place, error: GitError) -> GitError {
    if !matches!(error, GitError::Slow { .. }) {
        return error;
    }
    let read = |name: &OsStr| name == ".gitignore" || name == ".gitattributes";
    let entries = WalkDir::new(place.dir()).into_iter().take(ENTRIES_MAX).flatten();
    let pipe = entries.into_iter().find(|entry| {
        let kind = entry.file_type();
        read(entry.file_name()) && !(kind.is_file() || kind.is_dir() || kind.is_symlink())
    });
    pipe.map_or(error, |entry| GitError::Blocked { path: entry.into_path() })
}

/// How many paths differ from HEAD, an untracked directory counted as one.
///
/// # Errors
/// When git cannot say.
pub fn count_changes(place: &Place) -> Result<u64, GitError> {
    let asked = ["status", "--porcelain=v1", "-z", "--untracked-files=normal", "--no-renames"];
    let git = Git::read(place).within(PATIENCE_ALONE).args(asked);
    let listed = git.arg("--ignore-submodules=dirty").run();
    let listed = listed.map_err(|error| blocked(place, error))?;
    Ok(listed.iter().filter(|byte| **byte == 0).count() as u64)
}

fn parse(output: &[u8]) -> Result<Changes, GitError> {
    let mut changes = Changes::default();
    for record in output.split(|byte| *byte == 0).filter(|record| !record.is_empty()) {
        match record {
            [b'#', b' ', header @ ..] => header_into(&mut changes, header),
            [b'1', b' ', rest @ ..] => changes.entries.push(tracked(rest)?),
            [b'u', b' ', rest @ ..] => {
                let path = fields::<9>(rest)?.1;
                changes.entries.push(Change { path, kind: ChangeKind::Unmerged });
            }
            [b'?', b' ', path @ ..] => changes.entries.push(untracked(path)),
            _ => return Err(unexpected(record)),
        }
    }
    Ok(changes)
}

fn header_into(changes: &mut Changes, header: &[u8]) {
    let header = String::from_utf8_lossy(header);
    match header.split_once(' ') {
        Some(("branch.oid", commit)) if commit != "(initial)" => {
            changes.head = Some(commit.to_owned());
        }
        Some(("branch.head", branch)) if branch != "(detached)" => {
            changes.branch = Some(branch.to_owned());
        }
        _ => {}
    }
}

/// `XY sub mH mI mW hH hI path`
fn tracked(record: &[u8]) -> Result<Change, GitError> {
    let ([xy, sub, mode, _, _, object, _], path) = fields::<7>(record)?;
    let &[staged, unstaged] = xy.as_bytes() else { return Err(unexpected(record)) };
    let tracked = Tracked {
        staged: staged != b'.',
        unstaged: unstaged != b'.',
        deleted: unstaged == b'D' || (staged == b'D' && unstaged == b'.'),
        submodule: sub.starts_with('S'),
        in_head: (mode.to_owned(), object.to_owned()),
    };
    Ok(Change { path, kind: ChangeKind::Tracked(tracked) })
}

fn untracked(path: &[u8]) -> Change {
    match path.strip_suffix(b"/") {
        Some(dir) => Change { path: path_of(dir), kind: ChangeKind::Repository },
        None => Change { path: path_of(path), kind: ChangeKind::Untracked },
    }
}

/// The first `N` fields between single spaces, and the path after them, which may hold spaces.
fn fields<const N: usize>(record: &[u8]) -> Result<([&str; N], PathBuf), GitError> {
    let mut parts = record.splitn(N + 1, |byte| *byte == b' ');
    let mut found = [""; N];
    for field in &mut found {
        let part = parts.next().and_then(|part| std::str::from_utf8(part).ok());
        *field = part.ok_or_else(|| unexpected(record))?;
    }
    let path = parts.next().ok_or_else(|| unexpected(record))?;
    Ok((found, path_of(path)))
}

fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}

fn unexpected(record: &[u8]) -> GitError {
    let answer = String::from_utf8_lossy(&record[..record.len().min(200)]).into_owned();
    GitError::Unexpected { what: "status".into(), answer }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    #[test]
    fn every_kind_of_record_is_read() {
        let zero = "0".repeat(40);
        let text = format!(
            "# branch.oid {zero}\0# branch.head feature/a b\0# branch.upstream origin/a\0\
             1 M. N... 100644 100644 100644 {zero} {zero} with space\0\
             1 AD N... 000000 100644 000000 {zero} {zero} gone\0\
             1 .M SC.. 160000 160000 160000 {zero} {zero} sub\0\
             u UU N... 100644 100644 100644 100644 {zero} {zero} {zero} both\0\
             ? new\nline\0? nested/\0"
        );
        let changes = parse(text.as_bytes()).unwrap();
        assert_eq!(changes.branch.as_deref(), Some("feature/a b"));
        let kinds: Vec<_> = changes.entries.iter().map(|entry| &entry.kind).collect();
        let ChangeKind::Tracked(first) = kinds[0] else { panic!("{kinds:?}") };
        assert!(first.staged && !first.unstaged && !first.deleted && !first.submodule);
        assert!(matches!(kinds[1], ChangeKind::Tracked(gone) if gone.deleted));
        assert!(matches!(kinds[2], ChangeKind::Tracked(sub) if sub.submodule));
        assert_eq!(kinds[3], &ChangeKind::Unmerged);
        assert_eq!(kinds[4], &ChangeKind::Untracked);
        assert_eq!(kinds[5], &ChangeKind::Repository);
        let paths: Vec<_> = changes.entries.iter().map(|entry| entry.path.clone()).collect();
        let wanted = ["with space", "gone", "sub", "both", "new\nline", "nested"];
        assert_eq!(paths, wanted.map(PathBuf::from));
    }

    #[test]
    fn checkouts_answer_each_for_itself() {
        let sample = Sample::new();
        let places: Vec<Place> = ["a", "b", "c"].map(|name| sample.worktree(name)).into();
        std::fs::write(places[0].dir().join("new"), "").unwrap();
        std::fs::remove_dir_all(places[1].dir()).unwrap();
        let all = changes_of_each(&places);
        assert_eq!(all[0].as_ref().unwrap().entries[0].path, PathBuf::from("new"));
        assert!(matches!(all[1], Err(GitError::File { .. })), "{:?}", all[1]);
        assert_eq!(all[2].as_ref().unwrap(), &changes(&places[2]).unwrap());
    }

    #[test]
    fn a_checkout_that_holds_git_up_is_given_up() {
        let sample = Sample::new();
        let place = sample.worktree("a");
        let fifo = place.dir().join(".gitignore");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let git = Git::read(&place).within(Duration::from_millis(300));
        let given_up = ask(&place, git).unwrap_err().to_string();
        let named = format!("`{}` is no file, and git waits for it for ever", fifo.display());
        assert_eq!(given_up, named);
    }

    #[test]
    fn nonsense_is_an_error() {
        for bad in ["x what", "1 M. N...", "u UU N... a"] {
            assert!(matches!(parse(bad.as_bytes()), Err(GitError::Unexpected { .. })), "{bad}");
        }
    }
}
