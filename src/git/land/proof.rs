//! The proof that a checkout holds nothing of its own at the paths that a landing touches.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::git::command::Git;
use crate::git::conflict::{as_text, joined};
use crate::git::error::GitError;
use crate::git::land::disk;
use crate::git::land::touch::{Touch, parents};
use crate::git::place::Place;
use crate::git::version::Version;

/// The most files that are named of one directory in the way.
const NAMED_MAX: usize = 20;

/// What keeps a landing from touching a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Obstacle {
    /// From the checkout's top.
    #[serde(serialize_with = "as_text")]
    pub path: PathBuf,
    /// What is there.
    pub why: InTheWay,
}

/// What is in a landing's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum InTheWay {
    /// A change that is staged.
    Staged,
    /// A change that is not staged.
    Changed,
    /// A file that git does not know.
    Untracked,
    /// A file that git was told to ignore.
    Ignored,
    /// The files of a submodule.
    Submodule,
}

impl std::fmt::Display for InTheWay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Staged => "a staged change",
            Self::Changed => "an uncommitted change",
            Self::Untracked => "a file that git does not know",
            Self::Ignored => "an ignored file",
            Self::Submodule => "files of a submodule",
        })
    }
}

/// What has to be known to put everything back as it was.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ground {
    /// Tracked paths that are not checked out (sparse checkouts).
    pub absent: Vec<PathBuf>,
    /// Directories that the landing will make, parents before children.
    pub missing: Vec<PathBuf>,
}

/// Looks at every touched path: the index must hold the old version, the checkout the same, and
/// where the old commit has nothing there must be nothing.
///
/// `index` is the index file to go by; without it, the checkout's own.
///
/// # Errors
/// When git cannot be asked or a directory not be read.
pub fn prove(
    place: &Place,
    touches: &[Touch],
    index: Option<&Path>,
) -> Result<Result<Ground, Vec<Obstacle>>, GitError> {
    let mut proof = Proof::of(place, touches, index)?;
    for touch in touches {
        match &touch.old {
            Some(old) => proof.tracked(touch, old)?,
            None => proof.added(touch)?,
        }
    }
    proof.check_unwatched()?;
    if proof.obstacles.is_empty() {
        let ground = Ground { absent: proof.absent, missing: proof.missing.into_iter().collect() };
        return Ok(Ok(ground));
    }
    proof.tell_ignored()?;
    Ok(Err(proof.obstacles.into_iter().collect()))
}

/// A touched path as the index has it.
struct Listed {
    version: Version,
    /// Not checked out.
    skipped: bool,
    /// `git update-index --assume-unchanged`: git does not look at the file.
    unwatched: bool,
    unmerged: bool,
    /// The file differs, or is gone.
    changed: bool,
}

struct Proof<'a> {
    place: &'a Place,
    top: &'a Path,
    touched: HashMap<&'a Path, &'a Touch>,
    listed: HashMap<PathBuf, Listed>,
    obstacles: BTreeSet<Obstacle>,
    unwatched: Vec<(PathBuf, Version)>,
    absent: Vec<PathBuf>,
    missing: BTreeSet<PathBuf>,
}

impl<'a> Proof<'a> {
    fn of(place: &'a Place, touches: &'a [Touch], index: Option<&Path>) -> Result<Self, GitError> {
        let touched = touches.iter().map(|touch| (touch.path.as_path(), touch)).collect();
        Ok(Self {
            place,
            top: place.dir(),
            listed: listed(place, &touched, index)?,
            touched,
            obstacles: BTreeSet::new(),
            unwatched: vec![],
            absent: vec![],
            missing: BTreeSet::new(),
        })
    }

    fn obstacle(&mut self, path: &Path, why: InTheWay) {
        self.obstacles.insert(Obstacle { path: path.to_path_buf(), why });
    }

    fn tracked(&mut self, touch: &Touch, old: &Version) -> Result<(), GitError> {
        let path = &touch.path;
        let Some(listed) = self.listed.get(path) else {
            self.obstacle(path, InTheWay::Staged);
            return Ok(());
        };
        if listed.unmerged || listed.version != *old {
            self.obstacle(path, InTheWay::Staged);
        } else if listed.skipped {
            if disk::kind(&self.top.join(path))?.is_some() {
                self.obstacle(path, InTheWay::Changed);
            } else {
                self.absent.push(path.clone());
            }
        } else if old.is_submodule() {
            // Its files are its own business, unless something else takes their place.
            let replaced = touch.new.as_ref().is_some_and(|new| !new.is_submodule());
            if replaced && !disk::is_empty_dir(&self.top.join(path)) {
                self.obstacle(path, InTheWay::Submodule);
            }
        } else if listed.changed {
            self.obstacle(path, InTheWay::Changed);
        } else if listed.unwatched {
            self.unwatched.push((path.clone(), old.clone()));
        }
        Ok(())
    }

