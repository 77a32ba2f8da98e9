//! `wt list`.

use crate::support::env::TestEnv;

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
