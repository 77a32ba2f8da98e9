//! The world that the other modules rely on is what it says.

use crate::support::env::TestEnv;
use crate::support::wait::wait_until;

#[test]
fn nothing_of_the_machine_is_seen() {
    let env = TestEnv::new();
    let mut command = env.command("/usr/bin/env", env.dir());
    let seen = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let dir = env.dir().to_str().unwrap();
    for line in seen.lines() {
        let (name, value) = line.split_once('=').unwrap();
        let own = value.contains(dir);
        let known = ["GIT_CONFIG_NOSYSTEM", "LC_ALL", "TZ", "TERM"].contains(&name);
        assert!(own || known, "{line}");
    }
}

#[test]
fn object_ids_are_the_same_in_every_run() {
    let head = || TestEnv::new().repo("shop").head();
    assert_eq!(head(), head());
}

#[test]
fn every_form_of_repository_can_be_made() {
    let env = TestEnv::new();
    let shop = env.repo("ein laden für alle");
    let short = env.shallow(&shop, "shallow");
    assert_eq!(short.git_line(&["rev-parse", "--is-shallow-repository"]), "true");
    let sparse = env.sparse(&shop, "sparse", &["docs"]);
    assert!(sparse.has("README.md") && !sparse.has("src"));
    let bare = env.bare_with_worktree("b");
    assert_eq!(
        bare.git_line(&["rev-parse", "--git-dir"]),
        format!("{}.git/worktrees/b", bare.dir.display())
    );
    shop.add_submodule(&short, "vendor/short");
    assert!(shop.has("vendor/short/README.md"));
    let long = env.repo_as("sha256", &["--object-format=sha256"]);
    assert_eq!(long.head().len(), 64);
}

#[test]
fn programs_are_found_and_outputs_normalised() {
    let env = TestEnv::new();
    let program = env.program("claude", "#!/bin/sh\necho \"in $PWD\"; echo oh >&2; exit 3\n");
    let output = env.command("claude", env.dir()).output().unwrap();
    let said = crate::support::said::Said::of(&output, env.dir());
    assert_eq!(said.to_string(), "in $DIR\n--- stderr ---\noh\n[exit 3]");
    assert!(program.starts_with(env.dir()));
}

#[test]
fn a_process_that_is_left_behind_is_ended_and_blamed() {
    let env = TestEnv::new();
    let dir = env.dir().to_owned();
    let mut child = env.command("tail", "/".as_ref()).args(["-f", "/dev/null"]).spawn().unwrap();
    wait_until("the child has its own environment", || {
        std::fs::read(format!("/proc/{}/cmdline", child.id())).unwrap().starts_with(b"tail")
    });
    let blamed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(env))).unwrap_err();
    let blamed = blamed.downcast_ref::<String>().unwrap();
    assert!(blamed.contains(&format!("{} tail -f /dev/null", child.id())), "{blamed}");
    assert!(!child.wait().unwrap().success() && !dir.exists());
}
