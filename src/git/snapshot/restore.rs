//! Bringing a checkout back to a snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::git::changes::changes;
use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;
use crate::git::private_index::{Installed, PrivateIndex, recover};
use crate::git::snapshot::quiet_write;
use crate::git::snapshot::raw::{Blobs, RawFile, obstacle, remove, write};

/// What to do about uncommitted work where the snapshot's files go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwrite {
    /// Change nothing, and name it.
    Refuse,
    /// Overwrite it: the caller has taken a snapshot of the present state, or goes on with a
    /// restore that was interrupted.
    Snapshotted,
}

/// How a restore went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restored {
    /// HEAD, index and files are the snapshot's. Files that came since and are in neither index
    /// are still there.
    Done,
    /// Nothing was changed, because of these paths.
    InTheWay(Vec<PathBuf>),
    /// Files are as they should be, but another git process holds the index: try again.
    Locked,
}

/// What a snapshot's commits say.
struct Held {
    /// The worktree's tree.
    files: String,
    /// The index's tree.
    staged: String,
    /// The commit that holds the index file; `None` when nothing differed from HEAD.
    state: Option<String>,
    /// The full name of the branch; `None` for a detached HEAD.
    head: Option<String>,
    /// The commit of HEAD; `None` on a branch without one.
    base: Option<String>,
}

/// What a snapshot was taken of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The branch, without `refs/heads/`; `None` for a detached HEAD.
    pub branch: Option<String>,
    /// The commit of HEAD, in hex; `None` on a branch without one.
    pub base: Option<String>,
}

/// Says what a snapshot was taken of.
///
/// # Errors
/// When git fails, or the commit is no snapshot.
pub fn about(repository: &Place, commit: &str) -> Result<About, GitError> {
    let held = read(repository, commit)?;
    let name = |head: String| head.strip_prefix("refs/heads/").map(str::to_owned).unwrap_or(head);
    Ok(About { branch: held.head.map(name), base: held.base })
}

/// What has to change on disk.
#[derive(Default)]
struct Plan {
    /// To be written as git writes files.
    filtered: BTreeSet<PathBuf>,
    /// To be written byte for byte.
    raw: BTreeMap<PathBuf, RawFile>,
    /// To be removed.
    gone: BTreeSet<PathBuf>,
    /// Those of the above that the present index knows.
    known: BTreeSet<PathBuf>,
}

/// Brings a checkout to the state that a snapshot holds: its HEAD (moving the branch back by
/// compare-and-swap from `tip`, where it stands), its index to the byte, its tracked and untracked
/// files.
///
/// Interrupted at any instant, it can be called again with [`Overwrite::Snapshotted`].
///
/// # Errors
/// When git fails, the commit is no snapshot, or the branch is not at `tip`.
pub fn restore(
    place: &Place,
    commit: &str,
    tip: &str,
    overwrite: Overwrite,
) -> Result<Restored, GitError> {
    recover(place)?;
    let held = read(place, commit)?;
    let index = PrivateIndex::copy(place)?;
    let plan = plan(place, &held, &index)?;
    let in_the_way = in_the_way(place, &plan, overwrite)?;
    if !in_the_way.is_empty() {
        return Ok(Restored::InTheWay(in_the_way));
    }
    remove(place.dir(), &plan.gone)?;
    check_out(&index, &plan)?;
    write(place, &plan.raw)?;
    if let Some(state) = &held.state {
        let bytes = Git::read(place).args(["cat-file", "blob", &format!("{state}:index")]).run()?;
        let file = index.file();
        std::fs::write(&file, bytes).map_err(GitError::file("write", file))?;
    }
    // Exit code 1 means that files differ from it, as they did when the snapshot was taken.
    let refreshed = index.git().args(["update-index", "-q", "--refresh"]).answer()?;
    if !matches!(refreshed.code, Some(0 | 1)) {
        return Err(refreshed.failure());
    }
    install(place, &held, &index, tip)
}

