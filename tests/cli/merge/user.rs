//! What is the user's own stays so: hooks, signatures, uncommitted work, other git processes.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{DARK, assert_tidy, spawned, still};
use crate::support::git_calls::GitCalls;
use crate::support::repo::TestRepo;

fn hook(shop: &TestRepo<'_>, name: &str, script: &str) {
    shop.write(&format!(".git/hooks/{name}"), format!("#!/bin/sh\n{script}\n"));
    let path = shop.dir.join(".git/hooks").join(name);
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// A variant beside which `main` has gone on, so that a merge takes a commit.
fn apart(shop: &TestRepo<'_>) {
    shop.write("README.md", "# main\n");
    shop.git(&["commit", "-q", "-a", "-m", "of main"]);
}

#[test]
fn hooks_run_as_gits_own_merge_runs_them() {
    let env = still();
    let shop = env.repo("shop");
    spawned(&env, &shop, "a", &[("src/theme.css", DARK)]);
    apart(&shop);
    let log = env.dir().join("log");
    let note =
        |name: &str| format!("echo \"{name} $(ls src | tr '\\n' ' ')$#\" >> '{}'", log.display());
    for name in ["pre-merge-commit", "commit-msg", "post-merge", "pre-commit", "post-checkout"] {
        hook(&shop, name, &note(name));
    }
    shop.wt(&["merge", "a"]).ok();
    let said = std::fs::read_to_string(&log).unwrap();
    assert_eq!(
        said,
        "pre-merge-commit app.txt theme.css 0\ncommit-msg app.txt theme.css 1\npost-merge app.txt theme.css 1\n"
    );
    assert_tidy(&env, &shop);
}

#[test]
fn a_hook_that_says_no_is_heard_and_changes_nothing() {
    let env = still();
    let shop = env.repo("shop");
    spawned(&env, &shop, "a", &[("src/theme.css", DARK)]);
    apart(&shop);
    let before = shop.head();
    hook(&shop, "pre-merge-commit", "echo 'lint: 3 problems' >&2; exit 1");
    insta::assert_snapshot!(*shop.wt(&["merge", "a"]).code(1), @r"
    --- stderr ---
    error: git stopped merging `a`; `main` is untouched
      lint: 3 problems
    hint: put that right, then merge again: the same command
    [exit 1]
    ");
    assert_eq!((shop.head(), shop.status().as_str()), (before, ""));
    assert_tidy(&env, &shop);
    hook(&shop, "pre-merge-commit", "exit 0");
    hook(&shop, "post-merge", "echo nothing to install >&2; exit 1");
    insta::assert_snapshot!(*shop.wt(&["merge", "a"]).ok(), @r"
     src/theme.css | 4 ++−−
     1 file changed, 2 insertions(+), 2 deletions(−)
    ✓ merged
    next  wt cleanup a
    --- stderr ---
    Step 1  check     1 commit, 1 file, clean with main #######
    Step 2  merge     main #######..#######  merge commit
    warning: merged, but the hook `post-merge` failed: nothing to install
    ");
}

#[test]
fn signatures_are_made_where_the_user_wants_them() {
    let env = still();
    let shop = env.repo("shop");
    spawned(&env, &shop, "a", &[("a.txt", "a\n")]);
    spawned(&env, &shop, "b", &[("b.txt", "b\n")]);
    apart(&shop);
    let script = "#!/bin/sh\necho '[GNUPG:] SIG_CREATED ' >&2; cat >/dev/null; echo by-me\n";
    env.program("my-gpg", script);
    shop.git(&["config", "gpg.program", "my-gpg"]);
    shop.wt(&["merge", "a"]).ok();
    assert!(!shop.git(&["cat-file", "commit", "HEAD"]).contains("gpgsig"));
    shop.git(&["config", "commit.gpgSign", "true"]);
    env.program("my-gpg", "#!/bin/sh\necho no such key >&2; exit 2\n");
    let said = shop.wt(&["merge", "b"]).code(1);
    assert!(said.stderr.contains("failed to sign"), "{said}");
    shop.wt(&["merge", "b", "--dry-run"]).ok();
    env.program("my-gpg", script);
    shop.wt(&["merge", "b"]).ok();
    assert!(shop.git(&["cat-file", "commit", "HEAD"]).contains("gpgsig by-me"));
    assert_tidy(&env, &shop);
}

#[test]
fn a_commit_of_the_users_meanwhile_fails_or_is_merged_with() {
    let env = still();
    let shop = env.repo("shop");
    spawned(&env, &shop, "a", &[("a.txt", "a\n")]);
    apart(&shop);
    // While git makes the merge, the user commits; only then does the branch move.
    let commit = "test -e ../../shop/once && exit 0; cd ../../shop; touch once; \
                  unset $(git rev-parse --local-env-vars); \
                  git commit -q --allow-empty -m mine";
    hook(&shop, "pre-merge-commit", commit);
    shop.wt(&["merge", "a"]).ok();
    let log = shop.git(&["log", "--first-parent", "-3", "--format=%s"]);
    assert_eq!(log, "Merge branch 'feature/a'\nmine\nof main\n");
    assert_eq!(shop.status(), "?? once\n");
    assert_tidy(&env, &shop);
}

#[test]
fn while_the_branch_moves_the_users_commit_fails_cleanly() {
    let env = still();
    let shop = env.repo("shop");
    spawned(&env, &shop, "a", &[("a.txt", "a\n")]);
    let before = shop.head();
    // git runs this one when the index was changed: in the middle of the landing.
    let log = env.dir().join("log");
    let commit = format!(
        "test \"$(basename \"$(dirname \"$GIT_INDEX_FILE\")\")\" = wt-landing || exit 0; \
         unset $(git rev-parse --local-env-vars); \
         git commit --allow-empty -m mine >> '{0}' 2>&1; echo \"exit $?\" >> '{0}'; exit 0",
        log.display()
    );
    hook(&shop, "post-index-change", &commit);
    shop.wt(&["merge", "a"]).ok();
    std::fs::remove_file(shop.dir.join(".git/hooks/post-index-change")).unwrap();
    let said = std::fs::read_to_string(&log).unwrap();
    assert!(said.contains("index.lock': File exists") && said.contains("exit 128"), "{said}");
    assert!(!said.contains("exit 0"), "{said}");
    assert_eq!(shop.git_line(&["rev-parse", "HEAD^"]), before);
    assert_eq!((shop.read("a.txt").as_str(), shop.status().as_str()), ("a\n", ""));
    assert_tidy(&env, &shop);
}

#[test]
fn uncommitted_work_elsewhere_survives_byte_for_byte() {
    let env = still();
    let shop = env.repo("shop");
    shop.write("link", "");
    std::fs::remove_file(shop.dir.join("link")).unwrap();
    std::os::unix::fs::symlink("README.md", shop.dir.join("link")).unwrap();
    shop.commit("a link");
    spawned(&env, &shop, "a", &[("src/theme.css", DARK), ("new/deep.txt", "x\n")]);
    apart(&shop);
    shop.write("src/app.txt", "staged\n");
    shop.git(&["add", "src/app.txt"]);
    shop.write("src/app.txt", "staged, and more\r\n\0");
    shop.git(&["rm", "-q", "--cached", ".gitignore"]);
    std::fs::remove_file(shop.dir.join("link")).unwrap();
    std::os::unix::fs::symlink("nowhere", shop.dir.join("link")).unwrap();
    shop.write("node_modules/big", "ignored\n");
    shop.write("new/mine.txt", "in a directory that the merge fills\n");
    let state = || {
        let index = shop.git(&["ls-files", "-s", "src/app.txt", ".gitignore", "link"]);
        let link = std::fs::read_link(shop.dir.join("link")).unwrap();
        (
            index,
            link,
            shop.read("src/app.txt"),
            shop.read("new/mine.txt"),
            shop.read("node_modules/big"),
        )
    };
    let status = || shop.git(&["status", "--short", "--untracked-files=all"]);
    let before = (state(), status());
    shop.wt(&["merge", "a"]).ok();
    assert_eq!((state(), status()), before);
    assert_eq!(
        (shop.read("src/theme.css").as_str(), shop.read("new/deep.txt").as_str()),
        (DARK, "x\n")
    );
    shop.wt(&["undo"]).ok();
    assert_eq!((state(), status()), before);
    assert!(!Path::new(&shop.dir.join("new/deep.txt")).exists());
}

#[test]
fn no_more_git_processes_than_it_takes() {
    let env = still();
    let shop = env.repo("shop");
    spawned(&env, &shop, "a", &[("a.txt", "a\n")]);
    spawned(&env, &shop, "b", &[("b.txt", "b\n")]);
    let calls = GitCalls::watch(&env);
    let (_, moved_on) = calls.during(|| shop.wt(&["merge", "a"]).ok());
    let (_, merged) = calls.during(|| shop.wt(&["merge", "b"]).ok());
    assert!(moved_on.len() <= 14, "{}\n{}", moved_on.len(), moved_on.join("\n"));
    assert!(merged.len() <= 20, "{}\n{}", merged.len(), merged.join("\n"));
}
