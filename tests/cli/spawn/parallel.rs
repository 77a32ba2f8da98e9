//! Several shells at once.

use std::process::{Child, Stdio};

use super::variants;
use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;

const SHELLS: usize = 8;

fn start(env: &TestEnv, repo: &TestRepo<'_>, name: &str) -> Child {
    let mut wt = env.wt_command(&repo.dir);
    wt.args(["spawn", name, "--no-agent"]).stdin(Stdio::null());
    wt.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn one_of_the_same_name_wins_and_the_others_are_told() {
    for format in [&[][..], &["--ref-format=reftable"]] {
        let env = TestEnv::new();
        let repo = env.repo_as("shop", format);
        let shells: Vec<Child> = (0..SHELLS).map(|_| start(&env, &repo, "a")).collect();
        let said = shells.into_iter().map(|shell| shell.wait_with_output().unwrap());
        let (won, lost): (Vec<_>, Vec<_>) = said.partition(|said| said.status.success());
        assert_eq!((won.len(), lost.len()), (1, SHELLS - 1));
        for said in lost {
            let words = String::from_utf8_lossy(&said.stderr).into_owned();
            assert!(words.contains("there is a variant `a` already"), "{words}");
        }
        let variant = env.at(env.dir().join("shop-worktrees/a"));
        assert_eq!((variant.head(), variant.status()), (repo.head(), String::new()));
        assert_eq!(super::rows(&env).iter().filter(|row| row.contains(" ready ")).count(), 1);
        assert_eq!(repo.git(&["worktree", "list"]).lines().count(), 2);
    }
}

#[test]
fn different_names_are_all_made() {
    for format in [&[][..], &["--ref-format=reftable"]] {
        let env = TestEnv::new();
        let repo = env.repo_as("shop", format);
        let names: Vec<String> = (0..SHELLS).map(|number| format!("v{number}")).collect();
        let shells: Vec<Child> = names.iter().map(|name| start(&env, &repo, name)).collect();
        for shell in shells {
            let said = shell.wait_with_output().unwrap();
            assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        }
        for name in &names {
            let variant = env.at(env.dir().join("shop-worktrees").join(name));
            assert_eq!((variant.head(), variant.status()), (repo.head(), String::new()));
        }
        assert_eq!(variants(&env).iter().filter(|row| row.contains(" ready ")).count(), SHELLS);
        assert!(!super::rows(&env).iter().any(|row| row.starts_with("intent")));
        repo.git(&["fsck", "--no-dangling"]);
    }
}
