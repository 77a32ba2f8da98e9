//! The tree that a checkout would be with everything in it committed, made without touching its
//! index, its branch or its repository.
//!
//! Blobs are the files' own bytes where git would store them so; where an attribute or a setting
//! might convert them, or libgit2 cannot read the repository, git itself makes the tree through a
//! private index.

mod convert;

use std::collections::HashSet;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use git2::FileMode;
use git2::build::TreeUpdateBuilder;
use rustix::fs::OFlags;

use crate::git::changes::{Change, ChangeKind, Changes};
use crate::git::error::GitError;
use crate::git::place::Place;
use crate::git::private_index::PrivateIndex;
use crate::git::side_objects::Objects;
use convert::Conversion;

/// With more changed paths than these git makes the tree: its cost is in its start.
const BY_HAND_MAX: usize = 1000;

/// How much is read to make a tree.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Bytes of one file.
    pub file: u64,
    /// Bytes of all files together.
    pub total: u64,
    /// Changed paths.
    pub paths: usize,
}

/// The tree of everything in a checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorktreeTree {
    /// In hex.
    pub tree: String,
    /// What differs from HEAD and is not in it, in git's order.
    pub left_out: Vec<LeftOut>,
}

/// A path that differs from HEAD and is not in the tree as it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// From the checkout's top.
    pub path: PathBuf,
    /// Why.
    pub why: WhyLeftOut,
}

/// Why a path is not in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyLeftOut {
    /// It is a repository of its own.
    Repository,
    /// Its bytes are more than one file may have, or more than what all may have was reached.
    TooLarge {
        /// Its own size.
        bytes: u64,
    },
    /// More paths than may be read had changed before it.
    TooMany,
    /// It could not be read.
    Unreadable(String),
}

impl Bounds {
    /// For a look in passing: what is larger is not worth the wait.
    pub const GLANCE: Self = Self { file: 8 << 20, total: 64 << 20, paths: 20_000 };
    /// For an answer that decides something.
    pub const CAREFUL: Self = Self { file: 128 << 20, total: 1 << 30, paths: 200_000 };
}

/// Makes the tree of everything in a checkout: HEAD's tree where `changes` is empty.
///
/// A path in conflict is taken as it stands in the checkout, markers and all.
///
/// # Errors
/// When objects cannot be read or written, or git cannot make the tree.
pub fn worktree_tree(
    objects: &Objects,
    place: &Place,
    changes: &Changes,
    bounds: &Bounds,
) -> Result<WorktreeTree, GitError> {
    let head = match &changes.head {
        Some(commit) => objects.tree_of(commit)?,
        None => objects.empty_tree()?,
    };
    if changes.entries.is_empty() {
        return Ok(WorktreeTree { tree: head, left_out: vec![] });
    }
    let (wanted, mut left_out, total) = within(place, &changes.entries, bounds);
    let by_hand = match objects.writer(total) {
        Some(writer) if wanted.len() <= BY_HAND_MAX => {
            by_hand(objects, writer, place, &head, &wanted)?
        }
        _ => None,
    };
    let (tree, unreadable) = match by_hand {
        Some(made) => made,
        None => by_git(objects, place, &wanted)?,
    };
    let unreadable = unreadable.into_iter().map(|(path, why)| {
        let why = WhyLeftOut::Unreadable(why);
        LeftOut { path, why }
    });
    left_out.extend(unreadable);
    Ok(WorktreeTree { tree, left_out })
}

/// The paths to take, those that are left out before anything is read, and how many bytes it is.
fn within<'c>(
    place: &Place,
    entries: &'c [Change],
    bounds: &Bounds,
) -> (Vec<&'c Change>, Vec<LeftOut>, u64) {
    let (mut wanted, mut left_out, mut total) = (vec![], vec![], 0_u64);
    for change in entries {
        let meta = place.dir().join(&change.path).symlink_metadata();
        let bytes = meta.map_or(0, |meta| if meta.is_file() { meta.len() } else { 0 });
        let why = match &change.kind {
            ChangeKind::Repository => WhyLeftOut::Repository,
            _ if wanted.len() >= bounds.paths => WhyLeftOut::TooMany,
            _ if bytes > bounds.file || total.saturating_add(bytes) > bounds.total => {
                WhyLeftOut::TooLarge { bytes }
            }
            _ => {
                total += bytes;
                wanted.push(change);
                continue;
            }
        };
        left_out.push(LeftOut { path: change.path.clone(), why });
    }
    (wanted, left_out, total)
}

type Made = (String, Vec<(PathBuf, String)>);

