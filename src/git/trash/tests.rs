use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use proptest::prelude::*;

use super::*;
use crate::git::command::Git;
use crate::git::sample::{Sample, git_in, put as write};
use crate::git::worktree::{Naming, list, write_small};

fn trashed(place: &Place) -> Trashed {
    let path = place.dir().to_path_buf();
    let trash = Trashed::place_for(&path, "a", 7);
    Trashed { path, admin_dir: place.git_dir.clone(), trash, key: 7 }
}

/// Everything of a directory: kind, mode, time and contents of each entry.
fn all(dir: &Path) -> Vec<String> {
    let entries = walkdir::WalkDir::new(dir).sort_by_file_name().into_iter().map(Result::unwrap);
    let told = |entry: walkdir::DirEntry| {
        let meta = entry.path().symlink_metadata().unwrap();
        let held = match (meta.is_symlink(), meta.is_file()) {
            (true, _) => format!("{:?}", std::fs::read_link(entry.path()).unwrap()),
            (_, true) => format!("{:?}", std::fs::read(entry.path()).unwrap()),
            _ => String::new(),
        };
        let time = if meta.is_dir() { 0 } else { meta.mtime_nsec() };
        let path = entry.path().strip_prefix(dir).unwrap().display().to_string();
        format!("{path} {:o} {time} {held}", meta.mode())
    };
    entries.map(told).collect()
}

fn told(dir: &Path) -> String {
    let questions: [&[&str]; 3] = [
        &["log", "-1", "--format=%H %D"],
        &["ls-files", "-s", "-v"],
        &["status", "--porcelain=v2", "--untracked-files=all", "--branch", "--ignored"],
    ];
    questions.map(|question| git_in(dir, question)).join("\n--\n")
}

fn back(gone: &Trashed) -> Back<'_> {
    Back { to: &gone.path, branch: None }
}

#[test]
fn a_worktree_goes_and_comes_back_as_it_was() {
    for format in [&[][..], &["--object-format=sha256"], &["--ref-format=reftable"]] {
        let sample = Sample::with(format);
        let repo = sample.repo();
        let place = sample.worktree("a");
        write(place.dir(), "new", "n");
        git_in(place.dir(), &["add", "new"]);
        git_in(place.dir(), &["commit", "-q", "-m", "new"]);
        write(place.dir(), "new", "edited");
        let (before, said) = (all(place.dir()), told(place.dir()));
        let tip = repo.commit("feature/a").unwrap();
        let gone = trashed(&place);
        assert_eq!(put(&repo, &gone).unwrap(), Put::Done);
        assert!(gone.is_there() && !gone.path.exists(), "{format:?}");
        assert_eq!(put(&repo, &gone).unwrap(), Put::Done, "again");
        let listed = list(&repo).unwrap();
        assert!(is_trash_lock(listed[1].locked.as_deref().unwrap()));
        assert_eq!(listed[1].branch(), None);
        // The user's own tidying takes nothing of it, and the branch is free.
        sample.git(&["branch", "-q", "-D", "feature/a"]);
        sample.git(&["worktree", "prune", "--expire=now"]);
        sample.git(&["gc", "-q", "--prune=now"]);
        assert_eq!(take_out(&repo, &gone, &back(&gone)).unwrap(), TakenOut::Done);
        assert_eq!((all(place.dir()), told(place.dir())), (before, said), "{format:?}");
        assert_eq!(repo.commit("feature/a").unwrap(), tip);
        assert_eq!(list(&repo).unwrap()[1].locked, None);
        assert_eq!(take_out(&repo, &gone, &back(&gone)).unwrap(), TakenOut::Done, "again");
        assert_eq!(
            take_out(&repo, &gone, &Back { to: &sample.beside("b"), branch: None }).unwrap(),
            TakenOut::NotThere
        );
    }
}

#[test]
fn relative_names_come_back_as_they_were() {
    let sample = Sample::new();
    let repo = sample.repo();
    let place = sample.worktree("a");
    let main = sample.path.file_name().unwrap().to_str().unwrap();
    write(place.dir(), ".git", &format!("gitdir: ../../{main}/.git/worktrees/a\n"));
    let (before, said) = (all(place.dir()), told(place.dir()));
    let gone = trashed(&place);
    assert_eq!(put(&repo, &gone).unwrap(), Put::Done);
    assert!(gone.is_there());
    assert_eq!(take_out(&repo, &gone, &back(&gone)).unwrap(), TakenOut::Done);
    assert_eq!((all(place.dir()), told(place.dir())), (before, said));
}

