//! No command starts more git processes than it must.

use crate::support::env::TestEnv;
use crate::support::git_calls::GitCalls;

#[test]
fn words_need_no_git() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let git = GitCalls::watch(&env);
    for args in [&["--version"][..], &["--help"], &["path", "--help"]] {
        let (said, calls) = git.during(|| shop.wt(args));
        let _ = said.ok();
        assert!(calls.is_empty(), "{args:?}: {calls:?}");
    }
}

#[test]
fn finding_a_repository_needs_no_git() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let git = GitCalls::watch(&env);
    let (said, calls) = git.during(|| shop.wt(&["path"]));
    let _ = said.ok();
    assert!(calls.is_empty(), "{calls:?}");
    let (_, calls) = git.during(|| shop.git(&["rev-parse", "HEAD"]));
    assert_eq!(calls, ["rev-parse HEAD"], "what is started is written down");
}

#[test]
fn a_variant_is_made_by_one_call() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let git = GitCalls::watch(&env);
    let (said, calls) = git.during(|| shop.wt(&["spawn", "a", "--no-agent"]));
    let _ = said.ok();
    assert!(calls.len() == 1 && calls[0].contains(" worktree add "), "{calls:?}");
}

#[test]
fn a_variant_goes_and_comes_back_by_few_calls() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    shop.wt(&["spawn", "a", "--no-agent"]).ok();
    let git = GitCalls::watch(&env);
    // Its status; a ref that keeps its commit, HEAD detached, the branch deleted.
    let (said, calls) = git.during(|| shop.wt(&["cleanup", "a"]));
    let _ = said.ok();
    assert_eq!(calls.len(), 4, "{calls:#?}");
    // The branch made, HEAD attached, the ref let go.
    let (said, calls) = git.during(|| shop.wt(&["restore", "a"]));
    let _ = said.ok();
    assert_eq!(calls.len(), 3, "{calls:#?}");
}
