//! The paths that a landing touches.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;
use crate::git::version::Version;

/// A path that differs between two commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    /// From the checkout's top; any bytes, but never a way out of the checkout.
    pub path: PathBuf,
    /// What the old commit holds there; `None` for nothing.
    pub old: Option<Version>,
    /// What the new commit holds there; `None` for nothing.
    pub new: Option<Version>,
}

/// The paths that differ between two commits, in git's order.
///
/// # Errors
/// When git cannot say, or a tree holds a path that leads out of the checkout or into `.git`.
pub fn between(place: &Place, old: &str, new: &str) -> Result<Vec<Touch>, GitError> {
    let asked = ["diff-tree", "-r", "-z", "--raw", "--no-renames", "--full-index", old, new];
    let output = Git::read(place).args(asked).run()?;
    let mut fields = output.split(|byte| *byte == 0).filter(|field| !field.is_empty());
    let mut touches = Vec::new();
    while let Some(head) = fields.next() {
        let unexpected = || GitError::Unexpected {
            what: "diff-tree".into(),
            answer: String::from_utf8_lossy(head).into_owned(),
        };
        let path = PathBuf::from(OsStr::from_bytes(fields.next().ok_or_else(unexpected)?));
        let head = std::str::from_utf8(head).map_err(|_| unexpected())?;
        let parts: Vec<&str> = head.trim_start_matches(':').split(' ').collect();
        let [old_mode, new_mode, old_object, new_object, _] = parts[..] else {
            return Err(unexpected());
        };
        if !stays_inside(&path) {
            return Err(GitError::Unexpected {
                what: "diff-tree".into(),
                answer: format!("the path `{}`", path.display()),
            });
        }
        let (old, new) = (Version::of(old_mode, old_object), Version::of(new_mode, new_object));
        touches.push(Touch { path, old, new });
    }
    Ok(touches)
}

/// git refuses such paths in an index; we remove files by our own hand when we take something
/// back, so we look, too.
fn stays_inside(path: &Path) -> bool {
    let mut any = false;
    path.components().all(|part| {
        any = true;
        matches!(part, Component::Normal(name) if !name.eq_ignore_ascii_case(".git"))
    }) && any
}

/// The path's ancestors within the checkout, the nearest first, without the top.
pub fn parents(path: &Path) -> impl Iterator<Item = &Path> {
    path.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    #[test]
    fn versions_are_told_by_mode_and_object() {
        let sample = Sample::new();
        sample.write("b\nc", "x");
        sample.commit("two");
        sample.git(&["rm", "-q", "a.txt"]);
        sample.git(&["update-index", "--chmod=+x", "b\nc"]);
        sample.git(&["commit", "-q", "-m", "three"]);
        let touches = between(&sample.place(), "HEAD^", "HEAD").unwrap();
        assert_eq!(touches.len(), 2);
        assert!(touches[0].new.is_none() && touches[0].old.as_ref().unwrap().is_file());
        assert_eq!(touches[1].path, Path::new("b\nc"));
        assert!(touches[1].new.as_ref().unwrap().is_executable());
    }

    #[test]
    fn a_tree_that_leads_out_is_refused() {
        let sample = Sample::new();
        let blob = sample.git(&["rev-parse", "HEAD:a.txt"]);
        for name in ["..", ".git", ".GIT"] {
            let line = format!("100644 blob {blob}\t{name}\n");
            let make = Git::write(&sample.place()).args(["mktree"]).input(line);
            let inner = make.text().unwrap();
            let line = format!("040000 tree {inner}\tsub\n");
            let tree = Git::write(&sample.place()).args(["mktree"]).input(line).text().unwrap();
            assert!(between(&sample.place(), "HEAD", &tree).is_err(), "{name}");
        }
        assert!(!stays_inside(Path::new("/etc/passwd")) && !stays_inside(Path::new("")));
    }

    #[test]
    fn parents_go_up_to_the_top() {
        let all: Vec<_> = parents(Path::new("a/b/c")).collect();
        assert_eq!(all, [Path::new("a/b"), Path::new("a")]);
    }
}
