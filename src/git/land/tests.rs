//! Landings in every kind of checkout, and what refuses them.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::desk::Desk;
use super::proof::InTheWay;
use super::{Landed, Landing, Refusal, land, land_reference, obstacles};
use crate::git::place::Place;
use crate::git::sample::Sample;

/// Everything in a checkout but `.git`: mode and content.
pub(super) fn files(top: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let walk = walkdir::WalkDir::new(top).into_iter().filter_entry(|e| e.file_name() != ".git");
    walk.map(Result::unwrap)
        .filter(|entry| entry.depth() > 0)
        .map(|entry| {
            let meta = entry.path().symlink_metadata().unwrap();
            let content = if meta.is_symlink() {
                std::fs::read_link(entry.path()).unwrap().into_os_string().into_encoded_bytes()
            } else if meta.is_file() {
                std::fs::read(entry.path()).unwrap()
            } else {
                vec![]
            };
            let path = entry.path().strip_prefix(top).unwrap().to_path_buf();
            (path, (meta.permissions().mode(), content))
        })
        .collect()
}

/// A branch `next` one commit ahead of `main` in every way that paths can change.
pub(super) struct Two {
    pub(super) sample: Sample,
    pub(super) old: String,
    pub(super) new: String,
}

pub(super) fn two(format: &[&str]) -> Two {
    let sample = Sample::with(format);
    for path in
        ["same", "edited", "deleted", "deep/er/gone", "was-dir/x", "was-dir/y", "run", "was-file"]
    {
        sample.write(path, &format!("{path}\n"));
    }
    sample.write(".gitattributes", "crlf text eol=crlf\n");
    sample.write(".gitignore", "*.log\n");
    sample.write("crlf", "a\r\nb\r\n");
    symlink("same", sample.path.join("link")).unwrap();
    symlink("same", sample.path.join("link-to-file")).unwrap();
    sample.commit("old");
    sample.git(&["checkout", "-q", "-b", "next"]);
    sample.git(&[
        "rm",
        "-q",
        "-r",
        "deleted",
        "deep",
        "was-dir",
        "was-file",
        "link",
        "link-to-file",
    ]);
    sample.write("edited", "edited, and more\n");
    sample.write("was-dir", "a file now");
    sample.write("was-file/a/b", "a directory now");
    sample.write("new/er/file", "new");
    sample.write("crlf", "a\r\nb\r\nc\r\n");
    sample.write("link-to-file", "same");
    sample.write("odd \"name\"\n\u{fc}", "x");
    symlink("elsewhere", sample.path.join("link")).unwrap();
    let run = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(sample.path.join("run"), run).unwrap();
    sample.commit("new");
    let (old, new) = (sample.git(&["rev-parse", "main"]), sample.git(&["rev-parse", "next"]));
    sample.git(&["checkout", "-q", "main"]);
    Two { sample, old, new }
}

impl Two {
    fn landing(&self) -> Landing<'_> {
        Landing { branch: "main", old: &self.old, new: &self.new, log: "merge next" }
    }

    pub(super) fn land(&self) -> Landed {
        land(&self.sample.place(), &self.landing()).unwrap()
    }

    /// What a clean checkout of `next` holds.
    pub(super) fn expected(&self) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let other = self.sample.beside("expected");
        let path = other.to_str().unwrap();
        self.sample.git(&["worktree", "add", "-q", "--detach", path, "next"]);
        let found = files(&other);
        self.sample.git(&["worktree", "remove", path]);
        found
    }

    pub(super) fn status(&self) -> String {
        self.sample.git(&["status", "--porcelain", "--ignored"])
    }
}

#[test]
fn every_kind_of_change_lands_in_every_format() {
    for format in [&[][..], &["--ref-format=reftable"], &["--object-format=sha256"]] {
        let two = two(format);
        assert_eq!(two.land(), Landed::Yes, "{format:?}");
        assert_eq!(files(&two.sample.path), two.expected());
        assert_eq!(two.status(), "");
        assert_eq!(two.sample.git(&["rev-parse", "HEAD"]), two.new);
        assert_eq!(two.sample.git(&["symbolic-ref", "HEAD"]), "refs/heads/main");
        let log = two.sample.git(&["log", "-g", "-1", "--format=%gs", "HEAD"]);
        assert_eq!(log, "merge next");
        assert!(Desk::existing(&two.sample.place()).unwrap().is_none());
        two.sample.git(&["commit", "-q", "--allow-empty", "-m", "nothing is locked"]);
    }
}

