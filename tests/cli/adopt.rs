//! `wt adopt`: an existing branch or worktree becomes a variant.

use crate::spawn::{refused, variants};
use crate::support::env::TestEnv;

#[test]
fn a_branch_gets_a_worktree() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let fork = repo.head();
    repo.write(".env", "KEY=1");
    repo.git(&["checkout", "-q", "-b", "feature/theme"]);
    repo.write("theme", "x");
    let tip = repo.commit("theme");
    repo.git(&["checkout", "-q", "main"]);
    repo.write("more", "x");
    repo.commit("main goes on");
    insta::assert_snapshot!(*repo.wt(&["adopt", "feature/theme"]).ok(), @r#"
    variant  ../shop-worktrees/theme  feature/theme from main #######
    carried  .env
    adopted  the branch stays yours: cleanup does not delete it
    enter    cd "$(wt path theme)"
    "#);
    let variant = env.at(env.dir().join("shop-worktrees/theme"));
    assert_eq!((variant.head(), variant.status()), (tip, String::new()));
    assert_eq!(variant.read(".env"), "KEY=1");
    let base = ["--json", "adopt", "refs/heads/other", "--name", "b", "--base", "feature/theme"];
    repo.git(&["branch", "other", "feature/theme"]);
    let json = repo.wt(&base).ok().json();
    assert_eq!((&json["name"], &json["branch"]), (&"b".into(), &"other".into()));
    assert_eq!(json["base"]["branch"], "feature/theme");
    assert_eq!(variants(&env), ["theme ready -", "b ready -"]);
    let json = repo.wt(&["--json", "adopt", "--dry-run", "x"]).code(2).json();
    assert_eq!(json["kind"], "error");
    // It forked where main left it, not where main is by now.
    repo.git(&["branch", "third", "feature/theme"]);
    let json = repo.wt(&["--json", "adopt", "third"]).ok().json();
    assert_eq!((&json["base"]["branch"], &json["base"]["commit"]), (&"main".into(), &fork.into()));
}

#[test]
fn a_worktree_stays_where_it_is() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.git(&["worktree", "add", "-q", "-b", "try/it", "../else where"]);
    let theirs = env.at(env.dir().join("else where"));
    theirs.write("uncommitted", "x");
    insta::assert_snapshot!(*repo.wt(&["adopt", "../else where"]).ok(), @r#"
    variant  ../else where  try/it from main #######
    adopted  branch and worktree stay yours: cleanup only forgets them
    enter    cd "$(wt path it)"
    "#);
    assert_eq!(theirs.read("uncommitted"), "x");
    assert!(!env.dir().join("shop-worktrees").exists());
    assert_eq!(variants(&env), ["it ready -"]);
    // The same by its branch, from within itself, and through a link.
    repo.git(&["worktree", "add", "-q", "-b", "second", "../second"]);
    let json = repo.wt(&["--json", "adopt", "second"]).ok().json();
    assert_eq!((&json["made_worktree"], &json["name"]), (&false.into(), &"second".into()));
    repo.git(&["worktree", "add", "-q", "-b", "third", "../third"]);
    std::os::unix::fs::symlink("third", env.dir().join("link")).unwrap();
    env.wt_in(&env.dir().join("third"), &["adopt", "../link", "--name", "c"]).ok();
    let path = env.wt_in(&env.dir().join("third"), &["path"]).ok().stdout.clone();
    assert_eq!(path.trim_end(), env.dir().join("third").to_str().unwrap());
}

