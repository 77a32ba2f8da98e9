//! `wt restore`: everything comes back as it was, or nothing is touched.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::cleanup::{busy, killed_when, still, variant};
use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;

/// Every file of a directory with mode, time and contents.
fn everything(dir: &Path) -> BTreeMap<PathBuf, (u32, i64, Vec<u8>)> {
    let entries = walkdir::WalkDir::new(dir).into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| !entry.file_type().is_dir());
    let held = |path: &Path| match std::fs::read_link(path) {
        Ok(target) => target.into_os_string().into_encoded_bytes(),
        Err(_) => std::fs::read(path).unwrap(),
    };
    files
        .map(|entry| {
            let meta = entry.path().symlink_metadata().unwrap();
            let path = entry.path().strip_prefix(dir).unwrap().to_path_buf();
            (path, (meta.mode(), meta.mtime_nsec(), held(entry.path())))
        })
        .collect()
}

fn git_says(variant: &TestRepo<'_>) -> String {
    let head = variant.git(&["log", "-1", "--format=%H %D"]);
    let index = variant.git(&["ls-files", "-s", "-v"]);
    head + &index + &variant.git(&["status", "--porcelain=v2", "--ignored", "-uall", "--branch"])
}

#[test]
fn index_untracked_and_ignored_files_come_back_exactly() {
    for format in [&[][..], &["--object-format=sha256"], &["--ref-format=reftable"]] {
        let env = still();
        let shop = env.repo_as("shop", format);
        let dark = busy(&env, &shop, "dark");
        dark.write("staged", "s");
        dark.git(&["add", "staged"]);
        dark.write("staged", "and changed");
        dark.write("node_modules/deep/a.js", "ignored");
        dark.write("un tracked\n", "u");
        symlink("nowhere", dark.dir.join("link")).unwrap();
        std::fs::set_permissions(dark.dir.join("README.md"), PermissionsExt::from_mode(0o755))
            .unwrap();
        dark.git(&["rm", "-q", "src/app.txt"]);
        let before = (everything(&dark.dir), git_says(&dark));
        shop.wt(&["cleanup", "dark", "--force", "--yes"]).ok();
        assert!(!dark.dir.exists());
        // The user's own tidying takes nothing of it.
        shop.git(&["worktree", "prune", "--expire=now"]);
        shop.git(&["gc", "-q", "--prune=now"]);
        shop.wt(&["restore", "dark"]).ok();
        assert_eq!((everything(&dark.dir), git_says(&dark)), before, "{format:?}");
        assert_eq!(dark.wt(&["path", "dark"]).ok().stdout.trim_end(), dark.dir.to_str().unwrap());
        assert_eq!(shop.at_ref("refs/wt"), None, "nothing of ours is left");
    }
}

