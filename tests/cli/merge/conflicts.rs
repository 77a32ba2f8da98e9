//! Conflicts, and the ways on.

use super::{DARK, LIGHT, assert_tidy, spawned, still};
use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;

/// `shop` with `dark` merged and `light` in conflict with it: a text file with two places, an
/// image, a deleted file; and a file that only `light` has.
fn rivals(env: &TestEnv) -> TestRepo<'_> {
    let shop = env.repo("shop");
    shop.write("logo.png", "\0start");
    shop.write("old.txt", "old\n");
    shop.commit("more");
    let light = spawned(env, &shop, "light", &[("src/theme.css", LIGHT), ("logo.png", "\0light")]);
    light.git(&["rm", "-q", "old.txt"]);
    light.write("only.txt", "light\n");
    light.commit("more of light");
    let dark = spawned(env, &shop, "dark", &[("src/theme.css", DARK), ("logo.png", "\0dark")]);
    dark.write("old.txt", "old, and more\n");
    dark.commit("more of dark");
    shop.wt(&["merge", "dark"]).ok();
    shop
}

/// The same with nothing but the text file.
fn one_file(env: &TestEnv) -> TestRepo<'_> {
    let shop = env.repo("shop");
    spawned(env, &shop, "light", &[("src/theme.css", LIGHT), ("only.txt", "light\n")]);
    spawned(env, &shop, "dark", &[("src/theme.css", DARK)]);
    shop.wt(&["merge", "dark"]).ok();
    shop
}

fn scratch<'e>(env: &'e TestEnv, shop: &TestRepo<'_>) -> TestRepo<'e> {
    let path = shop.wt(&["path", "light", "--merge"]).ok().stdout.trim().to_owned();
    env.at(path)
}