#[test]
fn another_place_and_another_branch_will_do() {
    let sample = Sample::new();
    let repo = sample.repo();
    let place = sample.worktree("a");
    let gone = trashed(&place);
    put(&repo, &gone).unwrap();
    std::fs::create_dir(&gone.path).unwrap();
    assert_eq!(take_out(&repo, &gone, &back(&gone)).unwrap(), TakenOut::Taken);
    sample.git(&["checkout", "-q", "feature/a"]);
    let to = sample.beside("elsewhere/b");
    let there = Back { to: &to, branch: None };
    let refused = take_out(&repo, &gone, &there).unwrap();
    assert_eq!(
        refused,
        TakenOut::BranchInUse { branch: "feature/a".into(), at: sample.path.clone() }
    );
    sample.git(&["commit", "-q", "--allow-empty", "-m", "moved"]);
    let at = repo.commit("feature/a").unwrap();
    sample.git(&["checkout", "-q", "main"]);
    let refused = take_out(&repo, &gone, &there).unwrap();
    assert_eq!(refused, TakenOut::BranchMoved { branch: "feature/a".into(), at });
    let there = Back { branch: Some("feature/b"), ..there };
    assert_eq!(take_out(&repo, &gone, &there).unwrap(), TakenOut::Done);
    assert_eq!(git_in(&to, &["status", "--porcelain", "--branch"]), "## feature/b");
    assert_eq!(crate::git::worktree::naming(&to, &gone.admin_dir), Naming::Mutual);
}

#[test]
fn what_is_not_ours_is_left_alone() {
    // worktrunk#2939, #3785, #3808: another repository is now at the registered path.
    let sample = Sample::new();
    let repo = sample.repo();
    let place = sample.worktree("a");
    let gone = trashed(&place);
    std::fs::remove_dir_all(&gone.path).unwrap();
    assert_eq!(put(&repo, &gone).unwrap(), Put::NotOurs(Naming::NoDirectory));
    sample.git(&["init", "-q", gone.path.to_str().unwrap()]);
    write(&gone.path, "precious", "p");
    assert_eq!(put(&repo, &gone).unwrap(), Put::NotOurs(Naming::DirectoryElsewhere));
    assert!(gone.path.join("precious").exists() && !gone.trash.exists());

    // workmux#204, worktrunk#1618: never the main checkout.
    let main = Trashed { path: sample.path.clone(), admin_dir: sample.path.join(".git"), ..gone };
    assert_eq!(put(&repo, &main).unwrap(), Put::NotOurs(Naming::NoRegistration));

    // A worktree that the user has locked.
    let place = sample.worktree("b");
    sample.git(&["worktree", "lock", "--reason", "on a stick", place.dir().to_str().unwrap()]);
    assert_eq!(put(&repo, &trashed(&place)).unwrap(), Put::Locked("on a stick".into()));

    // claude-code#79899: a live sibling inside of it.
    let place = sample.worktree("c");
    let inner = place.dir().join("inner");
    sample.git(&["worktree", "add", "-q", inner.to_str().unwrap()]);
    assert_eq!(put(&repo, &trashed(&place)).unwrap(), Put::Holds(inner));
}

