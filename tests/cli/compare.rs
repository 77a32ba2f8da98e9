//! `wt compare`: variants side by side.

use serde_json::Value;

use crate::support::env::TestEnv;
use crate::support::git_calls::GitCalls;
use crate::support::repo::TestRepo;

/// Two variants of one idea that change the same line, the second one uncommitted; a third one
/// that changes nothing.
fn themes(env: &TestEnv) -> (TestRepo<'_>, [TestRepo<'_>; 3]) {
    let shop = env.repo("shop");
    shop.write("tests/contrast.spec.ts", "it('is readable', () => {\n});\n");
    shop.write("package-lock.json", "{}\n");
    shop.commit("tests");
    for name in ["theme-dark", "theme-light", "theme-a11y"] {
        let _ = shop.wt(&["spawn", name, "--no-agent"]).ok();
    }
    let [dark, light, a11y] = ["theme-dark", "theme-light", "theme-a11y"]
        .map(|name| env.at(env.dir().join("shop-worktrees").join(name)));
    dark.write("src/theme.css", dark.read("src/theme.css").replace("#fff", "#111"));
    dark.write("src/toggle.txt", "on\noff\n");
    dark.commit("dark");
    light.write("src/theme.css", light.read("src/theme.css").replace("#fff", "#eee"));
    light.write("package-lock.json", "{\n}\n");
    std::fs::remove_file(light.dir.join("tests/contrast.spec.ts")).unwrap();
    (shop, [dark, light, a11y])
}

fn json(repo: &TestRepo<'_>, args: &[&str]) -> Value {
    repo.wt(&[&["compare", "--json"], args].concat()).ok().json()
}

fn names(rows: &Value) -> Vec<&str> {
    rows.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect()
}

