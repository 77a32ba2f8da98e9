use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Duration, SystemTime};

use super::*;
use crate::git::sample::{Sample, git_in, put};

fn ended<'a>(task: &'a TaskId) -> Ended<'a> {
    Ended { branch: "feature/a", task: Some(task), subject: "Bold dark theme\nmore", at: None }
}

fn task() -> TaskId {
    TaskId::new("worktree-a-x7k2m9")
}

fn status(place: &Place) -> String {
    git_in(place.dir(), &["status", "--porcelain", "--untracked-files=all"])
}

#[test]
fn every_kind_of_change_is_committed_and_status_is_clean() {
    for format in [&[][..], &["--object-format=sha256"], &["--ref-format=reftable"]] {
        let sample = Sample::with(format);
        for path in ["gone", "was/dir", "was-file", "link", "rm", "dir/b.txt"] {
            sample.write(path, "x");
        }
        sample.write(".gitignore", "*.log\n");
        sample.commit("second");
        let place = sample.worktree("a");
        let dir = place.dir();
        put(dir, "a.txt", "changed\n");
        put(dir, "new file\twith\nodd \"name\"", "n");
        put(dir, "build.log", "ignored");
        std::fs::remove_file(dir.join("gone")).unwrap();
        std::fs::remove_dir_all(dir.join("was")).unwrap();
        put(dir, "was", "a file now");
        std::fs::remove_file(dir.join("was-file")).unwrap();
        put(dir, "was-file/in", "a directory now");
        std::fs::remove_file(dir.join("link")).unwrap();
        symlink("nowhere/at all", dir.join("link")).unwrap();
        std::fs::set_permissions(dir.join("dir/b.txt"), PermissionsExt::from_mode(0o755)).unwrap();
        git_in(dir, &["rm", "-q", "rm"]);
        put(dir, "staged", "s");
        git_in(dir, &["add", "staged"]);
        put(dir, "intent", "i");
        git_in(dir, &["add", "-N", "intent"]);

        let done = commit(&place, &ended(&task())).unwrap();
        assert_eq!((done.left, done.obstacle), (vec![], None), "{format:?}");
        assert_eq!(status(&place), "");
        assert_eq!(sample.git(&["rev-parse", "feature/a"]), done.commit.unwrap());
        let message = sample.git(&["log", "-1", "--format=%B", "feature/a"]);
        assert_eq!(message.trim(), "wip: Bold dark theme\n\nWt-Task: worktree-a-x7k2m9");
        let tree = sample.git(&["ls-tree", "-r", "-z", "feature/a"]);
        let holds = |text: &str| tree.split('\0').any(|line| line.ends_with(&format!("\t{text}")));
        for path in ["a.txt", "new file\twith\nodd \"name\"", "was", "was-file/in", "intent"] {
            assert!(holds(path), "{path:?} in {tree}");
        }
        assert!(!holds("gone") && !holds("rm") && !holds("build.log") && !holds("was/dir"));
        assert!(tree.contains("120000") && tree.contains("100755"));
        assert_eq!(
            std::fs::read_dir(&place.git_dir)
                .unwrap()
                .flatten()
                .find(|entry| { entry.file_name().to_string_lossy().starts_with("wt-index") })
                .map(|entry| entry.path()),
            None
        );
    }
}

