//! What keeps a merge from being made, and that nothing is changed then.

use super::{DARK, assert_tidy, spawned, still, variant};
use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;
use crate::support::wait::wait_until;

/// What must be the same before and after a refusal.
fn state(shop: &TestRepo<'_>) -> (String, String, String) {
    let refs = shop.git(&["for-each-ref", "refs/heads"]);
    (refs, shop.status(), shop.git(&["stash", "list"]))
}

#[test]
fn names_that_mean_something_else() {
    let env = still();
    let shop = env.repo("shop");
    insta::assert_snapshot!(*shop.wt(&["merge", "main"]).code(2), @r"
    --- stderr ---
    error: `main` is a branch and no variant: `wt merge` is given what is merged, not what it is merged into
    hint: make it a variant first: `wt adopt main`
    hint: merge a variant into it: `wt merge NAME --into main`
    [exit 2]
    ");
    let dark = spawned(&env, &shop, "theme-dark", &[("src/theme.css", DARK)]);
    insta::assert_snapshot!(*dark.wt(&["merge", "main"]).code(2), @r"
    --- stderr ---
    error: `main` is a branch and no variant: `wt merge` is given what is merged, not what it is merged into
    hint: merge this variant into `main`: `wt merge`
    [exit 2]
    ");
    insta::assert_snapshot!(*shop.wt(&["merge", "theme-drak"]).code(1), @r"
    --- stderr ---
    error: there is no variant `theme-drak`
    hint: did you mean `theme-dark`? All of them: `wt list`
    [exit 1]
    ");
    insta::assert_snapshot!(*shop.wt(&["merge"]).code(2), @r"
    --- stderr ---
    error: no variant is named, and this is none
    hint: name one of those there are: `wt list`
    [exit 2]
    ");
    shop.git(&["branch", "topic"]);
    insta::assert_snapshot!(*shop.wt(&["merge", "topic"]).code(2), @r"
    --- stderr ---
    error: `topic` is a branch and no variant: `wt merge` is given what is merged, not what it is merged into
    hint: make it a variant first: `wt adopt topic`
    hint: merge a variant into it: `wt merge NAME --into topic`
    [exit 2]
    ");
    insta::assert_snapshot!(*shop.wt(&["merge", "theme-dark", "--into", "mian"]).code(1), @r"
    --- stderr ---
    error: there is no branch `mian` to merge into
    hint: see those there are: `git branch`; then `wt merge theme-dark --into BRANCH`
    [exit 1]
    ");
    insta::assert_snapshot!(*shop.wt(&["merge", "theme-dark", "--into", "feature/theme-dark"]).code(2), @r"
    --- stderr ---
    error: `theme-dark` cannot be merged into itself
    hint: name another branch: `--into BRANCH`
    [exit 2]
    ");
    insta::assert_snapshot!(*shop.wt(&["merge", "theme-dark", "--pick", "main~7"]).code(2), @r"
    --- stderr ---
    error: `main~7` names no commit of `theme-dark`
    hint: see its commits: `git log feature/theme-dark`
    [exit 2]
    ");
    insta::assert_snapshot!(*shop.wt(&["merge", "theme-dark", "--squash", "--rebase"]).code(2), @r"
    --- stderr ---
    error: the argument '--squash' cannot be used with '--rebase'

    Usage: wt merge --squash <NAME> [-- <PATH>...]

    For more information, try '--help'.
    [exit 2]
    ");
    dark.wt(&["merge"]).ok();
    shop.wt(&["merge", "feature/theme-dark"]).ok();
    assert_tidy(&env, &shop);
}

#[test]
fn a_variant_of_no_branch_needs_one() {
    let env = still();
    let shop = env.repo("shop");
    shop.git(&["checkout", "-q", "--detach"]);
    spawned(&env, &shop, "a", &[("a.txt", "a\n")]);
    insta::assert_snapshot!(*shop.wt(&["merge", "a"]).code(2), @r"
    --- stderr ---
    error: `a` forked from no branch, so it has none to go into
    hint: name one: `wt merge a --into BRANCH`
    [exit 2]
    ");
    shop.wt(&["merge", "a", "--into", "main"]).ok();
    assert_eq!(shop.at_ref("refs/heads/main"), shop.at_ref("refs/heads/feature/a"));
}

#[test]
fn an_agent_that_is_still_at_work() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let script = "echo early > early.txt; git add .; git commit -qm early; echo late > late.txt; \
                  until test -e go; do sleep 0.02; done";
    shop.wt(&["spawn", "a", "--exec", "--", "bash", "-c", script]).ok();
    let a = variant(&env, "a");
    wait_until("the agent has written", || a.has("late.txt"));
    let before = state(&shop);
    insta::assert_snapshot!(*shop.wt(&["merge", "a"]).code(5), @r"
    --- stderr ---
    error: the agent of `a` is still at work (task `worktree-a-xxxxxx`)
    hint: wait for it: `wt wait a && wt merge a`
    hint: end it, its work is kept: `wt stop a`
    hint: merge what it has committed so far: `wt merge a --force`
    [exit 5]
    ");
    assert_eq!(state(&shop), before);
    let said = shop.wt(&["merge", "a", "--force"]).ok();
    assert!(said.stderr.contains("its agent is still at work"), "{said}");
    assert_eq!((shop.read("early.txt").as_str(), shop.has("late.txt")), ("early\n", false));
    a.write("go", "");
    wait_until("its work is merged", || shop.wt(&["merge", "a"]).exit == Some(0));
    assert_eq!(shop.read("late.txt"), "late\n");
}

#[test]
fn work_of_the_users_at_the_same_paths() {
    let env = still();
    let shop = env.repo("shop");
    let files = [
        ("src/theme.css", DARK),
        ("src/app.txt", "app\n"),
        ("notes.txt", "n\n"),
        (".env.new", "x\n"),
    ];
    shop.wt(&["spawn", "a", "--no-agent"]).ok();
    let a = variant(&env, "a");
    for (path, text) in files {
        a.write(path, text);
    }
    a.git(&["add", "-A", "-f"]);
    a.git(&["commit", "-q", "-m", "all"]);
    shop.write("src/theme.css", "mine\n");
    shop.write("src/app.txt", "mine, staged\n");
    shop.git(&["add", "src/app.txt"]);
    shop.write("notes.txt", "mine, unknown\n");
    shop.write(".env.new", "mine, ignored\n");
    shop.write("README.md", "not in the way\n");
    let before = state(&shop);
    insta::assert_snapshot!(*shop.wt(&["merge", "a", "--dry-run"]).ok(), @r"
    plan      a into main #######, 1 commit
    gives     4 files +5 −22, fast-forward
    in the way  .env.new  an ignored file
    in the way  notes.txt  a file that git does not know
    in the way  src/app.txt  a staged change
    in the way  src/theme.css  an uncommitted change
    nothing was changed
    ");
    insta::assert_snapshot!(*shop.wt(&["merge", "a"]).code(5), @r"
    --- stderr ---
    error: the merge would touch 4 paths in `$DIR/shop` that hold work of yours
      .env.new  an ignored file
      notes.txt  a file that git does not know
      src/app.txt  a staged change
      src/theme.css  an uncommitted change
    hint: commit them on `main`, or put them away: `git stash`
    hint: move the others away, or delete them
    hint: then merge again: the same command
    [exit 5]
    ");
    assert_eq!(state(&shop), before);
    assert_eq!(
        (shop.read("src/theme.css"), shop.read(".env.new")),
        ("mine\n".into(), "mine, ignored\n".into())
    );
    assert_tidy(&env, &shop);
    let said = shop.wt(&["merge", "a", "--json"]).code(5).json();
    assert_eq!(said["error"]["data"][0]["path"], ".env.new");
    assert_eq!(said["error"]["data"][0]["why"], "ignored");
}

#[test]
fn an_operation_under_way_in_the_checkout() {
    let env = still();
    let shop = env.repo("shop");
    spawned(&env, &shop, "a", &[("a.txt", "a\n")]);
    shop.git(&["checkout", "-q", "-b", "other"]);
    shop.write("src/theme.css", "other\n");
    shop.commit("other");
    shop.git(&["checkout", "-q", "main"]);
    shop.write("src/theme.css", "main\n");
    shop.commit("main");
    let git = |args: &[&str]| env.command("git", &shop.dir).args(args).output().unwrap();
    git(&["merge", "other"]);
    insta::assert_snapshot!(*shop.wt(&["merge", "a"]).code(5), @r"
    --- stderr ---
    error: a merge is under way in `$DIR/shop`
    hint: finish it or give it up: `git -C $DIR/shop merge --continue` or `--abort`
    [exit 5]
    ");
    shop.git(&["merge", "--abort"]);
    git(&["rebase", "other"]);
    insta::assert_snapshot!(*shop.wt(&["merge", "a"]).code(5), @r"
    --- stderr ---
    error: `main` is being rebased in `$DIR/shop`
    hint: finish it or give it up: `git -C $DIR/shop rebase --continue` or `--abort`
    [exit 5]
    ");
    shop.git(&["rebase", "--abort"]);
    shop.wt(&["merge", "a"]).ok();
}

#[test]
fn a_branch_that_is_behind_what_it_follows() {
    let env = still();
    let shop = env.repo("shop");
    let remote = env.dir().join("remote.git");
    shop.git(&["clone", "-q", "--bare", ".", remote.to_str().unwrap()]);
    shop.git(&["remote", "add", "origin", remote.to_str().unwrap()]);
    shop.write("later.txt", "later\n");
    shop.commit("later");
    shop.git(&["push", "-q", "-u", "origin", "main"]);
    shop.git(&["reset", "-q", "--hard", "HEAD^"]);
    spawned(&env, &shop, "a", &[("a.txt", "a\n")]);
    let before = state(&shop);
    insta::assert_snapshot!(*shop.wt(&["merge", "a"]).code(5), @r"
    --- stderr ---
    error: `main` is 1 commit behind `origin/main`; merged into now, both will have diverged
    hint: bring it up to date first: `git -C $DIR/shop pull`
    hint: merge all the same: the same command with `--yes`
    [exit 5]
    ");
    insta::assert_snapshot!(*shop.wt(&["merge", "a", "-n"]).ok(), @r"
    plan      a into main #######, 1 commit
    asks      `main` is 1 commit behind `origin/main`; merged into now, both will have diverged
    gives     1 file +1 −0, fast-forward
    nothing was changed
    ");
    assert_eq!(state(&shop), before);
    shop.write("own.txt", "own\n");
    shop.commit("own");
    let said = shop.wt(&["merge", "a"]).code(5);
    assert!(said.stderr.contains("have diverged: 1 commit here, 1 commit there"), "{said}");
    shop.wt(&["merge", "a", "--yes"]).ok();
}

#[test]
fn a_branch_that_is_checked_out_where_it_cannot_be_moved() {
    let env = still();
    let shop = env.repo("shop");
    spawned(&env, &shop, "a", &[("a.txt", "a\n")]);
    let other = env.dir().join("other");
    shop.git(&["worktree", "add", "-q", "--force", other.to_str().unwrap(), "main"]);
    insta::assert_snapshot!(*shop.wt(&["merge", "a"]).code(5), @r"
    --- stderr ---
    error: `main` is checked out twice: in `$DIR/shop` and in `$DIR/other`
    hint: leave it in one of them: `git -C $DIR/other switch --detach`
    [exit 5]
    ");
    shop.git(&["checkout", "-q", "--detach"]);
    std::fs::remove_dir_all(&other).unwrap();
    insta::assert_snapshot!(*shop.wt(&["merge", "a"]).code(5), @r"
    --- stderr ---
    error: `main` is checked out in `$DIR/other`, which is gone
    hint: bring it back if it is only not mounted
    hint: or forget it: `git worktree remove --force $DIR/other`
    [exit 5]
    ");
    shop.git(&["worktree", "prune"]);
    shop.wt(&["merge", "a"]).ok();
}

#[test]
fn histories_that_never_met() {
    let env = still();
    let shop = env.repo("shop");
    let a = spawned(&env, &shop, "a", &[("a.txt", "a\n")]);
    a.git(&["checkout", "-q", "--orphan", "apart"]);
    a.git(&["commit", "-q", "-m", "apart"]);
    a.git(&["checkout", "-q", "-B", "feature/a"]);
    let before = state(&shop);
    insta::assert_snapshot!(*shop.wt(&["merge", "a"]).code(5), @r"
    --- stderr ---
    error: `a` and `main` share no history
    hint: take single commits: `wt merge a --pick REV`
    [exit 5]
    ");
    assert_eq!(state(&shop), before);
}

#[test]
fn something_in_the_place_of_the_scratch_worktree() {
    let env = still();
    let shop = env.repo("shop");
    spawned(&env, &shop, "a", &[("a.txt", "a\n")]);
    shop.write("main.txt", "main\n");
    shop.commit("main");
    let kept = env.write("shop-worktrees/.merge-a/mine", "mine\n");
    insta::assert_snapshot!(*shop.wt(&["merge", "a"]).code(1), @r"
    --- stderr ---
    error: `$DIR/shop-worktrees/.merge-a` is in the way, where the merge would be made
    hint: move it away, then merge again
    [exit 1]
    ");
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "mine\n");
}