#[test]
fn an_idea_is_shown_side_by_side_uncommitted_work_included() {
    let env = TestEnv::new();
    let (shop, _) = themes(&env);
    let said = shop.wt(&["compare"]).ok();
    insta::assert_snapshot!(*said, @"
    idea theme (suggested), the newest
    VARIANT      FILES  +/−  WITH MAIN  DARK    LIGHT   A11Y
    theme-dark       2  3/1  clean      ·       1 file  clean
    theme-light      3  3/4  clean      1 file  ·       clean
    theme-a11y       0  0/0  clean      clean   clean   ·
    overlap  src/theme.css  (theme-dark, theme-light)
    included uncommitted work of theme-light (3 files)
    ! theme-light deleted 1 test: tests/contrast.spec.ts
    ! theme-light changed lock files: package-lock.json
    suggest  theme-dark: finished, clean with main, conflicts with 1 other, 4 lines in 2 files
    then     theme-light (fewer tests), theme-a11y (no change)
    ");
}

#[test]
fn nothing_is_written_and_nothing_is_left_behind() {
    let env = TestEnv::new();
    let (shop, [_, light, _]) = themes(&env);
    let count = || walkdir::WalkDir::new(shop.dir.join(".git/objects")).into_iter().count();
    let before = (count(), light.status(), shop.status(), shop.git(&["for-each-ref"]));
    let _ = shop.wt(&["compare"]).ok();
    assert_eq!((count(), light.status(), shop.status(), shop.git(&["for-each-ref"])), before);
    let left = std::fs::read_dir(env.dir().join("tmp")).unwrap().count();
    assert_eq!(left, 0, "side objects are gone");
}

#[test]
fn each_pair_is_compared_once_by_few_processes() {
    let env = TestEnv::new();
    let (shop, _) = themes(&env);
    let git = GitCalls::watch(&env);
    let (said, calls) = git.during(|| shop.wt(&["compare", "--json"]));
    let answer = said.ok().json();
    let of = |verb: &str| calls.iter().filter(|call| call.contains(verb)).count();
    assert_eq!((of("status"), of("diff-tree"), of("merge-tree")), (4, 1, 1), "{calls:#?}");
    assert_eq!(calls.len(), 6, "{calls:#?}");
    let pairs: Vec<String> = answer["pairs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| format!("{} {} {}", pair["a"], pair["b"], pair["merge"]).replace('"', ""))
        .collect();
    let wanted = [
        "theme-dark theme-light conflicts",
        "theme-dark theme-a11y clean",
        "theme-light theme-a11y clean",
    ];
    assert_eq!(pairs, wanted);
    assert_eq!(answer["pairs"][0]["files"], serde_json::json!(["src/theme.css"]));
    assert_eq!(answer["variants"][1]["uncommitted"], 3);
    assert_eq!(answer["variants"][1]["lines"], serde_json::json!({"added": 3, "removed": 4}));
    assert_eq!(answer["variants"][0]["used"], Value::Null, "what is not known is not zero");
    assert_eq!(answer["suggested"], serde_json::json!(["theme-dark"]));
}

#[test]
fn conflicts_with_the_base_and_its_uncommitted_work_are_told() {
    let env = TestEnv::new();
    let (shop, _) = themes(&env);
    shop.write("src/theme.css", shop.read("src/theme.css").replace("#fff", "#abc"));
    shop.commit("main goes on");
    shop.write("src/toggle.txt", "mine\n");
    let answer = json(&shop, &[]);
    let with_base: Vec<_> = answer["variants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["with_base"]["merge"])
        .collect();
    assert_eq!(with_base, ["conflicts", "conflicts", "clean"]);
    let shared = &answer["overlap_main"]["files"][0];
    assert_eq!(shared["path"], "src/toggle.txt");
    assert_eq!(shared["variants"], serde_json::json!(["theme-dark"]));
    let said = shop.wt(&["compare"]).ok();
    for line in [
        "conflict theme-dark with main: src/theme.css",
        "overlap  src/toggle.txt  (theme-dark; uncommitted in the main checkout)",
    ] {
        assert!(said.stdout.contains(line), "{line}: {said}");
    }
}

#[test]
fn what_was_merged_is_said_and_the_others_are_compared_with_it() {
    let env = TestEnv::new();
    let (shop, _) = themes(&env);
    let _ = shop.wt(&["merge", "theme-dark", "--yes"]).ok();
    let answer = json(&shop, &[]);
    let rows = answer["variants"].as_array().unwrap();
    assert_eq!((&rows[0]["merged_into"], &rows[0]["files"]), (&"main".into(), &0.into()));
    assert_eq!(rows[1]["with_base"]["merge"], "conflicts", "with what was merged");
    let said = shop.wt(&["compare"]).ok();
    assert!(said.stdout.contains("theme-dark   merged "), "{said}");
    assert!(said.stdout.contains("theme-dark (merged)"), "{said}");
}

#[test]
fn which_variants_are_meant_is_said() {
    let env = TestEnv::new();
    let (shop, [_, light, _]) = themes(&env);
    for name in ["login-1", "login-2", "spike"] {
        let _ = shop.wt(&["spawn", name, "--no-agent"]).ok();
    }
    let themes = ["theme-dark", "theme-light", "theme-a11y"];
    let here = json(&shop, &[]);
    assert_eq!(
        (names(&here["variants"]), &here["scope"]["by"]),
        (vec!["login-1", "login-2"], &Value::from("idea-newest"))
    );
    assert_eq!(here["scope"]["others"], 4);
    let inside = json(&light, &[]);
    assert_eq!(
        (names(&inside["variants"]), &inside["scope"]["by"]),
        (themes.to_vec(), &Value::from("idea-here"))
    );
    assert_eq!(names(&json(&shop, &["--idea", "theme"])["variants"]), themes);
    assert_eq!(names(&json(&shop, &["--all"])["variants"]).len(), 6);
    assert_eq!(
        names(&json(&shop, &["spike", "login-*"])["variants"]),
        ["spike", "login-1", "login-2"]
    );
    let said = shop.wt(&["compare", "--idea", "logon"]).code(1);
    insta::assert_snapshot!(*said, @"
    --- stderr ---
    error: no variant is of the idea `logon`
      ideas there are: theme, login
    hint: see which variant is of which: `wt list --tree`
    [exit 1]
    ");
    let said = shop.wt(&["compare"]).ok();
    let first = said.stdout.lines().next().unwrap();
    assert_eq!(first, "idea login (suggested), the newest · 4 other variants → wt compare --all");
}

#[test]
fn a_variant_that_cannot_be_read_costs_no_other_one() {
    let env = TestEnv::new();
    let (shop, [dark, light, a11y]) = themes(&env);
    std::fs::remove_dir_all(&dark.dir).unwrap();
    // Its own git file is the agent's to break; the recorded place is what counts.
    a11y.write(".git", "gitdir: /nowhere\n");
    a11y.write("new.txt", "new\n");
    std::fs::remove_dir_all(&light.dir).unwrap();
    shop.git(&["worktree", "prune"]);
    shop.git(&["update-ref", "-d", "refs/heads/feature/theme-light"]);
    let answer = json(&shop, &[]);
    let rows = answer["variants"].as_array().unwrap();
    let files: Vec<_> = rows.iter().map(|row| &row["files"]).collect();
    assert_eq!(files, [&Value::from(2), &Value::Null, &Value::from(1)], "{answer}");
    assert_eq!(rows[0]["worktree_missing"], true, "its branch is compared");
    assert_eq!(rows[1]["with_base"]["merge"], "unknown");
    assert_eq!(answer["pairs"].as_array().unwrap().len(), 1);
    assert_eq!(answer["order"].as_array().unwrap().len(), 3, "none is dropped");
    let said = shop.wt(&["compare"]).ok();
    assert!(said.stdout.contains("! theme-light cannot be read: "), "{said}");
    assert!(said.stdout.contains("theme-light cannot be read → wt doctor"), "{said}");
}

#[test]
fn how_work_stands_decides_first() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let exec = |name: &str, script: &str| {
        let _ = shop.wt(&["spawn", name, "--idea", "n", "--exec", "--", "sh", "-c", script]).ok();
    };
    exec("long", "echo 1 >>README.md; echo 2 >>README.md; echo 3 >>README.md");
    exec("short", "echo 1 >>README.md");
    exec("broken", "echo 1 >>README.md; exit 3");
    exec("idle", "true");
    crate::support::wait::wait_until("all have ended", || {
        let rows = json(&shop, &[]);
        rows["variants"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| ["done", "failed"].contains(&row["state"].as_str().unwrap()))
    });
    let answer = json(&shop, &[]);
    assert_eq!(names(&answer["order"]), ["short", "long", "broken", "idle"], "{answer:#}");
    assert_eq!(answer["suggested"], serde_json::json!(["short"]));
    let missing: Vec<_> = answer["missing"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["command"].as_str().unwrap())
        .collect();
    assert_eq!(missing, ["wt logs broken", "wt result idle"]);
}

#[test]
fn fifty_variants_stay_readable() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let _ = shop.wt(&["spawn", "n", "--no-agent", "--variants", "50"]).ok();
    for n in 1..=50 {
        let variant = env.at(env.dir().join(format!("shop-worktrees/n-{n}")));
        variant.write("src/app.txt", format!("line {}\n", n % 2));
    }
    let said = shop.wt(&["compare"]).ok();
    assert!(said.stdout.lines().all(|line| line.chars().count() <= 120), "{said}");
    assert!(said.stdout.lines().count() < 75, "{said}");
    assert!(said.stdout.contains("25 of 49"), "{said}");
    assert!(said.stdout.contains("src/app.txt  (all 50)"), "{said}");
    assert_eq!(json(&shop, &[])["pairs"].as_array().unwrap().len(), 1225);
}

#[test]
fn without_a_variant_the_next_step_is_named() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let said = shop.wt(&["compare"]).code(1);
    insta::assert_snapshot!(*said, @r#"
    --- stderr ---
    error: there is no variant to compare
    hint: make two: `wt spawn NAME --variants 2 "…"`
    [exit 1]
    "#);
}

#[test]
fn every_format_of_repository_is_compared() {
    for format in ["--object-format=sha256", "--ref-format=reftable"] {
        let env = TestEnv::new();
        let shop = env.repo_as("shop", &[format]);
        for (name, word) in [("a-1", "one"), ("a-2", "two")] {
            let _ = shop.wt(&["spawn", name, "--no-agent"]).ok();
            env.write(env.dir().join(format!("shop-worktrees/{name}/README.md")), word);
        }
        let answer = json(&shop, &[]);
        assert_eq!(answer["pairs"][0]["conflicts"], 1, "{format}: {answer:#}");
        assert_eq!(answer["variants"][0]["files"], 1, "{format}");
        let patch = shop.wt(&["diff", "a-1", "a-2"]).ok();
        assert!(
            patch.stdout.contains("-one") && patch.stdout.contains("+two"),
            "{format}: {patch}"
        );
    }
}
