//! Syncs without conflicts.

use super::{assert_tidy, spawned, still};

#[test]
fn the_base_comes_in_by_a_merge_and_goes_out_again() {
    let env = still();
    let shop = env.repo("shop");
    let light = spawned(&env, &shop, "light", &[("light.txt", "light\n")]);
    let dark = spawned(&env, &shop, "dark", &[]);
    insta::assert_snapshot!(*shop.wt(&["sync", "light"]).ok(), @r"
    light  has all of main #######
    ");
    shop.write("src/theme.css", "new\n");
    let main = shop.commit("of main");
    light.write("README.md", "# uncommitted\n");
    let before = light.head();
    insta::assert_snapshot!(*shop.wt(&["sync", "--all", "--dry-run"]).ok(), @r"
    light  1 commit of main #######: 1 file +1 −4
      first commits 1 uncommitted file, not looked into here
    dark   1 commit of main #######: 1 file +1 −4
    nothing was changed
    ");
    assert_eq!(light.head(), before);
    insta::assert_snapshot!(*shop.wt(&["sync", "--all"]).ok(), @r"
    light  ✓ 1 commit of main #######: 1 file +1 −4, merge commit
    dark   ✓ 1 commit of main #######: 1 file +1 −4, fast-forward
    --- stderr ---
    First   commit    1 uncommitted file of light
    ");
    assert_eq!(shop.head(), main, "the base itself never moves");
    assert_eq!((light.status(), dark.head()), (String::new(), main.clone()));
    assert_eq!(
        (light.read("README.md").as_str(), light.read("src/theme.css").as_str()),
        ("# uncommitted\n", "new\n")
    );
    assert_eq!(
        light.git_line(&["log", "-1", "--format=%s"]),
        "Merge branch 'main' into feature/light"
    );
    let kept = light.at_ref("refs/wt/backup/light/20261121T100000.000Z-sync").unwrap();
    assert_eq!(shop.git_line(&["show", &format!("{kept}:README.md")]), "# uncommitted");
    assert_tidy(&env, &shop);
    let said = shop.wt(&["sync", "--all", "--json"]).ok().json();
    let results: Vec<_> =
        said["variants"].as_array().unwrap().iter().map(|v| &v["result"]).collect();
    assert_eq!(results, ["up-to-date", "up-to-date"]);

    insta::assert_snapshot!(*shop.wt(&["undo"]).ok(), @r"
    ✓ undone: sync of main into light, dark
      feature/light goes back from ####### to #######
      feature/dark goes back from ####### to #######
    ");
    assert_eq!(light.git_line(&["log", "-1", "--format=%s"]), "wip: uncommitted work");
    assert_eq!(light.git_line(&["rev-parse", "HEAD~1"]), before);
    assert!(!light.has("src/theme.css") || light.read("src/theme.css") != "new\n");
    assert_ne!(dark.head(), main);
    assert_eq!((light.status(), dark.status()), (String::new(), String::new()));
    assert!(shop.wt(&["undo"]).code(1).stderr.contains("nothing to undo"));
    // And once more the other way.
    shop.wt(&["sync", "--all"]).ok();
    assert_eq!(dark.head(), main);
}

#[test]
fn a_rebase_puts_the_commits_on_top_and_is_taken_back() {
    let env = still();
    let shop = env.repo("shop");
    let light = spawned(&env, &shop, "light", &[("light.txt", "light\n")]);
    light.write("more.txt", "more\n");
    let before = light.commit("more");
    shop.write("main.txt", "main\n");
    let main = shop.commit("of main");
    let said = light.wt(&["sync", "--rebase", "--json"]).ok().json();
    let synced = &said["variants"][0];
    assert_eq!(
        (&synced["result"], &synced["how"]),
        (&"synced".into(), &"2 commits rebased".into())
    );
    assert_eq!((&synced["old"], &synced["new"]), (&before.clone().into(), &light.head().into()));
    assert_eq!(light.git_line(&["rev-parse", "HEAD~2"]), main);
    assert_eq!(light.git_line(&["symbolic-ref", "HEAD"]), "refs/heads/feature/light");
    shop.wt(&["undo"]).ok();
    assert_eq!((light.head(), light.status()), (before.clone(), String::new()));
    // What came in as other commits is left out, and nothing but moving on is left.
    shop.git(&["cherry-pick", "feature/light~1", "feature/light"]);
    env.config("[merge]\nstrategy = \"rebase\"\n");
    shop.wt(&["sync", "light"]).ok();
    assert_eq!(light.head(), shop.head());
    shop.wt(&["undo"]).ok();
    shop.wt(&["sync", "light", "--merge"]).ok();
    assert_eq!(light.git_line(&["rev-parse", "HEAD^1"]), before);
}

#[test]
fn what_may_not_be_synced_is_refused_and_untouched() {
    let env = still();
    let shop = env.repo("shop");
    let light = spawned(&env, &shop, "light", &[("light.txt", "light\n")]);
    shop.write("main.txt", "main\n");
    shop.commit("of main");
    let before = light.head();
    light.git(&["checkout", "-q", "--detach"]);
    insta::assert_snapshot!(*shop.wt(&["sync", "light"]).code(5), @r"
    --- stderr ---
    error: the worktree of `light` has a detached HEAD, not on its branch `feature/light`
    hint: put it back: `git -C $DIR/shop-worktrees/light switch feature/light`
    [exit 5]
    ");
    light.git(&["checkout", "-q", "feature/light"]);
    light.git(&["checkout", "-q", "-b", "mine"]);
    assert!(shop.wt(&["sync", "light"]).code(5).stderr.contains("is on `mine`"));
    light.git(&["checkout", "-q", "feature/light"]);
    let admin = light.git_line(&["rev-parse", "--absolute-git-dir"]);
    std::fs::write(format!("{admin}/MERGE_HEAD"), format!("{before}\n")).unwrap();
    assert!(shop.wt(&["sync", "light"]).code(5).stderr.contains("a merge is under way"));
    std::fs::remove_file(format!("{admin}/MERGE_HEAD")).unwrap();
    insta::assert_snapshot!(*shop.wt(&["sync", "light", "--from", "nope"]).code(1), @r"
    --- stderr ---
    error: there is no branch `nope` to bring in
    hint: see those there are: `git branch`; then `wt sync light --from B`
    [exit 1]
    ");
    insta::assert_snapshot!(*shop.wt(&["sync", "light", "--from", "feature/light"]).code(2), @r"
    --- stderr ---
    error: `feature/light` cannot be brought into itself
    hint: name another branch: `--from BRANCH`
    [exit 2]
    ");
    assert!(shop.wt(&["sync"]).code(2).stderr.contains("no variant is named"));
    assert!(shop.wt(&["sync", "lihgt"]).code(1).stderr.contains("did you mean `light`"));
    // What stays uncommitted, and is in the way.
    light.write("main.txt", "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    insta::assert_snapshot!(*shop.wt(&["sync", "light"]).code(5), @r"
    --- stderr ---
    warning: 1 uncommitted file of `light` not committed: main.txt (holds what looks like a private key)
    error: the sync would touch 1 path in `$DIR/shop-worktrees/light` that hold uncommitted work
      main.txt  a file that git does not know
    hint: commit them there, or move them away; then sync again: the same command
    [exit 5]
    ");
    assert_eq!((light.head(), light.status()), (before, "?? main.txt\n".to_owned()));
    assert_tidy(&env, &shop);
}

#[test]
fn a_stale_base_is_told_and_another_branch_can_come_in() {
    let env = still();
    let shop = env.repo("shop");
    let light = spawned(&env, &shop, "light", &[("light.txt", "light\n")]);
    env.git(env.dir(), &["clone", "-q", "shop", "elsewhere"]);
    let elsewhere = env.at(env.dir().join("elsewhere"));
    elsewhere.write("theirs.txt", "theirs\n");
    elsewhere.commit("theirs");
    shop.git(&["remote", "add", "origin", "../elsewhere"]);
    shop.git(&["fetch", "-q", "origin"]);
    shop.git(&["branch", "-q", "next", "origin/main"]);
    shop.git(&["reset", "-q", "--hard", "HEAD"]);
    shop.git(&["branch", "-q", "--set-upstream-to=origin/main", "main"]);
    shop.git(&["commit", "-q", "--allow-empty", "-m", "mine"]);
    let said = shop.wt(&["sync", "light"]).ok();
    assert!(said.stderr.contains("`main` is 1 commit behind `origin/main`"), "{said}");
    shop.wt(&["sync", "light", "--from", "next"]).ok();
    assert!(light.has("theirs.txt"));
}
