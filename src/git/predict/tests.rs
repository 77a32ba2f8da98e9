use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::git::command::Git;
use crate::git::sample::{Sample, git_in, put};
use crate::git::side_objects::SideObjects;

const FORMATS: [&[&str]; 3] = [&[], &["--object-format=sha256"], &["--ref-format=reftable"]];

fn predicted(sample: &Sample, pairs: &[(&str, &str)]) -> Vec<Prediction> {
    let repo = sample.repo();
    let side = Arc::new(SideObjects::of(&repo).unwrap());
    let objects = Objects::beside(&repo, &side).unwrap();
    let merges: Vec<Merge> = pairs
        .iter()
        .map(|(into, from)| Merge {
            into: repo.commit(into).unwrap(),
            from: repo.commit(from).unwrap(),
        })
        .collect();
    predict(&repo, &objects, &merges).unwrap()
}

fn branch(sample: &Sample, name: &str, from: &str, files: &[(&str, &str)]) {
    sample.git(&["checkout", "-q", "-f", "-b", name, from]);
    for (path, text) in files {
        sample.write(path, text);
    }
    sample.commit(name);
}

fn conflicts(files: &[&str]) -> Prediction {
    Prediction::Conflicts { files: files.iter().map(PathBuf::from).collect() }
}

#[test]
fn each_pair_has_its_own_verdict() {
    for format in FORMATS {
        let sample = Sample::with(format);
        branch(&sample, "one", "main", &[("a.txt", "1\n"), ("b b\nü", "1")]);
        branch(&sample, "two", "main", &[("a.txt", "2\n"), ("b b\nü", "2")]);
        branch(&sample, "three", "main", &[("c", "3")]);
        sample.git(&["checkout", "-q", "--orphan", "alien"]);
        sample.commit("alien");
        let pairs = [("one", "two"), ("alien", "one"), ("one", "three"), ("main", "three")];
        let found = predicted(&sample, &pairs);
        assert_eq!(found[0], conflicts(&["a.txt", "b b\nü"]), "{format:?}");
        let Prediction::Impossible { why } = &found[1] else { panic!("{found:?}") };
        assert!(why.contains("unrelated"), "{why}");
        assert!(matches!(&found[2], Prediction::Clean { .. }));
        let tree = sample.git(&["rev-parse", "three^{tree}"]);
        assert_eq!(found[3], Prediction::Clean { tree });
    }
}

#[test]
fn the_attributes_of_the_target_hold() {
    for format in FORMATS {
        let sample = Sample::with(format);
        sample.write("log", "one\n");
        sample.commit("log");
        branch(&sample, "plain", "main", &[("log", "one\nplain\n")]);
        branch(&sample, "more", "main", &[("log", "one\nmore\n")]);
        let union = ("sub/.gitattributes", "log merge=union\n");
        branch(&sample, "united", "more", &[union]);
        let moved = ("sub/.gitattributes", "x merge=union\n");
        branch(&sample, "other", "more", &[moved, (".gitattributes", "log merge=union\n")]);
        sample.git(&["checkout", "-q", "main"]);
        let pairs = [("plain", "more"), ("other", "plain"), ("united", "plain")];
        let found = predicted(&sample, &pairs);
        let clean = |at: usize| matches!(found[at], Prediction::Clean { .. });
        // git before 2.41 takes those of the main checkout, which has none.
        let knows = Git::discovering(&sample.path).args(["--attr-source=HEAD", "version"]);
        let knows = knows.answer().unwrap().code == Some(0);
        assert_eq!([clean(0), clean(1), clean(2)], [false, knows, false], "{format:?}");
    }
}

#[test]
fn answers_are_read_up_to_where_git_died() {
    let whole = b"1\0t1\0\x000\0t2\0a\0a\0b\0\0";
    let both = vec![Prediction::Clean { tree: "t1".into() }, conflicts(&["a", "b"])];
    assert_eq!(parse(whole).unwrap(), both);
    for cut in 1..whole.len() {
        let found = parse(&whole[..cut]).unwrap();
        assert_eq!(found, both[..found.len()], "{cut}");
        assert!(found.len() < 2);
    }
    assert!(parse(b"7\0t\0\0").is_err());
}

#[test]
fn where_nothing_can_be_written_is_seen() {
    let sample = Sample::new();
    branch(&sample, "one", "main", &[("a.txt", "1\n"), ("b", "1")]);
    branch(&sample, "two", "main", &[("c", "2")]);
    let repo = sample.repo();
    let own = repo.common_dir().join("objects");
    let scratch = Directory::on_disk(&[&own]).unwrap();
    let at = |name: &str| repo.commit(name).unwrap();
    let input = format!("{} {}\n", at("one"), at("two"));
    let well = ask(&repo.place(), "HEAD", &scratch, input.clone()).unwrap();
    assert!(well.code == Some(0) && !is_full(&well));
    // A file where the directory of the merged tree's object would be.
    let tree = sample.git(&["merge-tree", "--write-tree", "one", "two"]);
    let scratch = Directory::on_disk(&[&own]).unwrap();
    std::fs::remove_dir_all(own.join(&tree[..2])).unwrap();
    std::fs::write(scratch.objects().join(&tree[..2]), "").unwrap();
    let full = ask(&repo.place(), "HEAD", &scratch, input).unwrap();
    assert!(full.code != Some(0) && is_full(&full), "{full:?}");
}

