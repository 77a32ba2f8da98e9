//! `wt undo`: the last step, taken back or refused with the reason.

use crate::cleanup::{busy, still, variant};
use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;

#[test]
fn a_cleanup_and_a_restore_are_each_other_s_reverse() {
    let env = still();
    let shop = env.repo("shop");
    assert!(shop.wt(&["undo"]).code(1).stderr.contains("nothing to undo"));
    assert_eq!(shop.wt(&["undo", "--list", "--json"]).ok().json()["steps"], serde_json::json!([]));
    busy(&env, &shop, "dark");
    busy(&env, &shop, "light");
    shop.wt(&["cleanup", "dark", "light", "--force", "--yes"]).ok();
    insta::assert_snapshot!(*shop.wt(&["undo", "--dry-run"]).ok(), @r"
    would undo: removed dark, light
      dark comes back to $DIR/shop-worktrees/dark
      light comes back to $DIR/shop-worktrees/light
    ");
    assert!(!variant(&env, "dark").dir.exists());
    insta::assert_snapshot!(*shop.wt(&["undo"]).ok(), @r"
    ✓ undone: removed dark, light
      dark comes back to $DIR/shop-worktrees/dark
      light comes back to $DIR/shop-worktrees/light
    ");
    assert_eq!(variant(&env, "light").status(), " M src/theme.css\n");
    assert!(shop.wt(&["undo"]).code(1).stderr.contains("nothing to undo"));

    shop.wt(&["cleanup", "dark", "--force", "--yes"]).ok();
    shop.wt(&["restore", "dark"]).ok();
    insta::assert_snapshot!(*shop.wt(&["undo", "--list"]).ok(), @r"
    WHEN               WHAT
    21 Nov 2026 10:00  restored dark        → wt undo
    21 Nov 2026 10:00  removed dark
    21 Nov 2026 10:00  removed dark, light  undone
    ");
    shop.wt(&["undo"]).ok();
    assert!(!variant(&env, "dark").dir.exists());
    shop.wt(&["undo"]).ok();
    assert_eq!(variant(&env, "dark").status(), " M src/theme.css\n");
}

#[test]
fn what_was_restored_by_hand_is_not_undone_again() {
    let env = still();
    let shop = env.repo("shop");
    busy(&env, &shop, "dark");
    busy(&env, &shop, "light");
    shop.wt(&["cleanup", "dark", "light", "--force", "--yes"]).ok();
    std::fs::create_dir_all(&variant(&env, "light").dir).unwrap();
    // One is back, the other's place is taken.
    let said = shop.wt(&["undo"]).code(5);
    assert!(said.stderr.contains("exists by now"), "{}", said.stderr);
    assert!(said.stderr.contains("back already: dark"), "{}", said.stderr);
    std::fs::remove_dir(&variant(&env, "light").dir).unwrap();
    shop.wt(&["undo"]).ok();
    assert_eq!(variant(&env, "light").status(), " M src/theme.css\n");
}

/// A variant with one clean commit.
fn made<'e>(env: &'e TestEnv, shop: &TestRepo<'_>, name: &str) -> TestRepo<'e> {
    let variant = busy(env, shop, name);
    variant.git(&["checkout", "-q", "."]);
    variant
}

#[test]
fn each_kind_of_merge_is_taken_back_with_the_checkout() {
    for (flag, base_moves) in [(None, false), (None, true), (Some("--squash"), true)] {
        let env = still();
        let shop = env.repo("shop");
        made(&env, &shop, "dark");
        if base_moves {
            shop.write("src/other.txt", "o");
            shop.commit("meanwhile");
        }
        let before = shop.head();
        shop.write("README.md", "# mine, uncommitted\n");
        let args: Vec<&str> = ["merge", "dark"].into_iter().chain(flag).collect();
        shop.wt(&args).ok();
        let merged = shop.head();
        assert!(shop.read("src/theme.css").contains("dark"));
        let said = shop.wt(&["undo", "--dry-run"]).ok();
        assert!(said.stdout.contains("main goes back from"), "{}", said.stdout);
        assert_eq!(shop.head(), merged);
        shop.wt(&["undo"]).ok();
        assert_eq!(shop.head(), before);
        assert_eq!(shop.status(), " M README.md\n", "{flag:?}");
        assert!(!shop.read("src/theme.css").contains("dark"));
        assert_eq!(shop.at_ref("refs/wt/backup/dark"), Some(merged), "nothing is lost");
        // It counts as unmerged again.
        shop.wt(&["cleanup", "dark"]).code(5);
        assert!(shop.wt(&["undo"]).code(1).stderr.contains("nothing to undo"));
    }
}

#[test]
fn a_merge_that_somebody_built_upon_stays() {
    let env = still();
    let shop = env.repo("shop");
    made(&env, &shop, "dark");
    shop.wt(&["merge", "dark"]).ok();
    shop.write("later", "l");
    let later = shop.commit("later");
    insta::assert_snapshot!(*shop.wt(&["undo"]).code(5), @r"
    --- stderr ---
    error: 1 commit was made on `main` since
    hint: see them: `git log #######..main`
    hint: take it back by commits: `git revert #######..#######`
    [exit 5]
    ");
    assert_eq!(shop.head(), later);
}

#[test]
fn a_merge_that_was_pushed_stays() {
    let env = still();
    let shop = env.repo("shop");
    env.git(env.dir(), &["clone", "-q", "--bare", "shop", "origin.git"]);
    shop.git(&["remote", "add", "origin", "../origin.git"]);
    made(&env, &shop, "dark");
    // The variant's own branch may well have been pushed.
    shop.git(&["push", "-q", "origin", "feature/dark"]);
    shop.git(&["fetch", "-q"]);
    shop.wt(&["merge", "dark"]).ok();
    shop.wt(&["undo"]).ok();
    shop.wt(&["merge", "dark"]).ok();
    shop.git(&["push", "-q", "origin", "main"]);
    let said = shop.wt(&["undo"]).code(5);
    assert!(said.stderr.contains("it was pushed already: `origin/main` has it"), "{}", said.stderr);
}

#[test]
fn changes_of_yours_in_the_way_are_named_and_kept() {
    let env = still();
    let shop = env.repo("shop");
    made(&env, &shop, "dark");
    shop.wt(&["merge", "dark"]).ok();
    let merged = shop.head();
    shop.write("src/theme.css", "mine\n");
    insta::assert_snapshot!(*shop.wt(&["undo"]).code(5), @r"
    --- stderr ---
    error: changes of yours in `$DIR/shop` are in the way; nothing was changed
      src/theme.css (change)
    hint: set them aside: `git -C $DIR/shop stash --include-untracked`
    [exit 5]
    ");
    assert_eq!((shop.read("src/theme.css").as_str(), shop.head()), ("mine\n", merged));
}

#[test]
fn steps_are_taken_back_one_after_the_other() {
    let env = still();
    let shop = env.repo("shop");
    let before = shop.head();
    let dark = made(&env, &shop, "theme-dark");
    let light = busy(&env, &shop, "theme-light");
    shop.wt(&["merge", "theme-dark"]).ok();
    shop.wt(&["cleanup", "theme-dark"]).ok();
    shop.wt(&["cleanup", "theme-light", "--force", "--yes"]).ok();
    shop.wt(&["undo"]).ok();
    assert!(light.dir.exists() && !dark.dir.exists());
    shop.wt(&["undo"]).ok();
    assert!(dark.dir.exists());
    shop.wt(&["undo"]).ok();
    assert_eq!(shop.head(), before);
    assert_eq!(dark.status(), "");
}