#[test]
fn what_cannot_be_adopted() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let other = env.repo("other");
    repo.wt(&["spawn", "a", "--no-agent"]).ok();
    insta::assert_snapshot!(*refused(&env, &repo, &["adopt", "nope"], 1), @"
    --- stderr ---
    error: there is no branch and no worktree `nope`
    hint: see what there is: `git worktree list; git branch --list`
    [exit 1]
    ");
    insta::assert_snapshot!(*refused(&env, &repo, &["adopt", "."], 5), @"
    --- stderr ---
    error: `$DIR/shop` is the main checkout, which is no variant
    hint: make a variant of what is in it: `wt spawn NAME --with-changes`
    [exit 5]
    ");
    refused(&env, &repo, &["adopt", "main"], 5);
    insta::assert_snapshot!(*refused(&env, &repo, &["adopt", "feature/a"], 1), @"
    --- stderr ---
    error: `$DIR/shop-worktrees/a` is a variant already: `a`
    hint: look at it: `wt list`
    [exit 1]
    ");
    refused(&env, &repo, &["adopt", "../shop-worktrees/a"], 1);
    insta::assert_snapshot!(*refused(&env, &repo, &["adopt", "../other"], 1), @"
    --- stderr ---
    error: `$DIR/other` belongs to another repository
    hint: adopt it there: `wt -C $DIR/other adopt $DIR/other`
    [exit 1]
    ");
    refused(&env, &repo, &["adopt", "src"], 1);
    refused(&env, &repo, &["adopt", "/"], 1);
    refused(&env, &repo, &["adopt", "-x"], 2);
    repo.git(&["branch", "b"]);
    refused(&env, &repo, &["adopt", "b", "--name", "a b"], 2);
    refused(&env, &repo, &["adopt", "b", "--name", "A"], 1);
    insta::assert_snapshot!(*refused(&env, &repo, &["adopt", "b", "--base", "nope"], 1), @"
    --- stderr ---
    error: there is no branch `nope`
    hint: see those there are: `git branch --list`
    [exit 1]
    ");
    env.write("shop-worktrees/b/precious", "x");
    refused(&env, &repo, &["adopt", "b"], 1);
    repo.git(&["worktree", "add", "-q", "--detach", "../detached"]);
    insta::assert_snapshot!(*refused(&env, &repo, &["adopt", "../detached"], 1), @"
    --- stderr ---
    error: `$DIR/detached` has no branch checked out
    hint: give it one: `git -C $DIR/detached switch -c NAME`
    [exit 1]
    ");
    // Another repository's worktree that claims to be this one's.
    repo.git(&["worktree", "add", "-q", "-b", "c", "../c"]);
    std::fs::write(env.dir().join("c/.git"), format!("gitdir: {}/.git\n", other.dir.display()))
        .unwrap();
    refused(&env, &repo, &["adopt", "c"], 1);
    assert_eq!(variants(&env), ["a ready -"]);
}

#[test]
fn a_branch_of_a_remote_is_told() {
    let env = TestEnv::new();
    let origin = env.repo("origin");
    origin.git(&["branch", "their/idea"]);
    env.git(env.dir(), &["clone", "-q", "origin", "shop"]);
    let repo = env.at(env.dir().join("shop"));
    insta::assert_snapshot!(*refused(&env, &repo, &["adopt", "origin/their/idea"], 1), @"
    --- stderr ---
    error: there is no branch and no worktree `origin/their/idea`
      `origin/their/idea` is a branch of a remote
    hint: begin a variant at it: `wt spawn idea --from origin/their/idea`
    [exit 1]
    ");
    let json =
        repo.wt(&["--json", "spawn", "idea", "--no-agent", "--from", "origin/their/idea"]).ok();
    assert!(json.json()["base"]["branch"].is_null());
}

#[test]
fn the_setup_of_an_adopted_branch_fails_and_the_branch_stays() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.git(&["branch", "b"]);
    env.config("[worktree]\nsetup = [\"exit 3\"]\n");
    refused(&env, &repo, &["adopt", "b", "--quiet"], 1);
    assert!(repo.at_ref("refs/heads/b").is_some());
}

#[test]
fn in_every_format_and_around_a_bare_repository() {
    for format in ["--object-format=sha256", "--ref-format=reftable"] {
        let env = TestEnv::new();
        let repo = env.repo_as("shop", &[format]);
        repo.git(&["branch", "b"]);
        repo.wt(&["adopt", "b"]).ok();
        repo.git(&["worktree", "add", "-q", "-b", "c", "../c"]);
        repo.wt(&["adopt", "../c"]).ok();
        assert_eq!(variants(&env), ["b ready -", "c ready -"]);
    }
    let env = TestEnv::new();
    let repo = env.bare_with_worktree("shop");
    repo.git(&["branch", "b"]);
    repo.wt(&["adopt", "b"]).ok();
    // There is no main checkout, so the worktree of `main` is one like any other.
    let json = repo.wt(&["--json", "adopt", "."]).ok().json();
    assert_eq!(
        (&json["name"], &json["base"]["branch"]),
        (&"main".into(), &serde_json::Value::Null)
    );
}
