//! Objects written without touching any checkout: files as they are, trees, commits.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;

/// Writes files of a checkout as blobs, byte for byte: no filter and no line ending is applied.
///
/// Paths count from the checkout's top or are absolute; each must be a regular file. Gives, in the
/// same order, the blob's id or why that file could not be read.
///
/// # Errors
/// When git itself cannot be run.
pub fn hash_files(
    place: &Place,
    paths: &[PathBuf],
) -> Result<Vec<Result<String, String>>, GitError> {
    if paths.is_empty() {
        return Ok(vec![]);
    }
    let mut input = Vec::new();
    for path in paths {
        quote_into(&mut input, path);
        input.push(b'\n');
    }
    let asked = ["hash-object", "-w", "--no-filters", "--stdin-paths"];
    let answer = Git::write(place).args(asked).input(input).answer()?;
    match (answer.code, paths) {
        (Some(0), _) => {
            let ids: Vec<_> = answer.text().lines().map(|id| Ok(id.to_owned())).collect();
            let text = || format!("{} ids for {} files", ids.len(), paths.len());
            let short = || GitError::Unexpected { what: "hash-object".into(), answer: text() };
            if ids.len() == paths.len() { Ok(ids) } else { Err(short()) }
        }
        (_, [_]) => Ok(vec![Err(answer.reason())]),
        // It ends at the first file that it cannot read: halve until that stands alone.
        (_, many) => {
            let (first, second) = many.split_at(many.len() / 2);
            let mut ids = hash_files(place, first)?;
            ids.extend(hash_files(place, second)?);
            Ok(ids)
        }
    }
}

/// As git reads paths from a line: quoted when it holds what would end or change the line.
fn quote_into(input: &mut Vec<u8>, path: &Path) {
    let bytes = path.as_os_str().as_bytes();
    if !bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r')) && !bytes.starts_with(b"\"") {
        return input.extend_from_slice(bytes);
    }
    input.push(b'"');
    for byte in bytes {
        match byte {
            b'\n' => input.extend_from_slice(b"\\n"),
            b'\r' => input.extend_from_slice(b"\\r"),
            b'"' | b'\\' => input.extend_from_slice(&[b'\\', *byte]),
            _ => input.push(*byte),
        }
    }
    input.push(b'"');
}

/// One line of a tree to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeLine<'a> {
    /// `100644` for a file, `040000` for a directory.
    pub mode: &'static str,
    /// In hex.
    pub object: &'a str,
    /// One path component.
    pub name: &'static str,
}

/// Writes a tree of these lines and gives its id.
///
/// # Errors
/// When an object is missing.
pub fn make_tree(place: &Place, lines: &[TreeLine<'_>]) -> Result<String, GitError> {
    let mut input = String::new();
    for line in lines {
        let kind = if line.mode == "040000" { "tree" } else { "blob" };
        input.push_str(&format!("{} {kind} {}\t{}\n", line.mode, line.object, line.name));
    }
    Git::write(place).arg("mktree").input(input).text()
}

/// Makes a commit that no ref names yet: unsigned, without hooks, in the user's name, or in ours
/// where they have none.
///
/// # Errors
/// When an object is missing.
pub fn commit_tree(
    place: &Place,
    tree: &str,
    parents: &[&str],
    message: &str,
) -> Result<String, GitError> {
    let call = |git: Git| {
        let mut git = git.config("i18n.commitEncoding=UTF-8").args(["commit-tree", tree]);
        for parent in parents {
            git = git.args(["-p", parent]);
        }
        git.args(["-F", "-"]).input(message).answer()
    };
    let mut answer = call(Git::write(place))?;
    if answer.code != Some(0) && answer.stderr.contains("ident") {
        let mut git = Git::write(place);
        for who in ["GIT_AUTHOR", "GIT_COMMITTER"] {
            git =
                git.env(&format!("{who}_NAME"), "wt").env(&format!("{who}_EMAIL"), "wt@localhost");
        }
        answer = call(git)?;
    }
    Ok(String::from_utf8_lossy(&answer.success()?).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    #[test]
    fn files_are_written_as_they_are_whatever_their_names() {
        let sample = Sample::new();
        sample.git(&["config", "core.autocrlf", "true"]);
        let names = ["plain", " lead", "new\nline", "\"quoted\"", "back\\slash", "cr\r", "-x", "ü"];
        for name in names {
            sample.write(name, &format!("{name}\r\n"));
        }
        let mut paths: Vec<PathBuf> = names.map(PathBuf::from).to_vec();
        paths.insert(3, "missing".into());
        let ids = hash_files(&sample.place(), &paths).unwrap();
        for (path, id) in paths.iter().zip(&ids) {
            let Ok(id) = id else {
                assert_eq!(path, Path::new("missing"));
                continue;
            };
            let held = Git::read(&sample.place()).args(["cat-file", "blob", id]).run().unwrap();
            assert_eq!(String::from_utf8(held).unwrap(), format!("{}\r\n", path.display()));
        }
        assert!(ids[3].is_err());
    }
}
