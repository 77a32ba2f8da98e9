//! What a merge could not settle, path by path, as it stands in the checkout that it was made in.

pub mod favor;
pub mod markers;

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;
use crate::git::version::Version;

/// The most that is read of a file with conflicts, to find them in it.
const FILE_MAX: u64 = 64 * 1024 * 1024;

/// A path that both sides changed, and git could not make one of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// From the checkout's top.
    #[serde(serialize_with = "as_text")]
    pub path: PathBuf,
    /// In what way.
    pub kind: ConflictKind,
    /// Where in the file; only for [`ConflictKind::Text`].
    pub hunks: Vec<Hunk>,
    /// True once it was changed since git stopped, and no marker is left in it: it is settled as
    /// it stands.
    pub settled: bool,
    /// What both sides started from.
    #[serde(skip)]
    pub base: Option<Version>,
    /// What the side has that the other is merged into.
    #[serde(skip)]
    pub ours: Option<Version>,
    /// What the side has that is merged.
    #[serde(skip)]
    pub theirs: Option<Version>,
}

/// In what way two sides do not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConflictKind {
    /// Both changed the same lines.
    Text,
    /// Both changed it, and it cannot be merged line by line.
    Binary,
    /// Both changed it, and on one side at least it is a symbolic link.
    Link,
    /// Both moved a submodule.
    Submodule,
    /// Changed by what is merged, deleted where it is merged into.
    DeletedByOurs,
    /// Deleted by what is merged, changed where it is merged into.
    DeletedByTheirs,
    /// Renamed on both sides, or in the way of a directory.
    Moved,
}

/// A stretch of lines that both sides changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hunk {
    /// First and last line in the file with the markers, counted from 1, markers included.
    pub lines: (usize, usize),
    /// The lines of the side that the other is merged into.
    pub ours: Vec<String>,
    /// The lines of the side that is merged.
    pub theirs: Vec<String>,
}

/// A path in JSON: as text, what is no UTF-8 replaced.
///
/// # Errors
/// The serializer's.
pub fn as_text<S: serde::Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// Every unmerged path of a checkout, in git's order.
///
/// # Errors
/// When git cannot be asked.
pub fn list(place: &Place) -> Result<Vec<Conflict>, GitError> {
    let unmerged = Git::read(place).args(["ls-files", "--unmerged", "-z"]).run()?;
    let mut conflicts = stages(&unmerged)?;
    if conflicts.is_empty() {
        return Ok(conflicts);
    }
    let sizes = marker_sizes(place, &conflicts)?;
    let changed = changed_since(place)?;
    for conflict in &mut conflicts {
        let size = sizes.get(&conflict.path).copied().unwrap_or(markers::SIZE);
        look_into(place, conflict, size, changed.contains(&conflict.path));
    }
    Ok(conflicts)
}

/// Paths that were in conflict and staged since, although a conflict is still marked in them. The
/// index remembers them beyond a commit.
///
/// # Errors
/// When git cannot be asked.
pub fn staged_with_markers(place: &Place) -> Result<Vec<Conflict>, GitError> {
    let staged = Git::read(place).args(["ls-files", "--resolve-undo", "-z"]).run()?;
    let mut staged = stages(&staged)?;
    if staged.is_empty() {
        return Ok(staged);
    }
    let sizes = marker_sizes(place, &staged)?;
    for conflict in &mut staged {
        let size = sizes.get(&conflict.path).copied().unwrap_or(markers::SIZE);
        look_into(place, conflict, size, false);
    }
    staged.retain(|conflict| !conflict.hunks.is_empty());
    Ok(staged)
}

/// The length of conflict markers in each of the paths.
fn marker_sizes(
    place: &Place,
    conflicts: &[Conflict],
) -> Result<HashMap<PathBuf, usize>, GitError> {
    let paths = joined(conflicts.iter().map(|conflict| conflict.path.as_path()));
    let asked = ["check-attr", "-z", "--stdin", "conflict-marker-size"];
    let answer = Git::read(place).args(asked).input(paths).run()?;
    let mut fields = answer.split(|byte| *byte == 0);
    let mut sizes = HashMap::new();
    while let (Some(path), Some(_), Some(value)) = (fields.next(), fields.next(), fields.next()) {
        let size = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
        if let Some(size) = size.filter(|size| *size > 0) {
            sizes.insert(PathBuf::from(OsStr::from_bytes(path)), size);
        }
    }
    Ok(sizes)
}