#[test]
fn large_files_secrets_and_nested_repositories_stay_and_are_told() {
    let sample = Sample::new();
    let key = format!("-----BEGIN RSA {} KEY-----\n", "PRIVATE");
    sample.write("sample-key.md", &key);
    sample.commit("a documented sample");
    let place = sample.worktree("a");
    let dir = place.dir();
    put(dir, "good", "g");
    put(dir, ".env.local", "KEY=1");
    put(dir, "deep/notes.txt", &format!("token: ghp_{}", "a".repeat(36)));
    put(dir, "sample-key.md", &format!("{key}and a word\n"));
    put(dir, "big", &"x".repeat(5_000_001));
    put(dir, "staged.pem", "s");
    git_in(dir, &["add", "staged.pem"]);
    git_in(dir, &["init", "-q", "nested"]);

    let done = commit(&place, &ended(&task())).unwrap();
    let left: Vec<_> =
        done.left.iter().map(|l| (l.path.to_str().unwrap(), l.why.to_string())).collect();
    assert_eq!(
        left,
        [
            ("staged.pem", "secrets have such names".to_owned()),
            (".env.local", "secrets have such names".to_owned()),
            ("big", "larger than 5 MB (6 MB)".to_owned()),
            ("deep/notes.txt", "holds what looks like a GitHub token".to_owned()),
            ("nested", "a repository of its own".to_owned()),
        ]
    );
    assert_eq!(done.paths, 2);
    assert_eq!(sample.git(&["diff", "--name-only", "main", "feature/a"]), "good\nsample-key.md");
    // What was staged stays staged.
    let left = "A  staged.pem\n?? .env.local\n?? big\n?? deep/notes.txt\n?? nested/";
    assert_eq!(status(&place), left);
}

#[test]
fn neither_hooks_nor_signing_nor_a_missing_name_stand_in_the_way() {
    let sample = Sample::new();
    let place = sample.worktree("a");
    for hook in ["pre-commit", "post-commit", "reference-transaction", "post-index-change"] {
        let file = sample.path.join(".git/hooks").join(hook);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "#!/bin/sh\ntouch \"$GIT_DIR/hook-ran\"\nexit 1\n").unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
    }
    sample.git(&["config", "commit.gpgSign", "true"]);
    sample.git(&["config", "gpg.program", "false"]);
    sample.git(&["config", "user.name", ""]);
    put(place.dir(), "new", "n");
    let done = commit(&place, &ended(&task())).unwrap();
    assert!(done.commit.is_some());
    assert!(!place.git_dir.join("hook-ran").exists());
    assert_eq!(sample.git(&["log", "-1", "--format=%an %ae", "feature/a"]), "wt wt@localhost");
}

#[test]
fn an_unfinished_operation_or_another_head_is_left_alone() {
    let sample = Sample::new();
    let place = sample.worktree("a");
    let dir = place.dir();
    put(dir, "new", "n");
    let told = |branch| commit(&place, &Ended { branch, ..ended(&task()) }).unwrap();
    git_in(dir, &["checkout", "-q", "-b", "own"]);
    assert_eq!(told("feature/a").obstacle, Some(Obstacle::OtherBranch("own".into())));
    git_in(dir, &["checkout", "-q", "--detach"]);
    assert_eq!(told("feature/a").obstacle, Some(Obstacle::Detached));
    git_in(dir, &["checkout", "-q", "feature/a"]);
    std::fs::write(place.git_dir.join("MERGE_HEAD"), sample.git(&["rev-parse", "main"])).unwrap();
    assert_eq!(told("feature/a").obstacle, Some(Obstacle::Operation(Operation::Merge)));
    std::fs::remove_file(place.git_dir.join("MERGE_HEAD")).unwrap();
    assert_eq!(sample.git(&["rev-parse", "feature/a"]), sample.git(&["rev-parse", "main"]));
    assert!(told("feature/a").commit.is_some());
}

#[test]
fn an_index_that_is_held_for_a_moment_is_waited_for() {
    let sample = Sample::new();
    let place = sample.worktree("a");
    put(place.dir(), "new", "n");
    let lock = place.git_dir.join("index.lock");
    std::fs::write(&lock, "").unwrap();
    let held = commit_when_free(&place, &ended(&task()), Duration::from_millis(50)).unwrap();
    assert_eq!((held.obstacle, held.commit), (Some(Obstacle::Locked), None));
    std::thread::scope(|scope| {
        scope.spawn(|| std::fs::remove_file(&lock).unwrap());
        let free = commit_when_free(&place, &ended(&task()), Duration::from_secs(60)).unwrap();
        assert_eq!((free.obstacle, free.commit.is_some()), (None, true));
    });
    assert_eq!(status(&place), "");
}

