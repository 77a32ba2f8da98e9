//! `wt diff`: what a variant changed, and where two differ.

use std::process::Stdio;

use crate::support::env::TestEnv;
use crate::support::git_calls::GitCalls;
use crate::support::repo::TestRepo;

fn variant<'e>(env: &'e TestEnv, shop: &TestRepo<'_>, name: &str) -> TestRepo<'e> {
    let _ = shop.wt(&["spawn", name, "--no-agent"]).ok();
    env.at(env.dir().join("shop-worktrees").join(name))
}

#[test]
fn a_variants_change_counts_from_where_it_parted_and_holds_uncommitted_work() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let dark = variant(&env, &shop, "dark");
    dark.write("src/theme.css", dark.read("src/theme.css").replace("#fff", "#111"));
    dark.commit("dark");
    dark.write("new.txt", "new\n");
    shop.write("README.md", "# Another shop\n");
    shop.commit("main goes on");
    let said = shop.wt(&["diff", "dark"]).ok();
    insta::assert_snapshot!(*said, @"
    diff --git a/new.txt b/new.txt
    new file mode 100644
    index #######..#######
    --- /dev/null
    +++ b/new.txt
    @@ -0,0 +1 @@
    +new
    diff --git a/src/theme.css b/src/theme.css
    index #######..####### 100644
    --- a/src/theme.css
    +++ b/src/theme.css
    @@ -1,4 +1,4 @@
     :root {
    -  --bg: #fff;
    +  --bg: #111;
       --fg: #111;
     }
    ");
    assert_eq!(
        dark.wt(&["diff"]).ok().stdout,
        said.stdout,
        "inside of it the name may be left out"
    );
    let said = shop.wt(&["diff", "dark", "--stat"]).ok();
    insta::assert_snapshot!(*said, @"
    new.txt       | 1 +
    src/theme.css | 2 +−
    2 files changed, 2 insertions(+), 1 deletion(−)
    ");
    let said = shop.wt(&["diff", "main", "dark", "--name-only"]).ok();
    assert_eq!(said.stdout, "README.md\nnew.txt\nsrc/theme.css\n");
}

#[test]
fn a_piped_patch_is_raw_whole_and_applies() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let dark = variant(&env, &shop, "dark");
    let line = b"latin \xe9 \x1b[31m\r\n".as_slice();
    dark.write("raw.txt", line.repeat(200_000));
    std::fs::rename(dark.dir.join("src/app.txt"), dark.dir.join("src/moved.txt")).unwrap();
    let output = env.wt_command(&shop.dir).args(["diff", "dark"]).output().unwrap();
    assert!(output.status.success());
    let added = [b"+".as_slice(), line].concat();
    assert!(output.stdout.windows(added.len()).any(|window| window == added));
    env.write("the.patch", &output.stdout);
    shop.git(&["apply", "--index", "../the.patch"]);
    assert_eq!(std::fs::read(shop.dir.join("raw.txt")).unwrap(), line.repeat(200_000));
    assert!(shop.has("src/moved.txt") && !shop.has("src/app.txt"));
}

#[test]
fn two_are_compared_by_what_they_hold() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let (one, two) = (variant(&env, &shop, "one"), variant(&env, &shop, "two"));
    one.write("pic.bin", b"\0\x01");
    two.write("pic.bin", b"\0\x02");
    two.write("src/app.txt", "short\n");
    let said = shop.wt(&["diff", "one", "two", "--json", "--patch", "--", "pic.bin"]).ok();
    let answer = said.json();
    assert_eq!(answer["kind"], "diff");
    assert_eq!((&answer["from"]["name"], &answer["to"]["name"]), (&"one".into(), &"two".into()));
    assert_eq!(answer["files"].as_array().unwrap().len(), 1);
    assert_eq!(answer["files"][0]["lines"], serde_json::Value::Null);
    assert_eq!(answer["patch_cut"], false);
    assert!(
        answer["patch"].as_str().unwrap().contains("Binary files a/pic.bin and b/pic.bin differ")
    );
    let said = shop.wt(&["diff", "one", "one"]).ok();
    insta::assert_snapshot!(*said, @"
    --- stderr ---
    one and one hold the same
    ");
}

