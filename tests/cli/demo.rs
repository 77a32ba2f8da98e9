//! `wt demo`: the whole way, as a newcomer sees it.

use serde_json::Value;

use crate::support::env::TestEnv;

#[test]
fn it_takes_three_variants_from_spawn_to_cleanup_and_touches_nothing_else() {
    let env = TestEnv::new();
    let said = env.wt(&["demo", "here", "--json"]).ok();
    let outcome = said.json();
    assert_eq!(outcome["scripted"], true);
    let commands: Vec<&str> = steps(&outcome).map(|step| word(step, 1)).collect();
    let wanted = ["spawn", "spawn", "spawn", "list", "wait", "list", "compare", "merge", "cleanup"];
    assert_eq!(commands, wanted);
    assert!(steps(&outcome).all(|step| step["answer"]["schema"] == 1), "{outcome:#}");
    assert!(!env.state().exists(), "the user's state is not touched");

    let shop = env.at(env.dir().join("here/shop"));
    assert_eq!(shop.status(), "");
    let log = shop.git(&["log", "--format=%an %s", "main"]);
    assert_eq!(log.lines().count(), 3, "the sample and the winner's two commits: {log}");
    assert!(shop.has("src/toggle.js") && shop.has("tests/contrast.sh"));
    let test = env.command("sh", &shop.dir).arg("test.sh").output().unwrap();
    let told = String::from_utf8_lossy(&test.stdout).into_owned();
    assert!(test.status.success() && told.contains("4 passed, 0 failed"), "{told}");
}

#[test]
fn light_and_dark_conflict_and_the_others_do_not() {
    let env = TestEnv::new();
    let outcome = env.wt(&["demo", "here", "--json"]).ok().json();
    let compare = steps(&outcome).find(|step| word(step, 1) == "compare").unwrap();
    assert!(compare["answer"].to_string().contains("\"src/theme.css\""), "{compare:#}");
    let merge = steps(&outcome).find(|step| word(step, 1) == "merge").unwrap();
    assert!(merge["answer"].to_string().contains("theme-light"), "{merge:#}");
}

#[test]
fn people_see_what_is_typed_and_that_it_is_scripted() {
    let env = TestEnv::new();
    let said = env.wt(&["demo", "here"]).ok();
    let shown = said.to_string().replace("\n# ", " ");
    for text in [
        "The agent is scripted",
        "$ wt spawn theme-dark \"A bold dark theme (@theme-dark)\" --idea theme\n",
        "$ wt merge theme-dark\n",
        "kept  $DIR/here\n",
        "next  . $DIR/here/env.sh && wt restore theme-light\n",
    ] {
        assert!(shown.contains(text), "{text:?} is not in:\n{said}");
    }
    let script = ". here/env.sh && wt restore theme-light && wt list";
    let again = env.command("sh", env.dir()).args(["-c", script]).output().unwrap();
    let told = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success() && told.contains("theme-light"), "{told}");
}

#[test]
fn a_folder_that_is_there_is_not_played_in() {
    let env = TestEnv::new();
    env.write("here/mine", "kept");
    let said = env.wt(&["demo", "here"]).code(1);
    assert!(said.stderr.contains("`wt demo DIR`"), "{said}");
    assert_eq!(std::fs::read_to_string(env.dir().join("here/mine")).unwrap(), "kept");
}

fn steps(outcome: &Value) -> impl Iterator<Item = &Value> {
    outcome["steps"].as_array().unwrap().iter()
}

fn word(step: &Value, at: usize) -> &str {
    step["command"].as_str().unwrap().split(' ').nth(at).unwrap()
}
