//! A merge made in a scratch worktree is what plain `git merge` makes of the same two commits:
//! verdict, tree, conflicts and what stands in the files, over histories from a seeded generator.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use super::{Brought, Hooks, How, NewScratch, Scratch, Work, bring};
use crate::git::command::Git;
use crate::git::sample::Sample;

const SEEDS: u64 = 48;

/// xorshift64*: good enough to choose from a list.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % sides
    }
}

/// What a commit holds: mode and content by path.
type Tree = BTreeMap<String, (&'static str, String)>;

fn lines(name: &str) -> String {
    (1..=14).map(|number| format!("{name} {number}\n")).collect()
}

fn start() -> Tree {
    let mut tree = Tree::new();
    let attributes = "*.u merge=union\n*.crlf text eol=crlf\n*.bin binary\n*.ours -merge\n";
    tree.insert(".gitattributes".into(), ("100644", attributes.into()));
    for name in ["a", "b", "c", "dir/d", "dir/sub/e", "Case", "x.u", "y.crlf", "z.ours"] {
        tree.insert(name.into(), ("100644", lines(name)));
    }
    tree.insert("run".into(), ("100755", lines("run")));
    tree.insert("image.bin".into(), ("100644", "\0start".into()));
    tree.insert("link".into(), ("120000", "a".into()));
    tree
}

/// Changes one thing.
fn change(tree: &mut Tree, side: &str, dice: &mut Dice) {
    let paths: Vec<String> =
        tree.keys().filter(|path| *path != ".gitattributes").cloned().collect();
    let Some(path) = paths.get(dice.roll(paths.len().max(1))).cloned() else { return };
    let (mode, text) = tree[&path].clone();
    let free = |name: &str| {
        let below = format!("{name}/");
        !paths
            .iter()
            .any(|p| p == name || p.starts_with(&below) || name.starts_with(&format!("{p}/")))
    };
    match dice.roll(9) {
        // A line, the same on both sides more often than not.
        0..=3 => {
            let at = dice.roll(4);
            let mut kept: Vec<String> = text.lines().map(str::to_owned).collect();
            match kept.get_mut(at) {
                Some(line) => *line = format!("{side} {}", dice.roll(2)),
                None => kept.push(side.to_owned()),
            }
            let text = if mode == "120000" { side.into() } else { kept.join("\n") + "\n" };
            tree.insert(path, (mode, text));
        }
        4 => {
            tree.remove(&path);
        }
        5 => {
            let name = format!("{path}-{}", ["moved", side][dice.roll(2)]);
            if free(&name) {
                tree.remove(&path);
                tree.insert(name, (mode, text));
            }
        }
        6 => {
            let mode = ["100644", "100755"][dice.roll(2)];
            tree.insert(path, (mode, text));
        }
        7 => {
            // A file becomes a directory, or a directory a file.
            if let Some((dir, _)) = path.split_once('/') {
                let below = format!("{dir}/");
                tree.retain(|path, _| !path.starts_with(&below));
                tree.insert(dir.to_owned(), ("100644", format!("{side} was here\n")));
            } else {
                tree.remove(&path);
                tree.insert(format!("{path}/inside"), ("100644", text));
            }
        }
        _ => {
            let name = ["new", "dir/new", "case", "new.bin"][dice.roll(4)];
            if free(name) {
                tree.insert(
                    name.into(),
                    ("100644", format!("\0{side}\n").repeat(dice.roll(2) + 1)),
                );
            }
        }
    }
}

/// A stream for `git fast-import`: of each seed a start and two branches, `ours-N` and `theirs-N`.
fn histories() -> String {
    let mut stream = String::new();
    let mut commit = |branch: &str, from: Option<&str>, tree: &Tree| {
        let who = "committer a <a@a> 1767225600 +0000";
        write!(stream, "commit refs/heads/{branch}\n{who}\ndata 1\nx\n").unwrap();
        if let Some(from) = from {
            writeln!(stream, "from refs/heads/{from}").unwrap();
        }
        writeln!(stream, "deleteall").unwrap();
        for (path, (mode, text)) in tree {
            let size = text.len();
            write!(stream, "M {mode} inline {path}\ndata {size}\n{text}\n").unwrap();
        }
    };
    for seed in 1..=SEEDS {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let from = format!("start-{seed}");
        commit(&from, None, &start());
        for side in ["ours", "theirs"] {
            let mut tree = start();
            for _ in 0..4 + dice.roll(5) {
                change(&mut tree, side, &mut dice);
            }
            commit(&format!("{side}-{seed}"), Some(&from), &tree);
        }
    }
    stream
}

/// Every file with its content, but git's own.
fn files(top: &Path) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
    let walk = walkdir::WalkDir::new(top).into_iter().filter_entry(|e| e.file_name() != ".git");
    walk.map(Result::unwrap)
        .filter(|entry| !entry.file_type().is_dir())
        .map(|entry| {
            let content = match entry.file_type().is_symlink() {
                true => {
                    std::fs::read_link(entry.path()).unwrap().into_os_string().into_encoded_bytes()
                }
                false => std::fs::read(entry.path()).unwrap(),
            };
            (entry.path().strip_prefix(top).unwrap().to_path_buf(), content)
        })
        .collect()
}