#[test]
fn a_bare_repository_s_checkout_is_never_taken_for_a_worktree() {
    let sample = Sample::new();
    let proj = sample.beside("proj");
    std::fs::create_dir(&proj).unwrap();
    sample.git(&["clone", "-q", "--bare", ".", proj.join(".bare").to_str().unwrap()]);
    std::fs::write(proj.join(".git"), "gitdir: ./.bare\n").unwrap();
    git_in(&proj, &["worktree", "add", "-q", "main"]);
    let repo = Repo::open(&proj.join(".bare")).unwrap();
    let admin_dir = proj.join(".bare/worktrees/main");
    let of = |path: &Path, admin_dir: &Path| {
        let (path, admin_dir) = (path.to_path_buf(), admin_dir.to_path_buf());
        Trashed { trash: Trashed::place_for(&path, "x", 1), path, admin_dir, key: 1 }
    };
    let whole = of(&proj, &admin_dir);
    assert_eq!(put(&repo, &whole).unwrap(), Put::NotOurs(Naming::RegistrationElsewhere));
    let whole = of(&proj, &proj.join(".bare"));
    assert_eq!(put(&repo, &whole).unwrap(), Put::NotOurs(Naming::NoRegistration));
    let one = of(&proj.join("main"), &admin_dir);
    assert_eq!(put(&repo, &one).unwrap(), Put::Done);
    assert_eq!(take_out(&repo, &one, &back(&one)).unwrap(), TakenOut::Done);
}

#[test]
fn purging_takes_all_of_it_and_nothing_else() {
    let sample = Sample::new();
    let repo = sample.repo();
    let (place, other) = (sample.worktree("a"), sample.worktree("b"));
    write(place.dir(), "cache/mod/file", "x");
    let locked = place.dir().join("cache/mod");
    std::fs::set_permissions(&locked, PermissionsExt::from_mode(0o555)).unwrap();
    let outside = sample.beside("outside");
    write(&outside, "precious", "p");
    symlink(&outside, place.dir().join("link")).unwrap();
    let gone = trashed(&place);
    assert!(purge(&gone).unwrap() && gone.path.exists(), "not in the trash");
    put(&repo, &gone).unwrap();
    assert!(purge(&gone).unwrap());
    assert!(!gone.trash.exists() && !gone.admin_dir.exists() && outside.join("precious").exists());
    assert!(purge(&gone).unwrap(), "again");
    assert_eq!(list(&repo).unwrap().len(), 2);
    assert_eq!(git_in(other.dir(), &["status", "--porcelain"]), "");
}

#[test]
fn a_worktree_killed_on_its_way_is_finished() {
    type Damage = fn(&Trashed);
    let states: [Damage; 3] = [
        // Marked only.
        |gone| write_small(&gone.admin_dir.join(LOCKED), &gone.mark()).unwrap(),
        // Renamed, and the registration not told.
        |gone| {
            write_small(&gone.admin_dir.join(LOCKED), &gone.mark()).unwrap();
            std::fs::create_dir_all(gone.trash.parent().unwrap()).unwrap();
            std::fs::rename(&gone.path, &gone.trash).unwrap();
        },
        // Copied to another file system, and the original half removed.
        |gone| {
            write_small(&gone.admin_dir.join(LOCKED), &gone.mark()).unwrap();
            std::fs::create_dir_all(gone.trash.parent().unwrap()).unwrap();
            copy::copy_dir(&gone.path, &gone.trash).unwrap();
            std::fs::remove_file(gone.path.join("a.txt")).unwrap();
        },
    ];
    for (number, damage) in states.iter().enumerate() {
        let sample = Sample::new();
        let repo = sample.repo();
        let place = sample.worktree("a");
        write(place.dir(), "d/new", "n");
        let (before, said) = (all(place.dir()), told(place.dir()));
        let gone = trashed(&place);
        damage(&gone);
        assert_eq!(put(&repo, &gone).unwrap(), Put::Done, "state {number}");
        assert!(gone.is_there() && !gone.path.exists(), "state {number}");
        // The way back, killed after the rename.
        std::fs::rename(&gone.trash, &gone.path).unwrap();
        assert_eq!(take_out(&repo, &gone, &back(&gone)).unwrap(), TakenOut::Done);
        assert_eq!((all(place.dir()), told(place.dir())), (before, said), "state {number}");
    }
}

#[test]
fn an_original_that_changed_after_it_was_copied_is_not_removed() {
    let sample = Sample::new();
    let place = sample.worktree("a");
    write(place.dir(), "new", "n");
    let gone = trashed(&place);
    std::fs::create_dir_all(gone.trash.parent().unwrap()).unwrap();
    copy::copy_dir(&gone.path, &gone.trash).unwrap();
    write(place.dir(), "new", "later");
    assert!(copy::remove_copied(&gone.path, &gone.trash, &gone.admin_dir).is_err());
    assert_eq!(std::fs::read_to_string(place.dir().join("new")).unwrap(), "later");
}

