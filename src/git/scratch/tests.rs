//! Merges of every way, in repositories of every kind.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{Brought, Hooks, How, NewScratch, Scratch, Stopped, Work, bring, replay, resume};
use crate::git::conflict::favor::{Favor, settle};
use crate::git::conflict::list;
use crate::git::sample::Sample;

const MARK: &str = "wt is merging 1-abcdef";

/// Two branches that changed different files, and, on request, the same line.
struct Split {
    sample: Sample,
    work: Work,
    path: PathBuf,
}

fn split(format: &[&str], same_line: bool) -> Split {
    let sample = Sample::with(format);
    sample.write("text", "1\n2\n3\n");
    sample.write("union", "1\n");
    sample.write("other/deep", "x\n");
    sample.write(".gitattributes", "union merge=union\n");
    sample.commit("start");
    sample.git(&["checkout", "-q", "-b", "feature/x"]);
    sample.write("text", "1\n2\nvariant\n");
    sample.commit("first of x");
    sample.write("union", "1\nvariant\n");
    sample.write("new", "variant\n");
    sample.commit("second of x");
    let tip = sample.git(&["rev-parse", "HEAD"]);
    sample.git(&["checkout", "-q", "main"]);
    sample.write("union", "1\nmain\n");
    sample.write("main", "main\n");
    if same_line {
        sample.write("text", "1\n2\nmain\n");
    }
    sample.commit("of main");
    let onto = sample.git(&["rev-parse", "HEAD"]);
    let (into, branch) = ("main".into(), "feature/x".into());
    let how = How::Merge { no_ff: false };
    let work = Work { into, onto, branch, tip, how, message: None };
    let path = sample.beside("scr ätch");
    Split { sample, work, path }
}

impl Split {
    fn hooks(&self) -> Hooks {
        Hooks::of(&self.sample.place()).unwrap()
    }

    fn scratch(&self, whole: bool) -> Scratch {
        let new = NewScratch { path: &self.path, at: &self.work.onto, mark: MARK, whole };
        Scratch::make(&self.sample.repo(), &self.sample.place(), &new).unwrap()
    }

    fn bring(&self, scratch: &Scratch) -> Brought {
        bring(scratch, &self.hooks(), &self.work).unwrap()
    }

    fn commit(&self, scratch: &Scratch) -> String {
        match self.bring(scratch) {
            Brought::Commit(commit) => commit,
            other => panic!("{other:?}"),
        }
    }

    fn resume(&self, scratch: &Scratch) -> Brought {
        resume(scratch, &self.hooks(), &self.work).unwrap()
    }

    fn log(&self, what: &str, commit: &str) -> String {
        self.sample.git(&["log", "-1", &format!("--format={what}"), commit])
    }

    fn hook(&self, name: &str, script: &str) {
        let dir = self.sample.path.join(".git/hooks");
        std::fs::create_dir_all(&dir).unwrap();
        executable(&dir.join(name), script);
    }
}

