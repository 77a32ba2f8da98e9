//! Each way to merge, as a person sees it.

use super::{DARK, LIGHT, assert_tidy, spawned, still, variant};

#[test]
fn the_winner_moves_the_branch_on_and_the_rest_is_told() {
    let env = still();
    let shop = env.repo("shop");
    spawned(&env, &shop, "theme-light", &[("src/theme.css", LIGHT)]);
    let dark =
        spawned(&env, &shop, "theme-dark", &[("src/theme.css", DARK), ("src/tokens.ts", "1\n")]);
    dark.write("src/app.txt", "short\n");
    dark.commit("more");
    insta::assert_snapshot!(*shop.wt(&["merge", "theme-dark", "--dry-run"]).ok(), @r"
    plan      theme-dark into main #######, 2 commits
    gives     3 files +4 −22, fast-forward
    nothing was changed
    ");
    insta::assert_snapshot!(*shop.wt(&["merge", "theme-dark"]).ok(), @r"
     src/app.txt   | 21 +−−−−−−−−−−−−−−−−−−−−
     src/theme.css |  4 ++−−
     src/tokens.ts |  1 +
     3 files changed, 4 insertions(+), 22 deletions(−)
    ✓ merged. theme-light now conflicts with main in src/theme.css
    next  wt cleanup --losers --force
    --- stderr ---
    Step 1  check     2 commits, 3 files, clean with main #######
    Step 2  merge     main #######..#######  fast-forward
    ");
    assert_eq!(shop.head(), dark.head());
    assert_eq!((shop.status().as_str(), shop.read("src/app.txt").as_str()), ("", "short\n"));
    assert_tidy(&env, &shop);
    insta::assert_snapshot!(*shop.wt(&["merge", "theme-dark"]).ok(), @"nothing to merge from theme-dark into main: main stands at the same commit");
    let log = shop.git_line(&["log", "-g", "-1", "--format=%gs", "main"]);
    assert_eq!(log, "wt merge: theme-dark");
}

#[test]
fn branches_that_went_apart_meet_in_a_merge_commit() {
    let env = still();
    let shop = env.repo("shop");
    let dark = spawned(&env, &shop, "dark", &[("src/theme.css", DARK)]);
    shop.write("README.md", "# A better shop\n");
    let main = shop.commit("of main");
    insta::assert_snapshot!(*shop.wt(&["merge", "dark"]).ok(), @r"
     src/theme.css | 4 ++−−
     1 file changed, 2 insertions(+), 2 deletions(−)
    ✓ merged
    next  wt cleanup dark
    --- stderr ---
    Step 1  check     1 commit, 1 file, clean with main #######
    Step 2  merge     main #######..#######  merge commit
    ");
    let parents = shop.git_line(&["log", "-1", "--format=%P"]);
    assert_eq!(parents, format!("{main} {}", dark.head()));
    assert_eq!(shop.git_line(&["log", "-1", "--format=%s"]), "Merge branch 'feature/dark'");
    assert_eq!((shop.status().as_str(), shop.read("src/theme.css").as_str()), ("", DARK));
    assert_tidy(&env, &shop);
}

#[test]
fn one_commit_its_commits_again_or_some_of_them() {
    let env = still();
    let shop = env.repo("shop");
    for name in ["a", "b", "c", "d"] {
        let one = spawned(&env, &shop, name, &[(&format!("{name}.txt"), "one\n")]);
        one.write(&format!("{name}.txt"), "two\n");
        one.commit(&format!("more of {name}"));
    }
    shop.write("main.txt", "main\n");
    shop.commit("of main");
    let subjects = |count: &str| shop.git(&["log", "-n", count, "--format=%s"]);

    insta::assert_snapshot!(*shop.wt(&["merge", "a", "--squash"]).ok(), @r"
     a.txt | 1 +
     1 file changed, 1 insertion(+), 0 deletions(−)
    ✓ merged
    next  wt cleanup a
    --- stderr ---
    Step 1  check     2 commits, 1 file, clean with main #######
    Step 2  merge     main #######..#######  2 commits squashed
    ");
    assert_eq!(subjects("2"), "Squash branch 'feature/a'\nof main\n");
    shop.wt(&["merge", "b", "--squash", "-m", "All of b"]).ok();
    assert_eq!(subjects("1"), "All of b\n");
    insta::assert_snapshot!(*shop.wt(&["merge", "c", "--rebase"]).ok(), @r"
     c.txt | 1 +
     1 file changed, 1 insertion(+), 0 deletions(−)
    ✓ merged
    next  wt cleanup c
    --- stderr ---
    Step 1  check     2 commits, 1 file, clean with main #######
    Step 2  merge     main #######..#######  2 commits rebased
    ");
    assert_eq!(subjects("3"), "more of c\nwork of c\nAll of b\n");
    insta::assert_snapshot!(*shop.wt(&["merge", "d", "--pick", "HEAD~1"]).ok(), @r"
     d.txt | 1 +
     1 file changed, 1 insertion(+), 0 deletions(−)
    ✓ merged
    next  wt cleanup d
    --- stderr ---
    Step 1  check     2 commits, 1 file, clean with main #######
    Step 2  merge     main #######..#######  1 commit picked
    ");
    assert_eq!((subjects("1"), shop.read("d.txt")), ("work of d\n".into(), "one\n".into()));
    let merges = shop.git(&["rev-list", "--merges", "HEAD"]);
    assert_eq!(merges, "");
    assert_tidy(&env, &shop);
}

#[test]
fn a_merge_commit_or_none_as_asked() {
    let env = still();
    let shop = env.repo("shop");
    spawned(&env, &shop, "a", &[("a.txt", "a\n")]);
    spawned(&env, &shop, "b", &[("b.txt", "b\n")]);
    shop.wt(&["merge", "a", "--no-ff", "-m", "a, by name"]).ok();
    assert_eq!(shop.git_line(&["log", "-1", "--format=%s"]), "a, by name");
    insta::assert_snapshot!(*shop.wt(&["merge", "b", "--ff-only"]).code(5), @r"
    --- stderr ---
    error: `main` cannot just move on to `b`: it has 2 commits of its own
    hint: make a merge commit: `wt merge b --no-ff`
    hint: put its commits on top: `wt merge b --rebase`
    [exit 5]
    ");
    env.config("[merge]\nstrategy = \"rebase\"\n");
    shop.wt(&["merge", "b"]).ok();
    assert_eq!(shop.git_line(&["log", "-1", "--format=%s"]), "work of b");
    assert_tidy(&env, &shop);
}

#[test]
fn the_users_own_settings_for_merging_hold() {
    let env = still();
    let shop = env.repo("shop");
    spawned(&env, &shop, "a", &[("a.txt", "a\n")]);
    spawned(&env, &shop, "b", &[("b.txt", "b\n")]);
    shop.git(&["config", "merge.ff", "false"]);
    shop.wt(&["merge", "a"]).ok();
    assert_eq!(shop.git_line(&["log", "-1", "--format=%s"]), "Merge branch 'feature/a'");
    shop.git(&["config", "--unset", "merge.ff"]);
    shop.git(&["config", "branch.main.mergeOptions", "--no-ff -m 'by options'"]);
    shop.wt(&["merge", "b"]).ok();
    assert_eq!(shop.git_line(&["log", "-1", "--format=%s"]), "by options");
}

#[test]
fn uncommitted_work_of_the_variant_comes_along() {
    let env = still();
    let shop = env.repo("shop");
    shop.wt(&["spawn", "dark", "--no-agent"]).ok();
    let dark = variant(&env, "dark");
    dark.write("src/theme.css", DARK);
    dark.write("src/new.css", "a {}\n");
    dark.write("id_rsa", "secret\n");
    insta::assert_snapshot!(*shop.wt(&["merge", "dark", "-n"]).ok(), @r"
    plan      dark into main #######, 0 commits
    first     commit 3 uncommitted files of dark, not looked into here
    nothing was changed
    ");
    insta::assert_snapshot!(*shop.wt(&["merge", "dark"]).ok(), @r"
     src/new.css   | 1 +
     src/theme.css | 4 ++−−
     2 files changed, 3 insertions(+), 2 deletions(−)
    ✓ merged
    next  wt cleanup dark
    --- stderr ---
    First   commit    2 uncommitted files of dark
    warning: 1 uncommitted file of `dark` not merged: id_rsa (secrets have such names)
    Step 1  check     1 commit, 2 files, clean with main #######
    Step 2  merge     main #######..#######  fast-forward
    ");
    assert_eq!(shop.git_line(&["log", "-1", "--format=%s"]), "wip: uncommitted work");
    assert_eq!(
        (shop.read("src/theme.css").as_str(), dark.status().as_str()),
        (DARK, "?? id_rsa\n")
    );
}

#[test]
fn another_branch_whether_checked_out_or_not() {
    let env = still();
    let shop = env.repo("shop");
    spawned(&env, &shop, "a", &[("a.txt", "a\n")]);
    shop.git(&["branch", "release"]);
    let main = shop.head();
    shop.wt(&["merge", "a", "--into", "release"]).ok();
    assert_eq!(shop.at_ref("refs/heads/release"), shop.at_ref("refs/heads/feature/a"));
    assert_eq!((shop.head(), shop.status().as_str(), shop.has("a.txt")), (main, "", false));

    let other = env.dir().join("other");
    shop.git(&["worktree", "add", "-q", "-b", "next", other.to_str().unwrap(), "main"]);
    let other = env.at(other);
    other.write("mine.txt", "unknown to git\n");
    shop.wt(&["merge", "a", "--into", "next"]).ok();
    assert_eq!((other.read("a.txt").as_str(), other.status().as_str()), ("a\n", "?? mine.txt\n"));

    spawned(&env, &shop, "b", &[("b.txt", "b\n")]);
    shop.wt(&["merge", "b", "--into", "feature/a"]).ok();
    assert_eq!(
        (variant(&env, "a").read("b.txt").as_str(), variant(&env, "a").status().as_str()),
        ("b\n", "")
    );

    shop.git(&["checkout", "-q", "--detach"]);
    shop.wt(&["merge", "a"]).ok();
    assert_eq!((shop.status().as_str(), shop.has("a.txt")), ("", false), "HEAD has left main");
    assert_eq!(shop.at_ref("refs/heads/main"), shop.at_ref("refs/heads/feature/a"));
}

#[test]
fn json_is_the_same_in_numbers() {
    let env = still();
    let shop = env.repo("shop");
    spawned(&env, &shop, "a", &[("a.txt", "a\nb\n")]);
    let planned = shop.wt(&["merge", "a", "--dry-run", "--json"]).ok().json();
    assert_eq!((&planned["result"], &planned["expected"]["files"]), (&"planned".into(), &1.into()));
    let said = shop.wt(&["merge", "a", "--json"]).ok().json();
    assert_eq!((&said["schema"], &said["kind"]), (&1.into(), &"merge".into()));
    assert_eq!((&said["result"], &said["how"]), (&"merged".into(), &"fast-forward".into()));
    assert_eq!(said["files"][0]["lines"]["added"], 2);
    assert_eq!(said["new"], shop.head());
    let again = shop.wt(&["merge", "a", "--json"]).ok().json();
    assert_eq!(again["result"], "already-in");
}

#[test]
fn a_merge_can_be_taken_back_and_made_again() {
    let env = still();
    let shop = env.repo("shop");
    spawned(&env, &shop, "a", &[("a.txt", "a\n"), ("src/theme.css", DARK)]);
    let before = shop.head();
    shop.write("README.md", "# Mine, uncommitted\n");
    shop.wt(&["merge", "a"]).ok();
    shop.wt(&["undo"]).ok();
    assert_eq!((shop.head(), shop.status().as_str()), (before, " M README.md\n"));
    shop.wt(&["merge", "a"]).ok();
    assert_eq!(shop.status(), " M README.md\n");
    assert_tidy(&env, &shop);
}