#[test]
fn they_are_named_and_main_is_untouched() {
    let env = still();
    let shop = rivals(&env);
    shop.write("README.md", "# Mine, uncommitted\n");
    let before = shop.head();
    insta::assert_snapshot!(*shop.wt(&["merge", "light", "--dry-run"]).ok(), @r"
    plan      light into main #######, 2 commits
    conflict  logo.png
    conflict  old.txt
    conflict  src/theme.css
    nothing was changed
    ");
    insta::assert_snapshot!(*shop.wt(&["merge", "light"]).code(3), @r#"
    --- stderr ---
    ✗ 3 of 4 files conflict with main #######; main untouched
      logo.png  not text, and changed on both sides
      old.txt  changed in main, deleted in light
      src/theme.css:2–9  main: "--bg: #111;"  light: "--bg: #fff;"
      where no line is named: `git add` keeps it as it is, `git rm` deletes
    1 yourself   cd "$(wt path light --merge)"; edit; wt merge --continue
    2 one side   wt merge light --favor variant [-- PATH…]
    3 forget it  wt merge --abort
    [exit 3]
    "#);
    assert_eq!((shop.head(), shop.status().as_str()), (before.clone(), " M README.md\n"));
    assert!(!shop.has(".git/MERGE_HEAD"));
    let said = shop.wt(&["merge", "light", "--json"]).code(3).json();
    let (error, data) = (&said["error"], &said["error"]["data"]);
    assert_eq!((&error["kind"], &data["onto"]), (&"conflicts".into(), &before.into()));
    let kinds: Vec<_> = data["conflicts"].as_array().unwrap().iter().map(|c| &c["kind"]).collect();
    assert_eq!(kinds, ["binary", "deleted-by-theirs", "text"]);
    assert_eq!(data["conflicts"][2]["hunks"][0]["ours"][0], "  --bg: #111;");
    insta::assert_snapshot!(*shop.wt(&["merge", "--abort"]).ok(), @r"
    ✓ the merge of light is forgotten; main was never touched
    what stood in its worktree is kept in refs/wt/backup/merge-light/20261121T100000.000Z-abort
    ");
    assert_tidy(&env, &shop);
    assert!(shop.wt(&["merge", "--continue"]).code(1).stderr.contains("no merge waits"));
    assert!(shop.wt(&["path", "light", "--merge"]).code(1).stderr.contains("no merge waits"));
}

#[test]
fn yourself() {
    let env = still();
    let shop = rivals(&env);
    shop.wt(&["merge", "light", "-m", "Light, with dark"]).code(3);
    let scratch = scratch(&env, &shop);
    assert!(scratch.has("src/app.txt") && scratch.has("only.txt"), "all files are there");
    scratch.write("src/theme.css", "both\n");
    insta::assert_snapshot!(*scratch.wt(&["merge", "--continue"]).code(3), @r#"
    --- stderr ---
    ✗ 2 of 4 files conflict with main #######; main untouched
      logo.png  not text, and changed on both sides
      old.txt  changed in main, deleted in light
      src/theme.css  settled, not yet gone on with
      where no line is named: `git add` keeps it as it is, `git rm` deletes
    1 yourself   cd "$(wt path light --merge)"; edit; wt merge --continue
    2 one side   wt merge light --favor variant [-- PATH…]
    3 forget it  wt merge --abort
    [exit 3]
    "#);
    scratch.git(&["add", "old.txt"]);
    scratch.write("logo.png", "\0both");
    scratch.write("src/app.txt", "adapted to both\n");
    insta::assert_snapshot!(*scratch.wt(&["merge", "--continue"]).ok(), @r"
     logo.png      | bin
     only.txt      |   1 +
     src/app.txt   |  21 +−−−−−−−−−−−−−−−−−−−−
     src/theme.css |   5 +−−−−
     4 files changed, 3 insertions(+), 24 deletions(−)
    ✓ merged
    next  wt cleanup light
    --- stderr ---
    Step 1  check     2 commits, 4 files, clean with main #######
    Step 2  merge     main #######..#######  merge commit
    ");
    assert_eq!(shop.git_line(&["log", "-1", "--format=%s"]), "Light, with dark");
    assert_eq!(
        (shop.read("src/theme.css"), shop.read("src/app.txt")),
        ("both\n".into(), "adapted to both\n".into())
    );
    assert_eq!(
        (shop.read("old.txt"), shop.read("only.txt")),
        ("old, and more\n".into(), "light\n".into())
    );
    assert_eq!(shop.status(), "");
    assert_tidy(&env, &shop);
}

#[test]
fn in_favour_of_one_side() {
    let env = still();
    let shop = rivals(&env);
    insta::assert_snapshot!(*shop.wt(&["merge", "light", "--favor", "variant"]).code(3), @r#"
    --- stderr ---
    settled 2 files in favour of light
    ✗ 1 of 4 files conflicts with main #######; main untouched
      old.txt  changed in main, deleted in light
      where no line is named: `git add` keeps it as it is, `git rm` deletes
      taking one side does not settle old.txt
        keep what is there  `git -C $DIR/shop-worktrees/.merge-light add old.txt`
        or delete it        `git -C $DIR/shop-worktrees/.merge-light rm old.txt`
    1 yourself   cd "$(wt path light --merge)"; edit; wt merge --continue
    2 one side   wt merge light --favor variant [-- PATH…]
    3 forget it  wt merge --abort
    [exit 3]
    "#);
    let scratch = scratch(&env, &shop);
    scratch.git(&["rm", "-q", "old.txt"]);
    insta::assert_snapshot!(*shop.wt(&["merge", "--continue"]).ok(), @r"
     logo.png      | bin
     old.txt       |   1 −
     only.txt      |   1 +
     src/theme.css |   5 +++−−
     4 files changed, 4 insertions(+), 3 deletions(−)
    ✓ merged
    next  wt cleanup light
    --- stderr ---
    Step 1  check     2 commits, 4 files, clean with main #######
    Step 2  merge     main #######..#######  merge commit
    ");
    assert_eq!(
        (shop.read("src/theme.css").as_str(), shop.read("logo.png").as_str()),
        (LIGHT, "\0light")
    );
    assert!(!shop.has("old.txt"));
    assert_tidy(&env, &shop);
}

#[test]
fn in_favour_of_one_side_in_some_files() {
    let env = still();
    let shop = rivals(&env);
    shop.wt(&["merge", "light"]).code(3);
    shop.wt(&["merge", "light", "--favor", "base", "--", "logo.png"]).code(3);
    let src = env.at(shop.dir.join("src"));
    src.wt(&["merge", "--favor", "variant", "--", "theme.css"]).code(3);
    insta::assert_snapshot!(*shop.wt(&["merge", "--favor", "base", "--", "nowhere"]).code(2), @r"
    --- stderr ---
    error: `nowhere` is not among the files in conflict
      old.txt
    hint: name one of those above
    [exit 2]
    ");
    let scratch = scratch(&env, &shop);
    assert_eq!(
        (scratch.read("logo.png").as_str(), scratch.read("src/theme.css").as_str()),
        ("\0dark", LIGHT)
    );
    scratch.git(&["add", "old.txt"]);
    scratch.wt(&["merge", "--continue"]).ok();
    assert_eq!(shop.read("logo.png"), "\0dark");
    assert_tidy(&env, &shop);
}

#[test]
fn favoured_from_the_start_and_at_once() {
    let env = still();
    let shop = one_file(&env);
    shop.wt(&["merge", "light", "--favor", "base"]).ok();
    assert_eq!(
        (shop.read("src/theme.css"), shop.read("only.txt")),
        (base_wins(), "light\n".into())
    );
    assert_tidy(&env, &shop);
}

/// What both changed as `dark` has it, and the line that only `light` has.
fn base_wins() -> String {
    DARK.to_owned()
}

#[test]
fn main_may_go_on_meanwhile() {
    for (way, parents) in [(&[][..], 2), (&["--squash"], 1), (&["--rebase"], 1)] {
        let env = still();
        let shop = one_file(&env);
        shop.wt(&[&["merge", "light"], way].concat()).code(3);
        scratch(&env, &shop).write("src/theme.css", "both\n");
        shop.write("later.txt", "later\n");
        let later = shop.commit("later");
        let said = shop.wt(&["merge", "--continue"]).ok();
        assert!(said.stderr.contains("main has moved on"), "{said}");
        let found = shop.git_line(&["log", "-1", "--format=%P"]);
        assert!(found.starts_with(&later) && found.split(' ').count() == parents, "{found}");
        assert_eq!(
            (shop.read("src/theme.css"), shop.read("later.txt")),
            ("both\n".into(), "later\n".into())
        );
        assert_eq!(shop.status(), "");
        assert_tidy(&env, &shop);
    }
}

#[test]
fn main_may_go_on_into_the_same_lines() {
    let env = still();
    let shop = one_file(&env);
    shop.wt(&["merge", "light"]).code(3);
    scratch(&env, &shop).write("src/theme.css", "both\n");
    shop.write("src/theme.css", "later\n");
    shop.commit("later");
    insta::assert_snapshot!(*shop.wt(&["merge", "--continue"]).code(3), @r#"
    --- stderr ---
    main has moved on; what was settled is made again on top
    ✗ 1 of 2 files conflicts with main #######; main untouched
      src/theme.css:1–5  main: "later"  light: "both"
    1 yourself   cd "$(wt path light --merge)"; edit; wt merge --continue
    2 one side   wt merge light --favor variant [-- PATH…]
    3 forget it  wt merge --abort
    [exit 3]
    "#);
    scratch(&env, &shop).write("src/theme.css", "all three\n");
    shop.wt(&["merge", "--continue"]).ok();
    assert_eq!((shop.read("src/theme.css").as_str(), shop.status().as_str()), ("all three\n", ""));
    assert_tidy(&env, &shop);
}

#[test]
fn each_commit_of_a_rebase_may_conflict() {
    let env = still();
    let shop = env.repo("shop");
    let light = spawned(&env, &shop, "light", &[("src/theme.css", "light 1\n")]);
    light.write("src/app.txt", "light 2\n");
    light.commit("second");
    shop.write("src/theme.css", "main 1\n");
    shop.write("src/app.txt", "main 2\n");
    shop.commit("main");
    shop.wt(&["merge", "light", "--rebase"]).code(3);
    scratch(&env, &shop).write("src/theme.css", "both 1\n");
    let said = shop.wt(&["merge", "--continue"]).code(3);
    assert!(said.stderr.contains("src/app.txt:1–5"), "{said}");
    scratch(&env, &shop).write("src/app.txt", "both 2\n");
    shop.wt(&["merge", "--continue"]).ok();
    assert_eq!(
        (shop.read("src/theme.css"), shop.read("src/app.txt")),
        ("both 1\n".into(), "both 2\n".into())
    );
    assert_eq!(shop.git(&["log", "-2", "--format=%s"]), "second\nwork of light\n");
    assert_tidy(&env, &shop);
}

#[test]
fn nothing_settled_is_lost_by_giving_up() {
    let env = still();
    let shop = one_file(&env);
    shop.wt(&["merge", "light"]).code(3);
    scratch(&env, &shop).write("src/theme.css", "an hour's work\n");
    let kept = shop.wt(&["merge", "light", "--abort", "--json"]).ok().json()["kept"].clone();
    let kept = kept.as_str().unwrap();
    assert_eq!(shop.git(&["show", &format!("{kept}:src/theme.css")]), "an hour's work\n");
    assert_tidy(&env, &shop);
    shop.wt(&["merge", "light", "--favor", "variant"]).ok();
}

#[test]
fn files_that_would_be_lost_are_named() {
    let env = still();
    let shop = one_file(&env);
    shop.wt(&["merge", "light"]).code(3);
    let scratch = scratch(&env, &shop);
    scratch.write("src/theme.css", "both\n");
    scratch.write("notes.txt", "how I did it\n");
    insta::assert_snapshot!(*shop.wt(&["merge", "--continue"]).code(5), @r#"
    --- stderr ---
    error: files in the merge's worktree would be lost with it
      notes.txt
    hint: go there: `cd "$(wt path light --merge)"`
    hint: add them with `git add`, or delete them; then `wt merge --continue`
    [exit 5]
    "#);
    scratch.git(&["add", "notes.txt"]);
    shop.wt(&["merge", "--continue"]).ok();
    assert_eq!(shop.read("notes.txt"), "how I did it\n");
}

#[test]
fn several_merges_wait_apart() {
    let env = still();
    let shop = env.repo("shop");
    for name in ["a", "b"] {
        spawned(&env, &shop, name, &[("src/theme.css", name)]);
    }
    shop.write("src/theme.css", "main");
    shop.commit("main");
    shop.wt(&["merge", "a"]).code(3);
    shop.wt(&["merge", "b"]).code(3);
    insta::assert_snapshot!(*shop.wt(&["merge", "--continue"]).code(2), @r"
    --- stderr ---
    error: several merges wait: `a`, `b`
    hint: name one: `wt merge a --continue`
    [exit 2]
    ");
    let b = env.at(shop.wt(&["path", "b", "--merge"]).ok().stdout.trim());
    b.write("src/theme.css", "b and main");
    b.wt(&["merge", "--continue"]).ok();
    assert_eq!(shop.read("src/theme.css"), "b and main");
    shop.wt(&["merge", "--abort"]).ok();
    assert_tidy(&env, &shop);
}

#[test]
fn a_worktree_that_somebody_deleted_can_be_given_up() {
    let env = still();
    let shop = one_file(&env);
    shop.wt(&["merge", "light"]).code(3);
    std::fs::remove_dir_all(&scratch(&env, &shop).dir).unwrap();
    insta::assert_snapshot!(*shop.wt(&["merge", "--continue"]).code(1), @r"
    --- stderr ---
    error: the worktree in which the merge of `light` waits is gone: `$DIR/shop-worktrees/.merge-light`
    hint: give that merge up and begin again: `wt merge light --abort && wt merge light`
    [exit 1]
    ");
    shop.wt(&["merge", "--abort"]).ok();
    assert_tidy(&env, &shop);
}

#[test]
fn what_came_in_as_one_commit_is_no_conflict() {
    let env = still();
    let shop = env.repo("shop");
    let light = spawned(&env, &shop, "light", &[("src/theme.css", "light\n")]);
    light.write("src/theme.css", "light, twice\n");
    light.commit("again");
    shop.wt(&["merge", "light", "--squash"]).ok();
    shop.write("src/theme.css", "and on\n");
    shop.commit("on top");
    insta::assert_snapshot!(*shop.wt(&["merge", "light"]).ok(), @"nothing to merge from light into main: main has it as one commit, #######");
    assert_tidy(&env, &shop);
}
