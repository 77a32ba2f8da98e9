//! `wt list`: what there is, told truly and at little cost, whatever stands in a worktree.

use serde_json::Value;

use crate::cleanup::{still, variant};
use crate::support::env::TestEnv;
use crate::support::git_calls::GitCalls;
use crate::support::repo::TestRepo;
use crate::support::wait::wait_until;

/// Three variants: one with a commit and work on top, one with a binary file and a deletion, one
/// untouched; the base went on; and a worktree that is no variant.
fn shop(env: &TestEnv, init: &[&str]) -> String {
    let shop = env.repo_as("shop", init);
    for name in ["theme-dark", "theme-light", "idle"] {
        shop.wt(&["spawn", name, "--no-agent"]).ok();
    }
    let dark = variant(env, "theme-dark");
    dark.write("src/theme.css", ":root {\n  --bg: #000;\n  --fg: #111;\n}\n");
    dark.write("docs/dark mode.md", "one\ntwo\n");
    dark.commit("dark");
    dark.write("docs/dark mode.md", "one\ntwo\nthree\n");
    let light = variant(env, "theme-light");
    light.write("logo.bin", "\0\x01\x02");
    std::fs::remove_file(light.dir.join("src/app.txt")).unwrap();
    shop.write("README.md", "# The shop\n");
    shop.commit("a better title");
    shop.git(&["worktree", "add", "-q", "-b", "spike", "../old spike"]);
    shop.dir.to_str().unwrap().to_owned()
}

fn rows(repo: &TestRepo<'_>, args: &[&str]) -> Vec<Value> {
    let json = repo.wt(&[args, &["--json"]].concat()).ok().json();
    assert_eq!(json["kind"], "list");
    json["repositories"][0]["variants"].as_array().unwrap().clone()
}

