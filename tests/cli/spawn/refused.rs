//! What `wt spawn` refuses: each with a clear message, and nothing changed.

use super::{refused, refused_in};
use crate::support::env::TestEnv;

/// A program that must never be run.
const NEVER: &str = "#!/bin/sh\necho ran >>\"$0.ran\"\n";

#[test]
fn where_there_is_no_repository() {
    let env = TestEnv::new();
    insta::assert_snapshot!(*env.wt(&["spawn", "a", "--no-agent"]).code(1), @"
    --- stderr ---
    error: `$DIR` is not in a git repository
    hint: go to a repository, or name one: `wt -C DIR …`
    hint: start a new one: `git init && git commit --allow-empty -m start`
    [exit 1]
    ");
}

#[test]
fn on_a_branch_without_a_commit() {
    let env = TestEnv::new();
    let repo = env.unborn("shop", &[]);
    insta::assert_snapshot!(*repo.wt(&["spawn", "a", "--no-agent"]).code(1), @"
    --- stderr ---
    error: branch `main` has no commit yet
    hint: make a first one: `git commit --allow-empty -m start`
    hint: or fork from another branch: `wt spawn NAME --from BRANCH`
    [exit 1]
    ");
    assert!(!env.dir().join("shop-worktrees").exists());
    assert_eq!(super::rows(&env), Vec::<String>::new());
}

#[test]
fn names_that_cannot_be() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    insta::assert_snapshot!(*refused(&env, &repo, &["spawn", "Add a bold, dark theme!", "x"], 2), @"
    --- stderr ---
    error: `Add a bold, dark theme!` cannot be a variant's name: it holds white space
    hint: a name that works: `add-a-bold-dark-theme`
    [exit 2]
    ");
    for name in [
        "", ".", "..", "../x", "a/b", "a..b", "a.lock", ".git", "a\nb", "ünd", "a~1", "a:b", "a\\b",
    ] {
        let said = refused(&env, &repo, &["spawn", name, "--no-agent"], 2);
        assert!(said.stderr.contains("cannot be a variant's name"), "{said}");
    }
    let long = "x".repeat(65);
    refused(&env, &repo, &["spawn", &long, "--no-agent"], 2);
    refused(&env, &repo, &["spawn", &"x".repeat(63), "--variants", "2", "--no-agent"], 2);
    refused(&env, &repo, &["spawn", "a", "--idea", "no idea", "--no-agent"], 2);
    refused(&env, &repo, &["spawn", "--no-agent", "--", "-rf"], 2);
}

#[test]
fn a_name_that_is_taken() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.wt(&["spawn", "Dark", "--no-agent"]).ok();
    repo.wt(&["spawn", "dark-2", "--no-agent"]).ok();
    insta::assert_snapshot!(*refused(&env, &repo, &["spawn", "dark", "--no-agent"], 1), @"
    --- stderr ---
    error: there is a variant `Dark` already
    hint: look at it: `wt list`
    hint: take another name: `wt spawn dark-3`
    [exit 1]
    ");
    // One member that is taken, and none of them is made.
    refused(&env, &repo, &["spawn", "dark", "--variants", "3", "--no-agent"], 1);
}

#[test]
fn a_branch_that_exists_or_cannot() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.git(&["branch", "feature/a"]);
    insta::assert_snapshot!(*refused(&env, &repo, &["spawn", "a", "--no-agent"], 1), @"
    --- stderr ---
    error: branch `feature/a` exists already
    hint: make it a variant: `wt adopt feature/a`
    hint: take another name: `wt spawn a-2`
    [exit 1]
    ");
    repo.git(&["worktree", "add", "-q", "-b", "feature/b", "../elsewhere"]);
    insta::assert_snapshot!(*refused(&env, &repo, &["spawn", "b", "--no-agent"], 1), @"
    --- stderr ---
    error: branch `feature/b` exists already, checked out at `$DIR/elsewhere`
    hint: make it a variant: `wt adopt feature/b`
    hint: take another name: `wt spawn b-2`
    [exit 1]
    ");
    repo.git(&["checkout", "-q", "-b", "feature/c"]);
    insta::assert_snapshot!(*refused(&env, &repo, &["spawn", "c", "--no-agent"], 1), @"
    --- stderr ---
    error: branch `feature/c` exists already, checked out at `$DIR/shop`
    hint: take another name: `wt spawn c-2`
    [exit 1]
    ");
    env.config("[worktree]\nbranch = \"feature/a/{name}\"\n");
    insta::assert_snapshot!(*refused(&env, &repo, &["spawn", "d", "--no-agent"], 1), @"
    --- stderr ---
    error: there is a branch `feature/a`, so there cannot be `feature/a/d`
    hint: name branches otherwise: `worktree.branch` in ~/.config/wt/config.toml or wt.toml
    [exit 1]
    ");
}

#[test]
fn a_directory_that_is_in_the_way() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    env.write("shop-worktrees/a/precious.txt", "mine");
    insta::assert_snapshot!(*refused(&env, &repo, &["spawn", "a", "--no-agent"], 1), @"
    --- stderr ---
    error: `$DIR/shop-worktrees/a` exists already; it was not touched
    hint: take another name, or move it away
    [exit 1]
    ");
    env.write("shop-worktrees/b", "a file");
    refused(&env, &repo, &["spawn", "b", "--no-agent"], 1);
    std::os::unix::fs::symlink("nowhere", env.dir().join("shop-worktrees/c")).unwrap();
    refused(&env, &repo, &["spawn", "c", "--no-agent"], 1);
    std::fs::create_dir(env.dir().join("shop-worktrees/d")).unwrap();
    refused(&env, &repo, &["spawn", "d", "--no-agent"], 1);
    repo.git(&["worktree", "add", "-q", "-b", "x", "../shop-worktrees/e"]);
    insta::assert_snapshot!(*refused(&env, &repo, &["spawn", "e", "--no-agent"], 1), @"
    --- stderr ---
    error: `$DIR/shop-worktrees/e` exists already; it was not touched
    hint: make this worktree a variant: `wt adopt $DIR/shop-worktrees/e`
    [exit 1]
    ");
    std::fs::remove_dir_all(env.dir().join("shop-worktrees/e")).unwrap();
    insta::assert_snapshot!(*refused(&env, &repo, &["spawn", "e", "--no-agent"], 1), @"
    --- stderr ---
    error: `$DIR/shop-worktrees/e` is still registered as a worktree, though it is gone
    hint: forget it: `git -C $DIR/shop worktree remove $DIR/shop-worktrees/e`
    [exit 1]
    ");
    // What stands above it is a file.
    let env = TestEnv::new();
    let repo = env.repo("shop");
    env.write("shop-worktrees", "a file");
    refused(&env, &repo, &["spawn", "a", "--no-agent"], 1);
}

#[test]
fn an_agent_that_is_not_there() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    insta::assert_snapshot!(*refused(&env, &repo, &["spawn", "a", "do it"], 1), @"
    --- stderr ---
    error: agent `claude`: no `claude` on PATH
    hint: install it: `npm install --global @anthropic-ai/claude-code`
    hint: or make the variant alone: `--no-agent`
    [exit 1]
    ");
    insta::assert_snapshot!(*refused(&env, &repo, &["spawn", "a", "do it", "--agent", "cladue"], 2), @"
    --- stderr ---
    error: there is no agent `cladue`
      known agents: aider, claude, codex, gemini, opencode, qwen, scripted
    hint: did you mean `--agent claude`?
    [exit 2]
    ");
    let args = ["spawn", "a", "--exec", "--", "no-such-program"];
    insta::assert_snapshot!(*refused(&env, &repo, &args, 1), @"
    --- stderr ---
    error: no `no-such-program` on PATH
    [exit 1]
    ");
}

#[test]
fn an_agent_that_is_not_logged_in() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let claude = env.program("claude", NEVER);
    insta::assert_snapshot!(*refused(&env, &repo, &["spawn", "a", "do it"], 5), @"
    --- stderr ---
    error: `claude` is not logged in
    hint: log in: `claude auth login`
    [exit 5]
    ");
    // The second of a fan-out: the first is not made either.
    env.program("codex", NEVER);
    refused(&env, &repo, &["spawn", "a", "do it", "--agents", "codex,claude"], 5);
    assert!(!claude.with_extension("ran").exists());
}

#[test]
fn an_empty_prompt() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let exec = ["--agent", "scripted"];
    let args = [&["spawn", "a", " \n "][..], &exec].concat();
    insta::assert_snapshot!(*refused(&env, &repo, &args, 2), @r#"
    --- stderr ---
    error: the prompt is empty
    hint: say what is to be done: `wt spawn NAME "…"`, or `-` to read it from a pipe
    hint: or make the variant without an agent: `wt spawn NAME --no-agent`
    [exit 2]
    "#);
    // Nobody is here to be asked.
    refused(&env, &repo, &[&["spawn", "a"][..], &exec].concat(), 2);
    env.write("empty", "");
    refused(&env, &repo, &[&["spawn", "a", "--prompt-file", "../empty"][..], &exec].concat(), 2);
    refused(&env, &repo, &[&["spawn", "a", "--prompt-file", "../none"][..], &exec].concat(), 1);
    env.write("bytes", b"\xff\xfe");
    refused(&env, &repo, &[&["spawn", "a", "--prompt-file", "../bytes"][..], &exec].concat(), 2);
    env.write("zero", b"a\0b");
    refused(&env, &repo, &[&["spawn", "a", "--prompt-file", "../zero"][..], &exec].concat(), 2);
    env.write("huge", "x".repeat(1024 * 1024 + 1));
    refused(&env, &repo, &[&["spawn", "a", "--prompt-file", "../huge"][..], &exec].concat(), 2);
    refused(&env, &repo, &["spawn", "a", "do it", "--no-agent"], 2);
}

#[test]
fn roles_models_and_permissions_that_are_not_there() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let scripted =
        |more: &[&'static str]| [&["spawn", "a", "do it", "--agent", "scripted"], more].concat();
    insta::assert_snapshot!(*refused(&env, &repo, &scripted(&["--role", "wizard"]), 2), @"
    --- stderr ---
    error: there is no role `wizard`
      known roles: engineer, explorer
    [exit 2]
    ");
    refused(&env, &repo, &scripted(&["--model", "--help"]), 2);
    refused(&env, &repo, &scripted(&["--model", ""]), 2);
    refused(&env, &repo, &scripted(&["--permissions", "root"]), 2);
    env.program("mine", NEVER);
    let template = "about = 'mine'\nprogram = ['mine']\ndialect = 'plain'\nmetering = 'none'\n\
                    prompt = 'stdin'\nsession = 'none'\nstart = []\n[permissions.read]\n\
                    [permissions.work]\n[permissions.full]\n[login]\notherwise = 'in'\n";
    env.write("config/wt/agents/mine.toml", template);
    let args = ["spawn", "a", "do it", "--agent", "mine", "--model", "big"];
    insta::assert_snapshot!(*refused(&env, &repo, &args, 2), @"
    --- stderr ---
    error: agent `mine` takes no model
    [exit 2]
    ");
}

#[test]
fn words_that_make_no_sense_together() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    for args in [
        &["--variants", "0"][..],
        &["--variants", "51"],
        &["--variants", "x"],
        &["--priority", "0"],
        &["--priority", "11"],
        &["--agents", "codex:0"],
        &["--agents", "codex:99"],
        &["--agents", ":2"],
        &["--agents", "codex", "--variants", "2"],
        &["--agent", "codex", "--no-agent"],
        &["--exec"],
        &["--", "true"],
        &["--no-agent", "--exec", "--", "true"],
        &["--prompt-file", "x"],
    ] {
        refused(&env, &repo, &[&["spawn", "a", "do it"], args].concat(), 2);
    }
}

#[test]
fn a_revision_that_names_nothing() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    insta::assert_snapshot!(*refused(&env, &repo, &["spawn", "a", "--no-agent", "--from", "nope"], 1), @"
    --- stderr ---
    error: `nope` names no commit
    hint: see the branches there are: `git branch --all`
    [exit 1]
    ");
    for from in ["--upload-pack=x", "-x", "HEAD:README.md", "main~99", "", "main..main"] {
        let from = format!("--from={from}");
        refused(&env, &repo, &["spawn", "a", "--no-agent", &from], 1);
    }
}

#[test]
fn an_error_is_one_json_object() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let said = repo.wt(&["--json", "spawn", "a b", "--no-agent"]).code(2);
    assert_eq!((said.json()["kind"].as_str(), said.stderr.as_str()), (Some("error"), ""));
    assert_eq!(said.json()["error"]["hints"][0], "a name that works: `a-b`");
}

#[test]
fn what_git_refuses_is_taken_back() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    // A branch `feature/a/b` and a branch `feature/a` cannot be together.
    repo.git(&["branch", "feature/a/b"]);
    let said = refused(&env, &repo, &["spawn", "a", "--no-agent"], 1);
    assert!(said.stderr.contains("feature/a"), "{said}");
    // A hook that says no.
    let hook = env.write("shop/.git/hooks/post-checkout", "#!/bin/sh\necho never >&2\nexit 1\n");
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let said = refused(&env, &repo, &["spawn", "c", "--variants", "2", "--no-agent"], 1);
    assert!(said.stderr.contains("never"), "{said}");
}

#[test]
fn from_within_a_directory_that_is_gone() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    refused_in(&env, (&repo, &repo.dir), &["-C", "nowhere", "spawn", "a", "--no-agent"], 2);
}