#[test]
fn work_is_shared_out_evenly() {
    let group: Vec<usize> = (0..1275).collect();
    let parts: Vec<&[usize]> = shares(&group).collect();
    assert_eq!(parts.concat(), group);
    assert!(parts.len() <= workers::count() && parts.len() <= 3);
    assert_eq!(shares(&group[..399]).count(), 1);
}

/// What `git merge` itself says, in a clone: the paths in conflict, or the merged tree.
fn merged(sample: &Sample, into: &str, from: &str) -> Prediction {
    let clone = tempfile::tempdir().unwrap();
    let dir = clone.path();
    git_in(dir, &["clone", "-q", "--shared", sample.path.to_str().unwrap(), "."]);
    git_in(dir, &["checkout", "-q", "--detach", &format!("origin/{into}")]);
    let git = |args: &[&str]| {
        let config = [("user.name", "a"), ("user.email", "a@a"), ("merge.conflictStyle", "merge")];
        let git = config.iter().fold(Git::discovering(dir), |git, (name, value)| {
            git.config(format!("{name}={value}"))
        });
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").args(args).answer().unwrap()
    };
    let answer = git(&["merge", "-q", "--no-ff", "-m", "merge", &format!("origin/{from}")]);
    if answer.code == Some(0) {
        return Prediction::Clean { tree: git(&["rev-parse", "HEAD^{tree}"]).text() };
    }
    let unmerged = git(&["diff", "--name-only", "-z", "--diff-filter=U"]).text();
    let mut files: Vec<PathBuf> =
        unmerged.split('\0').filter(|path| !path.is_empty()).map(PathBuf::from).collect();
    files.sort();
    Prediction::Conflicts { files }
}

/// A step of a small history: what happens to which file.
#[derive(Debug, Clone)]
enum Step {
    Edit(usize, usize, u8),
    Remove(usize),
    Move(usize, usize),
    Binary(usize, u8),
}

const FILES: [&str; 6] = ["a", "b", "dir/c", "dir/d", "dir", "new/e"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let file = 0..FILES.len();
    let step = prop_oneof![
        4 => (file.clone(), 0..12_usize, 0..4_u8).prop_map(|(f, line, c)| Step::Edit(f, line, c)),
        1 => file.clone().prop_map(Step::Remove),
        1 => (file.clone(), file.clone()).prop_map(|(from, to)| Step::Move(from, to)),
        1 => (file, 0..3_u8).prop_map(|(f, c)| Step::Binary(f, c)),
    ];
    proptest::collection::vec(step, 1..5)
}

fn take(dir: &Path, step: &Step) {
    let path = |file: &usize| dir.join(FILES[*file]);
    match step {
        Step::Edit(file, line, change) => {
            let held = std::fs::read_to_string(path(file)).unwrap_or_default();
            let mut lines: Vec<String> = held.lines().map(str::to_owned).collect();
            if let Some(line) = lines.get_mut(*line) {
                *line = format!("changed {change}");
            } else {
                lines.push(format!("added {change}"));
            }
            write(&path(file), (lines.join("\n") + "\n").as_bytes());
        }
        Step::Remove(file) => drop(std::fs::remove_file(path(file))),
        Step::Move(from, to) if path(from).is_file() && !path(to).exists() => {
            let bytes = std::fs::read(path(from)).unwrap();
            std::fs::remove_file(path(from)).unwrap();
            write(&path(to), &bytes);
        }
        Step::Move(..) => {}
        Step::Binary(file, change) => write(&path(file), &[0, 1, 2, *change]),
    }
}

/// Does nothing where a directory stands in the way.
fn write(path: &Path, bytes: &[u8]) {
    if std::fs::create_dir_all(path.parent().unwrap()).is_ok() {
        std::fs::write(path, bytes).ok();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_prediction_is_what_git_merge_does(ours in steps(), theirs in steps()) {
        let sample = Sample::new();
        for file in ["a", "b", "dir/c", "dir/d"] {
            let lines: String = (0..12).map(|n| format!("{file} line {n}\n")).collect();
            put(&sample.path, file, &lines);
        }
        sample.commit("files");
        for (name, steps) in [("ours", &ours), ("theirs", &theirs)] {
            sample.git(&["checkout", "-q", "-f", "-b", name, "main"]);
            sample.git(&["clean", "-q", "-f", "-d"]);
            for step in steps {
                take(&sample.path, step);
            }
            sample.commit(name);
        }
        let mut found = predicted(&sample, &[("ours", "theirs")]).remove(0);
        if let Prediction::Conflicts { files } = &mut found {
            files.sort();
            files.dedup();
        }
        prop_assert_eq!(found, merged(&sample, "ours", "theirs"));
    }
}
