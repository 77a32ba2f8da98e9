//! `kill -9` between any two steps: the next command finishes the merge or takes it back.

use super::{DARK, LIGHT, assert_tidy, spawned};
use crate::support::env::TestEnv;
use crate::support::killer::{Killer, When};
use crate::support::repo::TestRepo;

/// The user's own uncommitted work, which must survive everything.
fn mine(shop: &TestRepo<'_>) {
    shop.write("src/app.txt", "mine, staged\n");
    shop.git(&["add", "src/app.txt"]);
    shop.write("src/app.txt", "mine\n");
    shop.write("unknown.txt", "mine, unknown\n");
}

const MINE: &str = "MM src/app.txt\n?? unknown.txt\n";

fn assert_mine(shop: &TestRepo<'_>, at: &str) {
    assert_eq!(shop.status(), MINE, "{at}");
    assert_eq!(shop.read("src/app.txt"), "mine\n", "{at}");
    assert_eq!(shop.git(&["show", ":src/app.txt"]), "mine, staged\n", "{at}");
    assert_eq!(shop.read("unknown.txt"), "mine, unknown\n", "{at}");
}

#[test]
fn a_merge_is_whole_or_taken_back() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    shop.write("old.txt", "old\n");
    shop.write("shape", "a file\n");
    shop.commit("more");
    let a = spawned(&env, &shop, "a", &[("src/theme.css", DARK), ("new/deep.txt", "x\n")]);
    a.git(&["rm", "-q", "old.txt", "shape"]);
    a.write("shape/inside", "a directory\n");
    a.commit("and less");
    shop.write("README.md", "# main\n");
    let before = shop.commit("of main");
    let killer = Killer::on(&env, "wt merge: ");
    mine(&shop);
    shop.wt(&["merge", "a"]).ok();
    let (calls, mut finished, mut taken_back) = (killer.calls(), 0, 0);
    let tree = shop.git_line(&["rev-parse", "HEAD^{tree}"]);
    assert!(calls > 10, "{calls}");
    let points = (1..=calls).flat_map(|at| [(at, When::Before), (at, When::After)]);
    for (number, when) in points.chain([(0, When::Commit)]) {
        let at = format!("call {number}, {when:?}");
        killer.arm(0, When::After);
        shop.git(&["reset", "-q", "--hard", &before]);
        mine(&shop);
        killer.arm(number, when);
        let said = shop.wt(&["merge", "a"]);
        // A later merge may do with a call less than the first one.
        assert!(said.exit.is_none() || number + 2 > calls, "{at}: {said}");
        killer.arm(0, When::After);
        let said = shop.wt(&["path"]).ok();
        let head = shop.head();
        if head == before {
            taken_back += 1;
        } else {
            assert_eq!(shop.git_line(&["rev-parse", "HEAD^{tree}"]), tree, "{at}");
            finished += 1;
        }
        assert_mine(&shop, &format!("{at}: {said}"));
        assert_tidy(&env, &shop);
        assert_eq!(shop.wt(&["path"]).ok().stderr, "", "{at}: nothing is left to put right");
    }
    assert!(finished > 0 && taken_back > 5, "{finished} finished, {taken_back} taken back");
    shop.git(&["reset", "-q", "--hard", &before]);
    shop.wt(&["merge", "a"]).ok();
}

#[test]
fn what_was_settled_outlives_a_kill() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    spawned(&env, &shop, "light", &[("src/theme.css", LIGHT), ("only.txt", "light\n")]);
    shop.write("src/theme.css", DARK);
    let before = shop.commit("dark");
    let killer = Killer::on(&env, "wt merge: ");
    mine(&shop);
    let mut at = 1;
    loop {
        killer.arm(0, When::After);
        shop.git(&["reset", "-q", "--hard", &before]);
        mine(&shop);
        if shop.wt(&["merge", "light"]).exit == Some(3) {
            let scratch = shop.wt(&["path", "light", "--merge"]).ok().stdout.trim().to_owned();
            env.at(scratch).write("src/theme.css", "both\n");
        }
        killer.arm(at, if at % 2 == 0 { When::Before } else { When::After });
        let said = shop.wt(&["merge", "--continue"]);
        let (calls, point) = (killer.calls(), format!("call {at}"));
        killer.arm(0, When::After);
        if said.exit == Some(0) {
            assert!(at > calls, "{point} of {calls}: {said}");
            break;
        }
        assert_eq!(said.exit, None, "{point}: {said}");
        shop.wt(&["path"]).ok();
        assert_mine(&shop, &point);
        if shop.head() == before {
            // It waits as before, with everything that was settled.
            shop.wt(&["merge", "--continue"]).ok();
        }
        assert_eq!(
            (shop.read("src/theme.css").as_str(), shop.read("only.txt").as_str()),
            ("both\n", "light\n")
        );
        assert_mine(&shop, &point);
        assert_tidy(&env, &shop);
        at += 2;
    }
    assert!(at > 10, "{at}");
}

#[test]
fn an_undo_is_whole_or_taken_back() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    spawned(&env, &shop, "a", &[("src/theme.css", DARK), ("new/deep.txt", "x\n")]);
    shop.write("README.md", "# main\n");
    let before = shop.commit("of main");
    let killer = Killer::on(&env, "wt merge: ");
    mine(&shop);
    let (mut at, mut finished, mut taken_back) = (1, 0, 0);
    loop {
        killer.arm(0, When::After);
        if shop.head() == before {
            shop.wt(&["merge", "a"]).ok();
        }
        let merged = shop.head();
        killer.arm(at, if at % 2 == 0 { When::Before } else { When::After });
        let said = shop.wt(&["undo"]);
        let point = format!("call {at} of {}", killer.calls());
        killer.arm(0, When::After);
        if said.exit == Some(0) {
            break;
        }
        assert_eq!(said.exit, None, "{point}: {said}");
        let said = shop.wt(&["path"]).ok();
        let head = shop.head();
        assert!(head == before || head == merged, "{point}: {said}");
        assert_mine(&shop, &format!("{point}: {said}"));
        assert_tidy(&env, &shop);
        assert_eq!(shop.wt(&["path"]).ok().stderr, "", "{point}: nothing is left to put right");
        let steps = shop.wt(&["undo", "--list", "--json"]).ok().json();
        let undone = !steps["steps"][0]["undone_at"].is_null();
        assert_eq!(undone, head == before, "{point}: what is on record is what is so");
        if undone {
            finished += 1
        } else {
            taken_back += 1
        }
        at += 1;
    }
    assert!(finished > 0 && taken_back > 3, "{finished} finished, {taken_back} taken back");
    assert_eq!(shop.head(), before);
}
