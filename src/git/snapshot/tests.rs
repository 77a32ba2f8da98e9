use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::*;
use crate::git::sample::{Sample, git_in, put};

fn request() -> Request<'static> {
    Request::new("a", "sync", "2026-11-21T09:30:15.123Z".parse().unwrap())
}

/// Every file of a checkout: whether a program, a link or a file, and its bytes.
fn files(dir: &Path) -> BTreeMap<PathBuf, (char, Vec<u8>)> {
    let entries = walkdir::WalkDir::new(dir).into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| !entry.file_type().is_dir());
    files
        .map(|entry| {
            let path = entry.path().strip_prefix(dir).unwrap().to_path_buf();
            let meta = entry.path().symlink_metadata().unwrap();
            let held = if meta.is_symlink() {
                let target = std::fs::read_link(entry.path()).unwrap();
                ('l', target.as_os_str().as_bytes().to_vec())
            } else {
                let kind = if meta.permissions().mode() & 0o100 == 0 { 'f' } else { 'x' };
                (kind, std::fs::read(entry.path()).unwrap())
            };
            (path, held)
        })
        .collect()
}

/// All that git tells of a checkout: HEAD, index with its flags, status.
fn told(dir: &Path) -> String {
    let questions: [&[&str]; 4] = [
        &["log", "-1", "--format=%H %D"],
        &["ls-files", "-s", "-v"],
        &["diff", "--cached", "--raw", "--abbrev=64", "--ita-visible-in-index"],
        &["status", "--porcelain=v2", "--untracked-files=all", "--branch"],
    ];
    questions.map(|question| git_in(dir, question)).join("\n--\n")
}

/// A worktree with every kind of uncommitted work.
fn busy(sample: &Sample) -> Place {
    for path in ["staged", "both", "unstaged", "rm", "gone", "tool", "to-link", "hidden", "d/x"] {
        sample.write(path, &format!("{path} one\r\n"));
    }
    sample.write(".gitignore", "*.log\n");
    sample.commit("second");
    let place = sample.worktree("a");
    let dir = place.dir();
    put(dir, "staged", "staged two\n");
    put(dir, "both", "both two\n");
    put(dir, "new staged", "n\n");
    git_in(dir, &["add", "staged", "both", "new staged"]);
    put(dir, "both", "both three\r\nmixed\n");
    put(dir, "unstaged", "unstaged two\r\n");
    git_in(dir, &["rm", "-q", "rm"]);
    std::fs::remove_file(dir.join("gone")).unwrap();
    std::fs::set_permissions(dir.join("tool"), PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::remove_file(dir.join("to-link")).unwrap();
    symlink("../nowhere", dir.join("to-link")).unwrap();
    git_in(dir, &["update-index", "--assume-unchanged", "hidden"]);
    put(dir, "hidden", "hidden two\n");
    std::fs::remove_dir_all(dir.join("d")).unwrap();
    put(dir, "d", "a file now");
    put(dir, "intent", "i\n");
    git_in(dir, &["add", "-N", "intent"]);
    put(dir, "un tracked/new\nline", "u\r\n");
    put(dir, "build.log", "ignored\n");
    place
}

/// Undoes, commits and overwrites about everything.
fn wreck(place: &Place) {
    let dir = place.dir();
    git_in(dir, &["update-index", "--no-assume-unchanged", "hidden"]);
    git_in(dir, &["add", "-A"]);
    git_in(dir, &["commit", "-q", "-m", "all of it"]);
    std::fs::remove_file(dir.join("d")).unwrap();
    put(dir, "d/y", "another");
    put(dir, "both", "both four");
    put(dir, "later", "came since");
    std::fs::remove_dir_all(dir.join("un tracked")).unwrap();
    git_in(dir, &["add", "-A", "d", "un tracked"]);
    git_in(dir, &["commit", "-q", "-m", "more"]);
    std::fs::remove_file(dir.join("staged")).unwrap();
    std::fs::remove_file(dir.join("to-link")).unwrap();
    put(dir, "to-link/x", "a directory");
    git_in(dir, &["add", "to-link"]);
}

fn tip(place: &Place) -> String {
    git_in(place.dir(), &["rev-parse", "HEAD"])
}

#[test]
fn every_kind_of_uncommitted_work_comes_back() {
    for format in [&[][..], &["--object-format=sha256"], &["--ref-format=reftable"]] {
        let sample = Sample::with(format);
        let place = busy(&sample);
        let (before, said) = (files(place.dir()), told(place.dir()));
        let taken = take(&place, &request()).unwrap();
        assert_eq!(taken.not_held, []);
        assert_eq!(taken.reference, "refs/wt/backup/a/20261121T093015.123Z-sync");
        assert_eq!((files(place.dir()), told(place.dir())), (before.clone(), said.clone()));
        wreck(&place);
        let done = restore(&place, &taken.commit, &tip(&place), Overwrite::Snapshotted).unwrap();
        assert_eq!(done, Restored::Done);
        let mut after = files(place.dir());
        assert!(after.remove(Path::new("later")).is_some(), "what came since stays");
        std::fs::remove_file(place.dir().join("later")).unwrap();
        assert_eq!(after, before, "{format:?}");
        assert_eq!(told(place.dir()), said, "{format:?}");
        let again = restore(&place, &taken.commit, &tip(&place), Overwrite::Refuse).unwrap();
        assert_eq!((again, files(place.dir())), (Restored::Done, before));
    }
}

#[test]
fn line_endings_and_a_split_index_come_back_as_they_were() {
    let sample = Sample::new();
    sample.git(&["config", "core.autocrlf", "true"]);
    sample.git(&["config", "core.splitIndex", "true"]);
    let place = busy(&sample);
    let (before, said) = (files(place.dir()), told(place.dir()));
    let taken = take(&place, &request()).unwrap();
    wreck(&place);
    for entry in std::fs::read_dir(&place.git_dir).unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with("sharedindex.") {
            // As git's own expiry does.
            git_in(place.dir(), &["update-index", "--no-split-index"]);
            std::fs::remove_file(entry.path()).ok();
        }
    }
    restore(&place, &taken.commit, &tip(&place), Overwrite::Snapshotted).unwrap();
    std::fs::remove_file(place.dir().join("later")).unwrap();
    assert_eq!(files(place.dir()), before);
    assert_eq!(told(place.dir()), said);
}