/// By the git program, for anything.
fn by_git(objects: &Objects, place: &Place, wanted: &[&Change]) -> Result<Made, GitError> {
    let side = objects.side()?;
    let index = PrivateIndex::copy(place)?.writing_to(side.objects());
    let paths: Vec<&Path> = wanted.iter().map(|change| change.path.as_path()).collect();
    let unreadable = index.add(&paths)?;
    // What it could not take and the index has no single version of would stop the tree.
    let unmerged: Vec<&Path> = unreadable
        .iter()
        .filter(|(path, _)| {
            wanted.iter().any(|c| c.path == *path && c.kind == ChangeKind::Unmerged)
        })
        .map(|(path, _)| path.as_path())
        .collect();
    index.remove(&unmerged)?;
    Ok((index.write_tree()?, unreadable))
}

/// What a path becomes.
enum Content {
    Gone,
    Is(Vec<u8>, FileMode),
    Unreadable(String),
    /// git may store it otherwise than it stands there.
    Converted,
}

/// In this process, from the files' own bytes; `None` when git has to do it.
fn by_hand(
    objects: &Objects,
    writer: &git2::Repository,
    place: &Place,
    head: &str,
    wanted: &[&Change],
) -> Result<Option<Made>, GitError> {
    let Some(lib) = objects.lib() else { return Ok(None) };
    let keeps_modes = lib.config()?.get_bool("core.filemode").unwrap_or(true);
    let conversion = convert::possible(lib, place, wanted);
    if conversion == Conversion::Anything {
        return Ok(None);
    }
    let (mut gone, mut there) = (TreeUpdateBuilder::new(), TreeUpdateBuilder::new());
    let (mut unreadable, mut removals, mut seen) = (vec![], 0, HashSet::new());
    for change in wanted {
        let path = change.path.as_os_str().as_bytes();
        // Deleted in the index and there again, a path is told twice; the first says what HEAD has.
        if !seen.insert(path) {
            continue;
        }
        let in_head = match &change.kind {
            ChangeKind::Tracked(tracked) if tracked.submodule => return Ok(None),
            ChangeKind::Tracked(tracked) => tracked.in_head.0.as_str(),
            // Which of its versions HEAD holds is not told.
            ChangeKind::Unmerged => return Ok(None),
            _ => "000000",
        };
        let content = match content(&place.dir().join(&change.path), conversion) {
            Content::Converted => return Ok(None),
            Content::Unreadable(why) => {
                unreadable.push((change.path.clone(), why));
                continue;
            }
            content => content,
        };
        if in_head != "000000" && (matches!(content, Content::Gone) || in_head == "160000") {
            gone.remove(path);
            removals += 1;
        }
        if let Content::Is(bytes, mode) = content {
            let mode = match mode {
                FileMode::BlobExecutable | FileMode::Blob if !keeps_modes => kept_mode(in_head),
                mode => mode,
            };
            there.upsert(path, writer.blob(&bytes)?, mode);
        }
    }
    let mut tree = git2::Oid::from_str(head)?;
    // First what goes, so that a directory can take the place of a file and the reverse.
    if removals > 0 {
        tree = gone.create_updated(writer, &writer.find_tree(tree)?)?;
    }
    tree = there.create_updated(writer, &writer.find_tree(tree)?)?;
    Ok(Some((tree.to_string(), unreadable)))
}

fn kept_mode(in_head: &str) -> FileMode {
    if in_head == "100755" { FileMode::BlobExecutable } else { FileMode::Blob }
}

fn content(path: &Path, conversion: Conversion) -> Content {
    let meta = match path.symlink_metadata() {
        Ok(meta) => meta,
        // The second: a file stands where its directory was.
        Err(error) if [2, 20].contains(&error.raw_os_error().unwrap_or(0)) => return Content::Gone,
        Err(error) => return Content::Unreadable(error.to_string()),
    };
    if meta.is_symlink() {
        return match std::fs::read_link(path) {
            Ok(target) => Content::Is(target.into_os_string().into_vec(), FileMode::Link),
            Err(error) => Content::Unreadable(error.to_string()),
        };
    }
    if !meta.is_file() {
        return Content::Gone;
    }
    // No more than was counted, though it may grow meanwhile.
    match read(path, meta.len()) {
        Ok(bytes) if conversion == Conversion::LineEndings && bytes.contains(&b'\r') => {
            Content::Converted
        }
        Ok(bytes) => {
            let executable = meta.permissions().mode() & 0o100 != 0;
            Content::Is(bytes, if executable { FileMode::BlobExecutable } else { FileMode::Blob })
        }
        Err(error) => Content::Unreadable(error.to_string()),
    }
}

/// A regular file's first bytes. An agent may put a link or a FIFO there at any moment: neither is
/// followed or waited for.
fn read(path: &Path, max: u64) -> std::io::Result<Vec<u8>> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let mut file = std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("it is no file any more"));
    }
    let mut bytes = vec![];
    file.by_ref().take(max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