#[test]
fn a_lock_of_the_dead_is_removed_and_one_of_the_living_respected() {
    let sample = Sample::new();
    let place = sample.worktree("a");
    put(place.dir(), "new", "n");
    let lock = place.git_dir.join("index.lock");
    std::fs::write(&lock, "").unwrap();
    let before = lock.metadata().unwrap().modified().unwrap();
    let at = |at: Option<SystemTime>| commit(&place, &Ended { at, ..ended(&task()) }).unwrap();
    assert_eq!(at(None).obstacle, Some(Obstacle::Locked));
    assert_eq!(at(Some(before - Duration::from_secs(1))).obstacle, Some(Obstacle::Locked));
    assert_eq!(sample.git(&["rev-parse", "feature/a"]), sample.git(&["rev-parse", "main"]));
    assert!(at(Some(before)).commit.is_some());
    assert_eq!(status(&place), "");
}

#[test]
fn a_file_that_git_cannot_take_holds_nothing_else_back() {
    let sample = Sample::new();
    sample.git(&["config", "filter.broken.clean", "false"]);
    sample.git(&["config", "filter.broken.required", "true"]);
    let place = sample.worktree("a");
    for name in ["a1", "b2.broken", "c3", "d4", "e5.broken"] {
        put(place.dir(), name, name);
    }
    put(place.dir(), ".gitattributes", "*.broken filter=broken\n");
    let done = commit(&place, &ended(&task())).unwrap();
    let left: Vec<_> = done.left.iter().map(|left| left.path.to_str().unwrap()).collect();
    assert_eq!(left, ["b2.broken", "e5.broken"]);
    assert_eq!(done.paths, 4);
    assert_eq!(status(&place), "?? b2.broken\n?? e5.broken");
}

#[test]
fn a_death_between_the_commit_and_the_index_is_mended() {
    let sample = Sample::new();
    let place = sample.worktree("a");
    let head = sample.git(&["rev-parse", "main"]);
    for landed in [false, true] {
        put(place.dir(), &format!("new-{landed}"), "n");
        // As install leaves it when it dies with the lock held, before or after the commit.
        let index = PrivateIndex::copy(&place).unwrap();
        let found = changes(&place).unwrap();
        let path = found.entries.iter().map(|entry| entry.path.as_path()).collect::<Vec<_>>();
        index.add(&path).unwrap();
        let tree = index.write_tree().unwrap();
        let new = commit_tree(&place, &tree, &[&head], "wip: x\n").unwrap();
        let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            index.install("refs/heads/feature/a", &new, None, || {
                if landed {
                    sample.git(&["update-ref", "refs/heads/feature/a", &new]);
                }
                std::panic::resume_unwind(Box::new("killed"))
            })
        }));
        assert!(died.is_err());
        let dir = index.file().parent().unwrap().to_path_buf();
        let lock = place.git_dir.join("index.lock");
        assert!(lock.exists());
        // Dropping removes the directory, which a death would not.
        let kept = place.git_dir.join(format!("wt-index-kept{landed}"));
        std::fs::rename(&dir, &kept).unwrap();
        drop(index);
        recover(&place).unwrap();
        assert!(!lock.exists() && !kept.exists());
        let wanted = if landed { "" } else { "?? new-false" };
        assert_eq!(status(&place), wanted);
    }
}

#[test]
fn a_living_process_s_index_is_not_swept() {
    let sample = Sample::new();
    let place = sample.worktree("a");
    let index = PrivateIndex::copy(&place).unwrap();
    recover(&place).unwrap();
    assert!(index.file().exists());
}

#[test]
fn change_is_told_from_no_change() {
    let sample = Sample::new();
    sample.write(".gitignore", "*.log\n");
    sample.commit("ignore");
    let place = sample.worktree("a");
    let fork = sample.git(&["rev-parse", "main"]);
    assert!(!changed(&place, &fork).unwrap());
    put(place.dir(), "x.log", "ignored");
    assert!(!changed(&place, &fork).unwrap());
    put(place.dir(), "new", "n");
    assert!(changed(&place, &fork).unwrap());
    assert!(commit(&place, &ended(&task())).unwrap().commit.is_some());
    assert!(changed(&place, &fork).unwrap());
    git_in(place.dir(), &["revert", "--no-edit", "HEAD"]);
    assert!(!changed(&place, &fork).unwrap());
}
