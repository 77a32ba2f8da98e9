//! Every kind of repository, and every place in one.

use std::path::Path;

use super::variants;
use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;

/// A variant made where this checkout is holds its commit, clean, on its own branch, and the
/// checkout is as it was.
#[track_caller]
fn makes_a_variant(
    env: &TestEnv,
    repo: &TestRepo<'_>,
    dir: &Path,
    name: &str,
) -> serde_json::Value {
    let (head, status) = (repo.head(), repo.status());
    let json = env.wt_in(dir, &["--json", "spawn", name, "--no-agent"]).ok().json();
    let variant = env.at(json["variants"][0]["path"].as_str().unwrap());
    assert_eq!(variant.head(), head);
    assert_eq!(variant.status(), "");
    assert_eq!(variant.git_line(&["branch", "--show-current"]), format!("feature/{name}"));
    assert_eq!((repo.head(), repo.status()), (head, status));
    let worktrees = repo.git(&["worktree", "list", "--porcelain"]);
    assert!(worktrees.contains(&format!("worktree {}\n", variant.dir.display())), "{worktrees}");
    assert!(!worktrees.contains("locked") && !worktrees.contains("prunable"), "{worktrees}");
    json
}

#[test]
fn with_spaces_and_letters_of_all_kinds_in_its_path() {
    let env = TestEnv::new();
    let repo = env.repo("ein laden/für 'alle' \"hier\" 日本");
    makes_a_variant(&env, &repo, &repo.dir, "a");
}

#[test]
fn behind_a_link() {
    let env = TestEnv::new();
    let repo = env.repo("real/shop");
    let link = env.dir().join("link");
    std::os::unix::fs::symlink("real/shop", &link).unwrap();
    let json = makes_a_variant(&env, &repo, &link, "a");
    let path = env.dir().join("real/shop-worktrees/a");
    assert_eq!(json["variants"][0]["path"], path.to_str().unwrap());
}

#[test]
fn of_every_format() {
    for format in ["--object-format=sha256", "--ref-format=reftable"] {
        let env = TestEnv::new();
        let repo = env.repo_as("shop", &[format]);
        repo.write(".env", "KEY=1");
        let json = makes_a_variant(&env, &repo, &repo.dir, "a");
        assert_eq!(json["variants"][0]["carried"][0], ".env");
        // The second one looks at the first one's branch and registration.
        makes_a_variant(&env, &repo, &repo.dir, "b");
        let said = super::refused(&env, &repo, &["spawn", "a", "--no-agent"], 1);
        assert!(said.stderr.contains("already"), "{said}");
    }
}

#[test]
fn bare_with_linked_worktrees() {
    let env = TestEnv::new();
    let repo = env.bare_with_worktree("shop");
    repo.write(".env", "KEY=1");
    let json = makes_a_variant(&env, &repo, &repo.dir, "a");
    assert_eq!(json["variants"][0]["carried"][0], ".env");
    // And from the bare repository itself, whose HEAD is `main`.
    let bare = env.dir().join("shop.git");
    let json = makes_a_variant(&env, &repo, &bare, "b");
    assert_eq!(json["variants"][0]["carried"][0], ".env");
    assert_eq!(json["base"]["branch"], "main");
}

#[test]
fn from_a_subdirectory() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let json = makes_a_variant(&env, &repo, &repo.dir.join("src"), "a");
    let path = env.dir().join("shop-worktrees/a");
    assert_eq!(json["variants"][0]["path"], path.to_str().unwrap());
}

#[test]
fn from_inside_another_variant() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.write(".env", "KEY=main");
    repo.wt(&["spawn", "a", "--no-agent"]).ok();
    let first = env.at(env.dir().join("shop-worktrees/a"));
    first.write("new", "x");
    first.commit("on a");
    first.write(".env", "KEY=changed by an agent");
    let json = makes_a_variant(&env, &first, &first.dir.join("src"), "b");
    assert_eq!(json["base"]["branch"], "feature/a");
    // Beside the first one, not inside of it, and with the main checkout's ignored files.
    let second = env.at(env.dir().join("shop-worktrees/b"));
    assert_eq!((second.read(".env"), second.read("new")), ("KEY=main".into(), "x".into()));
}

