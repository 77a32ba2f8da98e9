//! Settling conflicts in favour of one side.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::git::command::Git;
use crate::git::conflict::markers::{self, Part};
use crate::git::conflict::{Conflict, ConflictKind, joined, marker_sizes, read};
use crate::git::error::GitError;
use crate::git::place::Place;
use crate::git::version::Version;

/// Which side wins where both changed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Favor {
    /// What is merged.
    Variant,
    /// What it is merged into.
    Base,
}

impl Favor {
    fn stage(self, conflict: &Conflict) -> Option<&Version> {
        match self {
            Self::Variant => conflict.theirs.as_ref(),
            Self::Base => conflict.ours.as_ref(),
        }
    }
}

/// True when taking one side means nothing else than its lines or its content: not when one side
/// has no such file, or it is a directory on one of them, or a submodule.
pub fn can_settle(conflict: &Conflict) -> bool {
    matches!(conflict.kind, ConflictKind::Text | ConflictKind::Binary | ConflictKind::Link)
}

/// Settles what [`can_settle`] in the checkout and its index: of a text file only the disputed
/// lines, so that what the other side changed elsewhere in it, and what was already settled by
/// hand, stays; of anything else the whole content.
///
/// # Errors
/// When a file cannot be written or git not be asked.
pub fn settle(place: &Place, conflicts: &[&Conflict], favor: Favor) -> Result<(), GitError> {
    let chosen: Vec<Conflict> = conflicts.iter().map(|conflict| (*conflict).clone()).collect();
    let sizes = marker_sizes(place, &chosen)?;
    for conflict in &chosen {
        let Some(stage) = favor.stage(conflict).filter(|_| can_settle(conflict)) else { continue };
        let size = sizes.get(&conflict.path).copied().unwrap_or(markers::SIZE);
        if conflict.kind == ConflictKind::Text {
            settle_text(place, conflict, (favor, size))?;
        } else {
            settle_whole(place, conflict, stage)?;
        }
    }
    stage(place, chosen.iter().filter(|one| can_settle(one)).map(|one| one.path.as_path()))
}

/// Takes paths into the index as they are in the checkout; one that is gone is taken out.
///
/// # Errors
/// When git refuses one.
pub fn stage<'a>(place: &Place, paths: impl Iterator<Item = &'a Path>) -> Result<(), GitError> {
    let input = joined(paths);
    if input.is_empty() {
        return Ok(());
    }
    let asked = ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"];
    Git::write(place).args(asked).input(input).run().map(drop)
}

fn settle_text(
    place: &Place,
    conflict: &Conflict,
    (favor, size): (Favor, usize),
) -> Result<(), GitError> {
    let path = place.dir().join(&conflict.path);
    let Some(text) = read(&path) else { return Ok(()) };
    let mut settled = one_side(&text, size, favor);
    if ends_disputed(&text, size) && lacks_last_newline(place, favor.stage(conflict))? {
        // Around a conflict at its end git adds the newline that the file does not have.
        let without = settled.strip_suffix(b"\n").map(<[u8]>::len);
        let without = without.map(|at| at - usize::from(settled[..at].ends_with(b"\r")));
        settled.truncate(without.unwrap_or(settled.len()));
    }
    replace(&path, &settled)
}

/// The text with one side of each disputed stretch.
fn one_side(text: &[u8], size: usize, favor: Favor) -> Vec<u8> {
    let parts = markers::parts(text, size);
    let taken = parts.iter().map(|part| match (part, favor) {
        (Part::Agreed(text), _) => *text,
        (Part::Disputed { ours, .. }, Favor::Base) => *ours,
        (Part::Disputed { theirs, .. }, Favor::Variant) => *theirs,
    });
    taken.collect::<Vec<_>>().concat()
}

fn ends_disputed(text: &[u8], size: usize) -> bool {
    matches!(markers::parts(text, size).last(), Some(Part::Disputed { .. }))
}

fn lacks_last_newline(place: &Place, stage: Option<&Version>) -> Result<bool, GitError> {
    let Some(stage) = stage else { return Ok(false) };
    let blob = Git::read(place).args(["cat-file", "blob", &stage.object]).run()?;
    Ok(blob.last().is_some_and(|byte| *byte != b'\n'))
}

