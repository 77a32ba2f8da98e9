//! `wt undo`: the last step, taken back or refused with the reason.

use crate::cleanup::{busy, still, variant};

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
