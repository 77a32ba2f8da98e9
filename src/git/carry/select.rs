//! Which files of a checkout the globs name. Whether git ignores them is asked afterwards, of the
//! few that match.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use thiserror::Error;

use crate::git::carry::Left;

/// The most entries that are looked at. A checkout of half a million files was listed in about
/// a second; whoever has more in it names directories instead.
const ENTRIES_MAX: usize = 500_000;

/// Directories that package managers fill: never looked into, only ever carried whole.
const DEPENDENCIES: &[&str] =
    &["node_modules", "bower_components", ".venv", "venv", ".tox", ".nox", "Pods", ".terraform"];

/// What marks a directory of generated files (<https://bford.info/cachedir/>).
const CACHE_TAG: &str = "CACHEDIR.TAG";

/// The globs of `[worktree].copy`, in the order given.
///
/// A glob is matched at any depth: `.env*` names `.env` and `apps/web/.env.local`, `conf/*.pem` also
/// `apps/web/conf/a.pem`; with a `/` in front it counts from the checkout's top. A `!` in front
/// takes back what an earlier one named. `*` and `?` match no `/`, `**` does.
#[derive(Debug, Clone, Default)]
pub struct Globs {
    all: Vec<(bool, GlobMatcher)>,
}

/// A glob that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{glob}` is no glob: {why}")]
pub struct BadGlob {
    /// As written.
    pub glob: String,
    /// Why.
    pub why: String,
}

impl Globs {
    /// Reads them.
    ///
    /// # Errors
    /// [`BadGlob`], the first that cannot be read.
    pub fn new(globs: &[String]) -> Result<Self, BadGlob> {
        let read = |glob: &String| {
            let bad = |why: String| BadGlob { glob: glob.clone(), why };
            let (takes, text) = match glob.strip_prefix('!') {
                Some(rest) => (false, rest),
                None => (true, glob.as_str()),
            };
            let text = text.strip_suffix('/').unwrap_or(text);
            if text.trim_matches('/').is_empty() {
                return Err(bad("it names nothing".into()));
            }
            let anywhere = match text.strip_prefix('/') {
                Some(rest) => rest.to_owned(),
                None => format!("**/{text}"),
            };
            let glob = GlobBuilder::new(&anywhere).literal_separator(true).build();
            Ok((takes, glob.map_err(|error| bad(error.kind().to_string()))?.compile_matcher()))
        };
        Ok(Self { all: globs.iter().map(read).collect::<Result<_, _>>()? })
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    fn name(&self, path: &Path) -> bool {
        self.last_say(path) == Some(true)
    }

    /// Whether a `!` glob takes back what lies in a directory that is carried whole.
    pub(super) fn take_back(&self, path: &Path) -> bool {
        self.last_say(path) == Some(false)
    }

    fn last_say(&self, path: &Path) -> Option<bool> {
        self.all.iter().rev().find(|(_, glob)| glob.is_match(path)).map(|(takes, _)| *takes)
    }
}

/// Something that a glob names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Match {
    /// From the checkout's top.
    pub path: PathBuf,
    /// True for a directory, which is then meant whole.
    pub is_dir: bool,
}

/// What a walk through a checkout found.
#[derive(Debug, Default)]
pub(super) struct Selection {
    pub matches: Vec<Match>,
    pub dependencies: Vec<PathBuf>,
    pub left: Vec<Left>,
}

/// Walks a checkout. Never into `.git`, another repository or worktree, through a link, or into
/// what package managers and compilers filled; nor into `apart`.
pub(super) fn select(top: &Path, globs: &Globs, apart: &Path) -> Selection {
    let mut found = Selection::default();
    if globs.is_empty() {
        return found;
    }
    let mut looked_at = 0;
    let mut waiting = vec![PathBuf::new()];
    while let Some(dir) = waiting.pop() {
        if looked_at > ENTRIES_MAX {
            let why =
                format!("was not looked through: more than {ENTRIES_MAX} files came before it");
            found.left.push(Left { path: dir, why });
            continue;
        }
        // Gone meanwhile, or closed to us: nothing that could be carried.
        let Ok(entries) = std::fs::read_dir(top.join(&dir)) else { continue };
        let entries: Vec<_> = entries.filter_map(Result::ok).collect();
        looked_at += entries.len();
        let holds = |name: &str| entries.iter().any(|entry| entry.file_name() == name);
        if !dir.as_os_str().is_empty() && (holds(".git") || holds(CACHE_TAG)) {
            continue;
        }
        for entry in &entries {
            let path = dir.join(entry.file_name());
            let Ok(kind) = entry.file_type() else { continue };
            if entry.file_name().as_bytes() == b".git" || entry.path() == apart {
                continue;
            }
            let is_dir = kind.is_dir();
            if globs.name(&path) && (is_dir || kind.is_file() || kind.is_symlink()) {
                found.matches.push(Match { path, is_dir });
            } else if is_dir && is_dependency_dir(&entry.file_name()) {
                found.dependencies.push(path);
            } else if is_dir {
                waiting.push(path);
            }
        }
    }
    found.dependencies.sort();
    found
}

/// Every file and link in a directory, from the checkout's top; not through other repositories.
pub(super) fn files_in(top: &Path, dir: &Path) -> Vec<PathBuf> {
    let walk = walkdir::WalkDir::new(top.join(dir)).into_iter();
    let enter = |entry: &walkdir::DirEntry| {
        let nested = entry.depth() > 0 && entry.file_type().is_dir();
        entry.file_name() != ".git" && !(nested && entry.path().join(".git").exists())
    };
    walk.filter_entry(enter)
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file() || entry.file_type().is_symlink())
        .take(ENTRIES_MAX)
        .filter_map(|entry| entry.path().strip_prefix(top).ok().map(Path::to_path_buf))
        .collect()
}

/// A file in a directory that may be carried whole.
pub(super) struct Sized {
    /// Absolute.
    pub path: PathBuf,
    /// In bytes.
    pub size: u64,
}

/// Every regular file in a directory, with its size.
pub(super) fn sizes_in(dir: &Path) -> impl Iterator<Item = Sized> {
    walkdir::WalkDir::new(dir)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .filter_map(|entry| {
            let size = entry.metadata().ok()?.len();
            Some(Sized { path: entry.into_path(), size })
        })
}

fn is_dependency_dir(name: &OsStr) -> bool {
    DEPENDENCIES.iter().any(|known| name == *known)
}
