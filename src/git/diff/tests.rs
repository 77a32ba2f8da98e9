use std::collections::BTreeMap;
use std::os::unix::fs::symlink;

use proptest::prelude::*;

use super::*;
use crate::git::sample::Sample;

/// Keeps what it hears, by pair: path, side and text of each line.
#[derive(Default)]
struct Heard(BTreeMap<usize, Vec<(String, Side, String)>>);

impl Hear for Heard {
    fn begin(&mut self, pair: usize) {
        self.0.insert(pair, vec![]);
    }
    fn line(&mut self, line: &ChangedLine<'_>) {
        let path = line.file.path.to_string_lossy().into_owned();
        let text = String::from_utf8_lossy(line.text).into_owned();
        self.0.get_mut(&line.pair).unwrap().push((path, line.side, text));
    }
}

fn tree(sample: &Sample, revision: &str) -> String {
    sample.git(&["rev-parse", &format!("{revision}^{{tree}}")])
}

fn pair(sample: &Sample, from: &str, to: &str) -> Pair {
    Pair { from: tree(sample, from), to: tree(sample, to) }
}

fn diffs(sample: &Sample, pairs: &[Pair]) -> Vec<Result<TreeDiff, GitError>> {
    let place = sample.place();
    tree_diffs(&|| Git::read(&place), pairs, &[], &mut ()).unwrap()
}

fn lines(added: u64, removed: u64) -> Option<LineCount> {
    Some(LineCount { added, removed })
}

