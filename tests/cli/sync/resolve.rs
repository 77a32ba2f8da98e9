//! `wt sync --resolve`: the variant's agent settles the conflicts.

use serde_json::Value;

use super::{DARK, LIGHT, variant};
use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;

/// An agent that speaks claude's dialect: first it writes a theme, then, told about conflicts, it
/// does what the file `orders` in its home says.
const CLAUDE: &str = r#"#!/bin/sh
cat > "$HOME/words"
echo '{"type":"system","subtype":"init","session_id":"s-1","model":"m"}'
case "$*" in
  *--resume*) . "$HOME/orders" ;;
  *) cp "$HOME/theme.css" src/theme.css; git add -A; git commit -q -m theme ;;
esac
echo '{"type":"result","subtype":"success","is_error":false,"result":"Done.","session_id":"s-1","usage":{"input_tokens":5,"output_tokens":2},"total_cost_usd":0.01}'
"#;

fn world(orders: &str) -> TestEnv {
    let mut env = TestEnv::new();
    env.set("ANTHROPIC_API_KEY", "test-key");
    env.program("claude", CLAUDE);
    env.write("home/theme.css", LIGHT);
    env.write("home/orders", orders);
    env
}

/// `light`, made by an agent, in conflict with `main`.
fn apart(env: &TestEnv) -> (TestRepo<'_>, TestRepo<'_>) {
    let shop = env.repo("shop");
    shop.wt(&["spawn", "light", "--agent", "claude", "A light theme"]).ok();
    shop.wt(&["wait", "light", "--timeout", "60s"]).ok();
    shop.write("src/theme.css", DARK);
    shop.commit("dark");
    (shop, variant(env, "light"))
}

fn status(shop: &TestRepo<'_>) -> Value {
    shop.wt(&["status", "light", "--json"]).ok().json()
}

