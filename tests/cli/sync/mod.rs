//! `wt sync`: the base comes into variants, and what conflicts waits there.

mod conflicts;
mod killed;
mod kinds;
mod resolve;

use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;

/// A world whose clock stands still.
fn still() -> TestEnv {
    let mut env = TestEnv::new();
    env.set("WT_TEST_NOW", "2026-11-21T10:00:00Z");
    env
}

/// The worktree of a variant of `shop`.
fn variant<'e>(env: &'e TestEnv, name: &str) -> TestRepo<'e> {
    env.at(env.dir().join("shop-worktrees").join(name))
}

/// A variant with one commit that writes these files.
fn spawned<'e>(
    env: &'e TestEnv,
    shop: &TestRepo<'_>,
    name: &str,
    files: &[(&str, &str)],
) -> TestRepo<'e> {
    shop.wt(&["spawn", name, "--no-agent"]).ok();
    let variant = variant(env, name);
    for (path, text) in files {
        variant.write(path, text);
    }
    if !files.is_empty() {
        variant.commit(&format!("work of {name}"));
    }
    variant
}

const DARK: &str = ":root {\n  --bg: #111;\n  --fg: #eee;\n}\n";
const LIGHT: &str = ":root {\n  --bg: #fff;\n  --fg: #111;\n  --accent: #06c;\n}\n";

/// `light` in conflict with `main` in one file, with a file of its own; `main` has one, too.
fn apart(env: &TestEnv) -> (TestRepo<'_>, TestRepo<'_>) {
    let shop = env.repo("shop");
    let light = spawned(env, &shop, "light", &[("src/theme.css", LIGHT), ("only.txt", "light\n")]);
    shop.write("src/theme.css", DARK);
    shop.write("main.txt", "main\n");
    shop.commit("dark");
    (shop, light)
}

/// What every ended sync leaves: no scratch worktree, no lock, no landing.
fn assert_tidy(env: &TestEnv, shop: &TestRepo<'_>) {
    let worktrees = shop.git(&["worktree", "list"]);
    assert!(!worktrees.contains(".sync-"), "{worktrees}");
    for entry in std::fs::read_dir(env.dir().join("shop-worktrees")).unwrap().flatten() {
        assert!(!entry.file_name().to_string_lossy().starts_with(".sync-"), "{entry:?}");
        let admin = env.at(entry.path()).git_line(&["rev-parse", "--absolute-git-dir"]);
        for left in ["wt-landing", "index.lock", "HEAD.lock"] {
            assert!(!std::path::Path::new(&admin).join(left).exists(), "{left} is left");
        }
    }
}
