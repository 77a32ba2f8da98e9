//! `wt doctor`: what is out of step is told, and mended on demand.

use serde_json::Value;

use crate::cleanup::{busy, still, variant};
use crate::support::env::TestEnv;
use crate::support::said::Said;

/// What is told of one thing: its state and what mends it.
fn about<'v>(said: &'v Value, wanted: &str) -> Option<&'v Value> {
    let data = said.get("findings").or_else(|| said["error"]["data"].get("findings"));
    data?.as_array()?.iter().find(|one| one["about"].as_str().unwrap().starts_with(wanted))
}

/// The same world with the machine's own clock: ages of files are compared with it.
fn ticking() -> TestEnv {
    TestEnv::new()
}

fn wrong(said: &Said) -> Vec<String> {
    let said = said.json();
    let findings = said["error"]["data"]["findings"].as_array().cloned().unwrap_or_default();
    let wrong = findings.iter().filter(|one| one["state"] == "wrong");
    wrong.map(|one| one["about"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_fine_is_one_line_each() {
    let env = ticking();
    let shop = env.repo("shop");
    shop.wt(&["spawn", "a", "--no-agent"]).ok();
    let said = shop.wt(&["doctor"]).ok();
    let abouts: Vec<&str> =
        said.stdout.lines().filter_map(|l| l.split_whitespace().nth(1)).collect();
    let wanted = ["git", "state", "disk", "engine", "inotify", "processes", "repository", "trash"];
    assert_eq!(abouts, wanted, "{}", said.stdout);
    assert!(said.stdout.lines().all(|line| line.starts_with('✓')), "{}", said.stdout);
    // It works outside of any repository, too.
    env.wt(&["doctor"]).ok();
}

#[test]
fn a_worktree_that_git_moved_is_recorded_where_it_is() {
    let env = ticking();
    let shop = env.repo("shop");
    let a = busy(&env, &shop, "a");
    shop.git(&["worktree", "move", a.dir.to_str().unwrap(), "../moved"]);
    let said = shop.wt(&["doctor", "--json"]).code(4);
    assert_eq!(wrong(&said), ["variant shop/a"]);
    let found = about(&said.json(), "variant").unwrap().clone();
    assert_eq!(found["mending"], "record it there");
    shop.wt(&["doctor", "--fix"]).ok();
    let moved = env.dir().join("moved");
    assert_eq!(shop.wt(&["path", "a"]).ok().stdout.trim_end(), moved.to_str().unwrap());
    shop.wt(&["doctor"]).ok();
}

#[test]
fn a_worktree_moved_by_hand_is_found_from_where_it_is() {
    let env = ticking();
    let shop = env.repo("shop");
    let a = busy(&env, &shop, "a");
    let moved = env.at(env.dir().join("moved"));
    std::fs::rename(&a.dir, &moved.dir).unwrap();
    assert_eq!(wrong(&moved.wt(&["doctor", "--json"]).code(4)), ["variant a"]);
    moved.wt(&["doctor", "--fix"]).ok();
    assert_eq!(moved.status(), " M src/theme.css\n");
    assert_eq!(moved.wt(&["path"]).ok().stdout.trim_end(), moved.dir.to_str().unwrap());
    moved.wt(&["doctor"]).ok();
}

#[test]
fn a_moved_repository_takes_its_variants_and_its_trash_along() {
    let env = ticking();
    let shop = env.repo("shop");
    let (a, b) = (busy(&env, &shop, "a"), busy(&env, &shop, "b"));
    shop.wt(&["cleanup", "b", "--force", "--yes"]).ok();
    let moved = env.at(env.dir().join("elsewhere"));
    std::fs::rename(&shop.dir, &moved.dir).unwrap();
    let said = a.wt(&["path"]).code(1);
    assert!(said.stderr.contains("was the repository moved?"), "{}", said.stderr);
    let said = moved.wt(&["doctor", "--json"]).code(4);
    assert_eq!(wrong(&said), ["repository shop"]);
    moved.wt(&["doctor", "--fix"]).ok();
    assert_eq!(a.status(), " M src/theme.css\n");
    moved.wt(&["restore", "b"]).ok();
    assert_eq!(b.status(), " M src/theme.css\n");
    moved.wt(&["doctor"]).ok();
}

#[test]
fn a_vanished_worktree_is_forgotten_and_its_branch_stays() {
    let env = ticking();
    let shop = env.repo("shop");
    let a = busy(&env, &shop, "a");
    let commit = a.head();
    std::fs::remove_dir_all(&a.dir).unwrap();
    shop.wt(&["doctor"]).code(4);
    shop.wt(&["doctor", "--fix"]).ok();
    assert_eq!(shop.at_ref("refs/heads/feature/a"), Some(commit));
    assert!(!shop.git(&["worktree", "list"]).contains("shop-worktrees"));
    // Its name is free again.
    shop.git(&["branch", "-m", "feature/a", "feature/old"]);
    shop.wt(&["spawn", "a", "--no-agent"]).ok();
}

#[test]
fn a_pruned_worktree_is_registered_again_with_its_files() {
    // worktrunk#3650: a prune while the disk was away unregistered what then came back.
    let env = ticking();
    let shop = env.repo("shop");
    let a = busy(&env, &shop, "a");
    let away = env.dir().join("away");
    std::fs::rename(&a.dir, &away).unwrap();
    shop.git(&["worktree", "prune", "--expire=now"]);
    std::fs::rename(&away, &a.dir).unwrap();
    assert_eq!(wrong(&shop.wt(&["doctor", "--json"]).code(4)), ["variant shop/a"]);
    shop.wt(&["doctor", "--fix"]).ok();
    assert_eq!(a.status(), " M src/theme.css\n");
    shop.wt(&["doctor"]).ok();
}

#[test]
fn another_repository_in_a_variants_place_is_not_touched() {
    let env = ticking();
    let shop = env.repo("shop");
    let a = busy(&env, &shop, "a");
    std::fs::remove_dir_all(&a.dir).unwrap();
    let other = env.repo("shop-worktrees/a");
    shop.wt(&["doctor"]).code(4);
    shop.wt(&["doctor", "--fix"]).ok();
    assert!(other.has("README.md") && other.has(".git/HEAD"));
    shop.wt(&["doctor"]).ok();
}

#[test]
fn only_locks_that_nobody_can_hold_are_removed() {
    let env = ticking();
    let shop = env.repo("shop");
    shop.wt(&["spawn", "a", "--no-agent"]).ok();
    let lock = shop.dir.join(".git/worktrees/a/index.lock");
    std::fs::write(&lock, "").unwrap();
    shop.wt(&["doctor"]).ok();
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    std::fs::File::open(&lock).unwrap().set_modified(old).unwrap();
    let said = shop.wt(&["doctor"]).code(4);
    assert!(said.stderr.contains("left behind by a git that died"), "{}", said.stderr);
    shop.wt(&["doctor", "--fix"]).ok();
    assert!(!lock.exists());
}

#[test]
fn what_the_trash_has_lost_is_forgotten_and_what_expired_is_removed() {
    let mut env = still();
    let shop = env.repo("shop");
    let commit = busy(&env, &shop, "a").head();
    busy(&env, &shop, "b");
    shop.wt(&["cleanup", "a", "b", "--force", "--yes"]).ok();
    let trash = env.dir().join("shop-worktrees/.trash");
    std::fs::remove_dir_all(trash.join("a-1")).unwrap();
    assert_eq!(wrong(&shop.wt(&["doctor", "--json"]).code(4)), ["trash shop/a"]);
    shop.wt(&["doctor", "--fix"]).ok();
    assert_eq!(shop.at_ref("refs/wt/backup/a"), Some(commit), "its commits stay");
    assert_eq!(shop.wt(&["gc"]).ok().stdout, "nothing is older than 30 days\n");

    let dir = shop.dir.clone();
    env.set("WT_TEST_NOW", "2026-12-22T10:00:00Z");
    let shop = env.at(dir);
    let listed = shop.wt(&["gc", "--dry-run", "--json"]).ok().json();
    assert_eq!(listed["purged"][0]["name"], "b");
    assert!(trash.join("b-2").exists());
    insta::assert_snapshot!(*shop.wt(&["gc"]).ok(), @r"
    b  removed for good (in the trash since 21 Nov 2026)
    1 snapshot let go
    ");
    assert!(!trash.exists() && shop.at_ref("refs/wt").is_none());
    assert!(!shop.git(&["worktree", "list"]).contains("trash"));
    let said = shop.wt(&["restore", "b"]).code(1);
    assert!(said.stderr.contains("no variant `b` is in the trash"), "{}", said.stderr);
    assert!(!variant(&env, "b").dir.exists());
}

#[test]
fn a_git_that_is_too_old_is_told() {
    let env = ticking();
    env.program("git", "#!/bin/sh\necho git version 2.30.1\n");
    let said = env.wt(&["doctor"]).code(4);
    assert!(said.stderr.contains("2.30.1 is too old"), "{}", said.stderr);
    assert!(said.stderr.contains("install git 2.39 or newer"), "{}", said.stderr);
}