#[test]
fn paths_count_from_where_one_stands() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let dark = variant(&env, &shop, "dark");
    for path in ["src/app.txt", "README.md", "src/deep/a.css", "b.css"] {
        dark.write(path, "changed\n");
    }
    let src = env.at(shop.dir.join("src"));
    let names = |repo: &TestRepo<'_>, paths: &[&str]| {
        repo.wt(&[&["diff", "dark", "--name-only", "--"], paths].concat()).ok().stdout.clone()
    };
    assert_eq!(names(&src, &["."]), "src/app.txt\nsrc/deep/a.css\n");
    assert_eq!(names(&src, &["../README.md", "*.css"]), "README.md\nsrc/deep/a.css\n");
    assert_eq!(names(&shop, &["*.css"]), "b.css\nsrc/deep/a.css\n");
    assert_eq!(names(&env.at(dark.dir.join("src")), &["app.txt"]), "src/app.txt\n");
    let said = src.wt(&["diff", "dark", "--", "../../elsewhere"]).code(2);
    insta::assert_snapshot!(*said, @"
    --- stderr ---
    error: `../../elsewhere` is outside of this repository
    hint: paths count from where you are
    [exit 2]
    ");
}

#[test]
fn what_cannot_be_compared_is_told() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let dark = variant(&env, &shop, "dark");
    insta::assert_snapshot!(*shop.wt(&["diff", "drak"]).code(1), @"
    --- stderr ---
    error: there is no variant `drak`
    hint: did you mean `dark`? All of them: `wt list`
    [exit 1]
    ");
    insta::assert_snapshot!(*shop.wt(&["diff", "src/app.txt"]).code(1), @"
    --- stderr ---
    error: there is no variant `src/app.txt`
    hint: see those there are: `wt list`
    hint: if it is a path: `wt diff -- src/app.txt`
    [exit 1]
    ");
    insta::assert_snapshot!(*shop.wt(&["diff", "main"]).code(2), @"
    --- stderr ---
    error: `main` is a branch, and no variant
    hint: where a variant differs from it: `wt diff main VARIANT`
    [exit 2]
    ");
    insta::assert_snapshot!(*shop.wt(&["diff"]).code(2), @"
    --- stderr ---
    error: no variant is named, and this is none
    hint: name one of those there are: `wt list`
    [exit 2]
    ");
    insta::assert_snapshot!(*shop.wt(&["diff", "dark"]).ok(), @"
    --- stderr ---
    dark changed nothing since main #######
    ");
    shop.git(&["init", "-q", dark.dir.join("nested").to_str().unwrap()]);
    dark.write("nested/file", "x");
    insta::assert_snapshot!(*shop.wt(&["diff", "dark", "--stat"]).ok(), @"
    --- stderr ---
    warning: uncommitted in dark, but not compared (a repository of its own): nested
    dark changed nothing since main #######
    ");
}

#[test]
fn two_processes_at_most_and_none_of_an_agents() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let dark = variant(&env, &shop, "dark");
    dark.write("src/app.txt", "changed\n");
    // The configuration is shared: an agent can write it.
    dark.git(&["config", "diff.external", "touch ran"]);
    dark.git(&["config", "core.pager", "touch ran"]);
    dark.git(&["config", "core.fsmonitor", "touch ran"]);
    let git = GitCalls::watch(&env);
    let (said, calls) = git.during(|| shop.wt(&["diff", "dark"]));
    assert!(said.ok().stdout.contains("+changed"));
    assert_eq!(calls.len(), 2, "{calls:#?}");
    assert!(!shop.has("ran") && !dark.has("ran") && !shop.has(".git/ran"));
}

#[test]
fn a_reader_that_leaves_early_hears_no_complaint() {
    let env = TestEnv::new();
    let shop = env.repo("shop");
    let dark = variant(&env, &shop, "dark");
    dark.write("long.txt", "a line\n".repeat(500_000));
    let (read, write) = std::io::pipe().unwrap();
    drop(read);
    let mut wt = env.wt_command(&shop.dir);
    let output = wt.args(["diff", "dark"]).stdout(Stdio::from(write)).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""));
}
