use std::os::unix::fs::symlink;

use proptest::prelude::*;

use super::*;
use crate::git::changes::changes;
use crate::git::command::Git;
use crate::git::sample::{Sample, put};

/// What git makes of it: all added to a copy of the index, then written as a tree.
fn by_git_itself(place: &Place) -> String {
    let index = tempfile::tempdir().unwrap();
    let copy = index.path().join("index");
    std::fs::copy(place.git_dir.join("index"), &copy).unwrap();
    let git = || Git::write(place).env("GIT_INDEX_FILE", &copy);
    git().args(["add", "-A"]).run().unwrap();
    git().arg("write-tree").text().unwrap()
}

fn made(sample: &Sample, place: &Place) -> WorktreeTree {
    let objects = Objects::in_memory(&sample.repo()).unwrap();
    let changes = changes(place).unwrap();
    worktree_tree(&objects, place, &changes, &Bounds::CAREFUL).unwrap()
}

fn whole(sample: &Sample, place: &Place) -> String {
    let made = made(sample, place);
    assert_eq!(made.left_out, []);
    made.tree
}

fn with_files(sample: &Sample) -> Place {
    for name in ["gone", "dir/x", "dir/y", "deep/er/z", "to-dir", "exec", "linked"] {
        sample.write(name, name);
    }
    sample.commit("files");
    let place = sample.worktree("a");
    let dir = place.dir().to_path_buf();
    std::fs::remove_file(dir.join("gone")).unwrap();
    std::fs::remove_dir_all(dir.join("deep")).unwrap();
    std::fs::remove_dir_all(dir.join("dir")).unwrap();
    put(&dir, "dir", "a file where a directory was");
    std::fs::remove_file(dir.join("to-dir")).unwrap();
    put(&dir, "to-dir/a/b", "a directory where a file was");
    put(&dir, "a.txt", "changed\n");
    put(&dir, "new ünd\nodd", "new");
    std::fs::set_permissions(dir.join("exec"), PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::remove_file(dir.join("linked")).unwrap();
    symlink("a.txt", dir.join("linked")).unwrap();
    place
}

#[test]
fn it_is_the_tree_that_git_would_make() {
    for format in [&[][..], &["--object-format=sha256"], &["--ref-format=reftable"]] {
        let sample = Sample::with(format);
        let place = with_files(&sample);
        let index = std::fs::read(place.git_dir.join("index")).unwrap();
        let tree = whole(&sample, &place);
        assert_eq!(std::fs::read(place.git_dir.join("index")).unwrap(), index);
        assert_eq!(tree, by_git_itself(&place), "{format:?}");
        // Staged or not makes no difference.
        sample.git_in(place.dir(), &["add", "-A"]);
        assert_eq!(whole(&sample, &place), tree);
        sample.git_in(place.dir(), &["commit", "-q", "-m", "all"]);
        assert_eq!(whole(&sample, &place), tree);
    }
}

#[test]
fn what_git_converts_is_converted() {
    let cases = [
        ("a.txt", "* text=auto\n", "core.fsync=none"),
        ("a.txt", "*.txt eol=crlf\n", "core.fsync=none"),
        ("a.txt", "", "core.autocrlf=input"),
        ("a.txt", "*.txt filter=upper\n", "filter.upper.clean=tr a-z A-Z"),
        ("sub/b.txt", "b.txt ident\n", "core.fsync=none"),
        ("a.txt", "*.md text\n", "core.fsync=none"),
    ];
    for (path, attributes, setting) in cases {
        for in_worktree in [true, false] {
            let sample = Sample::new();
            let (name, value) = setting.split_once('=').unwrap();
            sample.git(&["config", name, value]);
            let place = sample.worktree("a");
            let file = if in_worktree { "a/.gitattributes" } else { "info" };
            match file {
                "info" => put(&place.common_dir, "info/attributes", attributes),
                _ => put(place.dir(), ".gitattributes", attributes),
            }
            put(place.dir(), path, "one\r\ntwo $Id: x $\r\n");
            assert_eq!(whole(&sample, &place), by_git_itself(&place), "{attributes} {setting}");
        }
    }
}

#[test]
fn modes_are_kept_where_the_file_system_has_none() {
    let sample = Sample::new();
    sample.git(&["config", "core.fileMode", "false"]);
    sample.write("run", "1");
    sample.git(&["add", "run"]);
    sample.git(&["update-index", "--chmod=+x", "run"]);
    sample.git(&["commit", "-q", "-m", "run"]);
    let place = sample.worktree("a");
    put(place.dir(), "run", "2");
    std::fs::set_permissions(place.dir().join("run"), PermissionsExt::from_mode(0o644)).unwrap();
    assert_eq!(whole(&sample, &place), by_git_itself(&place));
}

#[test]
fn what_cannot_be_taken_is_told() {
    let sample = Sample::new();
    let place = sample.worktree("a");
    put(place.dir(), "large", &"x".repeat(100));
    put(place.dir(), "small", "x");
    put(place.dir(), "tail", "x");
    sample.git(&["init", "-q", place.dir().join("nested").to_str().unwrap()]);
    put(place.dir(), "nested/file", "x");
    let objects = Objects::in_memory(&sample.repo()).unwrap();
    let bounds = Bounds { file: 50, total: 1000, paths: 1 };
    let made = worktree_tree(&objects, &place, &changes(&place).unwrap(), &bounds).unwrap();
    let told: Vec<_> =
        made.left_out.iter().map(|left| (left.path.to_str().unwrap(), &left.why)).collect();
    let large = WhyLeftOut::TooLarge { bytes: 100 };
    assert_eq!(
        told,
        [("large", &large), ("nested", &WhyLeftOut::Repository), ("tail", &WhyLeftOut::TooMany)]
    );
    std::fs::remove_dir_all(place.dir().join("nested")).unwrap();
    for name in ["large", "tail"] {
        std::fs::remove_file(place.dir().join(name)).unwrap();
    }
    assert_eq!(made.tree, by_git_itself(&place));
}

#[test]
fn a_conflict_is_taken_as_it_stands_there() {
    let sample = Sample::new();
    let place = sample.worktree("a");
    put(place.dir(), "a.txt", "theirs\n");
    sample.git_in(place.dir(), &["commit", "-q", "-a", "-m", "theirs"]);
    sample.write("a.txt", "ours\n");
    sample.commit("ours");
    let merge = Git::discovering(place.dir()).args(["merge", "main"]).answer().unwrap();
    assert_eq!(merge.code, Some(1));
    assert_eq!(whole(&sample, &place), by_git_itself(&place));
}

#[test]
fn a_submodule_stands_where_it_was_moved_to() {
    let (library, sample) = (Sample::new(), Sample::new());
    let url = library.path.to_str().unwrap();
    sample.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "sub"]);
    sample.commit("a submodule");
    let sub = sample.path.join("sub");
    for setting in [["config", "user.name", "a"], ["config", "user.email", "a@a"]] {
        sample.git_in(&sub, &setting);
    }
    sample.git_in(&sub, &["commit", "-q", "--allow-empty", "-m", "two"]);
    let place = sample.place();
    assert_eq!(whole(&sample, &place), by_git_itself(&place));
    assert_ne!(whole(&sample, &place), sample.git(&["rev-parse", "HEAD^{tree}"]));
}