#[test]
fn verdict_tree_and_conflicts_are_gits() {
    let sample = Sample::new();
    let import = Git::write(&sample.place()).args(["fast-import", "--quiet"]);
    import.input(histories()).run().unwrap();
    let plain = sample.beside("plain");
    sample.git(&["worktree", "add", "-q", "--detach", plain.to_str().unwrap()]);
    let repo = sample.repo();
    let (mut clean, mut conflicting) = (0, 0);
    for seed in 1..=SEEDS {
        let (ours, theirs) = (format!("ours-{seed}"), format!("theirs-{seed}"));
        let git = |args: &[&str]| Git::discovering(&plain).args(args).answer().unwrap();
        git(&["reset", "-q", "--hard"]);
        git(&["clean", "-q", "-f", "-d", "-x"]);
        git(&["checkout", "-q", "--detach", &ours]);
        let expected = git(&["merge", "--no-edit", &theirs]);

        let (path, mark) = (sample.beside("scratch"), format!("merging {seed}"));
        let work = Work {
            into: "main".into(),
            onto: repo.commit(&ours).unwrap(),
            branch: theirs.clone(),
            tip: repo.commit(&theirs).unwrap(),
            how: How::Merge { no_ff: false },
            message: None,
        };
        let new = NewScratch { path: &path, at: &work.onto, mark: &mark, whole: false };
        let scratch = Scratch::make(&repo, &sample.place(), &new).unwrap();
        let found = bring(&scratch, &Hooks::of(&sample.place()).unwrap(), &work).unwrap();
        match (expected.code, found) {
            (Some(0), Brought::Commit(commit)) => {
                let tree = |revision: &str| {
                    sample.git_in(&plain, &["rev-parse", &format!("{revision}^{{tree}}")])
                };
                assert_eq!(tree(&commit), tree("HEAD"), "seed {seed}");
                clean += 1;
            }
            (Some(0), Brought::Nothing) => {
                assert_eq!(
                    repo.commit(&ours).unwrap(),
                    sample.git_in(&plain, &["rev-parse", "HEAD"])
                );
                clean += 1;
            }
            (Some(1), Brought::Conflicts(conflicts)) => {
                let index = |dir: &Path| sample.git_in(dir, &["ls-files", "--stage"]);
                assert_eq!(index(&path), index(&plain), "seed {seed}");
                assert_eq!(files(&path), files(&plain), "seed {seed}");
                let unmerged = sample.git_in(&plain, &["diff", "--name-only", "--diff-filter=U"]);
                let named: Vec<_> = conflicts.iter().map(|c| c.path.to_str().unwrap()).collect();
                assert_eq!(named.join("\n"), unmerged, "seed {seed}");
                conflicting += 1;
            }
            (code, found) => panic!("seed {seed}: git {code:?}, {}: {found:?}", expected.stderr),
        }
        Scratch::remove(&repo, &path, &mark).unwrap();
    }
    assert!(clean >= 10 && conflicting >= 10, "{clean} clean, {conflicting} with conflicts");
}