/// The paths that differ from what git left when it stopped; none when it did not record that.
fn changed_since(place: &Place) -> Result<HashSet<PathBuf>, GitError> {
    let asked = ["diff", "--no-ext-diff", "--no-renames", "--name-only", "-z", "AUTO_MERGE", "--"];
    let answer = Git::read(place).args(asked).answer()?;
    if answer.code != Some(0) {
        return Ok(HashSet::new());
    }
    let paths = answer.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty());
    Ok(paths.map(|path| PathBuf::from(OsStr::from_bytes(path))).collect())
}

/// The paths, each ended by a NUL.
pub(crate) fn joined<'a>(paths: impl Iterator<Item = &'a Path>) -> Vec<u8> {
    let mut input = Vec::new();
    for path in paths {
        input.extend_from_slice(path.as_os_str().as_bytes());
        input.push(0);
    }
    input
}

fn stages(output: &[u8]) -> Result<Vec<Conflict>, GitError> {
    let mut conflicts: Vec<Conflict> = Vec::new();
    for record in output.split(|byte| *byte == 0).filter(|record| !record.is_empty()) {
        let unexpected = || GitError::Unexpected {
            what: "ls-files --unmerged".into(),
            answer: String::from_utf8_lossy(record).into_owned(),
        };
        let tab = record.iter().position(|byte| *byte == b'\t').ok_or_else(unexpected)?;
        let head = String::from_utf8_lossy(&record[..tab]);
        let path = PathBuf::from(OsStr::from_bytes(&record[tab + 1..]));
        let mut fields = head.split(' ').map(str::to_owned);
        let (Some(mode), Some(object), Some(number)) =
            (fields.next(), fields.next(), fields.next())
        else {
            return Err(unexpected());
        };
        if conflicts.last().is_none_or(|last| last.path != path) {
            conflicts.push(Conflict::at(path));
        }
        let Some(last) = conflicts.last_mut() else { continue };
        let slot = match number.as_str() {
            "1" => &mut last.base,
            "2" => &mut last.ours,
            "3" => &mut last.theirs,
            _ => return Err(unexpected()),
        };
        *slot = Some(Version { mode, object });
    }
    for conflict in &mut conflicts {
        conflict.kind = conflict.kind_by_stages();
    }
    Ok(conflicts)
}

impl Conflict {
    fn at(path: PathBuf) -> Self {
        let kind = ConflictKind::Moved;
        Self { path, kind, hunks: vec![], settled: false, base: None, ours: None, theirs: None }
    }

    fn kind_by_stages(&self) -> ConflictKind {
        match (&self.base, &self.ours, &self.theirs) {
            (_, Some(ours), Some(theirs)) => {
                let any = |mode: &str| ours.mode == mode || theirs.mode == mode;
                if any("160000") {
                    ConflictKind::Submodule
                } else if any("120000") {
                    ConflictKind::Link
                } else {
                    ConflictKind::Text
                }
            }
            (Some(_), Some(_), None) => ConflictKind::DeletedByTheirs,
            (Some(_), None, Some(_)) => ConflictKind::DeletedByOurs,
            _ => ConflictKind::Moved,
        }
    }
}

fn look_into(place: &Place, conflict: &mut Conflict, size: usize, changed: bool) {
    let text = match conflict.kind {
        ConflictKind::Submodule => return,
        ConflictKind::Text => read(&place.dir().join(&conflict.path)),
        // Whatever was done to it, it was done on purpose.
        _ => None,
    };
    let text = text.unwrap_or_default();
    conflict.settled = changed && !markers::any_left(&text, size);
    let stretches = markers::stretches(&text, size);
    let is_text = !stretches.is_empty() || changed;
    if conflict.kind == ConflictKind::Text && !is_text {
        conflict.kind = ConflictKind::Binary;
    }
    conflict.hunks = stretches
        .iter()
        .map(|stretch| Hunk {
            lines: (stretch.first, stretch.last),
            ours: shown(stretch.ours),
            theirs: shown(stretch.theirs),
        })
        .collect();
}

