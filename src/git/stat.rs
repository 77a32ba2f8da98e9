//! How much differs between two commits, file by file.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use serde::Serialize;

use crate::git::command::Git;
use crate::git::conflict::as_text;
use crate::git::error::GitError;
use crate::git::place::Place;

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileStat {
    /// From the top.
    #[serde(serialize_with = "as_text")]
    pub path: PathBuf,
    /// What it was called before, if it was renamed.
    #[serde(serialize_with = "maybe_as_text", skip_serializing_if = "Option::is_none")]
    pub from: Option<PathBuf>,
    /// Lines that came; `None` where lines are not counted (binary files).
    pub added: Option<u64>,
    /// Lines that went; `None` where lines are not counted.
    pub removed: Option<u64>,
}

/// Sums over files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Total {
    /// How many.
    pub files: usize,
    /// Lines that came.
    pub added: u64,
    /// Lines that went.
    pub removed: u64,
}

impl Total {
    /// The sums of these files.
    pub fn of(files: &[FileStat]) -> Self {
        let sum = |part: fn(&FileStat) -> Option<u64>| files.iter().filter_map(part).sum();
        Self {
            files: files.len(),
            added: sum(|file| file.added),
            removed: sum(|file| file.removed),
        }
    }
}

fn maybe_as_text<S: serde::Serializer>(
    path: &Option<PathBuf>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match path {
        Some(path) => as_text(path, serializer),
        None => serializer.serialize_none(),
    }
}

/// The files that differ between two commits, renames recognised, in git's order.
///
/// # Errors
/// When git cannot say.
pub fn between(place: &Place, old: &str, new: &str) -> Result<Vec<FileStat>, GitError> {
    let asked = ["diff-tree", "-r", "-z", "--numstat", "--find-renames", "--no-ext-diff", old, new];
    parse(&Git::read(place).args(asked).run()?)
}

fn parse(output: &[u8]) -> Result<Vec<FileStat>, GitError> {
    let mut fields = output.split(|byte| *byte == 0);
    let mut files = Vec::new();
    while let Some(head) = fields.next().filter(|head| !head.is_empty()) {
        let unexpected = || GitError::Unexpected {
            what: "diff-tree --numstat".into(),
            answer: String::from_utf8_lossy(head).into_owned(),
        };
        let mut parts = head.splitn(3, |byte| *byte == b'\t');
        let mut count = || Some(number(parts.next()?));
        let (added, removed) = (count().ok_or_else(unexpected)?, count().ok_or_else(unexpected)?);
        let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
        // A rename has an empty path here and then both in fields of their own.
        let (from, path) = match parts.next().ok_or_else(unexpected)? {
            [] => {
                let from = path(fields.next().ok_or_else(unexpected)?);
                (Some(from), path(fields.next().ok_or_else(unexpected)?))
            }
            name => (None, path(name)),
        };
        files.push(FileStat { path, from, added, removed });
    }
    Ok(files)
}

/// A count, or `-` for a binary file.
fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    #[test]
    fn renames_and_binary_files_are_told() {
        let sample = Sample::new();
        sample.write("old", "1\n2\n3\n4\n5\n6\n7\n8\n");
        sample.commit("two");
        sample.git(&["mv", "old", "new\nname"]);
        sample.write("bin", "\0");
        sample.write("a.txt", "one\ntwo\n");
        sample.commit("three");
        let files = between(&sample.place(), "HEAD^", "HEAD").unwrap();
        let file = |path: &str, from: Option<&str>, added, removed| FileStat {
            path: path.into(),
            from: from.map(PathBuf::from),
            added,
            removed,
        };
        let expected = [
            file("a.txt", None, Some(1), Some(0)),
            file("bin", None, None, None),
            file("new\nname", Some("old"), Some(0), Some(0)),
        ];
        assert_eq!(files, expected);
        assert_eq!(Total::of(&files), Total { files: 3, added: 1, removed: 0 });
    }
}