#[test]
fn what_the_user_has_elsewhere_survives_byte_for_byte() {
    let two = two(&[]);
    let sample = &two.sample;
    sample.write("same", "mine, unstaged\n");
    sample.write("a.txt", "mine, staged\n");
    sample.git(&["add", "a.txt"]);
    sample.write("a.txt", "mine, on top of it\n");
    sample.write("unknown", "mine\n");
    sample.write("deep/er/my.log", "ignored, in a directory that loses its last file\n");
    // Touched, but the same: not in the way.
    sample.write("edited", "edited\n");
    let staged = sample.git(&["ls-files", "-s", "a.txt"]);
    assert_eq!(two.land(), Landed::Yes);
    let mut expected = two.expected();
    for (path, text) in [
        ("same", "mine, unstaged\n"),
        ("a.txt", "mine, on top of it\n"),
        ("unknown", "mine\n"),
        ("deep/er/my.log", "ignored, in a directory that loses its last file\n"),
    ] {
        let mode = std::fs::metadata(sample.path.join(path)).unwrap().permissions().mode();
        expected.insert(path.into(), (mode, text.into()));
    }
    let found = files(&sample.path);
    for (path, content) in &expected {
        assert_eq!(found.get(path), Some(content), "{path:?}");
    }
    assert_eq!(sample.git(&["ls-files", "-s", "a.txt"]), staged);
    assert_eq!(two.status().lines().count(), 4, "{}", two.status());
}

#[test]
fn whatever_is_in_the_way_is_named_and_left_as_it_is() {
    type Put = fn(&Sample);
    let cases: &[(Put, &str, InTheWay)] = &[
        (|s| s.write("edited", "mine"), "edited", InTheWay::Changed),
        (|s| s.write("deleted", "mine"), "deleted", InTheWay::Changed),
        (|s| std::fs::remove_file(s.path.join("edited")).unwrap(), "edited", InTheWay::Changed),
        (
            |s| {
                s.write("edited", "mine");
                s.git(&["add", "edited"]);
            },
            "edited",
            InTheWay::Staged,
        ),
        (
            |s| {
                s.git(&["rm", "-q", "--cached", "deleted"]);
            },
            "deleted",
            InTheWay::Staged,
        ),
        (|s| s.write("new/er/file", "mine"), "new/er/file", InTheWay::Untracked),
        (|s| s.write("new", "mine"), "new", InTheWay::Untracked),
        (|s| symlink("/tmp", s.path.join("new")).unwrap(), "new", InTheWay::Untracked),
        (|s| s.write("was-dir/mine", "mine"), "was-dir/mine", InTheWay::Untracked),
        (|s| s.write("was-dir/m.log", "mine"), "was-dir/m.log", InTheWay::Ignored),
        (
            |s| {
                s.git(&["update-index", "--assume-unchanged", "edited"]);
                s.write("edited", "mine, hidden");
            },
            "edited",
            InTheWay::Changed,
        ),
        (
            |s| {
                std::fs::set_permissions(s.path.join("edited"), PermissionsExt::from_mode(0o755))
                    .unwrap()
            },
            "edited",
            InTheWay::Changed,
        ),
        (
            |s| {
                s.write("new/er/file", "mine");
                s.git(&["add", "new/er/file"]);
            },
            "new/er/file",
            InTheWay::Staged,
        ),
    ];
    for (put, path, why) in cases {
        let two = two(&[]);
        put(&two.sample);
        let (before, status) = (files(&two.sample.path), two.status());
        let predicted = obstacles(&two.sample.place(), &two.old, &two.new).unwrap();
        let Landed::Refused(Refusal::Obstacles(found)) = two.land() else { panic!("{path}") };
        assert_eq!(predicted, found);
        let found: Vec<_> = found.iter().map(|o| (o.path.to_str().unwrap(), o.why)).collect();
        assert_eq!(found, [(*path, *why)]);
        assert_eq!((files(&two.sample.path), two.status()), (before, status), "{path}");
        assert_eq!(two.sample.git(&["rev-parse", "HEAD"]), two.old);
        two.sample.git(&["commit", "-q", "--allow-empty", "-m", "nothing is locked"]);
    }
}