#[test]
fn from_another_worktree_that_is_no_variant() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.git(&["worktree", "add", "-q", "-b", "other", "../elsewhere"]);
    let other = env.at(env.dir().join("elsewhere"));
    other.write("new", "x");
    other.commit("on other");
    let json = makes_a_variant(&env, &other, &other.dir, "a");
    assert_eq!(json["base"]["branch"], "other");
    assert!(env.dir().join("shop-worktrees/a/new").exists());
}

#[test]
fn with_a_detached_head() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.git(&["checkout", "-q", "--detach"]);
    let json = makes_a_variant(&env, &repo, &repo.dir, "a");
    assert!(json["base"]["branch"].is_null());
    insta::assert_snapshot!(*repo.wt(&["spawn", "b", "--no-agent"]).ok(), @r#"
    variant  ../shop-worktrees/b  feature/b from #######, no branch: merge with --into
    enter    cd "$(wt path b)"
    "#);
}

#[test]
fn shallow() {
    let env = TestEnv::new();
    let shop = env.repo("origin");
    shop.write("more", "x");
    shop.commit("more");
    let repo = env.shallow(&shop, "shop");
    makes_a_variant(&env, &repo, &repo.dir, "a");
}

#[test]
fn sparse() {
    let env = TestEnv::new();
    let shop = env.repo("origin");
    shop.write("docs/a.md", "x");
    shop.commit("docs");
    let repo = env.sparse(&shop, "shop", &["docs"]);
    makes_a_variant(&env, &repo, &repo.dir, "a");
    let variant = env.at(env.dir().join("shop-worktrees/a"));
    assert!(variant.has("docs/a.md") && !variant.has("src"), "the patterns came along");
}

#[test]
fn with_submodules() {
    let env = TestEnv::new();
    let inner = env.repo("inner");
    let repo = env.repo("shop");
    repo.add_submodule(&inner, "vendor/in ner");
    insta::assert_snapshot!(*repo.wt(&["spawn", "a", "--no-agent"]).ok(), @r#"
    variant  ../shop-worktrees/a  feature/a from main #######
    modules  submodules are empty; with `worktree.submodules = true` they are checked out
    enter    cd "$(wt path a)"
    "#);
    assert!(!env.dir().join("shop-worktrees/a/vendor/in ner/README.md").exists());
    env.config("[worktree]\nsubmodules = true\n");
    let json = makes_a_variant(&env, &repo, &repo.dir, "b");
    assert_eq!(json["variants"][0]["submodules"], "initialised");
    assert!(env.dir().join("shop-worktrees/b/vendor/in ner/README.md").exists());
    // One that cannot be fetched: said, and nothing is left.
    std::fs::rename(&inner.dir, env.dir().join("moved")).unwrap();
    std::fs::remove_dir_all(repo.dir.join(".git/modules")).unwrap();
    let said = repo.wt(&["spawn", "c", "--no-agent"]).code(1);
    assert!(said.stderr.contains("submodule"), "{said}");
    assert!(!env.dir().join("shop-worktrees/c").exists());
    assert_eq!(repo.at_ref("refs/heads/feature/c"), None);
    assert!(variants(&env).iter().all(|row| row.contains(" ready ")));
}

#[test]
fn inside_a_submodule() {
    let env = TestEnv::new();
    let inner = env.repo("inner");
    let repo = env.repo("shop");
    repo.add_submodule(&inner, "vendor/inner");
    let inside = env.at(repo.dir.join("vendor/inner"));
    let json = makes_a_variant(&env, &inside, &inside.dir, "a");
    let path = repo.dir.join("vendor/inner-worktrees/a");
    assert_eq!(json["variants"][0]["path"], path.to_str().unwrap());
}

#[test]
fn with_worktrees_inside_of_it() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    env.config("[worktree]\npath = \".trees/{name}\"\n");
    let said = repo.wt(&["spawn", "seen", "--no-agent"]).ok();
    assert!(said.stderr.contains("git does not ignore `.trees`"), "{said}");
    repo.write(".git/info/exclude", ".trees/\n");
    let said = repo.wt(&["spawn", "unseen", "--no-agent"]).ok();
    assert!(!said.stderr.contains("does not ignore"), "{said}");
    repo.write(".env", "KEY=1");
    makes_a_variant(&env, &repo, &repo.dir, "a");
    makes_a_variant(&env, &repo, &repo.dir, "b");
    assert_eq!(env.at(repo.dir.join(".trees/b")).read(".env"), "KEY=1");
}
