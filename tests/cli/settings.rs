//! `wt config show`, `wt init` and `wt trust`.

use crate::support::env::TestEnv;

#[test]
fn every_value_has_its_origin() {
    let mut env = TestEnv::new();
    let dir = env.repo("shop").dir;
    env.config("[limits]\ntasks = 3\n");
    env.write(dir.join("wt.toml"), "[worktree]\nsetup = [\"npm ci\"]\n[env]\nA = \"b\"\n");
    env.set("WT_AGENT_DEFAULT", "codex");
    insta::assert_snapshot!(*env.wt_in(&dir, &["config", "show", "worktree"]).ok(), @r#"
    worktree.branch = "feature/{name}"            # built-in
    worktree.copy = [".env*"]                     # built-in
    worktree.path = "../{repo}-worktrees/{name}"  # built-in
    worktree.setup = ["npm ci"]                   # $DIR/shop/wt.toml
    worktree.submodules = false                   # built-in
    worktree.teardown = []                        # built-in
    "#);
    let shown = env.wt_in(&dir, &["config", "show"]).ok().stdout.clone();
    assert!(shown.contains("limits.tasks = 3") && shown.contains("env.A = \"b\""), "{shown}");
    let json = env.wt_in(&dir, &["--json", "config", "show", "agent.default"]).ok().json();
    assert_eq!(json["settings"][0]["value"], "codex");
    assert_eq!(json["settings"][0]["origin"]["variable"], "WT_AGENT_DEFAULT");
    assert_eq!(json["settings"][0]["toml"], "\"codex\"");
    // Outside of any repository the user's own hold.
    let json = env.wt(&["--json", "config", "show", "limits.tasks"]).ok().json();
    assert_eq!(json["settings"][0]["value"], 3);
}

#[test]
fn an_unknown_setting_is_answered_with_the_nearest() {
    let env = TestEnv::new();
    insta::assert_snapshot!(*env.wt(&["config", "show", "worktre.paht"]).code(2), @"
    --- stderr ---
    error: there is no setting `worktre.paht`
    hint: did you mean `worktree.path`? All: `wt config show`
    [exit 2]
    ");
    env.config("[limit]\ntasks = 3\n");
    insta::assert_snapshot!(*env.wt(&["config", "show"]).code(2), @"
    --- stderr ---
    error: $DIR/config/wt/config.toml: unknown key `limit.tasks`
    hint: did you mean `limits.tasks`? All keys: `wt config show`
    [exit 2]
    ");
}

#[test]
fn settings_are_proposed_from_what_is_there() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.write("package.json", "{}");
    repo.write("package-lock.json", "{}");
    repo.write("docker-compose.yml", "");
    repo.write(".git/info/exclude", ".envrc\n");
    repo.write(".envrc", "");
    repo.write(".env", "DATABASE_URL=postgres://localhost/shop\n");
    insta::assert_snapshot!(*repo.wt(&["init", "--dry-run"]).ok(), @r#"
    # Settings of this repository for `wt`. `wt config show` prints all of them with their
    # values; what is not said here comes from ~/.config/wt/config.toml or is built in.

    [worktree]
    # Ignored files that a new variant gets from the main checkout, as globs at any depth; a
    # glob that begins with / counts from the top.
    copy = [".env*", "/.envrc"]

    # Commands that make a new variant ready, run in it before its agent starts.
    setup = ["npm ci"]

    # Commands run in a variant before it is removed.
    # teardown = ["docker compose down -v"]

    # Variables for everything that runs in a variant; {name}, {branch}, {path} and {repo}
    # are filled in.
    # [env]
    # DATABASE_URL = "postgres://localhost/{repo}_{name}"
    # COMPOSE_PROJECT_NAME = "{repo}-{name}"
    "#);
    assert!(!repo.has("wt.toml"));
    insta::assert_snapshot!(*repo.wt(&["init"]).ok(), @"
    wrote $DIR/shop/wt.toml
      package-lock.json: setup with `npm ci`
      .envrc: ignored, carried over
      docker-compose.yml: containers taken down at the end, as a proposal
      DATABASE_URL in .env: a database for each variant, as a proposal
    Look it over; then approve what it runs: `wt trust`
    ");
    let written = repo.read("wt.toml");
    assert_eq!(written, repo.wt(&["init", "--dry-run"]).ok().stdout);
    // What it proposes to run waits for a yes.
    repo.wt(&["spawn", "a", "--no-agent"]).code(5);
    insta::assert_snapshot!(*repo.wt(&["init"]).code(1), @"
    --- stderr ---
    error: `$DIR/shop/wt.toml` is there already; it was not touched
    hint: see what would be proposed: `wt init --dry-run`
    hint: see what it says now: `wt config show`
    [exit 1]
    ");
    assert_eq!(repo.read("wt.toml"), written);
}

#[test]
fn settings_go_to_where_they_are_read_from() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.wt(&["spawn", "a", "--no-agent"]).ok();
    let json = env.wt_in(&env.dir().join("shop-worktrees/a"), &["--json", "init"]).ok().json();
    assert_eq!(json["path"], repo.dir.join("wt.toml").to_str().unwrap());
    let bare = env.bare_with_worktree("b");
    let said = bare.wt(&["init"]).ok();
    assert!(bare.has("wt.toml") && said.stderr.contains("commit this file there"), "{said}");
    env.wt_in(&env.dir().join("b.git"), &["init"]).code(1);
    env.wt(&["init"]).code(1);
    // Neither over a link that leads nowhere.
    let linked = env.repo("linked");
    std::os::unix::fs::symlink("../outside", linked.dir.join("wt.toml")).unwrap();
    linked.wt(&["init"]).code(1);
    assert!(!env.dir().join("outside").exists());
}

#[test]
fn what_a_repository_may_say_without_being_asked() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let harmless = "[worktree]\nbranch = \"x/{name}\"\ncopy = []\nsetup = []\nteardown = []\n\
                    [agent]\npermissions = \"work\"\n";
    repo.write("wt.toml", harmless);
    insta::assert_snapshot!(*repo.wt(&["trust"]).ok(), @"this repository's settings want to run nothing");
    for powerful in [
        "[worktree]\nteardown = [\"x\"]\n",
        "[env]\nPATH = \"/evil\"\n",
        "[agent]\npermissions = \"full\"\n",
    ] {
        repo.write("wt.toml", powerful);
        repo.wt(&["trust"]).code(5);
    }
    // The user's own settings need no approval, and win over what is harmless again then.
    repo.write("wt.toml", harmless);
    env.config("[worktree]\nsetup = [\"true\"]\n");
    repo.wt(&["trust"]).ok();
}

#[test]
fn pages_are_made_of_the_command_line() {
    let env = TestEnv::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = env.wt(&["completions", shell]).ok().stdout.clone();
        assert!(script.contains("spawn") && script.contains("no-agent"), "{shell}");
    }
    let page = env.wt(&["man"]).ok().stdout.clone();
    assert!(page.contains(".TH wt 1") && page.contains("wt\\-spawn(1)"), "{page}");
    env.wt(&["man", "--dir", "pages"]).ok();
    let spawn = std::fs::read_to_string(env.dir().join("pages/wt-spawn.1")).unwrap();
    assert!(spawn.contains("\\-\\-with\\-changes"), "{spawn}");
    assert!(!env.dir().join("pages/wt-__engine.1").exists());
    env.write("file", "x");
    env.wt(&["man", "--dir", "file"]).code(1);
}