    /// A path that is to appear: nothing may be there but what goes away with the same landing.
    fn added(&mut self, touch: &Touch) -> Result<(), GitError> {
        let path = &touch.path;
        if self.listed.contains_key(path) {
            self.obstacle(path, InTheWay::Staged);
            return Ok(());
        }
        let above: Vec<&Path> = parents(path).collect();
        for (number, parent) in above.iter().enumerate().rev() {
            match disk::kind(&self.top.join(parent))? {
                Some(disk::Kind::Directory) => continue,
                Some(_) if !self.goes_away(parent) => {
                    self.obstacle(parent, InTheWay::Untracked);
                }
                _ => {
                    let made = above[..=number].iter().map(|dir| dir.to_path_buf());
                    self.missing.extend(made);
                }
            }
            return Ok(());
        }
        let submodule = touch.new.as_ref().is_some_and(Version::is_submodule);
        match disk::kind(&self.top.join(path))? {
            None => {}
            Some(disk::Kind::Directory) if submodule => {}
            Some(disk::Kind::Directory) => self.directory_in_the_way(path)?,
            Some(_) => self.obstacle(path, InTheWay::Untracked),
        }
        Ok(())
    }

    fn goes_away(&self, path: &Path) -> bool {
        self.touched.get(path).is_some_and(|touch| touch.old.is_some() && touch.new.is_none())
    }

    fn directory_in_the_way(&mut self, dir: &Path) -> Result<(), GitError> {
        let mut named = 0;
        for entry in walkdir::WalkDir::new(self.top.join(dir)).follow_links(false) {
            let entry =
                entry.map_err(|error| GitError::file("read", self.top.join(dir))(error.into()))?;
            let Ok(path) = entry.path().strip_prefix(self.top) else { continue };
            if entry.file_type().is_dir() || self.goes_away(path) {
                continue;
            }
            self.obstacle(path, InTheWay::Untracked);
            named += 1;
            if named == NAMED_MAX {
                break;
            }
        }
        Ok(())
    }

    /// Looks at the files that git was told not to look at.
    fn check_unwatched(&mut self) -> Result<(), GitError> {
        let unwatched = std::mem::take(&mut self.unwatched);
        let paths: Vec<&Path> = unwatched.iter().map(|(path, _)| path.as_path()).collect();
        let found = disk::versions(self.place, &paths)?;
        for ((path, version), found) in unwatched.iter().zip(found) {
            if !found.same_as(version) {
                self.obstacle(path, InTheWay::Changed);
            }
        }
        Ok(())
    }

    /// Tells ignored files from those that git merely does not know.
    fn tell_ignored(&mut self) -> Result<(), GitError> {
        let unknown: Vec<PathBuf> = self
            .obstacles
            .iter()
            .filter(|obstacle| obstacle.why == InTheWay::Untracked)
            .map(|obstacle| obstacle.path.clone())
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let input = joined(unknown.iter().map(PathBuf::as_path));
        let asked = ["check-ignore", "--no-index", "-z", "--stdin"];
        let answer = Git::read(self.place).args(asked).input(input).answer()?;
        for path in answer.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty()) {
            let path = PathBuf::from(OsStr::from_bytes(path));
            self.obstacles.remove(&Obstacle { path: path.clone(), why: InTheWay::Untracked });
            self.obstacles.insert(Obstacle { path, why: InTheWay::Ignored });
        }
        Ok(())
    }
}

/// The touched paths as the index has them, with whether their files differ: one call, in git's
/// own understanding of "differs".
fn listed(
    place: &Place,
    touched: &HashMap<&Path, &Touch>,
    index: Option<&Path>,
) -> Result<HashMap<PathBuf, Listed>, GitError> {
    let mut git = Git::read(place);
    if let Some(index) = index {
        git = git.env("GIT_INDEX_FILE", index);
    }
    let asked = ["ls-files", "-z", "--stage", "-v", "--cached", "--modified", "--deleted"];
    let output = git.args(asked).run()?;
    let mut listed: HashMap<PathBuf, Listed> = HashMap::new();
    let mut changed: HashSet<PathBuf> = HashSet::new();
    for record in output.split(|byte| *byte == 0).filter(|record| !record.is_empty()) {
        let unexpected = || GitError::Unexpected {
            what: "ls-files".into(),
            answer: String::from_utf8_lossy(record).into_owned(),
        };
        let tab = record.iter().position(|byte| *byte == b'\t').ok_or_else(unexpected)?;
        let path = Path::new(OsStr::from_bytes(&record[tab + 1..]));
        if !touched.contains_key(path) {
            continue;
        }
        let head = std::str::from_utf8(&record[..tab]).map_err(|_| unexpected())?;
        let parts: Vec<&str> = head.split(' ').collect();
        let [tag, mode, object, stage] = parts[..] else { return Err(unexpected()) };
        match tag.to_ascii_uppercase().as_str() {
            "C" | "R" => {
                changed.insert(path.to_path_buf());
            }
            kept => {
                let version = Version { mode: mode.into(), object: object.into() };
                let entry = Listed {
                    version,
                    skipped: kept == "S",
                    unwatched: tag != kept,
                    unmerged: stage != "0",
                    changed: false,
                };
                listed.insert(path.to_path_buf(), entry);
            }
        }
    }
    for path in changed {
        if let Some(entry) = listed.get_mut(&path) {
            entry.changed = true;
        }
    }
    Ok(listed)
}
