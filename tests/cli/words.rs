//! The words of the command line: what answers them, in which form, with which exit code.

use crate::support::env::TestEnv;
use crate::support::said::Said;

#[test]
fn the_version_is_the_packages() {
    let env = TestEnv::new();
    let said = env.wt(&["--version"]).ok();
    assert_eq!(said.stdout, format!("wt {}\n", env!("CARGO_PKG_VERSION")));
    assert!(!env.state().exists(), "asking for the version makes no state");
}

#[test]
fn help_names_every_verb_and_fits_a_hundred_columns() {
    let env = TestEnv::new();
    let help = env.wt(&["--help"]).ok().stdout.clone();
    let verbs = verbs(&help);
    assert!(verbs.contains(&"path".to_owned()), "{help}");
    for verb in verbs {
        let said = env.wt(&[&verb, "--help"]).ok();
        assert!(said.stdout.contains(&format!("Usage: wt {verb}")), "{verb}: {}", said.stdout);
        assert!(said.stdout.contains("--json"), "{verb}: {}", said.stdout);
        for line in said.stdout.lines() {
            assert!(line.chars().count() <= 100, "{verb}: {line}");
        }
    }
}

fn verbs(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    let named = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    named.filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect()
}

#[test]
fn an_unknown_verb_or_flag_is_a_usage_error() {
    let env = TestEnv::new();
    for args in [&["merg"][..], &["path", "--nonsense"], &["--json", "merg"]] {
        let said = env.wt(args).code(2);
        assert!(
            said.to_string().contains("unrecognized") || said.to_string().contains("unexpected")
        );
    }
    let said = env.wt(&["--json", "merg"]).code(2);
    assert_eq!(said.json()["kind"], "error");
    assert_eq!(said.json()["error"]["kind"], "usage");
    assert_eq!(said.stderr, "", "with --json everything is in the answer");
}

#[test]
fn a_directory_that_is_none_is_named() {
    let env = TestEnv::new();
    let said = env.wt(&["-C", "nowhere", "path"]).code(2);
    insta::assert_snapshot!(*said, @"
    --- stderr ---
    error: `nowhere` is not a directory
    [exit 2]
    ");
}

#[test]
fn outside_of_a_repository_nothing_is_made_up() {
    let env = TestEnv::new();
    let said = env.wt(&["path"]).code(1);
    assert!(said.stderr.contains("repository"), "{}", said.stderr);
    let said = env.wt(&["path", "--json"]).code(1);
    assert_eq!(said.json()["schema"], 1);
    assert!(said.json()["error"]["message"].as_str().unwrap().contains("repository"));
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let (read, write) = std::io::pipe().unwrap();
    drop(read);
    let mut wt = env.wt_command(&shop.dir);
    let output = wt.arg("path").stdout(write).output().unwrap();
    let said = Said::of(&output, env.dir());
    assert_eq!((said.exit, said.stderr.as_str()), (Some(0), ""));
}

#[test]
fn as_a_git_subcommand_it_calls_itself_so() {
    let env = TestEnv::new();
    let bin = env.dir().join("bin/git-wt");
    std::os::unix::fs::symlink(assert_cmd::cargo::cargo_bin!("git-wt"), bin).unwrap();
    let shop = env.repo("shop");
    assert_eq!(shop.git_line(&["wt", "path"]), shop.dir.to_str().unwrap());
    let output = env.command("git", &shop.dir).args(["wt", "path", "gone"]).output().unwrap();
    let said = Said::of(&output, env.dir());
    assert!(said.stderr.contains("`git wt list`"), "{said}");
}