#[test]
fn the_agent_settles_stages_and_commits() {
    let env = world("echo both > src/theme.css; git add -A; git commit -q --no-edit");
    let (shop, light) = apart(&env);
    let before = light.head();
    insta::assert_snapshot!(*shop.wt(&["sync", "light", "--resolve"]).ok(), @r"
    light  its agent settles 1 file in conflict with main ####### · attempt 2 · claude
      follow  wt logs -f light
    ");
    shop.wt(&["wait", "light", "--timeout", "60s"]).ok();
    let words = std::fs::read_to_string(env.dir().join("home/words")).unwrap();
    insta::assert_snapshot!(words.replace(&shop.head()[..7], "#######"), @r#"
    `main` (#######) is being merged into `feature/light` in this worktree, and git could not settle these files:

    - src/theme.css:2–9  feature/light: "--bg: #fff;"  main: "--bg: #111;"

    Between `<<<<<<<` and `=======` stands the side of `feature/light`, up to `>>>>>>>` that of `main`. Resolve every conflict so that what both sides meant is kept, leave no marker behind, and check that the result works. Then `git add` each of them and run `git commit --no-edit`. If you cannot commit here, leave the resolved files staged. Do not give it up with `--abort`, and change nothing else.
    "#);
    assert_eq!(
        (light.status(), light.git_line(&["rev-parse", "HEAD^1"])),
        (String::new(), before.clone())
    );
    assert_eq!(
        (
            status(&shop)["state"].as_str(),
            shop.wt(&["sync", "light"]).ok().stdout.contains("has all of main")
        ),
        (Some("done"), true)
    );
    let said = shop.wt(&["undo"]).ok();
    assert!(said.stdout.contains("sync of main into light"), "{said}");
    assert_eq!(light.head(), before);
}

#[test]
fn what_it_leaves_settled_is_concluded_for_it() {
    for orders in ["echo both > src/theme.css", "echo both > src/theme.css; git add src/theme.css"]
    {
        for flag in ["--merge", "--rebase"] {
            let env = world(orders);
            let (shop, light) = apart(&env);
            let before = light.head();
            shop.wt(&["sync", "light", "--resolve", flag]).ok();
            shop.wt(&["wait", "light", "--timeout", "60s"]).ok();
            assert_eq!(
                (light.status().as_str(), light.read("src/theme.css").as_str()),
                ("", "both\n")
            );
            shop.git(&["merge-base", "--is-ancestor", "main", "feature/light"]);
            assert_eq!(light.git_line(&["symbolic-ref", "HEAD"]), "refs/heads/feature/light");
            if flag == "--merge" {
                let message = light.git(&["log", "-1", "--format=%B"]);
                assert!(message.contains("Wt-Task: worktree-light-"), "{message}");
            }
            shop.wt(&["undo"]).ok();
            assert_eq!(light.head(), before);
        }
    }
}

#[test]
fn what_still_conflicts_is_told_and_can_be_handed_on() {
    for orders in ["true", "git add -A"] {
        let env = world(orders);
        let (shop, light) = apart(&env);
        shop.wt(&["sync", "light", "--resolve"]).ok();
        shop.wt(&["wait", "light", "--timeout", "60s"]).code(1);
        let now = status(&shop);
        assert_eq!(now["state"], "needs-human");
        assert_eq!(now["reason"], "1 file still conflicts: src/theme.css with main");
        assert!(light.read("src/theme.css").contains("<<<<<<<"));
        let said = shop.wt(&["sync", "light"]).code(3);
        assert!(said.stderr.contains("2 the agent  wt sync light --resolve"), "{said}");
        env.write("home/orders", "echo both > src/theme.css");
        shop.wt(&["sync", "light", "--resolve"]).ok();
        shop.wt(&["wait", "light", "--timeout", "60s"]).ok();
        assert_eq!(light.read("src/theme.css"), "both\n");
    }
}

#[test]
fn markers_that_were_committed_and_a_sync_given_up_are_told() {
    let reasons = [
        ("git commit -qam oops", "committed with conflict markers in src/theme.css"),
        ("git merge --abort", "it gave the sync up: main is not in feature/light"),
    ];
    for (orders, reason) in reasons {
        let env = world(orders);
        let (shop, _light) = apart(&env);
        shop.wt(&["sync", "light", "--resolve"]).ok();
        shop.wt(&["wait", "light", "--timeout", "60s"]).code(1);
        assert_eq!(status(&shop)["reason"], reason);
        assert!(shop.wt(&["sync", "--abort"]).code(1).stderr.contains("no sync waits"));
    }
}

#[test]
fn who_cannot_hear_is_not_told_and_nothing_is_begun() {
    let env = world("true");
    let shop = env.repo("shop");
    let theme = env.write("home/theme.css", LIGHT);
    let theme = theme.to_str().unwrap();
    shop.wt(&["spawn", "light", "--exec", "--", "cp", theme, "src/theme.css"]).ok();
    shop.wt(&["wait", "light", "--timeout", "60s"]).ok();
    shop.wt(&["spawn", "bare", "--no-agent"]).ok();
    let bare = variant(&env, "bare");
    bare.write("src/theme.css", LIGHT);
    bare.commit("bare");
    shop.write("src/theme.css", DARK);
    shop.commit("dark");
    let said = shop.wt(&["sync", "light", "--resolve"]).code(5);
    assert!(said.stderr.contains("`light` has no session to go on in"), "{said}");
    assert!(said.stderr.contains("settle the conflicts yourself: `wt sync light`"), "{said}");
    assert!(
        shop.wt(&["sync", "bare", "--resolve"]).code(5).stderr.contains("made without an agent")
    );
    assert_eq!((variant(&env, "light").status(), bare.status()), (String::new(), String::new()));
    assert!(!shop.wt(&["sync", "light"]).code(3).stderr.contains("the agent"));
}

#[test]
fn an_agent_at_work_is_in_nobody_s_way() {
    let env = world("true");
    env.write("home/orders", "while [ ! -e \"$HOME/go\" ]; do sleep 0.05; done");
    let (shop, light) = apart(&env);
    shop.wt(&["send", "light", "go on"]).ok();
    let before = light.head();
    let said = shop.wt(&["sync", "light"]).code(5);
    assert!(said.stderr.contains("wt wait light && wt sync light"), "{said}");
    let said = shop.wt(&["sync", "--all"]).ok();
    assert!(said.stdout.contains("passed over: the agent of `light`"), "{said}");
    assert_eq!((light.head(), light.status()), (before, String::new()));
    env.write("home/go", "");
    shop.wt(&["wait", "light", "--timeout", "60s"]).ok();
}

#[test]
fn a_merge_that_waits_names_it_and_makes_way_for_it() {
    let env = world("echo both > src/theme.css");
    let (shop, light) = apart(&env);
    let said = shop.wt(&["merge", "light"]).code(3);
    assert!(said.stderr.contains("2 the agent  wt sync light --resolve"), "{said}");
    let said = shop.wt(&["sync", "light", "--resolve"]).ok();
    assert!(said.stderr.contains("the merge of light that waited is given up"), "{said}");
    shop.wt(&["wait", "light", "--timeout", "60s"]).ok();
    shop.wt(&["merge", "light"]).ok();
    assert_eq!((shop.head(), shop.read("src/theme.css").as_str()), (light.head(), "both\n"));
}