#[test]
fn a_copy_over_file_systems_is_the_same() {
    let elsewhere = Path::new("/dev/shm");
    let sample = Sample::new();
    let place = sample.worktree("a");
    write(place.dir(), "bin/tool", "t");
    std::fs::set_permissions(place.dir().join("bin/tool"), PermissionsExt::from_mode(0o751))
        .unwrap();
    symlink("nowhere", place.dir().join("link")).unwrap();
    std::fs::create_dir(place.dir().join("empty")).unwrap();
    let before = all(place.dir());
    let other = match tempfile::tempdir_in(elsewhere) {
        Ok(dir) => dir,
        Err(_) => tempfile::tempdir().unwrap(),
    };
    let copied = other.path().join("a-7");
    copy::copy_dir(place.dir(), &copied).unwrap();
    assert_eq!(all(&copied), before);
    copy::remove_copied(place.dir(), &copied, &place.git_dir).unwrap();
    assert!(!place.dir().exists());
}

#[derive(Debug, Clone)]
enum Step {
    Write(u8, u8),
    Add(u8),
    Remove(u8),
    Program(u8),
    Link(u8, u8),
    Ignore(u8),
    Commit,
    Detach,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..8u8, any::<u8>()).prop_map(|(file, text)| Step::Write(file, text)),
        2 => (0..8u8).prop_map(Step::Add),
        1 => (0..8u8).prop_map(Step::Remove),
        1 => (0..8u8).prop_map(Step::Program),
        1 => (0..8u8, 0..8u8).prop_map(|(file, to)| Step::Link(file, to)),
        1 => (0..8u8).prop_map(Step::Ignore),
        1 => Just(Step::Commit),
        1 => Just(Step::Detach),
    ]
}

fn apply(dir: &Path, step: &Step) {
    let name = |file: &u8| format!("d{}/f{file}", file % 3);
    let free = |file: &u8| {
        let path = dir.join(name(file));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::remove_file(&path).ok();
        path
    };
    let git = |args: &[&str]| drop(Git::discovering(dir).args(args).answer().unwrap());
    match step {
        Step::Write(file, text) => std::fs::write(free(file), format!("{text}\r\n")).unwrap(),
        Step::Add(file) => git(&["add", "-A", "--", &name(file)]),
        Step::Remove(file) => drop(free(file)),
        Step::Program(file) => {
            std::fs::set_permissions(dir.join(name(file)), PermissionsExt::from_mode(0o700)).ok();
        }
        Step::Link(file, to) => symlink(name(to), free(file)).unwrap(),
        Step::Ignore(file) => write(dir, &format!("ignored/{file}.log"), "l"),
        Step::Commit => git(&["commit", "-q", "-m", "step"]),
        Step::Detach => git(&["checkout", "-q", "--detach"]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_the_state_it_comes_back_byte_for_byte(steps in proptest::collection::vec(step(), 0..25)) {
        let sample = Sample::new();
        let place = sample.worktree("a");
        write(place.dir(), ".gitignore", "*.log\n");
        for step in &steps {
            apply(place.dir(), step);
        }
        let before = (all(place.dir()), told(place.dir()), std::fs::read(place.git_dir.join("index")).unwrap());
        let gone = trashed(&place);
        let tip = sample.git(&["rev-parse", "feature/a"]);
        prop_assert_eq!(put(&sample.repo(), &gone).unwrap(), Put::Done);
        sample.git(&["branch", "-q", "-D", "feature/a"]);
        prop_assert_eq!(take_out(&sample.repo(), &gone, &back(&gone)).unwrap(), TakenOut::Done);
        if sample.repo().branch("feature/a").unwrap().is_none() {
            // HEAD was detached, so the branch is whoever deleted it to make again.
            sample.git(&["branch", "-q", "feature/a", &tip]);
        }
        // Asking for the status may refresh the index, so its bytes are compared first.
        let index = std::fs::read(place.git_dir.join("index")).unwrap();
        prop_assert_eq!(before, (all(place.dir()), told(place.dir()), index));
    }
}