#[test]
fn a_repository_at_a_glance() {
    let env = still();
    let dir = shop(&env, &[]);
    let shop = env.at(&dir);
    insta::assert_snapshot!(*shop.wt(&["list"]).ok(), @r"
    VARIANT      STATE          CHANGES   MAIN
    theme-dark   idle [time]  2f +4 −1  ↑1 ↓1
    theme-light  idle [time]  2f −20    ↓1
    idle         idle [time]  none      ↓1
    old spike    not a variant            even
    ");
    insta::assert_snapshot!(*shop.wt(&["ls", "--tree"]).ok(), @r"
    Main repository
    └─ $DIR/shop  main #######  clean
    idea theme (suggested) · from main #######
    ├─ theme-dark  idle [time] · 1 commit · 1 behind · 2f +4 −1 · 1 file uncommitted
    │  feature/theme-dark  ../shop-worktrees/theme-dark
    └─ theme-light  idle [time] · no commits · 1 behind · 2f −20 · 2 files uncommitted
       feature/theme-light  ../shop-worktrees/theme-light
    no idea · from main #######
    └─ idle  idle [time] · no commits · 1 behind · no changes
       feature/idle  ../shop-worktrees/idle
    Not variants
    └─ ../old spike  spike  even
    ");
    let rows = rows(&shop, &["list"]);
    assert_eq!(rows[0]["distance"], serde_json::json!({"ahead": 1, "behind": 1}));
    assert_eq!(rows[0]["changes"]["uncommitted"], 1);
    assert_eq!((&rows[2]["state"], &rows[2]["used"]), (&"idle".into(), &Value::Null));
}

#[test]
fn every_kind_of_repository_lists_alike() {
    let listed = |init: &[&str]| {
        let env = still();
        let dir = shop(&env, init);
        env.at(dir).wt(&["list"]).ok().stdout.clone()
    };
    let plain = listed(&[]);
    assert_eq!(listed(&["--object-format=sha256"]), plain);
    assert_eq!(listed(&["--ref-format=reftable"]), plain);
}

#[test]
fn it_is_the_same_from_anywhere() {
    let env = still();
    let shop = env.at(shop(&env, &[]));
    let wanted = shop.wt(&["list"]).ok().stdout.clone();
    for place in ["shop/src", "shop-worktrees/theme-dark", "shop-worktrees/theme-dark/docs"] {
        let said = env.wt_in(&env.dir().join(place), &["list"]).ok().stdout.clone();
        assert_eq!(said, wanted, "{place}");
    }
    let said = env.wt(&["list"]).code(1);
    assert!(said.stderr.contains("not in a git repository"), "{said}");
}

#[test]
fn one_status_a_variant_and_one_comparison_for_all() {
    let env = still();
    let shop = env.at(shop(&env, &[]));
    let git = GitCalls::watch(&env);
    // Once, the indexes of new worktrees are refreshed.
    let (said, calls) = git.during(|| shop.wt(&["list"]));
    let _ = said.ok();
    assert_eq!(calls.iter().filter(|call| call.contains(" update-index ")).count(), 3, "{calls:?}");
    let (said, calls) = git.during(|| shop.wt(&["list"]));
    let _ = said.ok();
    let count = |what: &str| calls.iter().filter(|call| call.contains(what)).count();
    assert_eq!((count(" status "), count(" diff-tree "), calls.len()), (3, 1, 4), "{calls:?}");
    // Where git has to convert a file it makes that tree, and no other one.
    let dark = variant(&env, "theme-dark");
    dark.write(".gitattributes", "*.md filter=none\n");
    let (said, calls) = git.during(|| shop.wt(&["list"]));
    let _ = said.ok();
    assert_eq!(calls.len(), 6, "{calls:?}");
}

#[test]
fn what_is_counted_is_what_git_counts() {
    let env = still();
    let shop = env.at(shop(&env, &[]));
    let compared = shop.wt(&["compare", "--all", "--json"]).ok().json();
    for (row, other) in rows(&shop, &["list"]).iter().zip(compared["variants"].as_array().unwrap())
    {
        assert_eq!((&row["name"], &row["changes"]["files"]), (&other["name"], &other["files"]));
        let variant = variant(&env, row["name"].as_str().unwrap());
        variant.git(&["add", "-A"]);
        let base = variant.git_line(&["merge-base", "HEAD", "main"]);
        let stat = variant.git_line(&["diff", "--shortstat", &base]);
        let number = |word: &str| {
            let part = stat.split(", ").find(|part| part.contains(word));
            part.map_or(0, |part| part.trim().split(' ').next().unwrap().parse().unwrap())
        };
        let wanted = [number("file"), number("insertion"), number("deletion")];
        let found = ["files", "added", "removed"].map(|key| row["changes"][key].as_u64().unwrap());
        assert_eq!(found, wanted, "{stat}");
    }
}

#[test]
fn work_is_followed_to_its_end() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let agents = [("good", "echo x >>README.md"), ("bad", "exit 3"), ("lazy", "echo nothing")];
    for (name, script) in agents {
        shop.wt(&["spawn", name, "do", "--exec", "--", "sh", "-c", script]).ok();
    }
    wait_until("all have ended", || {
        rows(&shop, &["list"]).iter().all(|row| row["state"] == "done" || row["state"] == "failed")
    });
    insta::assert_snapshot!(*shop.wt(&["list"]).ok(), @r"
    VARIANT  STATE                 CHANGES  MAIN
    good     done [time]  1f +1    ↑1
    bad      failed [time]  none     even
    lazy     done (no changes) [time]  none     even
    bad failed: exit 3  → wt logs bad
    ");
    let all = rows(&shop, &["list", "--tree"]);
    let answers: Vec<&Value> = all.iter().map(|row| &row["detail"]["answer"]).collect();
    assert_eq!(answers, [&Value::Null, &Value::Null, &"nothing".into()]);
    assert_eq!(all[0]["detail"]["agent"], "plain");
}

#[test]
fn nothing_that_an_agent_configured_is_run() {
    let env = still();
    let shop = env.at(shop(&env, &[]));
    let dark = variant(&env, "theme-dark");
    let sign = env.dir().join("tmp/ran");
    let script = env.program("evil", &format!("#!/bin/sh\ntouch '{}'\n", sign.display()));
    std::fs::remove_file(dark.dir.join(".git")).unwrap();
    env.git(&dark.dir, &["init", "-q"]);
    for setting in ["core.fsmonitor", "core.hooksPath", "diff.external", "core.pager"] {
        env.git(&dark.dir, &["config", setting, script.to_str().unwrap()]);
    }
    let _ = env.wt_in(&dark.dir, &["list", "--tree"]).ok();
    let _ = shop.wt(&["list"]).ok();
    assert!(!sign.exists());
}

#[test]
fn a_worktree_that_is_gone_or_broken_costs_no_other_one() {
    let env = still();
    let shop = env.at(shop(&env, &[]));
    std::fs::remove_dir_all(variant(&env, "theme-dark").dir).unwrap();
    std::fs::write(shop.dir.join(".git/worktrees/theme-light/index"), "no index").unwrap();
    insta::assert_snapshot!(*shop.wt(&["list"]).ok(), @r"
    VARIANT      STATE          CHANGES    MAIN
    theme-dark   idle [time]  ≥2f +3 −1  ↑1 ↓1
    theme-light  idle [time]  –          ↓1
    idle         idle [time]  none       ↓1
    old spike    not a variant             even
    theme-dark: its worktree is gone  → wt doctor
    theme-light: `git status --porcelain=v2 -z` failed (128): $DIR/shop/.git/worktrees/theme-light/index: index file smaller than expected  → wt doctor
    ");
}

#[test]
fn what_is_unfinished_is_told() {
    let env = still();
    let shop = env.at(shop(&env, &[]));
    let dark = variant(&env, "theme-dark");
    dark.commit("all of it");
    shop.write("src/theme.css", ":root { --bg: #abc; }\n");
    shop.commit("another background");
    let merge = env.command("git", &dark.dir).args(["merge", "main"]).output().unwrap();
    assert_eq!(merge.status.code(), Some(1));
    let light = variant(&env, "theme-light");
    light.git(&["checkout", "-q", "-b", "elsewhere"]);
    let idle = variant(&env, "idle");
    env.git(&idle.dir, &["init", "-q", "nested"]);
    idle.write("nested/file", "x");
    insta::assert_snapshot!(*shop.wt(&["list"]).ok(), @r"
    VARIANT      STATE          CHANGES   MAIN
    theme-dark   idle [time]  3f +9 −2  ↑2 ↓2
    theme-light  idle [time]  2f −20    ↓2
    idle         idle [time]  1f        ↓2
    old spike    not a variant            ↓1
    theme-dark is in the middle of a merge, 1 file in conflict  → cd ../shop-worktrees/theme-dark
    theme-light stands on elsewhere, not on feature/theme-light  → cd ../shop-worktrees/theme-light
    idle: nested is a repository of its own, not counted
    ");
}

#[test]
fn every_repository_with_variants_is_known() {
    let env = still();
    for name in ["one", "two", "three"] {
        env.repo(name).wt(&["spawn", "a", "--no-agent"]).ok();
    }
    env.repo("four");
    std::fs::rename(env.dir().join("two"), env.dir().join("moved")).unwrap();
    env.at(env.dir().join("three")).wt(&["cleanup", "a"]).ok();
    insta::assert_snapshot!(*env.wt(&["list", "--all"]).ok(), @r"
    one  $DIR/one
    VARIANT  STATE    CHANGES  MAIN
    a        idle [time]  none     even

    two  $DIR/two
      it is not there any more  → wt doctor
    ");
}

#[test]
fn a_bare_repository_has_its_worktrees() {
    let env = still();
    let shop = env.bare_with_worktree("shop");
    shop.wt(&["spawn", "a", "--no-agent"]).ok();
    insta::assert_snapshot!(*shop.wt(&["list"]).ok(), @r"
    VARIANT  STATE          CHANGES  MAIN
    a        idle [time]  none     even
    shop     not a variant           even
    ");
    insta::assert_snapshot!(*shop.wt(&["list", "--tree"]).ok(), @r"
    Bare repository
    └─ $DIR/shop.git
    no idea · from main #######
    └─ a  idle [time] · no commits · no changes
       feature/a  ../shop-worktrees/a
    Not variants
    └─ $DIR/shop  main  even
    ");
}

#[test]
fn what_is_in_the_trash_is_not_listed() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let _ = shop.wt(&["spawn", "gone", "--no-agent"]).ok();
    shop.git(&["worktree", "add", "-q", "../other"]);
    let _ = shop.wt(&["cleanup", "gone", "--yes"]).ok();
    let said = shop.wt(&["list"]).ok();
    assert!(said.stdout.contains("other") && !said.stdout.contains("gone"), "{said}");
}

#[test]
fn bare_wt_shows_what_there_is_or_how_to_begin() {
    let env = still();
    insta::assert_snapshot!(*env.wt(&[]).ok(), @r#"
    This is no git repository. Three steps:
      1  see all of it on a small sample             → wt demo
      2  go to a repository                          → cd DIR
      3  set an agent to work in a place of its own  → wt spawn NAME "what to do"
    All that there is: `wt --help`
    "#);
    env.unborn("new", &[]);
    insta::assert_snapshot!(*env.wt_in(&env.dir().join("new"), &[]).ok(), @r#"
    new has no variants. Three steps:
      1  variants fork from a commit: make one  → git commit --allow-empty -m start
      2  set an agent to work                   → wt spawn NAME "what to do"
      3  see who is doing what, at what cost    → wt list
    All that there is: `wt --help`
    "#);
    let shop = env.repo("shop");
    insta::assert_snapshot!(*shop.wt(&[]).ok(), @r#"
    shop has no variants. Three steps:
      1  set an agent to work in a place of its own   → wt spawn NAME "what to do"
      2  see who is doing what, at what cost          → wt list
      3  put several side by side, and take the best  → wt compare
    All that there is: `wt --help`
    "#);
    assert_eq!(shop.wt(&["--json"]).ok().json()["kind"], "welcome");
    shop.wt(&["spawn", "a", "--no-agent"]).ok();
    for place in ["shop", "shop-worktrees/a", "."] {
        let place = env.dir().join(place);
        let (bare, status) = (env.wt_in(&place, &[]).ok(), &["status", "--all"][..]);
        assert_eq!(bare.stdout, env.wt_in(&place, status).ok().stdout, "{bare}");
    }
}

#[test]
fn the_index_of_an_adopted_worktree_is_refreshed_once() {
    let env = still();
    let shop = env.repo("shop");
    shop.git(&["worktree", "add", "-q", "-b", "mine", "../mine"]);
    shop.wt(&["adopt", "mine"]).ok();
    let git = GitCalls::watch(&env);
    let refreshed = || {
        let (said, calls) = git.during(|| shop.wt(&["list"]));
        let _ = said.ok();
        calls.iter().filter(|call| call.contains(" update-index ")).count()
    };
    assert_eq!([refreshed(), refreshed()], [1, 0]);
}
