//! `wt merge`: the winner comes in, and the user's checkout is never half-way.

mod conflicts;
mod killed;
mod kinds;
mod refused;
mod user;
mod ways;

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
    variant.commit(&format!("work of {name}"));
    variant
}

const DARK: &str = ":root {\n  --bg: #111;\n  --fg: #eee;\n}\n";
const LIGHT: &str = ":root {\n  --bg: #fff;\n  --fg: #111;\n  --accent: #06c;\n}\n";

/// What every ended merge leaves: no scratch worktree, no lock, no landing.
fn assert_tidy(env: &TestEnv, shop: &TestRepo<'_>) {
    let worktrees = shop.git(&["worktree", "list"]);
    assert!(!worktrees.contains(".merge-"), "{worktrees}");
    for entry in std::fs::read_dir(env.dir().join("shop-worktrees")).unwrap().flatten() {
        assert!(!entry.file_name().to_string_lossy().starts_with(".merge-"), "{entry:?}");
    }
    let git_dir = shop.git_line(&["rev-parse", "--absolute-git-dir"]);
    for left in ["wt-landing", "index.lock", "HEAD.lock"] {
        assert!(!std::path::Path::new(&git_dir).join(left).exists(), "{left} is left");
    }
    assert!(shop.git(&["fsck", "--no-dangling"]).is_empty());
}
