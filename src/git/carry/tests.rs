use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;
use crate::domain::observer::Silent;
use crate::git::sample::Sample;

/// A checkout that ignores what its name says, and an empty directory beside it.
struct Trip {
    sample: Sample,
    to: PathBuf,
}

impl Trip {
    fn new() -> Self {
        Self::with(Sample::new())
    }

    fn with(sample: Sample) -> Self {
        sample.write(".gitignore", ".env*\n/private/\nnode_modules/\n*.ign\nlinks/*\n");
        sample.commit("ignore");
        let to = sample.beside("new");
        std::fs::create_dir(&to).unwrap();
        Self { sample, to }
    }

    fn carry(&self, globs: &[&str]) -> Carried {
        let globs: Vec<String> = globs.iter().map(|glob| (*glob).to_owned()).collect();
        let globs = Globs::new(&globs).unwrap();
        let from = self.sample.place();
        put(&find(&from, &globs, Path::new("/")).unwrap(), &self.to, &Silent).unwrap()
    }

    fn paths(&self, globs: &[&str]) -> Vec<String> {
        let carried = self.carry(globs).paths;
        carried.into_iter().map(|path| path.to_string_lossy().into_owned()).collect()
    }
}

#[test]
fn ignored_files_are_carried_from_any_depth_and_tracked_ones_are_not() {
    for format in [&[][..], &["--ref-format=reftable"], &["--object-format=sha256"]] {
        let trip = Trip::with(Sample::with(format));
        trip.sample.write(".env", "A=1");
        trip.sample.write("apps/wéb x/.env.local", "B=2");
        trip.sample.write("private/deep/.env", "C=3");
        trip.sample.write(":(top)/.env", "D=4");
        trip.sample.write("a.txt.env", "not named by the glob");
        trip.sample.write("docs/.env.sample", "tracked");
        trip.sample.git(&["add", "-f", "docs/.env.sample"]);
        trip.sample.write("node_modules/x/.env", "not looked into");
        let expected = [".env", ":(top)/.env", "apps/wéb x/.env.local", "private/deep/.env"];
        assert_eq!(trip.paths(&[".env*"]), expected, "{format:?}");
        assert_eq!(std::fs::read_to_string(trip.to.join("private/deep/.env")).unwrap(), "C=3");
        assert!(!trip.to.join("docs").exists() && !trip.to.join("node_modules").exists());
    }
}

#[test]
fn what_nobody_ignores_is_not_carried() {
    let trip = Trip::new();
    trip.sample.write("notes.env", "untracked, but not ignored");
    assert!(trip.carry(&["*.env", "a.txt"]).paths.is_empty());
}

#[test]
fn globs_count_from_anywhere_or_the_top_and_can_be_taken_back() {
    let trip = Trip::new();
    for path in [".env", ".env.production", "sub/.env", "sub/private/a.ign", "x.ign"] {
        trip.sample.write(path, "x");
    }
    assert_eq!(trip.paths(&["/.env*", "!.env.production"]), [".env"]);
    assert_eq!(trip.paths(&["private/*.ign"]), ["sub/private/a.ign"]);
    let bad = Globs::new(&["a[".to_owned()]).unwrap_err();
    assert!(bad.to_string().starts_with("`a[` is no glob: "), "{bad}");
    assert!(Globs::new(&["!/".to_owned()]).is_err());
}

