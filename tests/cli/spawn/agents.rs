//! The agents of new variants: that they run, with what, and where.

use std::path::Path;

use super::rows;
use crate::support::env::TestEnv;
use crate::support::wait::wait_until;

fn wt() -> String {
    assert_cmd::cargo::cargo_bin!("wt").to_str().unwrap().to_owned()
}

/// The file that an agent writes last.
fn wait_for(path: &Path) {
    wait_until(&format!("{} is there", path.display()), || path.exists());
}

#[test]
fn an_agent_gets_its_prompt_its_place_and_what_the_settings_set() {
    let mut env = TestEnv::new();
    env.set("SECRET_OF_MINE", "hunter2");
    let repo = env.repo("shop");
    env.config("[env]\nURL = \"db_{name}\"\n");
    let script =
        "cat > prompt; pwd > place; echo $URL $WT_NAME $WT_BRANCH > set; echo done > ended";
    let words = "do 'it'\nnow; \"$(touch ran)\" `touch ran`\u{1b}[2J --help";
    let args = ["spawn", "a", words, "--exec", "--", "sh", "-c", script];
    repo.wt(&args).ok();
    let variant = env.at(env.dir().join("shop-worktrees/a"));
    wait_for(&variant.dir.join("ended"));
    assert_eq!(variant.read("prompt").trim_end(), words);
    assert!(!variant.has("ran"));
    assert_eq!(variant.read("place").trim_end(), variant.dir.to_str().unwrap());
    assert_eq!(variant.read("set"), "db_a a feature/a\n");
    // No value of the environment is in the state.
    for entry in walkdir::WalkDir::new(env.state()) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let bytes = std::fs::read(entry.path()).unwrap();
            let found = ["hunter2", "db_a"].iter().any(|secret| {
                bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
            });
            assert!(!found, "{}", entry.path().display());
        }
    }
}

#[test]
fn setup_runs_before_the_agent_and_not_in_front_of_the_person() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let go = env.dir().join("tmp/go");
    let setup = format!("until test -e '{}'; do sleep 0.01; done; echo $URL > made", go.display());
    env.config(&format!("[worktree]\nsetup = [\"{setup}\"]\n[env]\nURL = \"x\"\n"));
    let script = "cp made copied; echo done > ended";
    repo.wt(&["spawn", "a", "--exec", "--", "sh", "-c", script]).ok();
    let variant = env.dir().join("shop-worktrees/a");
    assert!(!variant.join("made").exists(), "wt does not wait for it");
    std::fs::write(go, "").unwrap();
    wait_for(&variant.join("ended"));
    assert_eq!(std::fs::read_to_string(variant.join("copied")).unwrap(), "x\n");
}

#[test]
fn an_agent_can_spawn_another_variant() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let script = format!("'{}' spawn inner --no-agent >said 2>&1; echo done >ended", wt());
    repo.wt(&["spawn", "outer", "--exec", "--", "sh", "-c", &script]).ok();
    let outer = env.at(env.dir().join("shop-worktrees/outer"));
    wait_for(&outer.dir.join("ended"));
    assert!(
        outer.read("said").contains("feature/inner from feature/outer"),
        "{}",
        outer.read("said")
    );
    assert!(rows(&env).contains(&"variant inner ready -".to_owned()));
    assert!(env.dir().join("shop-worktrees/inner").exists());
}

#[test]
fn a_spawn_from_within_an_agent_is_run_by_the_engine_outside() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let inner = format!("'{}' spawn inner --exec -- sh -c 'echo done >ended'", wt());
    repo.wt(&["spawn", "outer", "--exec", "--", "sh", "-c", &inner]).ok();
    wait_for(&env.dir().join("shop-worktrees/inner/ended"));
}

#[test]
fn several_agents_share_a_fan_out_in_the_order_given() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    for name in ["one", "two"] {
        env.program(name, "#!/bin/sh\ncat >got\nbasename \"$0\" >>got\nmv got ended\n");
        let template = format!(
            "about = 'x'\nprogram = ['{name}']\ndialect = 'plain'\nmetering = 'none'\n\
             prompt = 'stdin'\ninstructions = false\nsession = 'none'\nstart = []\n\
             [permissions.read]\n[permissions.work]\n[permissions.full]\n[login]\notherwise = 'maybe'\n"
        );
        env.write(format!("config/wt/agents/{name}.toml"), template);
    }
    let said = repo.wt(&["spawn", "a", "words", "--agents", "two:2,one"]).ok();
    insta::assert_snapshot!(*said, @"
    a-1  ../shop-worktrees/a-1  feature/a-1  two  worktree-a-1-xxxxxx
    a-2  ../shop-worktrees/a-2  feature/a-2  two  worktree-a-2-xxxxxx
    a-3  ../shop-worktrees/a-3  feature/a-3  one  worktree-a-3-xxxxxx
    from     main #######
    idea     a
    follow   wt list
    Main branch unchanged; the agents work in isolation.
    --- stderr ---
    warning: cannot tell whether `two` is logged in; going on
    warning: cannot tell whether `one` is logged in; going on
    ");
    for (member, agent) in [("a-1", "two"), ("a-2", "two"), ("a-3", "one")] {
        let ended = env.dir().join("shop-worktrees").join(member).join("ended");
        wait_for(&ended);
        assert_eq!(std::fs::read_to_string(ended).unwrap(), format!("words\n{agent}\n"));
    }
}
