//! `wt cleanup`: what goes, what does not, and what it says.

use std::path::PathBuf;

use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;
use crate::support::wait::wait_until;

/// A world whose clock stands still, so that what is said is the same in every run.
pub fn still() -> TestEnv {
    let mut env = TestEnv::new();
    env.set("WT_TEST_NOW", "2026-11-21T10:00:00Z");
    env.set("TZ", "UTC");
    env
}

pub fn variant<'e>(env: &'e TestEnv, name: &str) -> TestRepo<'e> {
    env.at(env.dir().join("shop-worktrees").join(name))
}

/// A variant with one commit of its own, one change on top, and an ignored file.
pub fn busy<'e>(env: &'e TestEnv, shop: &TestRepo<'_>, name: &str) -> TestRepo<'e> {
    shop.write(".env", "KEY=1\n");
    shop.wt(&["spawn", name, "--no-agent"]).ok();
    let variant = variant(env, name);
    variant.write("src/theme.css", format!(":root {{ --name: {name}; }}\n"));
    variant.commit("a theme");
    variant.write("src/theme.css", format!(":root {{ --name: {name}; --bg: #001; }}\n"));
    variant
}

fn trash(env: &TestEnv, name: &str) -> PathBuf {
    env.dir().join("shop-worktrees/.trash").join(name)
}