#[test]
fn a_checkout_without_a_commit_has_a_tree() {
    let sample = Sample::new();
    sample.git(&["checkout", "-q", "--orphan", "new"]);
    let place = sample.place();
    assert_eq!(whole(&sample, &place), by_git_itself(&place));
}

/// Paths that stand in each other's way, be it as files or as directories.
const PATHS: [&str; 8] = ["a", "a/b", "a/b/c", "a.b", "a-b/c", "b/c", "b/c/d", "B"];

fn arrange(dir: &Path, files: &[(usize, u8)]) {
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if entry.file_name() == ".git" {
            continue;
        }
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap();
        } else {
            std::fs::remove_file(path).unwrap();
        }
    }
    for (path, content) in files {
        let path = dir.join(PATHS[*path]);
        if std::fs::create_dir_all(path.parent().unwrap()).is_ok() && !path.exists() {
            std::fs::write(path, [*content]).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_state_after_any_other_is_the_tree_that_git_would_make(
        states in proptest::collection::vec(
            proptest::collection::vec((0..PATHS.len(), 0..3_u8), 0..7), 4),
        staged in any::<bool>(),
    ) {
        let sample = Sample::new();
        for state in &states {
            arrange(&sample.path, state);
            let place = sample.place();
            if staged {
                sample.git(&["add", "-A"]);
                std::fs::write(sample.path.join("more"), [states.len() as u8]).unwrap();
            }
            prop_assert_eq!(whole(&sample, &place), by_git_itself(&place));
            sample.commit("next");
        }
    }
}