/// Every way in which a file can differ, committed as `two` upon `one`.
fn varied(format: &[&str]) -> Sample {
    let sample = Sample::with(format);
    let long: String = (0..40).map(|n| format!("line {n}\n")).collect();
    for (name, text) in
        [("gone", "1\n2\n"), ("old name", &long), ("kind", "x\n"), ("mode", "m\n"), ("bin", "a\0b")]
    {
        sample.write(name, text);
    }
    sample.write("dir/a \"b\"\nc", "one\ntwo\nthree\n");
    sample.commit("one");
    sample.git(&["tag", "one"]);
    let path = |name: &str| sample.path.join(name);
    std::fs::remove_file(path("gone")).unwrap();
    std::fs::remove_file(path("old name")).unwrap();
    sample.write("new name", &format!("{long}more\n"));
    std::fs::remove_file(path("kind")).unwrap();
    symlink("a.txt", path("kind")).unwrap();
    std::fs::set_permissions(path("mode"), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    sample.write("bin", "a\0c");
    sample.write("dir/a \"b\"\nc", "one\n--- 2\nthree\n+++ 4");
    sample.write("empty", "");
    sample.commit("two");
    sample
}

#[test]
fn every_way_to_differ_is_told_in_every_format() {
    for format in [&[][..], &["--object-format=sha256"], &["--ref-format=reftable"]] {
        let sample = varied(format);
        let found = diffs(&sample, &[pair(&sample, "one", "HEAD")]);
        let diff = found[0].as_ref().unwrap();
        let told: Vec<_> = diff
            .files
            .iter()
            .map(|file| (file.path.to_str().unwrap(), file.status, file.lines))
            .collect();
        let wanted = [
            ("bin", Status::Modified, None),
            ("dir/a \"b\"\nc", Status::Modified, lines(2, 1)),
            ("empty", Status::Added, lines(0, 0)),
            ("gone", Status::Deleted, lines(0, 2)),
            ("kind", Status::TypeChanged, lines(1, 1)),
            ("mode", Status::Modified, lines(0, 0)),
            ("new name", Status::Renamed, lines(1, 0)),
        ];
        assert_eq!(told, wanted, "{format:?}");
        assert_eq!(diff.files[6].old_path.as_deref(), Some("old name".as_ref()));
        assert_eq!(diff.lines(), LineCount { added: 4, removed: 4 });
    }
}

#[test]
fn many_pairs_are_one_process_and_keep_their_order() {
    let sample = varied(&[]);
    let (there, back) = (pair(&sample, "one", "HEAD"), pair(&sample, "HEAD", "one"));
    let same = pair(&sample, "one", "one");
    let pairs = [same.clone(), there.clone(), same.clone(), there, back, same];
    let (place, started) = (sample.place(), std::cell::Cell::new(0));
    let mut heard = Heard::default();
    let git = || {
        started.set(started.get() + 1);
        Git::read(&place)
    };
    let found = tree_diffs(&git, &pairs, &[], &mut heard).unwrap();
    let counts: Vec<_> = found.iter().map(|diff| diff.as_ref().unwrap().files.len()).collect();
    assert_eq!((counts, started.get()), (vec![0, 7, 0, 7, 7, 0], 1));
    let (name, told) = ("dir/a \"b\"\nc", &heard.0[&3]);
    let own: Vec<_> = told.iter().filter(|line| line.0 == name).map(|l| (l.1, &*l.2)).collect();
    assert_eq!(own, [(Side::Removed, "two"), (Side::Added, "--- 2"), (Side::Added, "+++ 4")]);
    assert_eq!(heard.0[&1], heard.0[&3]);
    assert_eq!(heard.0[&2], []);
}

#[test]
fn a_pair_that_cannot_be_compared_costs_no_other_one() {
    let sample = varied(&[]);
    let good = pair(&sample, "one", "HEAD");
    let missing = Pair { from: good.from.clone(), to: "1".repeat(40) };
    // A tree that names a blob and a tree that are not there.
    let text = format!("100644 blob {}\tx\n", "2".repeat(40));
    let place = sample.place();
    let make = |text: &str| Git::write(&place).args(["mktree", "--missing"]).input(text).text();
    let blob = Pair { from: good.from.clone(), to: make(&text).unwrap() };
    let text = format!("040000 tree {}\td\n", "3".repeat(40));
    let tree = Pair { from: good.from.clone(), to: make(&text).unwrap() };
    let pairs = [&good, &missing, &good, &blob, &tree, &good, &missing].map(Pair::clone);
    let mut heard = Heard::default();
    let found = tree_diffs(&|| Git::read(&place), &pairs, &[], &mut heard).unwrap();
    let well: Vec<bool> = found.iter().map(Result::is_ok).collect();
    assert_eq!(well, [true, false, true, false, false, true, false]);
    for at in [2, 5] {
        assert_eq!(heard.0[&at], heard.0[&0], "nothing is heard twice");
    }
    assert!(diffs(&sample, &[missing])[0].is_err());
    assert!(diffs(&sample, &[]).is_empty());
}

#[test]
fn only_the_paths_asked_for_are_compared() {
    let sample = varied(&[]);
    let (place, both) = (sample.place(), [pair(&sample, "one", "HEAD")]);
    let found = tree_diffs(&|| Git::read(&place), &both, &["dir".into()], &mut ()).unwrap();
    assert_eq!(found[0].as_ref().unwrap().files.len(), 1);
    let mut text = String::new();
    let paths = ["dir".into(), "bin".into()];
    patch(Git::read(&place), &both[0], &paths, |out| out.read_to_string(&mut text).unwrap())
        .unwrap();
    assert!(text.contains("-two") && text.contains("Binary files a/bin and b/bin differ"));
    assert!(!text.contains("new name"), "{text}");
}

#[test]
fn what_an_agent_configured_does_not_run() {
    let sample = varied(&[]);
    for (name, value) in [
        ("diff.external", "touch ran"),
        ("diff.spy.command", "touch ran"),
        ("diff.spy.textconv", "touch ran; cat"),
    ] {
        sample.git(&["config", name, value]);
    }
    std::fs::write(sample.path.join(".git/info/attributes"), "* diff=spy\n").unwrap();
    let place = sample.place();
    let both = pair(&sample, "one", "HEAD");
    let size = patch(Git::read(&place), &both, &[], |out| std::io::copy(out, &mut std::io::sink()));
    assert!(size.unwrap().unwrap() > 0);
    assert!(diffs(&sample, &[both])[0].is_ok());
    for dir in [&sample.path, &place.git_dir] {
        assert!(!dir.join("ran").exists());
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let sample = Sample::new();
    sample.write("long", &"a line of text\n".repeat(100_000));
    sample.commit("long");
    let both = pair(&sample, "HEAD~", "HEAD");
    let mut first = [0; 4];
    let read = patch(Git::read(&sample.place()), &both, &[], |out| out.read_exact(&mut first));
    read.unwrap().unwrap();
    assert_eq!(&first, b"diff");
    let bad = Pair { from: both.from, to: "1".repeat(40) };
    assert!(patch(Git::read(&sample.place()), &bad, &[], |_| ()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn lines_are_counted_as_git_counts_them(
        old in proptest::collection::vec("(|@@ -1 \\+1 @@|--- a|\\+\\+\\+ b|diff --git a/x b/x|x)", 0..12),
        new in proptest::collection::vec("(|@@ -1 \\+1 @@|--- a|\\+\\+\\+ b|diff --git a/x b/x|y)", 0..12),
        ends in any::<bool>(),
    ) {
        let sample = Sample::new();
        sample.write("f", &old.join("\n"));
        sample.write("g", &new.join("\n"));
        sample.commit("old");
        sample.write("f", &format!("{}{}", new.join("\n"), if ends { "\n" } else { "" }));
        sample.write("g", &old.join("\n"));
        sample.commit("new");
        let found = diffs(&sample, &[pair(&sample, "HEAD~", "HEAD")]);
        let told: String = found[0].as_ref().unwrap().files.iter().map(|file| {
            let lines = file.lines.unwrap();
            format!("{}\t{}\t{}\n", lines.added, lines.removed, file.path.display())
        }).collect();
        let asked = ["diff-tree", "-r", "--numstat", "-M", "HEAD~", "HEAD"];
        prop_assert_eq!(told.trim_end(), sample.git(&asked));
    }
}