#[test]
fn what_can_come_back_is_listed() {
    let env = still();
    let shop = env.repo("shop");
    assert_eq!(shop.wt(&["restore"]).ok().stdout, "nothing is in the trash\n");
    for _ in 0..2 {
        busy(&env, &shop, "dark");
        shop.wt(&["cleanup", "dark", "--force", "--yes"]).ok();
    }
    insta::assert_snapshot!(*shop.wt(&["restore"]).ok(), @r"
    VARIANT  REMOVED            UNTIL        BRANCH        AT
    dark     21 Nov 2026 10:00  21 Dec 2026  feature/dark  #######
    dark-1   21 Nov 2026 10:00  21 Dec 2026  feature/dark  #######
    → wt restore NAME
    ");
    let listed = shop.wt(&["restore", "--json"]).ok().json();
    assert_eq!(listed["restorable"][1]["id"], "dark-1");
    assert_eq!(listed["restorable"][1]["complete"], true);
    shop.wt(&["restore", "dark-1"]).ok();
    let said = shop.wt(&["restore", "dark"]).code(5);
    assert!(said.stderr.contains("there is another variant `dark` by now"), "{}", said.stderr);
}

#[test]
fn a_path_or_branch_that_is_taken_is_refused_with_a_way_on() {
    let env = still();
    let shop = env.repo("shop");
    let dark = busy(&env, &shop, "dark");
    shop.wt(&["cleanup", "dark", "--force", "--yes"]).ok();
    env.write(dark.dir.join("mine"), "m");
    insta::assert_snapshot!(*shop.wt(&["restore", "dark"]).code(5), @r"
    --- stderr ---
    error: `$DIR/shop-worktrees/dark` exists by now; it was not touched
    hint: bring it back to another place: `wt restore dark --to DIR`
    [exit 5]
    ");
    assert_eq!(dark.read("mine"), "m");
    shop.git(&["branch", "feature/dark"]);
    insta::assert_snapshot!(*shop.wt(&["restore", "dark", "--to", "../there"]).code(5), @r"
    --- stderr ---
    error: branch `feature/dark` stands at ####### by now, and stood at ####### when `dark` was removed
    hint: bring it back on a new branch: `wt restore dark --branch NAME`
    [exit 5]
    ");
    insta::assert_snapshot!(*shop.wt(&["restore", "dark", "--to", "../there", "--branch", "dark-again"]).ok(), @"✓ dark  back at $DIR/there on dark-again");
    let there = env.at(env.dir().join("there"));
    assert!(there.git(&["status", "--short", "--branch"]).starts_with("## dark-again\n M src/"));
    assert_eq!(there.wt(&["path", "dark"]).ok().stdout.trim_end(), there.dir.to_str().unwrap());
    shop.wt(&["cleanup", "dark", "--force", "--yes"]).ok();
    assert!(!there.dir.exists());
}

#[test]
fn what_is_not_in_the_trash_is_said() {
    let env = still();
    let shop = env.repo("shop");
    let dark = busy(&env, &shop, "dark");
    let said = shop.wt(&["restore", "dark"]).code(1);
    assert!(said.stderr.contains("is there, and was not removed"), "{}", said.stderr);
    assert!(shop.wt(&["restore", "lihgt"]).code(1).stderr.contains("in the trash"));
    shop.wt(&["cleanup", "dark", "--force", "--yes"]).ok();
    std::fs::remove_dir_all(env.dir().join("shop-worktrees/.trash")).unwrap();
    insta::assert_snapshot!(*shop.wt(&["restore"]).ok(), @r"
    VARIANT  REMOVED            UNTIL    BRANCH        AT
    dark     21 Nov 2026 10:00  missing  feature/dark  #######
    → wt restore NAME
    ");
    let said = shop.wt(&["restore", "dark"]).code(1);
    assert!(said.stderr.contains("its commits are still there: `git branch"), "{}", said.stderr);
    assert!(!dark.dir.exists());
}

#[test]
fn a_restore_killed_at_any_moment_is_finished_by_the_next_command() {
    type Moment = fn(&TestEnv, &TestRepo<'_>) -> bool;
    let moments: [Moment; 4] = [
        |env, _| variant(env, "v1").dir.exists(),
        |env, _| variant(env, "v2").dir.exists(),
        |_, shop| shop.dir.join(".git/refs/heads/feature/v2").exists(),
        |_, shop| !shop.dir.join(".git/worktrees/v2/locked").exists(),
    ];
    for (number, moment) in moments.iter().enumerate() {
        let env = still();
        let shop = env.repo("shop");
        let names = ["v1", "v2", "v3"];
        for name in names {
            busy(&env, &shop, name);
        }
        shop.wt(&["cleanup", "--all", "--force", "--yes"]).ok();
        killed_when(&env, &shop, &["restore", "v1", "v2", "v3"], || moment(&env, &shop));
        shop.wt(&["path"]).ok();
        for name in names {
            let said = variant(&env, name).status();
            assert_eq!(said, " M src/theme.css\n", "moment {number}: {name}");
        }
        assert_eq!(shop.wt(&["restore"]).ok().stdout, "nothing is in the trash\n");
        shop.wt(&["doctor"]).ok();
    }
}

#[test]
fn a_checkout_goes_back_to_a_snapshot_and_forward_again() {
    let env = still();
    let shop = env.repo("shop");
    let dark = busy(&env, &shop, "dark");
    dark.git(&["checkout", "-q", "."]);
    shop.write("README.md", "# mine, uncommitted\n");
    shop.write("notes", "untracked\n");
    let before = shop.head();
    shop.wt(&["merge", "dark"]).ok();
    let merged = shop.head();
    insta::assert_snapshot!(*shop.wt(&["restore"]).ok(), @r"
    nothing is in the trash

    SNAPSHOT OF  BEFORE  TAKEN              REF
    main         merge   21 Nov 2026 10:00  refs/wt/backup/main/20261121T100000.000Z-merge
    → wt restore --snapshot REF   (look first: git show REF; REF^2 is the index)
    ");
    shop.write("README.md", "# overwritten since\n");
    std::fs::remove_file(shop.dir.join("notes")).unwrap();
    insta::assert_snapshot!(*shop.wt(&["restore", "--snapshot", "merge"]).code(5), @r"
    --- stderr ---
    error: changes in `$DIR/shop` are in the way; nothing was changed
      README.md
    hint: overwrite them, kept in a snapshot first: the same with `--force`
    [exit 5]
    ");
    assert_eq!(shop.head(), merged);
    insta::assert_snapshot!(*shop.wt(&["restore", "--snapshot", "merge", "--force"]).ok(), @r"
    ✓ $DIR/shop is at the snapshot, main at #######
    how it was is kept under refs/wt/backup/main/20261121T100000.000Z-restore → wt undo
    ");
    assert_eq!((shop.head(), shop.read("notes").as_str()), (before.clone(), "untracked\n"));
    assert_eq!(shop.status(), " M README.md\n?? notes\n");
    assert_eq!(shop.read("README.md"), "# mine, uncommitted\n");
    let is_merged = || {
        !shop.wt(&["list", "--json"]).ok().json()["repositories"][0]["variants"][0]["merged"]
            .is_null()
    };
    assert!(!is_merged(), "main does not have it any more");
    // And back: what was overwritten had been kept.
    shop.wt(&["undo"]).ok();
    assert!(is_merged());
    assert_eq!((shop.head(), shop.read("README.md").as_str()), (merged, "# overwritten since\n"));
    assert!(shop.wt(&["restore", "--snapshot", "none"]).code(1).stderr.contains("no snapshot"));
}