fn executable(path: &Path, script: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_merge_is_what_git_makes_of_it_in_every_format() {
    for format in [&[][..], &["--ref-format=reftable"], &["--object-format=sha256"]] {
        let split = split(format, false);
        let scratch = split.scratch(false);
        let found: Vec<_> = std::fs::read_dir(&split.path).unwrap().flatten().collect();
        assert_eq!(found.len(), 2, "only `.git` and `.gitattributes`: {found:?}");
        let commit = split.commit(&scratch);
        let union = split.sample.git(&["show", &format!("{commit}:union")]);
        assert_eq!(union, "1\nmain\nvariant");
        assert_eq!(split.log("%s", &commit), "Merge branch 'feature/x'");
        let parents = format!("{} {}", split.work.onto, split.work.tip);
        assert_eq!(split.log("%P", &commit), parents);
        Scratch::remove(&split.sample.repo(), &split.path, MARK).unwrap();
        assert!(!split.path.exists());
        assert!(!split.sample.path.join(".git/worktrees").exists());
        let config = std::fs::read_to_string(split.sample.path.join(".git/config")).unwrap();
        assert!(!config.contains("sparse") && !config.contains("worktreeConfig"), "{config}");
        let merged = split.sample.git(&["merge-tree", "--write-tree", "main", "feature/x"]);
        assert_eq!(split.log("%T", &commit), merged);
    }
}

#[test]
fn each_way_makes_its_own_history() {
    let mut split = split(&[], false);
    let first = split.sample.git(&["rev-parse", "feature/x~1"]);
    let ways = [
        (How::Squash, "1 Squash branch 'feature/x'"),
        (How::Rebase, "2 second of x"),
        (How::Pick(vec![first.clone()]), "1 first of x"),
        (How::Merge { no_ff: true }, "3 Merge branch 'feature/x'"),
    ];
    for (how, expected) in ways {
        split.work.how = how;
        let commit = split.commit(&split.scratch(false));
        let range = format!("{}..{commit}", split.work.onto);
        let count = split.sample.git(&["rev-list", "--count", &range]);
        assert_eq!(format!("{count} {}", split.log("%s", &commit)), expected);
        if split.work.how == How::Squash {
            assert_eq!(split.log("%b", &commit), "* first of x\n* second of x");
        }
        Scratch::remove(&split.sample.repo(), &split.path, MARK).unwrap();
    }
    split.work.how = How::Squash;
    split.work.message = Some("# mine\n\nbody".into());
    let commit = split.commit(&split.scratch(false));
    assert_eq!(split.log("%s", &commit), "# mine");
    assert_eq!(split.sample.git(&["rev-parse", "feature/x"]), split.work.tip);
}

#[test]
fn what_is_already_there_is_nothing_to_bring() {
    let mut split = split(&[], false);
    split.sample.git(&["merge", "-q", "feature/x"]);
    split.work.onto = split.sample.git(&["rev-parse", "HEAD"]);
    let first = split.sample.git(&["rev-parse", "feature/x~1"]);
    let pick = How::Pick(vec![first, split.work.tip.clone()]);
    for how in [How::Merge { no_ff: false }, How::Squash, How::Rebase, pick] {
        split.work.how = how;
        assert_eq!(split.bring(&split.scratch(false)), Brought::Nothing, "{:?}", split.work.how);
        Scratch::remove(&split.sample.repo(), &split.path, MARK).unwrap();
    }
}

#[test]
fn conflicts_are_settled_in_the_scratch_and_gone_on_with() {
    let ways = [How::Merge { no_ff: false }, How::Squash, How::Rebase, How::Pick(vec![])];
    for how in ways {
        let mut split = split(&[], true);
        let first = split.sample.git(&["rev-parse", "feature/x~1"]);
        split.work.how = match how {
            How::Pick(_) => How::Pick(vec![first, split.work.tip.clone()]),
            other => other,
        };
        let scratch = split.scratch(false);
        let Brought::Conflicts(conflicts) = split.bring(&scratch) else { panic!() };
        assert_eq!(conflicts.len(), 1);
        assert_eq!(conflicts[0].path, Path::new("text"));
        assert_eq!(conflicts[0].hunks[0].ours, ["main"]);
        assert_eq!(conflicts[0].hunks[0].theirs, ["variant"]);
        assert!(split.path.join("other/deep").exists(), "a person needs all files");
        let Brought::Conflicts(same) = split.resume(&scratch) else { panic!() };
        assert_eq!(same, conflicts);
        std::fs::write(split.path.join("text"), "1\n2\nboth\n").unwrap();
        std::fs::write(split.path.join("other/deep"), "adapted\n").unwrap();
        std::fs::write(split.path.join("lost?"), "").unwrap();
        let lost = Stopped::Untracked(vec!["lost?".into()]);
        assert_eq!(split.resume(&scratch), Brought::Stopped(lost));
        std::fs::remove_file(split.path.join("lost?")).unwrap();
        let commit = match split.resume(&scratch) {
            Brought::Commit(commit) => commit,
            other => panic!("{:?}: {other:?}", split.work.how),
        };
        let show = |path: &str| split.sample.git(&["show", &format!("{commit}:{path}")]);
        assert_eq!((show("text"), show("other/deep")), ("1\n2\nboth".into(), "adapted".into()));
        assert_eq!(show("union"), "1\nmain\nvariant", "{:?}", split.work.how);
        let tree = split.sample.git(&["diff-tree", "-r", "--name-only", &split.work.onto, &commit]);
        assert_eq!(tree, "new\nother/deep\ntext\nunion");
    }
}

#[test]
fn favoured_conflicts_can_be_gone_on_with_at_once() {
    let split = split(&[], true);
    let scratch = split.scratch(false);
    let Brought::Conflicts(conflicts) = split.bring(&scratch) else { panic!() };
    settle(scratch.place(), &conflicts.iter().collect::<Vec<_>>(), Favor::Variant).unwrap();
    let Brought::Commit(commit) = split.resume(&scratch) else { panic!() };
    assert_eq!(split.sample.git(&["show", &format!("{commit}:text")]), "1\n2\nvariant");
}

#[test]
fn a_merge_ended_or_given_up_by_hand_is_noticed() {
    for (how, end) in [
        (How::Merge { no_ff: false }, &["merge", "--abort"][..]),
        (How::Rebase, &["rebase", "--abort"]),
    ] {
        let mut split = split(&[], true);
        split.work.how = how;
        let scratch = split.scratch(false);
        assert!(matches!(split.bring(&scratch), Brought::Conflicts(_)));
        split.sample.git_in(&split.path, end);
        assert_eq!(split.resume(&scratch), Brought::Stopped(Stopped::GivenUp));
    }
    let split = split(&[], true);
    let scratch = split.scratch(false);
    assert!(matches!(split.bring(&scratch), Brought::Conflicts(_)));
    split.sample.git_in(&split.path, &["checkout", "-q", "--theirs", "text"]);
    split.sample.git_in(&split.path, &["commit", "-q", "-a", "-m", "by hand"]);
    let Brought::Commit(commit) = split.resume(&scratch) else { panic!() };
    assert_eq!(split.log("%s", &commit), "by hand");
}

#[test]
fn hooks_see_all_files_and_what_they_say_is_told() {
    let split = split(&[], false);
    split.hook("pre-merge-commit", "test -f other/deep && test -f new || exit 7");
    split.hook("commit-msg", "printf '\\nhooked\\n' >> \"$1\"");
    split.hook("post-merge", "touch \"$(dirname \"$0\")/../ran-too-early\"");
    assert!(split.hooks().need_files() && split.hooks().has("post-merge"));
    let scratch = split.scratch(split.hooks().need_files());
    let commit = split.commit(&scratch);
    assert_eq!(split.log("%B", &commit), "Merge branch 'feature/x'\nhooked");
    assert!(!split.sample.path.join(".git/ran-too-early").exists());
    Scratch::remove(&split.sample.repo(), &split.path, MARK).unwrap();

    split.hook("pre-merge-commit", "echo not today >&2; exit 1");
    let scratch = split.scratch(true);
    let Brought::Stopped(Stopped::Said(lines)) = split.bring(&scratch) else { panic!() };
    assert!(lines.iter().any(|line| line == "not today"), "{lines:?}");
    split.hook("pre-merge-commit", "exit 0");
    assert!(matches!(split.resume(&scratch), Brought::Commit(_)));
}

#[test]
fn hooks_at_a_relative_path_are_those_of_the_users_checkout() {
    let split = split(&[], false);
    split.sample.git(&["config", "core.hooksPath", ".hooks"]);
    std::fs::create_dir(split.sample.path.join(".hooks")).unwrap();
    executable(&split.sample.path.join(".hooks/commit-msg"), "printf '\\nusers\\n' >> \"$1\"");
    let commit = split.commit(&split.scratch(true));
    assert_eq!(split.log("%B", &commit), "Merge branch 'feature/x'\nusers");
}

#[test]
fn commits_are_signed_when_the_user_says_so() {
    let split = split(&[], false);
    let program = split.sample.beside("gpg");
    let signs = "echo '[GNUPG:] SIG_CREATED ' >&2; cat > /dev/null; echo signed-by-me";
    executable(&program, signs);
    split.sample.git(&["config", "gpg.program", program.to_str().unwrap()]);
    split.sample.git(&["config", "commit.gpgSign", "true"]);
    let commit = split.commit(&split.scratch(false));
    let raw = split.sample.git(&["cat-file", "commit", &commit]);
    assert!(raw.contains("gpgsig signed-by-me"), "{raw}");
    Scratch::remove(&split.sample.repo(), &split.path, MARK).unwrap();
    executable(&program, "echo no key >&2; exit 2");
    let Brought::Stopped(Stopped::Said(lines)) = split.bring(&split.scratch(false)) else {
        panic!()
    };
    assert!(lines.iter().any(|line| line.contains("gpg failed to sign")), "{lines:?}");
}

#[test]
fn drivers_recorded_resolutions_and_options_are_gits_own() {
    let split = split(&[], true);
    let driver = split.sample.beside("driver");
    executable(&driver, "printf '1\\n2\\ndriven\\n' > \"$2\"");
    split.sample.write(".git/info/attributes", "text merge=mine\n");
    let command = format!("'{}' %O %A %B", driver.display());
    split.sample.git(&["config", "merge.mine.driver", &command]);
    split.sample.git(&["config", "branch.main.mergeOptions", "--no-commit"]);
    let commit = split.commit(&split.scratch(false));
    assert_eq!(split.sample.git(&["show", &format!("{commit}:text")]), "1\n2\ndriven");
    Scratch::remove(&split.sample.repo(), &split.path, MARK).unwrap();

    split.sample.write(".git/info/attributes", "");
    split.sample.git(&["config", "rerere.enabled", "true"]);
    let scratch = split.scratch(false);
    assert!(matches!(split.bring(&scratch), Brought::Conflicts(_)));
    std::fs::write(split.path.join("text"), "1\n2\nremembered\n").unwrap();
    assert!(matches!(split.resume(&scratch), Brought::Commit(_)));
    Scratch::remove(&split.sample.repo(), &split.path, MARK).unwrap();
    let scratch = split.scratch(false);
    let Brought::Conflicts(conflicts) = split.bring(&scratch) else { panic!() };
    assert!(conflicts[0].settled && conflicts[0].hunks.is_empty());
    let Brought::Commit(commit) = split.resume(&scratch) else { panic!() };
    assert_eq!(split.sample.git(&["show", &format!("{commit}:text")]), "1\n2\nremembered");
}

#[test]
fn a_sparse_repository_keeps_its_patterns() {
    let split = split(&[], true);
    split.sample.git(&["sparse-checkout", "set", "--no-cone", "/text", "/new"]);
    let before = std::fs::read_to_string(split.sample.path.join(".git/info/sparse-checkout"));
    let scratch = split.scratch(false);
    assert!(split.path.join(".gitattributes").exists() && !split.path.join("text").exists());
    assert!(matches!(split.bring(&scratch), Brought::Conflicts(_)));
    assert!(split.path.join("new").exists() && !split.path.join("other").exists());
    assert_eq!(list(scratch.place()).unwrap().len(), 1);
    let after = std::fs::read_to_string(split.sample.path.join(".git/info/sparse-checkout"));
    assert_eq!(before.unwrap(), after.unwrap());
    std::fs::write(split.path.join("text"), "settled\n").unwrap();
    assert!(matches!(split.resume(&scratch), Brought::Commit(_)));
}

#[test]
fn half_made_scratches_go_and_strangers_stay() {
    let split = split(&[], false);
    let repo = split.sample.repo();
    let states: [fn(&Split, &Path); 4] = [
        |_, _| {},
        |split, _| std::fs::remove_dir_all(&split.path).unwrap(),
        |split, admin| {
            std::fs::remove_file(admin.join("gitdir")).unwrap();
            std::fs::remove_dir_all(&split.path).unwrap();
            std::fs::create_dir(&split.path).unwrap();
        },
        |_, admin| std::fs::remove_file(admin.join("index")).unwrap(),
    ];
    for damage in states {
        let scratch = split.scratch(false);
        damage(&split, &scratch.place().git_dir);
        Scratch::remove(&repo, &split.path, MARK).unwrap();
        assert!(!split.path.exists() && !repo.common_dir().join("worktrees").exists());
        Scratch::remove(&repo, &split.path, MARK).unwrap();
    }
    split.scratch(false);
    std::fs::remove_dir_all(&split.path).unwrap();
    split.sample.git(&["init", "-q", split.path.to_str().unwrap()]);
    Scratch::remove(&repo, &split.path, MARK).unwrap();
    assert!(split.path.join(".git/HEAD").exists());
}

#[test]
fn what_was_settled_is_made_again_when_the_branch_moved() {
    for how in [How::Merge { no_ff: false }, How::Squash, How::Rebase] {
        for clash in [false, true] {
            let mut split = split(&[], true);
            split.work.how = how.clone();
            let scratch = split.scratch(false);
            assert!(matches!(split.bring(&scratch), Brought::Conflicts(_)));
            std::fs::write(split.path.join("text"), "1\n2\nboth\n").unwrap();
            let Brought::Commit(made) = split.resume(&scratch) else { panic!() };
            let (file, text) = if clash { ("text", "1\n2\nlater\n") } else { ("later", "later\n") };
            split.sample.write(file, text);
            split.sample.commit("later");
            let onto = split.sample.git(&["rev-parse", "HEAD"]);
            let work = (&split.work, made.as_str());
            let (moved, brought) = replay(&scratch, &split.hooks(), work, &onto).unwrap();
            assert_eq!(moved.onto, onto);
            let commit = match brought {
                Brought::Commit(commit) if !clash => commit,
                Brought::Conflicts(conflicts) if clash => {
                    assert_eq!(conflicts[0].path, Path::new("text"), "{how:?}");
                    std::fs::write(split.path.join("text"), "1\n2\nall\n").unwrap();
                    split.work = moved;
                    let Brought::Commit(commit) = split.resume(&scratch) else { panic!("{how:?}") };
                    commit
                }
                other => panic!("{how:?}, {clash}: {other:?}"),
            };
            let text = if clash { "1\n2\nall" } else { "1\n2\nboth" };
            assert_eq!(split.sample.git(&["show", &format!("{commit}:text")]), text);
            assert_eq!(split.sample.git(&["show", &format!("{commit}:new")]), "variant");
            let ahead = split.sample.git(&[
                "rev-list",
                "--count",
                "--first-parent",
                &format!("{onto}..{commit}"),
            ]);
            let merge = matches!(how, How::Merge { .. });
            assert_eq!(ahead, if how == How::Rebase { "2" } else { "1" });
            if merge {
                assert_eq!(split.log("%s", &commit), "Merge branch 'feature/x'");
                assert_eq!(split.log("%P", &commit), format!("{onto} {}", split.work.tip));
            }
        }
    }
}
