//! A database that is damaged or gone: said, moved aside, rebuilt; never a silent clean start.

use std::path::PathBuf;

use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;
use crate::support::wait::wait_until;

/// One variant whose agent has ended, one whose agent still works, and no engine in the way.
fn two(env: &TestEnv) -> (TestRepo<'_>, PathBuf) {
    let shop = env.repo("shop");
    let go = env.dir().join("go");
    let waits =
        format!("echo early; until [ -e '{}' ]; do sleep 0.02; done; echo late >l", go.display());
    shop.wt(&["spawn", "dark", "--exec", "--", "sh", "-c", "echo said; echo made >made.txt"]).ok();
    shop.wt(&["wait", "dark", "--timeout", "60s"]).ok();
    shop.wt(&["spawn", "light", "--exec", "--", "sh", "-c", &waits]).ok();
    let said = || shop.wt(&["logs", "light", "--raw"]).stdout;
    wait_until("it works", || said().contains("early"));
    (shop, go)
}

fn is_told(shop: &TestRepo<'_>) {
    for words in [&["list"][..], &["status"], &["spawn", "new", "--no-agent"], &["doctor"]] {
        let said = shop.wt(words);
        assert!(matches!(said.exit, Some(1 | 4)), "{words:?}: {said}");
        assert!(said.stderr.contains("the state database is damaged"), "{words:?}: {said}");
        assert!(said.stderr.contains("wt doctor --fix"), "{words:?}: {said}");
    }
}

/// What was on record is again, and what works goes on.
fn is_back(shop: &TestRepo<'_>, go: &PathBuf) {
    let said = shop.wt(&["doctor", "--fix"]).ok();
    assert!(said.stdout.contains("2 variants, 2 tasks"), "{said}");
    let dark = shop.wt(&["status", "dark", "--json"]).ok().json();
    assert_eq!(dark["state"], "done", "{dark}");
    assert_eq!(shop.wt(&["logs", "dark", "--raw"]).ok().stdout, "said\n");
    let list = shop.wt(&["list", "--json"]).ok().json();
    assert_eq!(list["repositories"][0]["variants"].as_array().unwrap().len(), 2, "{list}");
    assert_eq!(shop.wt(&["status", "light", "--json"]).ok().json()["state"], "running");
    std::fs::write(go, "").unwrap();
    shop.wt(&["wait", "light", "--timeout", "60s"]).ok();
    shop.wt(&["merge", "light"]).ok();
    assert_eq!(shop.read("l"), "late\n");
    shop.wt(&["doctor"]).ok();
}

#[test]
fn noise_is_told_moved_aside_and_rebuilt() {
    let env = TestEnv::new();
    let (shop, go) = two(&env);
    let database = env.state().join("wt.db");
    let noise: Vec<u8> = (0..20_000_u32).map(|n| (n * 7919 % 251) as u8).collect();
    // Not written over, but put in its place, as a restored backup would be.
    std::fs::write(env.dir().join("noise"), &noise).unwrap();
    for beside in ["wt.db-wal", "wt.db-shm"] {
        std::fs::remove_file(env.state().join(beside)).ok();
    }
    std::fs::rename(env.dir().join("noise"), &database).unwrap();
    is_told(&shop);
    assert_eq!(std::fs::read(&database).unwrap(), noise, "nobody has touched it");
    is_back(&shop, &go);
    let aside = std::fs::read_dir(env.state()).unwrap().map(|entry| entry.unwrap().path());
    let aside: Vec<PathBuf> =
        aside.filter(|path| path.to_str().unwrap().contains("/damaged-")).collect();
    assert_eq!(std::fs::read(aside[0].join("wt.db")).unwrap(), noise);
}

#[test]
fn one_that_is_gone_is_no_new_beginning() {
    let env = TestEnv::new();
    let (shop, go) = two(&env);
    for file in ["wt.db", "wt.db-wal", "wt.db-shm"] {
        std::fs::remove_file(env.state().join(file)).ok();
    }
    is_told(&shop);
    is_back(&shop, &go);
}
