//! Conflicts wait in the variant's own worktree.

use super::{apart, assert_tidy, spawned, still};

#[test]
fn they_are_named_and_wait_in_the_worktree() {
    let env = still();
    let (shop, light) = apart(&env);
    shop.write("README.md", "# Mine, uncommitted\n");
    let (main, before) = (shop.head(), light.head());
    insta::assert_snapshot!(*shop.wt(&["sync", "light", "--dry-run"]).ok(), @r"
    light  1 commit of main #######: 1 file in conflict
      conflict  src/theme.css
    nothing was changed
    ");
    assert_eq!(light.status(), "");
    insta::assert_snapshot!(*shop.wt(&["sync", "light"]).code(3), @r#"
    --- stderr ---
    ✗ 1 file of light conflicts with main #######; main untouched
      src/theme.css:2–9  light: "--bg: #fff;"  main: "--bg: #111;"
    1 yourself   cd "$(wt path light)"; edit; wt sync --continue
    2 forget it  wt sync light --abort
    [exit 3]
    "#);
    assert_eq!((shop.head(), shop.status().as_str()), (main, " M README.md\n"));
    assert!(light.read("src/theme.css").contains("<<<<<<<"));
    assert_tidy(&env, &shop);
    let listed = shop.wt(&["list"]).ok();
    let note = listed.stdout.lines().find(|line| line.contains("its sync")).unwrap_or_default();
    let waits = "light: its sync with main waits, 1 file in conflict  → wt sync light --continue";
    assert_eq!(note, waits, "{listed}");
    assert_eq!(
        shop.wt(&["list", "--json"]).ok().json()["repositories"][0]["variants"][0]["syncing"],
        "main"
    );
    insta::assert_snapshot!(*shop.wt(&["cleanup", "light", "--force", "--yes"]).code(5), @r"
    --- stderr ---
    error: `light` was not removed: its sync with main waits for its conflicts to be settled
    hint: go on with it: `wt sync light --continue`
    hint: or give it up: `wt sync light --abort`
    [exit 5]
    ");
    // Asked again, it is told again.
    let said = shop.wt(&["sync", "light", "--json"]).code(3).json();
    let synced = &said["error"]["data"]["variants"][0];
    assert_eq!((&synced["result"], &synced["agent_hears"]), (&"conflicts".into(), &false.into()));
    assert_eq!(synced["conflicts"][0]["path"], "src/theme.css");
    assert!(light.wt(&["sync", "--continue"]).code(3).stderr.contains("1 file of light conflicts"));
    light.write("src/theme.css", "both\n");
    insta::assert_snapshot!(*light.wt(&["sync", "--continue"]).ok(), @r"
    light  ✓ 1 commit of main #######: 2 files +2 −5, merge commit
    ");
    assert_eq!(
        (light.status(), light.git_line(&["rev-parse", "HEAD^1"])),
        (String::new(), before.clone())
    );
    assert!(
        shop.wt(&["sync", "light", "--continue"])
            .code(1)
            .stderr
            .contains("no sync of `light` waits")
    );
    insta::assert_snapshot!(*shop.wt(&["undo"]).ok(), @r"
    ✓ undone: sync of main into light
      feature/light goes back from ####### to #######
    ");
    assert_eq!(light.head(), before);
}

#[test]
fn a_rebase_stops_as_often_as_it_must() {
    let env = still();
    let (shop, light) = apart(&env);
    light.write("src/theme.css", "again\n");
    let before = light.commit("again");
    insta::assert_snapshot!(*shop.wt(&["sync", "light", "--rebase"]).code(3), @r#"
    --- stderr ---
    ✗ 1 file of light conflicts with main #######; main untouched
      src/theme.css:2–9  main: "--bg: #111;"  light: "--bg: #fff;"
    1 yourself   cd "$(wt path light)"; edit; wt sync --continue
    2 forget it  wt sync light --abort
    [exit 3]
    "#);
    light.write("src/theme.css", "both\n");
    assert!(light.wt(&["sync", "--continue"]).code(3).stderr.contains("1 file of light conflicts"));
    light.write("src/theme.css", "again, both\n");
    light.wt(&["sync", "--continue"]).ok();
    assert_eq!(light.git_line(&["rev-parse", "HEAD~2"]), shop.head());
    assert_eq!(light.git_line(&["symbolic-ref", "HEAD"]), "refs/heads/feature/light");
    shop.wt(&["undo"]).ok();
    assert_eq!((light.head(), light.read("src/theme.css").as_str()), (before, "again\n"));
}

#[test]
fn given_up_it_is_as_before_and_the_work_is_kept() {
    let env = still();
    for flag in ["--merge", "--rebase"] {
        let env = &env;
        let name = format!("shop{flag}");
        let shop = env.repo(&name);
        shop.wt(&["spawn", "light", "--no-agent"]).ok();
        let light = env.at(env.dir().join(format!("{name}-worktrees/light")));
        light.write("src/theme.css", "light\n");
        light.write(".env", "TOKEN=1\n");
        light.git(&["add", "src/theme.css"]);
        light.git(&["commit", "-q", "-m", "light"]);
        shop.write("src/theme.css", "main\n");
        shop.commit("main");
        let before = light.head();
        shop.wt(&["sync", "light", flag]).code(3);
        light.write("src/theme.css", "half settled\n");
        let said = shop.wt(&["sync", "--abort", "--json"]).ok().json();
        let kept = said["variants"][0]["kept"].as_str().unwrap();
        assert_eq!(shop.git_line(&["show", &format!("{kept}:src/theme.css")]), "half settled");
        assert_eq!((light.head(), light.read("src/theme.css").as_str()), (before, "light\n"));
        assert_eq!(light.read(".env"), "TOKEN=1\n");
        assert!(shop.wt(&["sync", "--abort"]).code(1).stderr.contains("no sync waits here"));
        assert!(shop.wt(&["undo"]).code(1).stderr.contains("nothing to undo"));
    }
}

#[test]
fn what_was_ended_by_hand_is_seen() {
    let env = still();
    let (shop, light) = apart(&env);
    let before = light.head();
    shop.wt(&["sync", "light"]).code(3);
    light.git(&["merge", "--abort"]);
    let said = shop.wt(&["sync", "light", "--continue"]).code(1);
    assert!(said.stderr.contains("the sync of light was given up by hand"), "{said}");
    shop.wt(&["sync", "light"]).code(3);
    light.write("src/theme.css", "both\n");
    light.commit("by hand");
    let said = shop.wt(&["undo"]).ok();
    assert!(said.stderr.contains("was finished by hand"), "{said}");
    assert!(said.stdout.contains("sync of main into light"), "{said}");
    assert_eq!(light.head(), before);
}

#[test]
fn several_are_told_together_and_the_rest_is_done() {
    let env = still();
    let (shop, light) = apart(&env);
    let dark = spawned(&env, &shop, "dark", &[]);
    dark.git(&["reset", "-q", "--hard", "HEAD~1"]);
    let other = spawned(&env, &shop, "other", &[("src/theme.css", "other\n")]);
    other.git(&["reset", "-q", "--hard", "HEAD~2"]);
    other.write("src/theme.css", "other\n");
    other.commit("other");
    insta::assert_snapshot!(*shop.wt(&["sync", "--all"]).code(3), @r#"
    light  ✗ 1 file conflicts with main #######
    dark   ✓ 1 commit of main #######: 2 files +3 −2, fast-forward
    other  ✗ 1 file conflicts with main #######
    --- stderr ---
    ✗ 2 of 3 variants conflict; each waits in its own worktree
      src/theme.css:2–9  light: "--bg: #fff;"  main: "--bg: #111;"
      src/theme.css:1–8  other: "other"  main: ":root {"
    1 yourself   cd "$(wt path light)"; edit; wt sync --continue
    2 forget it  wt sync light other --abort
    [exit 3]
    "#);
    assert_eq!(dark.head(), shop.head());
    assert!(light.has("src/theme.css"));
    let said = shop.wt(&["sync", "--continue"]).code(2);
    assert!(said.stderr.contains("several syncs wait: `light`, `other`"), "{said}");
    shop.wt(&["sync", "--all", "--abort"]).ok();
    assert_eq!((light.status(), other.status()), (String::new(), String::new()));
    // The one that moved is still to be taken back.
    shop.wt(&["undo"]).ok();
    assert_ne!(dark.head(), shop.head());
}
