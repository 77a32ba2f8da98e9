//! Settings of a repository, which may be anybody's: hostile, broken, not approved.

use super::refused;
use crate::support::env::TestEnv;

/// What `wt spawn` says to a `wt.toml`.
#[track_caller]
fn said_to(toml: impl AsRef<[u8]>, code: i32) -> String {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.write("wt.toml", toml);
    refused(&env, &repo, &["spawn", "a", "--no-agent"], code).to_string()
}

#[test]
fn what_cannot_be_is_named_with_its_place() {
    insta::assert_snapshot!(said_to("[worktree]\ncopies = []\n", 2), @"
    --- stderr ---
    error: $DIR/shop/wt.toml: unknown key `worktree.copies`
    hint: did you mean `worktree.copy`? All keys: `wt config show`
    [exit 2]
    ");
    insta::assert_snapshot!(said_to("[worktree]\nsetup = \"npm ci\"\n", 2), @"
    --- stderr ---
    error: $DIR/shop/wt.toml: `worktree.setup` must be a list, not a text
    hint: all keys and their values: `wt config show`
    [exit 2]
    ");
    insta::assert_snapshot!(said_to("[worktree\n", 2), @"
    --- stderr ---
    error: $DIR/shop/wt.toml:1: unclosed table, expected `]`
    hint: all keys and their values: `wt config show`
    [exit 2]
    ");
    insta::assert_snapshot!(said_to("[worktree]\ncopy = [\"a[\"]\n", 2), @"
    --- stderr ---
    error: $DIR/shop/wt.toml: `worktree.copy`: `a[` is no glob: unclosed character class; missing ']'
    [exit 2]
    ");
    insta::assert_snapshot!(said_to("[worktree]\npath = \"../trees\"\n", 2), @"
    --- stderr ---
    error: $DIR/shop/wt.toml: `worktree.path` must hold `{name}`, or all variants would be one
    hint: see it: `wt config show worktree.path`
    [exit 2]
    ");
    insta::assert_snapshot!(said_to("[worktree]\npath = \"../{nmae}/{name}\"\n", 2), @"
    --- stderr ---
    error: $DIR/shop/wt.toml: `worktree.path` holds `{nmae}`, which nothing fills in
    hint: see it: `wt config show worktree.path`
    [exit 2]
    ");
    insta::assert_snapshot!(said_to("[worktree]\nbranch = \"a..{name}\"\n", 2), @"
    --- stderr ---
    error: $DIR/shop/wt.toml: `worktree.branch` makes `a..a`, which cannot be a branch
    hint: see it: `wt config show worktree.branch`
    [exit 2]
    ");
}

#[test]
fn what_is_no_text_or_too_much_of_it_is_refused() {
    said_to(b"\xff\xfe", 1);
    said_to("#".repeat(300 * 1024), 2);
    said_to("[env]\n\"A B\" = \"x\"\n", 2);
    said_to("[env]\nA = 1\n", 2);
    said_to(format!("x = {}1{}", "[".repeat(5000), "]".repeat(5000)), 2);
}

#[test]
fn a_repository_cannot_send_variants_anywhere() {
    for path in [
        "/etc/{name}",
        "../../../../../../etc/{name}",
        "{name}/../../../x",
        ".git/{name}",
        ".git/../.git/hooks/{name}",
        "../shop/.git/worktrees/{name}",
    ] {
        let said = said_to(format!("[worktree]\npath = \"{path}\"\n"), 2);
        assert!(said.contains("`worktree.path` leads"), "{path}: {said}");
    }
    // A link that a commit brought along leads no further than the path itself may.
    let env = TestEnv::new();
    let repo = env.repo("deep/shop");
    std::os::unix::fs::symlink("../../outside", repo.dir.join("link")).unwrap();
    std::fs::create_dir(env.dir().join("outside")).unwrap();
    repo.write("wt.toml", "[worktree]\npath = \"link/{name}\"\n");
    let said = refused(&env, &repo, &["spawn", "a", "--no-agent"], 2);
    assert!(said.stderr.contains("leads out of"), "{said}");
    // The user's own settings may name any place.
    std::fs::remove_file(repo.dir.join("wt.toml")).unwrap();
    env.config(&format!(
        "[worktree]\npath = \"{}/{{name}}\"\n",
        env.dir().join("outside").display()
    ));
    repo.wt(&["spawn", "a", "--no-agent"]).ok();
    assert!(env.dir().join("outside/a/README.md").exists());
}

#[test]
fn commands_of_a_repository_run_only_when_approved() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let toml = |command: &str| format!("[worktree]\nsetup = [\"{command}\"]\n[env]\nA = \"b\"\n");
    repo.write("wt.toml", toml("touch ran"));
    insta::assert_snapshot!(*refused(&env, &repo, &["spawn", "a", "--no-agent"], 5), @r#"
    --- stderr ---
    error: the settings of `wt.toml` have not been approved, and nobody is here to ask
      env.A = "b"
      worktree.setup = ["touch ran"]
    hint: approve them: `wt trust --yes`
    hint: approve exactly these for one command: `WT_TRUST=################################################################ wt …`
    [exit 5]
    "#);
    insta::assert_snapshot!(*refused(&env, &repo, &["trust"], 5), @r#"
    --- stderr ---
    error: the settings of `wt.toml` have not been approved, and nobody is here to ask
      env.A = "b"
      worktree.setup = ["touch ran"]
    hint: approve them: `wt trust --yes`
    hint: approve exactly these for one command: `WT_TRUST=################################################################ wt …`
    [exit 5]
    "#);
    insta::assert_snapshot!(*repo.wt(&["trust", "--yes"]).ok(), @r#"
    approved:
      env.A = "b"
      worktree.setup = ["touch ran"]
      hash ################################################################
    "#);
    repo.wt(&["spawn", "a", "--no-agent"]).ok();
    assert!(env.dir().join("shop-worktrees/a/ran").exists());
    // One letter changed, and it is asked for again.
    repo.write("wt.toml", toml("touch ran "));
    refused(&env, &repo, &["spawn", "b", "--no-agent"], 5);
    repo.write("wt.toml", toml("touch ran"));
    repo.wt(&["spawn", "b", "--no-agent"]).ok();
    insta::assert_snapshot!(*repo.wt(&["trust", "--revoke"]).ok(), @"nothing of this repository is approved any more");
    refused(&env, &repo, &["spawn", "c", "--no-agent"], 5);
}

#[test]
fn one_text_is_approved_by_its_hash_where_nobody_is_asked() {
    let mut env = TestEnv::new();
    let dir = env.repo("shop").dir;
    env.write(dir.join("wt.toml"), "[worktree]\nsetup = [\"touch ran\"]\n");
    let said = env.wt_in(&dir, &["--json", "spawn", "a", "--no-agent"]).code(5);
    let hash = said.json()["error"]["data"]["hash"].as_str().unwrap().to_owned();
    env.set("WT_TRUST", hash.replace('a', "b"));
    env.wt_in(&dir, &["spawn", "a", "--no-agent"]).code(5);
    env.set("WT_TRUST", &hash);
    env.wt_in(&dir, &["spawn", "a", "--no-agent"]).ok();
    assert!(env.dir().join("shop-worktrees/a/ran").exists());
    env.set("WT_TRUST", "");
    env.wt_in(&dir, &["spawn", "b", "--no-agent"]).code(5);
}

#[test]
fn settings_that_an_agent_edited_in_its_variant_mean_nothing() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.wt(&["spawn", "a", "--no-agent"]).ok();
    let variant = env.at(env.dir().join("shop-worktrees/a"));
    variant
        .write("wt.toml", "[worktree]\nsetup = [\"touch /tmp/never\"]\nbranch = \"evil/{name}\"\n");
    variant.commit("evil");
    let json = variant.wt(&["--json", "spawn", "b", "--no-agent"]).ok().json();
    assert_eq!(json["variants"][0]["branch"], "feature/b");
    assert_eq!(json["setup"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_variant_whose_git_file_was_rewritten_leads_nowhere_else() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let evil = env.repo("evil");
    evil.write("wt.toml", "[worktree]\nbranch = \"evil/{name}\"\n");
    repo.wt(&["spawn", "a", "--no-agent"]).ok();
    let variant = env.dir().join("shop-worktrees/a");
    std::fs::write(variant.join(".git"), format!("gitdir: {}/.git\n", evil.dir.display())).unwrap();
    evil.git(&["config", "core.fsmonitor", &format!("touch {}/ran; false", env.dir().display())]);
    let json = env.wt_in(&variant, &["--json", "spawn", "b", "--no-agent"]).ok().json();
    assert_eq!(json["variants"][0]["branch"], "feature/b");
    assert!(!env.dir().join("ran").exists());
    assert_eq!(evil.git(&["branch", "--list"]).lines().count(), 1);
}