#[test]
fn a_conflict_comes_back_with_its_stages() {
    let sample = Sample::new();
    let place = sample.worktree("a");
    sample.write("a.txt", "main\n");
    sample.commit("main");
    put(place.dir(), "a.txt", "variant\n");
    git_in(place.dir(), &["commit", "-qam", "variant"]);
    let merge = Git::discovering(place.dir()).args(["merge", "main"]).answer().unwrap();
    assert_eq!(merge.code, Some(1));
    let (before, said) = (files(place.dir()), told(place.dir()));
    let taken = take(&place, &request()).unwrap();
    assert_eq!(taken.operation, Some(Operation::Merge));
    git_in(place.dir(), &["merge", "--abort"]);
    // Only the snapshot may hold the stages now.
    git_in(place.dir(), &["gc", "-q", "--prune=now"]);
    restore(&place, &taken.commit, &tip(&place), Overwrite::Refuse).unwrap();
    assert_eq!((files(place.dir()), told(place.dir())), (before, said));
}

#[test]
fn a_clean_checkout_needs_no_more_than_its_commit() {
    let sample = Sample::new();
    let place = sample.worktree("a");
    let head = tip(&place);
    let taken = take(&place, &request()).unwrap();
    put(place.dir(), "a.txt", "later\n");
    put(place.dir(), "b.txt", "later\n");
    git_in(place.dir(), &["add", "-A"]);
    git_in(place.dir(), &["commit", "-q", "-m", "later"]);
    git_in(place.dir(), &["checkout", "-q", "--detach"]);
    restore(&place, &taken.commit, &tip(&place), Overwrite::Refuse).unwrap();
    assert_eq!(tip(&place), head);
    assert_eq!(git_in(place.dir(), &["status", "--porcelain", "--branch"]), "## feature/a");
    assert!(!place.dir().join("b.txt").exists());
}

#[test]
fn what_cannot_be_held_is_named() {
    let sample = Sample::new();
    sample.git(&["init", "-q", "../other"]);
    git_in(&sample.beside("other"), &["config", "user.name", "a"]);
    git_in(&sample.beside("other"), &["config", "user.email", "a@a"]);
    git_in(&sample.beside("other"), &["commit", "-q", "--allow-empty", "-m", "x"]);
    let place = sample.worktree("a");
    let dir = place.dir();
    let add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../../other"];
    git_in(dir, &[&add[..], &["sub"]].concat());
    git_in(dir, &["init", "-q", "nested"]);
    put(dir, "big", &"x".repeat(2_000));
    let taken = take(&place, &Request { size_max: 1_000, ..request() }).unwrap();
    let named: Vec<_> =
        taken.not_held.iter().map(|one| format!("{}: {}", one.path.display(), one.why)).collect();
    assert_eq!(named, ["big: 1 MB", "nested: a repository of its own", "sub: a submodule's files"]);
}

#[test]
fn uncommitted_work_in_the_way_is_refused_and_named() {
    let sample = Sample::new();
    sample.write(".gitignore", "*.log\n");
    sample.commit("ignore");
    let place = sample.worktree("a");
    put(place.dir(), "new", "n");
    put(place.dir(), "was.log", "l");
    git_in(place.dir(), &["add", "-f", "was.log"]);
    let taken = take(&place, &request()).unwrap();
    git_in(place.dir(), &["rm", "-q", "--cached", "was.log"]);
    put(place.dir(), "new", "somebody's");
    put(place.dir(), "was.log", "somebody's, and ignored");
    put(place.dir(), "a.txt", "edited");
    let before = files(place.dir());
    let refused = restore(&place, &taken.commit, &tip(&place), Overwrite::Refuse).unwrap();
    let paths = ["a.txt", "new", "was.log"].map(PathBuf::from).to_vec();
    assert_eq!(refused, Restored::InTheWay(paths));
    assert_eq!(files(place.dir()), before);
}