#[test]
fn a_directory_that_is_named_comes_whole_with_links_modes_and_times() {
    let trip = Trip::new();
    trip.sample.write("private/bin/tool", "#!/bin/sh\n");
    trip.sample.write("private/skip.ign", "taken back");
    let tool = trip.sample.path.join("private/bin/tool");
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o4750)).unwrap();
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
    std::fs::File::open(&tool).unwrap().set_modified(old).unwrap();
    symlink("bin/tool", trip.sample.path.join("private/link")).unwrap();
    symlink("/etc/passwd", trip.sample.path.join("private/absolute")).unwrap();
    symlink(".", trip.sample.path.join("private/loop")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        trip.sample.path.join("private/pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let carried = trip.carry(&["private", "!*.ign"]);
    assert_eq!((carried.paths, carried.files), (vec![PathBuf::from("private")], 4));
    assert_eq!(carried.left.len(), 1, "{:?}", carried.left);
    let made = std::fs::symlink_metadata(trip.to.join("private/bin/tool")).unwrap();
    assert_eq!((made.mode() & 0o7777, made.modified().unwrap()), (0o750, old));
    let link = |name: &str| std::fs::read_link(trip.to.join("private").join(name)).unwrap();
    assert_eq!(link("link"), Path::new("bin/tool"));
    assert_eq!(link("absolute"), Path::new("/etc/passwd"));
    assert_eq!(link("loop"), Path::new("."));
    assert!(!trip.to.join("private/skip.ign").exists());
}

#[test]
fn nothing_is_written_through_a_link_of_the_new_worktree() {
    let trip = Trip::new();
    let outside = trip.sample.beside("outside");
    std::fs::create_dir(&outside).unwrap();
    trip.sample.write("links/.env", "x");
    symlink(&outside, trip.to.join("links")).unwrap();
    trip.sample.write("private/a", "x");
    symlink(&outside, trip.to.join("private")).unwrap();
    let carried = trip.carry(&[".env*", "private"]);
    assert_eq!(carried.files, 0);
    assert_eq!(carried.left.len(), 2);
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn what_the_commit_brought_along_stays() {
    let trip = Trip::new();
    trip.sample.write(".env", "new");
    std::fs::write(trip.to.join(".env"), "there").unwrap();
    assert!(trip.carry(&[".env*"]).paths.is_empty());
    assert_eq!(std::fs::read_to_string(trip.to.join(".env")).unwrap(), "there");
}

#[test]
fn other_repositories_are_neither_looked_into_nor_doubled() {
    let trip = Trip::new();
    let nested = trip.sample.path.join("private/nested");
    trip.sample.write("private/nested/.env", "x");
    trip.sample.git(&["init", "-q", nested.to_str().unwrap()]);
    trip.sample.git(&["worktree", "add", "-q", "private/linked"]);
    trip.sample.write("private/linked/.env", "x");
    assert!(trip.carry(&[".env*"]).paths.is_empty());
    let carried = trip.carry(&["private"]);
    assert!(trip.to.join("private/nested/.git/HEAD").exists());
    assert!(!trip.to.join("private/linked").exists());
    assert_eq!(carried.left[0].path, Path::new("private/linked"));
}

#[test]
fn a_directory_too_big_to_copy_is_told() {
    let trip = Trip::new();
    trip.sample.write("private/small", "x");
    let big = std::fs::File::create(trip.sample.path.join("private/big")).unwrap();
    big.set_len(DIRECTORY_MAX + 1).unwrap();
    let carried = trip.carry(&["private"]);
    // On a file system that clones, it comes along instead.
    if carried.left.is_empty() {
        assert_eq!(
            std::fs::metadata(trip.to.join("private/big")).unwrap().len(),
            DIRECTORY_MAX + 1
        );
    } else {
        assert!(carried.left[0].why.contains("does not clone"));
        assert!(!trip.to.join("private").exists());
    }
}

#[test]
fn what_setup_will_fill_is_told_unless_a_glob_names_it() {
    let trip = Trip::new();
    trip.sample.write("node_modules/x/index.js", "x");
    trip.sample.write("apps/web/node_modules/y/index.js", "y");
    let carried = trip.carry(&[".env*"]);
    let expected = ["apps/web/node_modules", "node_modules"].map(PathBuf::from);
    assert_eq!(carried.dependencies, expected);
    let carried = trip.carry(&["node_modules"]);
    assert_eq!((carried.dependencies.len(), carried.paths), (0, expected.to_vec()));
    assert_eq!(std::fs::read_to_string(trip.to.join("node_modules/x/index.js")).unwrap(), "x");
}

#[test]
fn files_may_come_and_go_meanwhile() {
    let trip = Trip::new();
    for number in 0..300 {
        trip.sample.write(&format!("private/{number}"), "x");
    }
    std::thread::scope(|scope| {
        let top = trip.sample.path.clone();
        scope.spawn(move || {
            for number in (0..300).rev() {
                std::fs::remove_file(top.join(format!("private/{number}"))).unwrap();
                std::fs::write(top.join(format!("private/new{number}")), "y").unwrap();
            }
        });
        trip.carry(&["private"]);
    });
}
