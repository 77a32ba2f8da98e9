//! What a new variant holds besides its commit.

use super::{refused, variants};
use crate::support::env::TestEnv;

#[test]
fn uncommitted_work_comes_along_and_stays() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.write("src/app.txt", "changed\n");
    repo.write("staged", "s");
    repo.git(&["add", "staged"]);
    repo.write("untracked/ä b", "u");
    std::fs::remove_file(repo.dir.join("README.md")).unwrap();
    let before = repo.status();
    insta::assert_snapshot!(*repo.wt(&["spawn", "a", "--with-changes", "--no-agent"]).ok(), @r#"
    variant  ../shop-worktrees/a  feature/a from main #######
    changes  4 files taken along, staged and unstaged as here
    enter    cd "$(wt path a)"
    "#);
    let variant = env.at(env.dir().join("shop-worktrees/a"));
    assert_eq!((variant.status(), repo.status()), (before.clone(), before));
    assert_eq!(variant.read("untracked/ä b"), "u");
    // From inside of a variant it is that one's work.
    variant.write("more", "m");
    variant.wt(&["spawn", "b", "--with-changes", "--no-agent"]).ok();
    assert!(env.dir().join("shop-worktrees/b/more").exists());
}

#[test]
fn work_that_does_not_fit_is_refused() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.write("src/app.txt", "second\n");
    repo.commit("second");
    repo.write("src/app.txt", "third\n");
    let args = ["spawn", "a", "--with-changes", "--no-agent", "--from", "main~1"];
    insta::assert_snapshot!(*refused(&env, &repo, &args, 3), @"
    --- stderr ---
    ✗ the changes here conflict with #######, where the variant begins
      src/app.txt
    hint: fork from where you stand instead: leave out `--from`
    [exit 3]
    ");
    repo.wt(&["spawn", "none", "--no-agent"]).ok();
    let nothing = env.at(env.dir().join("shop-worktrees/none"));
    nothing.wt(&["spawn", "b", "--with-changes", "--no-agent"]).ok();
}

#[test]
fn setup_runs_before_one_is_back_when_there_is_no_agent() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    env.config(
        "[worktree]\nsetup = [\"echo one >&2; pwd > here\", \"echo $URL > url; exit 0\"]\n\
         [env]\nURL = \"db_{name} {branch} {repo} {x} $(echo {path})\"\n",
    );
    insta::assert_snapshot!(*repo.wt(&["spawn", "a", "--no-agent"]).ok(), @r#"
    variant  ../shop-worktrees/a  feature/a from main #######
    enter    cd "$(wt path a)"
    --- stderr ---
    setup    echo one >&2; pwd > here
      one
    setup    echo $URL > url; exit 0
    "#);
    let variant = env.at(env.dir().join("shop-worktrees/a"));
    assert_eq!(variant.read("here").trim_end(), variant.dir.to_str().unwrap());
    let url = format!("db_a feature/a shop {{x}} $(echo {})\n", variant.dir.display());
    assert_eq!(variant.read("url"), url);
}

#[test]
fn a_setup_that_fails_is_told_with_its_last_lines_and_taken_back() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    env.config("[worktree]\nsetup = [\"true\", \"seq 30; mkdir node_modules; exit 7\"]\n");
    let said = refused(&env, &repo, &["spawn", "a", "--no-agent", "--quiet"], 1);
    insta::assert_snapshot!(*said, @"
    --- stderr ---
    error: setup command `seq 30; mkdir node_modules; exit 7` exited with 7
      11
      12
      13
      14
      15
      16
      17
      18
      19
      20
      21
      22
      23
      24
      25
      26
      27
      28
      29
      30
    hint: mend it in the settings: `wt config show worktree.setup`
    [exit 1]
    ");
    assert!(!env.dir().join("shop-worktrees").exists());
    // What it left in the way of a file of its own is kept, not deleted.
    env.config("[worktree]\nsetup = [\"echo mine > notes.txt; false\"]\n");
    let said = repo.wt(&["spawn", "b", "--no-agent"]).code(1);
    assert!(said.stderr.contains("it held files of yours, which are now in"), "{said}");
    assert_eq!(variants(&env), Vec::<String>::new());
    let kept =
        std::fs::read_dir(env.dir().join("shop-worktrees")).unwrap().next().unwrap().unwrap();
    assert_eq!(std::fs::read_to_string(kept.path().join("notes.txt")).unwrap(), "mine\n");
}

#[test]
fn ignored_files_are_carried_as_they_are() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    env.config("[worktree]\ncopy = [\".env*\", \"node_modules\", \"!.env.local\"]\n");
    repo.write(".env", "A=1");
    repo.write(".env.local", "B=2");
    repo.write("src/.env", "C=3");
    repo.write("node_modules/x/index.js", "x");
    std::os::unix::fs::symlink("x", repo.dir.join("node_modules/link")).unwrap();
    insta::assert_snapshot!(*repo.wt(&["spawn", "a", "--no-agent"]).ok(), @r#"
    variant  ../shop-worktrees/a  feature/a from main #######
    carried  .env · node_modules · src/.env
    enter    cd "$(wt path a)"
    "#);
    let variant = env.at(env.dir().join("shop-worktrees/a"));
    assert!(variant.has("src/.env") && !variant.has(".env.local"));
    let link = std::fs::read_link(variant.dir.join("node_modules/link")).unwrap();
    assert_eq!(link.to_str(), Some("x"));
}
