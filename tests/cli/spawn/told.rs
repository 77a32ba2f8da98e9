//! What a person sees.

use crate::support::env::TestEnv;

#[test]
fn a_variant_without_an_agent() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let said = repo.wt(&["spawn", "theme-dark", "--no-agent"]).ok();
    insta::assert_snapshot!(*said, @r#"
    variant  ../shop-worktrees/theme-dark  feature/theme-dark from main #######
    enter    cd "$(wt path theme-dark)"
    "#);
    let variant = env.at(env.dir().join("shop-worktrees/theme-dark"));
    assert_eq!(variant.git_line(&["branch", "--show-current"]), "feature/theme-dark");
    assert_eq!((variant.head(), variant.status()), (repo.head(), String::new()));
    assert_eq!(repo.status(), "");
    let locked = repo.git(&["worktree", "list", "--porcelain"]);
    assert!(!locked.contains("locked"), "{locked}");
}

#[test]
fn a_variant_with_a_command_as_its_agent() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.write(".env", "KEY=1\n");
    repo.write("node_modules/a/index.js", "");
    repo.wt(&["spawn", "theme-light", "--no-agent"]).ok();
    let args = ["spawn", "theme-dark", "Make it dark", "--exec", "--", "true", "a b"];
    insta::assert_snapshot!(*repo.wt(&args).ok(), @"
    variant  ../shop-worktrees/theme-dark  feature/theme-dark from main #######
    task     worktree-theme-dark-xxxxxx · idea theme (suggested, with theme-light)
    agent    true 'a b' · a plain command, with your rights
    carried  .env · node_modules not carried; a `worktree.setup` command can make it
    follow   wt logs -f theme-dark
    Main branch unchanged; the agent works in isolation.
    ");
    assert_eq!(env.at(env.dir().join("shop-worktrees/theme-dark")).read(".env"), "KEY=1\n");
}

#[test]
fn a_fan_out() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let args = ["spawn", "theme", "--variants", "3", "Make a theme", "--exec", "--", "true"];
    insta::assert_snapshot!(*repo.wt(&args).ok(), @"
    theme-1  ../shop-worktrees/theme-1  feature/theme-1  true  worktree-theme-1-xxxxxx
    theme-2  ../shop-worktrees/theme-2  feature/theme-2  true  worktree-theme-2-xxxxxx
    theme-3  ../shop-worktrees/theme-3  feature/theme-3  true  worktree-theme-3-xxxxxx
    from     main #######
    idea     theme
    follow   wt list
    Main branch unchanged; the agents work in isolation.
    ");
    assert_eq!(repo.git(&["branch", "--list", "feature/*"]).lines().count(), 3);
}

#[test]
fn as_json() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.write(".env", "KEY=1\n");
    let said = repo.wt(&["--json", "spawn", "a", "--idea", "b", "--exec", "--", "true"]).ok();
    let json = said.json();
    assert_eq!((&json["schema"], &json["kind"]), (&1.into(), &"spawn".into()));
    let one = &json["variants"][0];
    assert_eq!((&one["name"], &one["branch"]), (&"a".into(), &"feature/a".into()));
    assert_eq!(one["path"], env.dir().join("shop-worktrees/a").to_str().unwrap());
    assert_eq!(
        (&one["agent"]["name"], &one["agent"]["command"][0]),
        (&"plain".into(), &"true".into())
    );
    assert_eq!(one["carried"][0], ".env");
    assert_eq!(
        (&json["base"]["branch"], &json["base"]["commit"]),
        (&"main".into(), &repo.head().into())
    );
    assert_eq!((&json["idea"]["name"], &json["idea"]["suggested"]), (&"b".into(), &false.into()));
}

#[test]
fn the_base_is_where_one_stands_or_what_is_named() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let first = repo.head();
    repo.write("more", "x");
    let second = repo.commit("more");
    repo.git(&["tag", "v1", &first]);
    let base = |args: &[&str]| {
        let args = [&["--json", "spawn"], args, &["--no-agent"]].concat();
        let json = repo.wt(&args).ok().json();
        (
            json["base"]["branch"].as_str().map(str::to_owned),
            json["base"]["commit"].as_str().unwrap().to_owned(),
        )
    };
    let main = Some("main".to_owned());
    assert_eq!(base(&["a"]), (main.clone(), second.clone()));
    assert_eq!(base(&["b", "--from", "v1"]), (None, first.clone()));
    assert_eq!(base(&["c", "--from", "main~1"]), (None, first.clone()));
    assert_eq!(base(&["d", "--from", "refs/heads/main"]), (main.clone(), second.clone()));
    assert_eq!(base(&["e", "--from", "@"]), (main, second.clone()));
    assert_eq!(base(&["f", "--from", "b"]), (Some("feature/b".into()), first.clone()));
    repo.git(&["checkout", "-q", "--detach", "v1"]);
    assert_eq!(base(&["g"]), (None, first));
}

#[test]
fn a_prompt_comes_from_a_pipe_or_a_file() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let piped = ["spawn", "a", "-", "--exec", "--", "true"];
    env.wt_fed(&repo.dir, &piped, "from a\npipe").ok();
    env.write("prompt.txt", "from a file");
    repo.wt(&["spawn", "b", "--prompt-file", "../prompt.txt", "--exec", "--", "true"]).ok();
    let tasks = super::rows(&env);
    assert!(tasks.contains(&"task plain from a\npipe".to_owned()), "{tasks:?}");
    assert!(tasks.contains(&"task plain from a file".to_owned()), "{tasks:?}");
}

#[test]
fn few_git_processes_are_started() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let calls = crate::support::git_calls::GitCalls::watch(&env);
    let (_, plain) = calls.during(|| repo.wt(&["spawn", "a", "--no-agent"]).ok());
    let ours = |calls: &[String]| calls.iter().filter(|call| call.contains("--git-dir=")).count();
    assert_eq!(ours(&plain), 1, "{plain:#?}");
    repo.write(".env", "x");
    let (_, carried) = calls.during(|| repo.wt(&["spawn", "b", "--no-agent"]).ok());
    assert_eq!(ours(&carried), 2, "{carried:#?}");
}
