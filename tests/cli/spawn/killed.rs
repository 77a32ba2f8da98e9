//! A spawn that is killed is taken back by the next command, wherever it was.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::{refused, rows, variants};
use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;
use crate::support::wait::wait_until;

fn start(env: &TestEnv, repo: &TestRepo<'_>, args: &[&str]) -> Child {
    let mut wt = env.wt_command(&repo.dir);
    wt.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    wt.spawn().unwrap()
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
}

/// Nothing is left of a variant that was being made.
#[track_caller]
fn nothing_is_left(env: &TestEnv, repo: &TestRepo<'_>) {
    assert!(!rows(env).iter().any(|row| row.starts_with("intent")), "{:?}", rows(env));
    assert_eq!(variants(env), Vec::<String>::new());
    assert_eq!(repo.git(&["branch", "--list", "feature/*"]), "");
    assert_eq!(repo.git(&["worktree", "list"]).lines().count(), 1);
    assert!(!env.dir().join("shop-worktrees").exists());
    assert!(!repo.dir.join(".git/worktrees").exists());
}

fn hook(env: &TestEnv, script: &str) {
    let hook = env.write("shop/.git/hooks/post-checkout", format!("#!/bin/sh\n{script}\n"));
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn while_git_makes_the_worktree() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let reached = env.dir().join("tmp/reached");
    // The hook, and so git, outlive `wt`.
    hook(&env, &format!("touch '{}'; exec sleep 600", reached.display()));
    let child = start(&env, &repo, &["spawn", "a", "--no-agent"]);
    wait_until("git runs the hook", || reached.exists());
    kill(child);
    assert!(repo.git(&["worktree", "list", "--porcelain"]).contains("locked wt is making this"));
    let said = repo.wt(&["path"]).ok();
    insta::assert_snapshot!(*said, @"
    $DIR/shop
    --- stderr ---
    making variant `a` had been interrupted, and was taken back
    ");
    nothing_is_left(&env, &repo);
    std::fs::remove_file(repo.dir.join(".git/hooks/post-checkout")).unwrap();
    repo.wt(&["spawn", "a", "--no-agent"]).ok();
}

#[test]
fn before_and_after_git_did_its_work() {
    let git = crate::support::env::program_on_path("git").unwrap();
    for script in
        ["touch '{reached}'; exec sleep 600", "'{git}' \"$@\"; touch '{reached}'; exec sleep 600"]
    {
        let env = TestEnv::new();
        let repo = env.repo("shop");
        let reached = env.dir().join("tmp/reached");
        let script = script.replace("{git}", git.to_str().unwrap());
        let script = script.replace("{reached}", reached.to_str().unwrap());
        let git = git.display();
        let only = format!(
            "#!/bin/sh\ncase \"$*\" in *'worktree add'*) {script};; esac\nexec '{git}' \"$@\"\n"
        );
        let program = env.program("git", &only);
        let child = start(&env, &repo, &["spawn", "a", "--no-agent"]);
        wait_until("git is called", || reached.exists());
        kill(child);
        std::fs::remove_file(program).unwrap();
        repo.wt(&["path"]).ok();
        nothing_is_left(&env, &repo);
    }
}

#[test]
fn while_setup_runs() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let reached = env.dir().join("tmp/reached");
    env.config(&format!(
        "[worktree]\nsetup = [\"mkdir node_modules; touch '{}'; sleep 600\"]\n",
        reached.display()
    ));
    let child = start(&env, &repo, &["spawn", "a", "--no-agent"]);
    wait_until("setup runs", || reached.exists());
    kill(child);
    repo.wt(&["path"]).ok();
    nothing_is_left(&env, &repo);
}

#[test]
fn what_was_put_there_meanwhile_is_kept() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let reached = env.dir().join("tmp/reached");
    hook(&env, &format!("touch '{}'; exec sleep 600", reached.display()));
    let child = start(&env, &repo, &["spawn", "a", "--no-agent"]);
    wait_until("git runs the hook", || reached.exists());
    kill(child);
    env.write("shop-worktrees/a/precious.txt", "mine");
    let said = repo.wt(&["path"]).ok();
    assert!(said.stderr.contains("it held files of yours, which are now in"), "{said}");
    assert_eq!(repo.git(&["worktree", "list"]).lines().count(), 1);
    let kept =
        std::fs::read_dir(env.dir().join("shop-worktrees")).unwrap().next().unwrap().unwrap();
    assert_eq!(std::fs::read_to_string(kept.path().join("precious.txt")).unwrap(), "mine");
}

#[test]
fn a_living_one_is_left_alone() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let (reached, go) = (env.dir().join("tmp/reached"), env.dir().join("tmp/go"));
    hook(
        &env,
        &format!(
            "touch '{}'; until test -e '{}'; do sleep 0.01; done",
            reached.display(),
            go.display()
        ),
    );
    let mut child = start(&env, &repo, &["spawn", "a", "--no-agent"]);
    wait_until("git runs the hook", || reached.exists());
    repo.wt(&["path"]).ok();
    assert_eq!(variants(&env), ["a creating -"]);
    let said = refused(&env, &repo, &["cleanup", "a", "--force"], 5);
    assert!(said.stderr.contains("it is being made just now"), "{said}");
    std::fs::write(go, "").unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(variants(&env), ["a ready -"]);
}

/// At moments that are spread over all that a spawn does, with an agent to be queued.
#[test]
fn at_any_moment() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.write(".env", "KEY=1");
    fn args(name: &str) -> [&str; 6] {
        ["spawn", name, "do it", "--exec", "--", "true"]
    }
    let begin = Instant::now();
    repo.wt(&args("whole")).ok();
    let whole = begin.elapsed();
    let (mut made, mut unmade) = (0, 0);
    const MOMENTS: u32 = 40;
    for moment in 0..MOMENTS {
        let name = format!("v{moment}");
        let mut child = start(&env, &repo, &args(&name));
        let end = Instant::now() + whole * moment / MOMENTS;
        while Instant::now() < end {
            std::thread::park_timeout(Duration::from_micros(200));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let said = repo.wt(&["path"]).ok();
        assert!(!rows(&env).iter().any(|row| row.starts_with("intent")), "{said}{:?}", rows(&env));
        let is_ready = variants(&env).contains(&format!("{name} ready -"));
        let dir = env.dir().join("shop-worktrees").join(&name);
        let branch = repo.at_ref(&format!("refs/heads/feature/{name}"));
        let worktrees = repo.git(&["worktree", "list", "--porcelain"]);
        assert!(!worktrees.contains("locked"), "{worktrees}");
        let all =
            [is_ready, dir.exists(), branch.is_some(), worktrees.contains(dir.to_str().unwrap())];
        assert!(all == [is_ready; 4], "moment {moment}: {all:?}");
        if is_ready {
            made += 1;
            assert_eq!(env.at(&dir).status(), "");
            assert_eq!(env.at(&dir).read(".env"), "KEY=1");
        } else {
            unmade += 1;
            repo.wt(&["spawn", &name, "--no-agent"]).ok();
        }
    }
    assert!(unmade > 0, "{made} made");
    let attempts = std::fs::read_dir(env.state().join("attempts")).unwrap().count();
    let known = rows(&env).iter().filter(|row| row.starts_with("attempt ")).count();
    assert_eq!(attempts, known, "no folder without its attempt, none missing");
}