/// Writes a side's version as git would check it out, whatever is there.
fn settle_whole(place: &Place, conflict: &Conflict, stage: &Version) -> Result<(), GitError> {
    let mut input = format!("{} {}\t", stage.mode, stage.object).into_bytes();
    input.extend(joined([conflict.path.as_path()].into_iter()));
    let set = ["update-index", "-z", "--replace", "--index-info"];
    Git::write(place).args(set).input(input).run()?;
    let out = ["checkout-index", "--force", "--quiet", "-z", "--stdin"];
    let path = joined([conflict.path.as_path()].into_iter());
    Git::write(place).args(out).input(path).run().map(drop)
}

/// Replaces a file's content; its mode stays.
fn replace(path: &Path, content: &[u8]) -> Result<(), GitError> {
    let mode = std::fs::symlink_metadata(path).map_err(GitError::file("read", path))?;
    let mut file = tempfile::Builder::new()
        .prefix(".wt-")
        .permissions(std::fs::Permissions::from_mode(mode.permissions().mode()))
        .tempfile_in(path.parent().unwrap_or(path))
        .map_err(GitError::file("write", path))?;
    file.write_all(content).map_err(GitError::file("write", path))?;
    file.persist(path).map_err(|error| GitError::file("replace", path)(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::conflict::list;
    use crate::git::conflict::tests::conflicted;
    use crate::git::sample::Sample;

    #[test]
    fn one_side_wins_and_what_has_no_side_is_left() {
        for (favor, word, link) in
            [(Favor::Variant, "theirs", "two"), (Favor::Base, "ours", "three")]
        {
            let sample = conflicted();
            let found = list(&sample.place()).unwrap();
            settle(&sample.place(), &found.iter().collect::<Vec<_>>(), favor).unwrap();
            let read = |path: &str| std::fs::read_to_string(sample.path.join(path)).unwrap();
            assert_eq!(read("text"), format!("1\n{word} \"x\"\n3\n4\n5\n6\n{word} y\n8\n"));
            assert_eq!(read("wide"), format!("1\n{word}\n3\n"));
            assert_eq!(read("new"), word, "without a last newline, as that side has it");
            assert_eq!(read("a.bin"), format!("{word}\0"));
            let target = std::fs::read_link(sample.path.join("link")).unwrap();
            assert_eq!(target.to_str(), Some(link));
            let left = list(&sample.place()).unwrap();
            assert_eq!(left.len(), 1);
            assert_eq!(left[0].kind, ConflictKind::DeletedByTheirs);
        }
    }

    #[test]
    fn what_was_settled_by_hand_stays() {
        let sample = conflicted();
        let text = std::fs::read_to_string(sample.path.join("text")).unwrap();
        let (_, after) = text.split_once(">>>>>>> other\n").unwrap();
        sample.write("text", &format!("1\nmine\n{after}"));
        let found = list(&sample.place()).unwrap();
        let text: Vec<_> = found.iter().filter(|c| c.path == Path::new("text")).collect();
        settle(&sample.place(), &text, Favor::Variant).unwrap();
        let read = std::fs::read_to_string(sample.path.join("text")).unwrap();
        assert_eq!(read, "1\nmine\n3\n4\n5\n6\ntheirs y\n8\n");
    }

    #[test]
    fn it_is_what_git_gives_with_the_same_preference() {
        let sample = conflicted();
        let found = list(&sample.place()).unwrap();
        settle(&sample.place(), &found.iter().collect::<Vec<_>>(), Favor::Variant).unwrap();
        let settled = hashes(&sample);
        sample.git(&["reset", "-q", "--hard"]);
        let git = Git::write(&sample.place()).args(["merge", "-X", "theirs", "other"]);
        assert_eq!(git.answer().unwrap().code, Some(1), "the deleted file is left to settle");
        assert_eq!(settled, hashes(&sample));
    }

    fn hashes(sample: &Sample) -> String {
        sample.git(&["ls-files", "-s", "--", "text", "wide", "new", "a.bin", "link"])
    }
}