/// The file, unless it is no regular one, or far too large.
pub(crate) fn read(path: &Path) -> Option<Vec<u8>> {
    let meta = std::fs::symlink_metadata(path).ok()?;
    if !meta.is_file() || meta.len() > FILE_MAX {
        return None;
    }
    let mut text = Vec::new();
    std::fs::File::open(path).ok()?.take(FILE_MAX).read_to_end(&mut text).ok()?;
    Some(text)
}

fn shown(lines: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(lines).lines().map(str::to_owned).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::git::sample::Sample;

    /// A repository with a merge under way that git could not finish.
    pub(crate) fn conflicted() -> Sample {
        let sample = Sample::new();
        sample.write("text", "1\n2\n3\n4\n5\n6\n7\n8\n");
        sample.write("wide", "1\n2\n3\n");
        sample.write("gone", "1\n2\n3\n");
        sample.write(".gitattributes", "wide conflict-marker-size=10\n*.bin binary\n");
        sample.write("a.bin", "1\0");
        std::os::unix::fs::symlink("one", sample.path.join("link")).unwrap();
        sample.commit("start");
        sample.git(&["checkout", "-q", "-b", "other"]);
        for (side, link) in [("theirs", "two"), ("ours", "three")] {
            sample.write("text", &format!("1\n{side} \"x\"\n3\n4\n5\n6\n{side} y\n8\n"));
            sample.write("wide", &format!("1\n{side}\n3\n"));
            sample.write("a.bin", &format!("{side}\0"));
            sample.write("new", side);
            std::fs::remove_file(sample.path.join("link")).unwrap();
            std::os::unix::fs::symlink(link, sample.path.join("link")).unwrap();
            if side == "theirs" {
                sample.git(&["rm", "-q", "gone"]);
                sample.commit("theirs");
                sample.git(&["checkout", "-q", "main"]);
            } else {
                sample.write("gone", "1\nours\n3\n");
                sample.commit("ours");
            }
        }
        let merged = Git::write(&sample.place()).args(["merge", "other"]).answer().unwrap();
        assert_eq!(merged.code, Some(1), "{}", merged.stderr);
        sample
    }

    #[test]
    fn every_kind_is_told_with_its_lines() {
        let sample = conflicted();
        let found = list(&sample.place()).unwrap();
        let kinds: Vec<_> =
            found.iter().map(|c| (c.path.to_str().unwrap(), c.kind, c.hunks.len())).collect();
        use ConflictKind::*;
        let expected = [
            ("a.bin", Binary, 0),
            ("gone", DeletedByTheirs, 0),
            ("link", Link, 0),
            ("new", Text, 1),
            ("text", Text, 2),
            ("wide", Text, 1),
        ];
        assert_eq!(kinds, expected);
        let hunk = &found[4].hunks[0];
        assert_eq!(hunk.lines, (2, 6));
        assert_eq!(
            (hunk.ours[0].as_str(), hunk.theirs[0].as_str()),
            ("ours \"x\"", "theirs \"x\"")
        );
        assert!(found.iter().all(|conflict| !conflict.settled));
    }

    #[test]
    fn only_what_was_changed_and_holds_no_marker_is_settled() {
        let sample = conflicted();
        sample.write("text", "settled\n");
        sample.write("wide", "half\n>>>>>>>>>> other\n");
        std::fs::remove_file(sample.path.join("gone")).unwrap();
        std::fs::remove_file(sample.path.join("link")).unwrap();
        let found = list(&sample.place()).unwrap();
        let settled: Vec<_> =
            found.iter().filter(|c| c.settled).map(|c| c.path.to_str().unwrap()).collect();
        assert_eq!(settled, ["gone", "link", "text"]);
    }
}
