//! `kill -9` between any two steps: the next command finishes the sync or takes it back.

use super::{apart, assert_tidy, spawned};
use crate::support::env::TestEnv;
use crate::support::killer::{Killer, When};

#[test]
fn a_sync_is_whole_or_taken_back() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let light = spawned(&env, &shop, "light", &[("light.txt", "light\n")]);
    let before = light.head();
    shop.write("src/theme.css", "main\n");
    shop.commit("of main");
    let killer = Killer::on(&env, "wt sync: ");
    shop.wt(&["sync", "light"]).ok();
    let (calls, mut finished, mut taken_back) = (killer.calls(), 0, 0);
    let tree = light.git_line(&["rev-parse", "HEAD^{tree}"]);
    let points = (1..=calls).flat_map(|at| [(at, When::Before), (at, When::After)]);
    for (number, when) in points.chain([(0, When::Commit)]) {
        let at = format!("call {number}, {when:?}");
        killer.arm(0, When::After);
        light.git(&["reset", "-q", "--hard", &before]);
        killer.arm(number, when);
        let said = shop.wt(&["sync", "light"]);
        assert!(said.exit.is_none() || number + 2 > calls, "{at}: {said}");
        killer.arm(0, When::After);
        let said = shop.wt(&["path"]).ok();
        if light.head() == before {
            taken_back += 1;
        } else {
            assert_eq!(light.git_line(&["rev-parse", "HEAD^{tree}"]), tree, "{at}");
            finished += 1;
            // It is on record.
            assert!(shop.wt(&["undo", "--dry-run"]).ok().stdout.contains("goes back"), "{at}");
        }
        assert_eq!(light.status(), "", "{at}: {said}");
        assert_tidy(&env, &shop);
        assert_eq!(shop.wt(&["path"]).ok().stderr, "", "{at}: nothing is left to put right");
    }
    assert!(finished > 0 && taken_back > 5, "{finished} finished, {taken_back} taken back");
}

#[test]
fn conflicts_wait_whole_or_not_at_all() {
    let env = TestEnv::new();
    let (shop, light) = apart(&env);
    light.write("unknown.txt", "mine\n");
    light.git(&["add", "unknown.txt"]);
    light.git(&["commit", "-q", "-m", "more"]);
    let before = light.head();
    let killer = Killer::on(&env, "wt sync: ");
    shop.wt(&["sync", "light"]).code(3);
    let (calls, mut waits, mut taken_back) = (killer.calls(), 0, 0);
    killer.arm(0, When::After);
    shop.wt(&["sync", "light", "--abort"]).ok();
    for number in 1..=calls {
        for when in [When::Before, When::After] {
            let at = format!("call {number}, {when:?}");
            killer.arm(number, when);
            let said = shop.wt(&["sync", "light"]);
            assert!(said.exit.is_none() || number + 2 > calls, "{at}: {said}");
            killer.arm(0, When::After);
            shop.wt(&["path"]).ok();
            assert_eq!(light.head(), before, "{at}");
            if light.status().is_empty() {
                taken_back += 1;
            } else {
                waits += 1;
                assert!(light.read("src/theme.css").contains("<<<<<<<"), "{at}");
                light.wt(&["sync", "--abort"]).ok();
            }
            assert_eq!((light.status().as_str(), light.has("main.txt")), ("", false), "{at}");
            assert_tidy(&env, &shop);
            assert_eq!(shop.wt(&["path"]).ok().stderr, "", "{at}: nothing is left to put right");
        }
    }
    assert!(waits > 0 && taken_back > 5, "{waits} wait, {taken_back} taken back");
}