fn read(place: &Place, commit: &str) -> Result<Held, GitError> {
    let text = Git::read(place).args(["cat-file", "commit", commit]).text()?;
    let line = |name: &str| {
        let found = text.lines().rev().find_map(|line| line.strip_prefix(name));
        found.map(|value| value.trim_start_matches(':').trim().to_owned())
    };
    let no_snapshot = || GitError::Unexpected {
        what: "cat-file commit".into(),
        answer: format!("`{commit}` is no snapshot"),
    };
    let (Some(head), Some(base), Some(state)) =
        (line("Wt-Head"), line("Wt-Base"), line("Wt-State"))
    else {
        return Err(no_snapshot());
    };
    let header = text.split("\n\n").next().unwrap_or_default();
    let last = header.lines().filter_map(|line| line.strip_prefix("parent ")).next_back();
    let files = format!("{commit}^{{tree}}");
    let staged = match (state.as_str(), last) {
        ("clean", _) => files.clone(),
        (_, Some(index)) => format!("{index}^{{tree}}"),
        (_, None) => return Err(no_snapshot()),
    };
    Ok(Held {
        files,
        staged,
        state: Some(state).filter(|state| state != "clean"),
        head: Some(head).filter(|head| head != "detached"),
        base: Some(base).filter(|base| base != "none"),
    })
}

/// Compares the checkout with the snapshot; afterwards the private index holds the snapshot's
/// staged tree.
fn plan(place: &Place, held: &Held, index: &PrivateIndex) -> Result<Plan, GitError> {
    let mut plan = Plan::default();
    // A submodule's files are not held, so where it stands is left to its own repository.
    let asked = ["diff-index", "--cached", "-z", "--name-status", "--no-renames"];
    let git = Git::read(place).args(asked).args(["--ignore-submodules=all", &held.staged]);
    let mut unknown = BTreeSet::new();
    for (status, path) in pairs(&git.run()?) {
        match status {
            b'A' => drop(plan.gone.insert(path)),
            b'D' => drop(unknown.insert(path)),
            _ => {}
        }
    }
    plan.known.clone_from(&plan.gone);
    index.git().args(["read-tree", "--reset", &held.staged]).run()?;
    let refreshed = index.git().args(["update-index", "-q", "--refresh"]).answer()?;
    if !matches!(refreshed.code, Some(0 | 1)) {
        return Err(refreshed.failure());
    }
    let asked = ["diff-files", "-z", "--name-status", "--no-renames", "--ignore-submodules=all"];
    let differing = index.git().args(asked).run()?;
    plan.filtered.extend(pairs(&differing).into_iter().map(|(_, path)| path));
    let asked = ["diff-tree", "-r", "-z", "--no-renames", "--name-status"];
    let differing = Git::read(place).args(asked).args([&held.staged, &held.files]).run()?;
    let mut added = BTreeSet::new();
    for (status, path) in pairs(&differing) {
        match status {
            b'A' => drop(added.insert(path)),
            b'D' => {
                plan.filtered.remove(&path);
                plan.known.insert(path.clone());
                plan.gone.insert(path);
            }
            _ => {}
        }
    }
    for (path, raw) in raw_files(place, held)? {
        plan.filtered.remove(&path);
        plan.gone.remove(&path);
        if !added.contains(&path) {
            plan.known.insert(path.clone());
        }
        plan.raw.insert(path, raw);
    }
    plan.known.extend(plan.filtered.iter().cloned());
    plan.known.retain(|path| !unknown.contains(path));
    Ok(plan)
}