#[test]
fn a_branch_or_index_that_somebody_holds_is_a_refusal() {
    let two = two(&[]);
    let (place, git_dir) = (two.sample.place(), two.sample.path.join(".git"));
    let before = files(&two.sample.path);
    for (lock, index) in
        [("index.lock", true), ("refs/heads/main.lock", false), ("HEAD.lock", false)]
    {
        std::fs::write(git_dir.join(lock), "").unwrap();
        let Landed::Refused(refusal) = two.land() else { panic!("{lock}") };
        assert_eq!(matches!(refusal, Refusal::Index), index, "{refusal:?}");
        assert!(git_dir.join(lock).exists());
        std::fs::remove_file(git_dir.join(lock)).unwrap();
    }
    let wrong = Landing { old: &two.new, new: &two.old, ..two.landing() };
    assert!(matches!(land(&place, &wrong).unwrap(), Landed::Refused(_)));
    two.sample.git(&["checkout", "-q", "-b", "elsewhere"]);
    assert_eq!(two.land(), Landed::Refused(Refusal::Left));
    assert_eq!(files(&two.sample.path), before);
    assert_eq!(land_reference(&place, &two.landing()).unwrap(), Landed::Yes);
    assert_eq!(two.sample.git(&["rev-parse", "main"]), two.new);
    assert_eq!(files(&two.sample.path), before);
}

#[test]
fn a_linked_worktree_moves_alone() {
    let two = two(&[]);
    let other = two.sample.beside("other");
    two.sample.git(&["checkout", "-q", "--detach"]);
    two.sample.git(&["worktree", "add", "-q", other.to_str().unwrap(), "main"]);
    let repo = two.sample.repo();
    let place =
        Place::checkout(repo.common_dir().join("worktrees/other"), repo.common_dir(), &other);
    let before = files(&two.sample.path);
    assert_eq!(land(&place, &two.landing()).unwrap(), Landed::Yes);
    assert_eq!(files(&other), two.expected());
    assert_eq!(files(&two.sample.path), before);
    assert_eq!(two.status(), "");
}

#[test]
fn a_sparse_checkout_stays_sparse() {
    let two = two(&[]);
    two.sample.git(&["sparse-checkout", "set", "--no-cone", "/edited", "/a.txt"]);
    assert_eq!(files(&two.sample.path).len(), 2);
    assert_eq!(two.land(), Landed::Yes);
    let found = files(&two.sample.path);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[Path::new("edited")].1, b"edited, and more\n");
    assert_eq!(two.status(), "");
    assert_eq!(two.sample.git(&["ls-files", "-v", "new/er/file"]), "S new/er/file");
}

#[test]
fn submodules_move_without_their_files() {
    let two = two(&[]);
    let sample = &two.sample;
    let sub = sample.beside("sub");
    sample.git(&["init", "-q", sub.to_str().unwrap()]);
    let who =
        ["-c", "user.name=a", "-c", "user.email=a@a", "commit", "-q", "--allow-empty", "-m", "x"];
    sample.git_in(&sub, &who);
    let url = sub.to_str().unwrap();
    sample.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "sub"]);
    sample.commit("with a submodule");
    let old = sample.git(&["rev-parse", "HEAD"]);
    let tip = sample.git(&["rev-parse", "HEAD:sub"]);
    sample.git(&["update-index", "--cacheinfo", &format!("160000,{},sub", two.new)]);
    sample.git(&["commit", "-q", "-m", "moved"]);
    let new = sample.git(&["rev-parse", "HEAD"]);
    sample.git(&["reset", "-q", "--hard", &old]);
    let landing = Landing { branch: "main", old: &old, new: &new, log: "x" };
    assert_eq!(land(&sample.place(), &landing).unwrap(), Landed::Yes);
    assert_eq!(sample.git(&["rev-parse", "HEAD:sub"]), two.new);
    assert_eq!(sample.git_in(&sample.path.join("sub"), &["rev-parse", "HEAD"]), tip);
}