#[test]
fn nothing_is_written_through_a_link() {
    let sample = Sample::new();
    let place = sample.worktree("a");
    put(place.dir(), "deep/new", "n");
    let taken = take(&place, &request()).unwrap();
    std::fs::remove_dir_all(place.dir().join("deep")).unwrap();
    let outside = sample.beside("outside");
    std::fs::create_dir(&outside).unwrap();
    symlink(&outside, place.dir().join("deep")).unwrap();
    let refused = restore(&place, &taken.commit, &tip(&place), Overwrite::Snapshotted).unwrap();
    assert_eq!(refused, Restored::InTheWay(vec!["deep".into()]));
    assert!(files(&outside).is_empty());
}

#[test]
fn a_snapshot_is_listed_and_let_go() {
    let sample = Sample::new();
    let place = sample.worktree("a");
    let (one, two) = (take(&place, &request()).unwrap(), take(&place, &request()).unwrap());
    assert_eq!(two.reference, format!("{}+2", one.reference));
    let kept = list(&sample.place()).unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!((kept[0].holder.as_str(), kept[0].why.as_str()), ("a", "sync"));
    assert_eq!(kept[0].at, Some(request().at));
    assert_eq!((kept[1].why.as_str(), kept[1].at), ("sync", kept[0].at));
    drop_ref(&sample.place(), &one.reference, &one.commit).unwrap();
    assert_eq!(list(&sample.place()).unwrap().len(), 1);
}

#[test]
fn a_submodule_that_moved_stands_in_nobodys_way() {
    let sample = Sample::new();
    sample.git(&["init", "-q", "../other"]);
    let other = sample.beside("other");
    let as_a = ["-c", "user.name=a", "-c", "user.email=a@a"];
    git_in(&other, &[&as_a[..], &["commit", "-q", "--allow-empty", "-m", "x"]].concat());
    let place = sample.worktree("a");
    let dir = place.dir();
    let add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../../other"];
    git_in(dir, &[&add[..], &["sub"]].concat());
    git_in(dir, &["commit", "-q", "-m", "sub"]);
    put(dir, "new", "n");
    let taken = take(&place, &request()).unwrap();
    let sub = dir.join("sub");
    git_in(&sub, &[&as_a[..], &["commit", "-q", "--allow-empty", "-m", "y"]].concat());
    put(&sub, "mine", "m");
    std::fs::remove_file(dir.join("new")).unwrap();
    let done = restore(&place, &taken.commit, &tip(&place), Overwrite::Refuse).unwrap();
    assert_eq!(done, Restored::Done);
    assert!(dir.join("new").exists() && sub.join("mine").exists());
}

#[test]
fn a_sparse_checkout_stays_sparse() {
    let sample = Sample::new();
    for path in ["in/a", "in/b", "out/c"] {
        sample.write(path, "one\n");
    }
    sample.commit("second");
    let place = sample.worktree("a");
    let dir = place.dir();
    git_in(dir, &["sparse-checkout", "set", "in"]);
    assert!(!dir.join("out").exists());
    put(dir, "in/a", "two\n");
    put(dir, "in/new", "n");
    let (before, said) = (files(dir), told(dir));
    let taken = take(&place, &request()).unwrap();
    git_in(dir, &["add", "-A"]);
    git_in(dir, &["commit", "-q", "-m", "later"]);
    put(dir, "in/b", "three\n");
    let done = restore(&place, &taken.commit, &tip(&place), Overwrite::Snapshotted).unwrap();
    assert_eq!(done, Restored::Done);
    assert_eq!((files(dir), told(dir)), (before, said));
}

#[test]
fn no_hook_of_the_user_sees_it() {
    let sample = Sample::new();
    let place = busy(&sample);
    for hook in ["reference-transaction", "post-index-change", "post-checkout"] {
        let file = sample.path.join(".git/hooks").join(hook);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "#!/bin/sh\ntouch \"$GIT_DIR/hook-ran\"\nexit 1\n").unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
    }
    let taken = take(&place, &request()).unwrap();
    std::fs::remove_file(place.dir().join("staged")).unwrap();
    restore(&place, &taken.commit, &tip(&place), Overwrite::Snapshotted).unwrap();
    assert!(!place.git_dir.join("hook-ran").exists());
}

#[test]
fn many_of_one_moment_each_have_a_name() {
    let sample = Sample::new();
    let place = sample.repo().place();
    let commit = sample.repo().commit("HEAD").unwrap();
    let request = Request::new("a", "sync", jiff::Timestamp::UNIX_EPOCH);
    let stem = create_ref(&place, &request, &commit).unwrap();
    git_in(&sample.path, &["update-ref", &format!("{stem}+240"), &commit]);
    let names = [0; 2].map(|_| create_ref(&place, &request, &commit).unwrap());
    assert_eq!(names, [format!("{stem}+241"), format!("{stem}+242")]);
    assert!(list(&place).unwrap().iter().all(|kept| kept.why == "sync"));
}