#[test]
fn what_is_not_merged_needs_force_and_a_yes() {
    let env = still();
    let shop = env.repo("shop");
    let dark = busy(&env, &shop, "dark");
    insta::assert_snapshot!(*shop.wt(&["cleanup", "dark"]).code(5), @r"
    --- stderr ---
    error: `dark` was not removed: 1 commit is not in `main`
    hint: look at it: `wt diff dark`
    hint: merge it first: `wt merge dark`
    hint: remove it all the same; it can be restored for 30 days: `wt cleanup dark --force`
    [exit 5]
    ");
    assert_eq!(shop.wt(&["cleanup", "dark", "--yes"]).exit, Some(5), "a yes is no force");
    insta::assert_snapshot!(*shop.wt(&["rm", "dark", "--force"]).code(5), @r"
    --- stderr ---
    error: this removes unfinished work, and nobody is here to say yes
      dark  1 unmerged commit, 1 uncommitted change → to the trash for 30 days, branch deleted
    hint: say it beforehand: the same command with `--yes`
    [exit 5]
    ");
    insta::assert_snapshot!(*shop.wt(&["cleanup", "dark", "--force", "--dry-run"]).ok(), @"dark  1 unmerged commit, 1 uncommitted change → to the trash for 30 days, branch deleted");
    assert!(dark.has("src/theme.css"), "nothing was done so far");

    insta::assert_snapshot!(*shop.wt(&["cleanup", "dark", "--force", "--yes"]).ok(), @r"
    ✓ dark  removed, branch feature/dark deleted at #######
    it comes back until 21 Dec 2026 → wt restore dark
    ");
    assert!(!dark.dir.exists() && trash(&env, "dark-1").join(".env").exists());
    assert_eq!(shop.at_ref("refs/heads/feature/dark"), None);
    assert_eq!(shop.status(), "");
}

#[test]
fn what_is_merged_and_clean_just_goes() {
    let env = still();
    let shop = env.repo("shop");
    let dark = busy(&env, &shop, "dark");
    dark.git(&["checkout", "-q", "."]);
    shop.git(&["merge", "-q", "--squash", "feature/dark"]);
    shop.commit("squashed");
    let said = shop.wt(&["cleanup", "dark", "--json"]).ok();
    let removed = &said.json()["removed"][0];
    assert_eq!(removed["name"], "dark");
    assert_eq!(removed["branch_deleted"], true);
    assert_eq!(said.json()["restorable_until"], "2026-12-21T10:00:00Z");
}

#[test]
fn merged_takes_those_whose_work_is_elsewhere_and_no_others() {
    let env = still();
    let shop = env.repo("shop");
    for name in ["done", "open", "dirty"] {
        busy(&env, &shop, name);
    }
    shop.wt(&["spawn", "fresh", "--no-agent"]).ok();
    variant(&env, "done").git(&["checkout", "-q", "."]);
    shop.git(&["merge", "-q", "feature/done"]);
    shop.git(&["merge", "-q", "-X", "theirs", "-m", "merge", "feature/dirty"]);
    insta::assert_snapshot!(*shop.wt(&["cleanup", "--merged"]).ok(), @r"
    ✓ done  removed, branch feature/done deleted at #######
    dirty stays: 1 uncommitted change
    it comes back until 21 Dec 2026 → wt restore done
    ");
    for name in ["open", "dirty", "fresh"] {
        assert!(variant(&env, name).dir.exists(), "{name}");
    }
    insta::assert_snapshot!(*shop.wt(&["cleanup", "--losers"]).code(1), @r"
    --- stderr ---
    error: nothing was merged here yet, so nothing has lost
    hint: merge the best one: `wt merge NAME`
    hint: or name what is to go: `wt cleanup NAME…`
    [exit 1]
    ");
}

#[test]
fn one_that_cannot_go_keeps_the_others() {
    let env = still();
    let shop = env.repo("shop");
    busy(&env, &shop, "dark");
    busy(&env, &shop, "light");
    shop.wt(&["spawn", "fresh", "--no-agent"]).ok();
    insta::assert_snapshot!(*shop.wt(&["cleanup", "--all"]).code(5), @r"
    --- stderr ---
    error: nothing was removed, because of these
      dark: 1 commit is not in `main`
      light: 1 commit is not in `main`
    hint: look at it: `wt diff dark`
    hint: merge it first: `wt merge dark`
    hint: look at it: `wt diff light`
    hint: merge it first: `wt merge light`
    hint: remove it all the same; it can be restored for 30 days: `wt cleanup dark light --force`
    [exit 5]
    ");
    assert!(variant(&env, "fresh").dir.exists());
    shop.wt(&["cleanup", "--all", "--force", "--yes"]).ok();
    insta::assert_snapshot!(*shop.wt(&["cleanup", "--all"]).ok(), @"nothing to remove");
    let said = shop.wt(&["cleanup", "drak"]).code(1);
    assert!(said.stderr.contains("no variant `drak`"), "{}", said.stderr);
}

#[test]
fn the_variant_stood_in_can_be_removed_and_says_where_to_go() {
    let env = still();
    let shop = env.repo("shop");
    shop.wt(&["spawn", "fresh", "--no-agent"]).ok();
    let fresh = variant(&env, "fresh");
    insta::assert_snapshot!(*fresh.wt(&["cleanup"]).ok(), @r"
    ✓ fresh  removed, branch feature/fresh deleted at #######
    it comes back until 21 Dec 2026 → wt restore fresh
    the directory you stand in is in the trash now → cd $DIR/shop
    ");
    // A shell is still in that directory, under its new name.
    let inside = env.at(trash(&env, "fresh-1"));
    assert_eq!(inside.wt(&["path"]).ok().stdout.trim_end(), shop.dir.to_str().unwrap());
}

#[test]
fn another_repository_at_the_registered_path_is_never_removed() {
    // worktrunk#2939, #3785 and #3808.
    let env = still();
    let shop = env.repo("shop");
    shop.wt(&["spawn", "fresh", "--no-agent"]).ok();
    let fresh = variant(&env, "fresh");
    std::fs::remove_dir_all(&fresh.dir).unwrap();
    let other = env.repo("shop-worktrees/fresh");
    insta::assert_snapshot!(*shop.wt(&["cleanup", "fresh", "--force", "--yes"]).code(5), @r"
    --- stderr ---
    error: `fresh` was not removed: `$DIR/shop-worktrees/fresh` belongs to another repository by now
    hint: see and mend it: `wt doctor`
    [exit 5]
    ");
    assert!(other.has("README.md") && other.has(".git/HEAD"));
}

#[test]
fn a_worktree_that_the_user_locked_or_moved_stays() {
    let env = still();
    let shop = env.repo("shop");
    for name in ["locked", "moved"] {
        shop.wt(&["spawn", name, "--no-agent"]).ok();
    }
    let place = variant(&env, "locked").dir;
    shop.git(&["worktree", "lock", "--reason", "on a stick", place.to_str().unwrap()]);
    let said = shop.wt(&["cleanup", "locked"]).code(5);
    assert!(said.stderr.contains("its worktree is locked: on a stick"), "{}", said.stderr);
    let elsewhere = env.dir().join("elsewhere");
    let place = variant(&env, "moved").dir;
    shop.git(&["worktree", "move", place.to_str().unwrap(), elsewhere.to_str().unwrap()]);
    let said = shop.wt(&["cleanup", "moved", "--json"]).code(5);
    assert_eq!(said.json()["error"]["kind"], "refused");
    assert!(elsewhere.join("README.md").exists());
}

#[test]
fn a_sibling_inside_of_it_keeps_it() {
    // claude-code#79899: a live sibling's worktree was deleted along.
    let env = still();
    let shop = env.repo("shop");
    shop.wt(&["spawn", "outer", "--no-agent"]).ok();
    let inner = variant(&env, "outer").dir.join("inner");
    shop.git(&["worktree", "add", "-q", inner.to_str().unwrap()]);
    let said = shop.wt(&["cleanup", "outer", "--yes"]).code(1);
    assert!(said.stderr.contains("another checkout is inside of it"), "{}", said.stderr);
    assert!(inner.join("README.md").exists() && variant(&env, "outer").has("README.md"));
    // Everything is as it was: it can go once the other is gone.
    shop.git(&["worktree", "remove", "--force", inner.to_str().unwrap()]);
    shop.wt(&["cleanup", "outer"]).ok();
}

#[test]
fn the_main_checkout_is_never_a_variant() {
    // workmux#204: a merge deleted the root repository; worktrunk#1618: the master worktree of a
    // bare layout was removed.
    let env = still();
    for repo in [env.repo("shop"), env.bare_with_worktree("proj")] {
        let said = repo.wt(&["cleanup", "--all", "--force", "--yes"]).ok();
        assert_eq!(said.stdout, "nothing to remove\n");
        assert_ne!(repo.wt(&["cleanup", "main", "--force", "--yes"]).exit, Some(0));
        assert_ne!(repo.wt(&["cleanup", "--force", "--yes"]).exit, Some(0));
        repo.wt(&["spawn", "a", "--no-agent"]).ok();
        repo.wt(&["cleanup", "--all"]).ok();
        assert!(repo.has("README.md") && repo.status().is_empty());
    }
}

#[test]
fn bystanders_whose_disk_is_absent_stay_registered() {
    // worktrunk#3650: a prune unregistered worktrees that were merely not mounted.
    let env = still();
    let shop = env.repo("shop");
    let away = env.dir().join("stick/other");
    shop.git(&["worktree", "add", "-q", away.to_str().unwrap()]);
    shop.wt(&["spawn", "absent", "--no-agent"]).ok();
    shop.wt(&["spawn", "fresh", "--no-agent"]).ok();
    std::fs::rename(env.dir().join("stick"), env.dir().join("pulled")).unwrap();
    shop.wt(&["cleanup", "fresh"]).ok();
    let listed = shop.git(&["worktree", "list", "--porcelain"]);
    assert!(listed.contains("stick/other"), "{listed}");
    // One of our own that is not there goes only by force.
    std::fs::rename(env.dir().join("shop-worktrees"), env.dir().join("pulled-too")).unwrap();
    let said = shop.wt(&["cleanup", "absent", "--yes"]).code(5);
    assert!(said.stderr.contains("is its disk missing?"), "{}", said.stderr);
}

#[test]
fn a_vanished_worktree_is_forgotten_and_its_commits_are_kept() {
    let env = still();
    let shop = env.repo("shop");
    let dark = busy(&env, &shop, "dark");
    let commit = dark.head();
    std::fs::remove_dir_all(&dark.dir).unwrap();
    let said = shop.wt(&["cleanup", "dark", "--force", "--yes"]).ok();
    insta::assert_snapshot!(*said, @"✓ dark  its worktree was gone already, branch feature/dark deleted at #######");
    assert_eq!(shop.at_ref("refs/wt/backup/dark"), Some(commit));
    assert!(!shop.git(&["worktree", "list"]).contains("dark"));
}

#[test]
fn teardown_commands_run_once_approved_and_a_failing_one_stops_nothing() {
    let env = still();
    let shop = env.repo("shop");
    shop.wt(&["spawn", "fresh", "--no-agent"]).ok();
    shop.write("wt.toml", "[worktree]\nteardown = [\"echo down > ../down; exit 3\", \"pwd\"]\n");
    shop.commit("settings");
    let said = shop.wt(&["cleanup", "fresh"]).code(5);
    assert!(said.stderr.contains("have not been approved"), "{}", said.stderr);
    assert!(variant(&env, "fresh").dir.exists());
    shop.wt(&["trust", "--yes"]).ok();
    insta::assert_snapshot!(*shop.wt(&["cleanup", "fresh"]).ok(), @r"
    ✓ fresh  removed, branch feature/fresh deleted at #######
    it comes back until 21 Dec 2026 → wt restore fresh
    --- stderr ---
    teardown fresh: echo down > ../down; exit 3
    warning: teardown command `echo down > ../down; exit 3` of fresh exited with 3; going on
    teardown fresh: pwd
      $DIR/shop-worktrees/fresh
    ");
    assert!(env.dir().join("shop-worktrees/down").exists());
}

#[test]
fn commits_on_a_detached_head_count_as_unmerged() {
    let env = still();
    let shop = env.repo("shop");
    shop.wt(&["spawn", "fresh", "--no-agent"]).ok();
    let fresh = variant(&env, "fresh");
    fresh.git(&["checkout", "-q", "--detach"]);
    fresh.write("loose", "l");
    fresh.commit("loose");
    let said = shop.wt(&["cleanup", "fresh", "--yes"]).code(5);
    assert!(said.stderr.contains("1 commit is not in `main`"), "{}", said.stderr);
}

/// Starts `wt` and kills it as soon as something holds, or lets it end when it was faster.
pub fn killed_when(
    env: &TestEnv,
    shop: &TestRepo<'_>,
    args: &[&str],
    mut holds: impl FnMut() -> bool,
) {
    let mut command = env.wt_command(&shop.dir);
    command.args(args).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    wait_until("it can be killed", || holds() || child.try_wait().unwrap().is_some());
    child.kill().unwrap();
    child.wait().unwrap();
}

/// One moment of the way to the trash: what can be seen when it has come.
type Moment = fn(&TestEnv, &TestRepo<'_>) -> bool;

#[test]
fn a_cleanup_killed_at_any_moment_is_finished_by_the_next_command() {
    let moments: [Moment; 6] = [
        |_, shop| shop.dir.join(".git/refs/wt").exists(),
        |_, shop| shop.dir.join(".git/worktrees/b/locked").exists(),
        |_, shop| shop.dir.join(".git/worktrees/b/wt-trash").exists(),
        |env, _| trash(env, "a-1").exists(),
        |env, _| !variant(env, "b").dir.exists(),
        |_, shop| !shop.dir.join(".git/refs/heads/feature/b").exists(),
    ];
    for (number, moment) in moments.iter().enumerate() {
        let env = still();
        let shop = env.repo("shop");
        let names = ["a", "b", "c"];
        for name in names {
            busy(&env, &shop, name);
        }
        let args = ["cleanup", "--all", "--force", "--yes"];
        killed_when(&env, &shop, &args, || moment(&env, &shop));
        shop.wt(&["path"]).ok();
        let gone: Vec<&str> =
            names.into_iter().filter(|name| !variant(&env, name).dir.exists()).collect();
        // Killed before it was recorded it has changed nothing, afterwards it is finished.
        assert!(gone.is_empty() || gone == names, "moment {number}: {gone:?}");
        for (key, name) in names.iter().enumerate() {
            let branch = shop.at_ref(&format!("refs/heads/feature/{name}"));
            assert_eq!(branch.is_none(), !gone.is_empty(), "moment {number}: {name}");
            let kept = trash(&env, &format!("{name}-{}", key + 1));
            assert_eq!(kept.exists(), !gone.is_empty(), "moment {number}: {name}");
        }
        if !gone.is_empty() {
            shop.wt(&["undo"]).ok();
        }
        for name in names {
            assert_eq!(variant(&env, name).status(), " M src/theme.css\n", "moment {number}");
        }
        shop.wt(&["doctor"]).ok();
    }
}

#[test]
fn a_merge_that_waits_keeps_its_variant() {
    let env = still();
    let shop = env.repo("shop");
    let dark = busy(&env, &shop, "dark");
    dark.git(&["checkout", "-q", "."]);
    shop.write("src/theme.css", "main\n");
    shop.commit("the same file");
    shop.wt(&["merge", "dark"]).code(3);
    insta::assert_snapshot!(*shop.wt(&["cleanup", "dark", "--force", "--yes"]).code(5), @r"
    --- stderr ---
    error: `dark` was not removed: a merge of it waits for its conflicts to be settled
    hint: go on with it: `wt merge dark --continue`
    hint: or give it up: `wt merge dark --abort`
    [exit 5]
    ");
    shop.wt(&["merge", "dark", "--abort"]).ok();
    shop.wt(&["cleanup", "dark", "--force", "--yes"]).ok();
}

#[test]
fn what_still_works_in_it_is_told() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    shop.wt(&["spawn", "fresh", "--no-agent"]).ok();
    let mut cat = env.command("cat", &variant(&env, "fresh").dir);
    let mut cat = cat.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let said = shop.wt(&["cleanup", "fresh"]).ok();
    let wanted = format!("still at work in what was fresh: cat ({})", cat.id());
    assert!(said.stderr.contains(&wanted), "{}", said.stderr);
    drop(cat.stdin.take());
    cat.wait().unwrap();
}

#[test]
fn what_was_adopted_is_only_forgotten() {
    let env = still();
    let shop = env.repo("shop");
    shop.git(&["worktree", "add", "-q", "-b", "mine", "../mine"]);
    let mine = env.at(env.dir().join("mine"));
    mine.write("new", "n");
    shop.wt(&["adopt", mine.dir.to_str().unwrap()]).ok();
    let name = "mine";
    insta::assert_snapshot!(*shop.wt(&["cleanup", name]).ok(), @"✓ mine  forgotten; its worktree stays, branch mine stays");
    assert!(mine.has("new") && shop.at_ref("refs/heads/mine").is_some());
    assert_eq!(shop.wt(&["path", name]).exit, Some(1));
    shop.wt(&["undo"]).ok();
    shop.wt(&["path", name]).ok();
}

#[test]
fn the_losers_of_the_last_merge_go_together() {
    let env = still();
    let shop = env.repo("shop");
    for name in ["dark", "light", "late"] {
        shop.wt(&["spawn", name, "--no-agent", "--idea", "theme"]).ok();
    }
    busy(&env, &shop, "other");
    for name in ["dark", "light"] {
        let variant = variant(&env, name);
        variant.write(name, name);
        variant.commit(name);
    }
    variant(&env, "light").write("more", "m");
    shop.wt(&["merge", "dark"]).ok();
    insta::assert_snapshot!(*shop.wt(&["cleanup", "--losers"]).code(5), @r"
    --- stderr ---
    error: this removes unfinished work, and nobody is here to say yes
      light  1 unmerged commit, 1 uncommitted change → to the trash for 30 days, branch deleted
      late   nothing unfinished → to the trash for 30 days, branch deleted
    hint: say it beforehand: the same command with `--yes`
    [exit 5]
    ");
    insta::assert_snapshot!(*shop.wt(&["cleanup", "--losers", "--yes"]).ok(), @r"
    ✓ light  removed, branch feature/light deleted at #######
    ✓ late   removed, branch feature/late deleted at #######
    they come back until 21 Dec 2026 → wt restore light late
    ");
    assert!(variant(&env, "other").dir.exists() && variant(&env, "dark").dir.exists());
    shop.wt(&["undo"]).ok();
    assert_eq!(variant(&env, "light").status(), "?? more\n");
}

#[test]
fn losers_by_a_mere_suggestion_need_force() {
    let env = still();
    let shop = env.repo("shop");
    for name in ["theme-dark", "theme-light"] {
        shop.wt(&["spawn", name, "--no-agent"]).ok();
    }
    let dark = variant(&env, "theme-dark");
    dark.write("new", "n");
    dark.commit("new");
    shop.wt(&["merge", "theme-dark"]).ok();
    insta::assert_snapshot!(*shop.wt(&["cleanup", "--losers"]).code(5), @r"
    --- stderr ---
    error: idea `theme` was only suggested by the names of its variants
      lost against theme-dark: theme-light
    hint: if these are the losers: `wt cleanup --losers --force`
    hint: or name them: `wt cleanup theme-light`
    [exit 5]
    ");
    shop.wt(&["cleanup", "--losers", "--force"]).ok();
    assert!(!variant(&env, "theme-light").dir.exists());
}

#[test]
fn what_is_at_work_is_stopped_by_force_and_its_leftovers_kept() {
    // claude-code#35983: an agent ended uncommitted, and its work was gone.
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let script = "echo made > made.txt; echo ready > ../ready; sleep 600";
    shop.wt(&["spawn", "busy", "--exec", "--", "sh", "-c", script]).ok();
    let ready = env.dir().join("shop-worktrees/ready");
    wait_until("it is at work", || ready.exists());
    let said = shop.wt(&["cleanup", "busy", "--yes"]).code(5);
    assert!(said.stderr.contains("its agent is at work"), "{}", said.stderr);
    assert!(said.stderr.contains("end it: `wt stop busy`"), "{}", said.stderr);
    shop.wt(&["cleanup", "busy", "--force", "--yes"]).ok();
    assert!(!variant(&env, "busy").dir.exists());
    shop.wt(&["restore", "busy"]).ok();
    let busy = variant(&env, "busy");
    assert_eq!(busy.read("made.txt"), "made\n");
    assert!(busy.git(&["log", "-1", "--format=%B"]).contains("Wt-Task: worktree-busy-"));
}