/// The files that are held byte for byte.
fn raw_files(place: &Place, held: &Held) -> Result<BTreeMap<PathBuf, RawFile>, GitError> {
    let Some(state) = &held.state else { return Ok(BTreeMap::new()) };
    let list = Git::read(place).args(["cat-file", "blob", &format!("{state}:raw")]).run()?;
    let names: BTreeSet<&[u8]> = list.split(|byte| *byte == 0).collect();
    let tree = Git::read(place).args(["ls-tree", "-r", "-z", "--full-tree", &held.files]).run()?;
    let lines = tree.split(|byte| *byte == 0).filter(|line| !line.is_empty());
    let mut found = BTreeMap::new();
    for line in lines {
        let tab = line.iter().position(|byte| *byte == b'\t').unwrap_or(line.len() - 1);
        let (head, path) = (&line[..tab], &line[tab + 1..]);
        if names.contains(path) {
            found.insert(PathBuf::from(OsStr::from_bytes(path)), RawFile::of(head)?);
        }
    }
    Ok(found)
}

/// Uncommitted or unknown work where something is to be written or removed.
fn in_the_way(place: &Place, plan: &Plan, overwrite: Overwrite) -> Result<Vec<PathBuf>, GitError> {
    let dirty: BTreeSet<PathBuf> =
        changes(place)?.entries.into_iter().map(|entry| entry.path).collect();
    let mut blobs = Blobs::open(place)?;
    let mut found = vec![];
    let targets = plan.filtered.iter().chain(plan.raw.keys());
    for path in targets.clone().chain(&plan.gone) {
        if !matches!(place.dir().join(path).symlink_metadata(), Ok(meta) if !meta.is_dir()) {
            continue;
        }
        let known = plan.known.contains(path) && !dirty.contains(path);
        let mut same = || match plan.raw.get(path) {
            Some(raw) => raw.is_there(place.dir(), path, &mut blobs),
            None => Ok(false),
        };
        if overwrite == Overwrite::Refuse && !known && !same()? {
            found.push(path.clone());
        }
    }
    // Whatever was snapshotted: nothing is written through a link, and a directory in the place of
    // a file may hold ignored files.
    found.extend(targets.filter_map(|path| obstacle(place.dir(), path, &plan.gone)));
    found.sort();
    found.dedup();
    Ok(found)
}

fn check_out(index: &PrivateIndex, plan: &Plan) -> Result<(), GitError> {
    if plan.filtered.is_empty() {
        return Ok(());
    }
    let mut input = Vec::new();
    for path in &plan.filtered {
        input.extend_from_slice(path.as_os_str().as_bytes());
        input.push(0);
    }
    index.git().args(["checkout-index", "-f", "-q", "-z", "--stdin"]).input(input).run().map(drop)
}

/// HEAD, branch and index, under the index's lock.
fn install(
    place: &Place,
    held: &Held,
    index: &PrivateIndex,
    tip: &str,
) -> Result<Restored, GitError> {
    let reference = held.head.as_deref().unwrap_or("HEAD");
    let commit = held.base.as_deref().unwrap_or("none");
    let installed = index.install(reference, commit, None, || {
        let git = || quiet_write(place);
        match (&held.head, &held.base) {
            (Some(head), Some(base)) => {
                git().args(["update-ref", "-m", "wt: restore", head, base, tip]).run()?;
                git().args(["symbolic-ref", "-m", "wt: restore", "HEAD", head]).run()?;
            }
            (Some(head), None) => {
                git().args(["symbolic-ref", "-m", "wt: restore", "HEAD", head]).run()?;
            }
            (None, Some(base)) => {
                let asked = ["update-ref", "-m", "wt: restore", "--no-deref", "HEAD", base];
                git().args(asked).run()?;
            }
            (None, None) => {}
        }
        Ok(())
    })?;
    Ok(if installed == Installed::Yes { Restored::Done } else { Restored::Locked })
}

/// `status NUL path NUL …`
fn pairs(output: &[u8]) -> Vec<(u8, PathBuf)> {
    let mut parts = output.split(|byte| *byte == 0);
    let mut pairs = vec![];
    while let (Some([status, ..]), Some(path)) = (parts.next(), parts.next()) {
        pairs.push((*status, Path::new(OsStr::from_bytes(path)).to_path_buf()));
    }
    pairs
}
