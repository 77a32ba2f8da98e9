//! Every kind of repository: moved on, merged, and gone on with after conflicts.

use super::{assert_tidy, spawned, still};
use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;

/// Three variants of a repository, whose checkout of `main` is `shop`: one moves `main` on, the
/// second makes a merge commit, the third conflicts and is settled.
fn three_ways(env: &TestEnv, shop: &TestRepo<'_>) {
    let variant = |name: &str, path: &str, text: &str| {
        shop.wt(&["spawn", name, "--no-agent"]).ok();
        let dir = shop.wt(&["path", name]).ok().stdout.trim().to_owned();
        let variant = env.at(dir);
        variant.write(path, text);
        variant.commit(&format!("work of {name}"));
        variant
    };
    variant("a", "a ü.txt", "a\n");
    variant("b", "b/b.txt", "b\n");
    variant("c", "README.md", "c\n");
    shop.write("mine.txt", "unknown to git\n");
    shop.wt(&["merge", "a"]).ok();
    assert_eq!(shop.read("a ü.txt"), "a\n");
    shop.write("README.md", "# main\n");
    shop.git(&["commit", "-q", "-a", "-m", "of main"]);
    shop.wt(&["merge", "b"]).ok();
    assert_eq!(shop.read("b/b.txt"), "b\n");
    let said = shop.wt(&["merge", "c"]).code(3);
    assert!(said.stderr.contains("README.md:1–5"), "{said}");
    let scratch = env.at(shop.wt(&["path", "c", "--merge"]).ok().stdout.trim());
    scratch.write("README.md", "both\n");
    shop.wt(&["merge", "--continue"]).ok();
    assert_eq!(
        (shop.read("README.md").as_str(), shop.status().as_str()),
        ("both\n", "?? mine.txt\n")
    );
    assert!(!scratch.dir.exists());
    assert_eq!(shop.git(&["fsck", "--no-dangling"]), "");
    shop.wt(&["undo"]).ok();
    assert_eq!(
        (shop.read("README.md").as_str(), shop.status().as_str()),
        ("# main\n", "?? mine.txt\n")
    );
}

#[test]
fn with_a_path_of_spaces_and_umlauts() {
    let env = still();
    three_ways(&env, &env.repo("mein schöner \"laden\""));
}

#[test]
fn with_other_formats() {
    for format in ["--object-format=sha256", "--ref-format=reftable"] {
        let env = still();
        three_ways(&env, &env.repo_as("shop", &[format]));
    }
}

#[test]
fn bare_with_linked_worktrees() {
    let env = still();
    three_ways(&env, &env.bare_with_worktree("shop"));
}

#[test]
fn shallow() {
    let env = still();
    let shop = env.repo("full");
    shop.write("more.txt", "more\n");
    shop.commit("more");
    three_ways(&env, &env.shallow(&shop, "shop"));
}

#[test]
fn sparse() {
    let env = still();
    let full = env.repo("full");
    full.write("docs/one.txt", "one\n");
    full.write("far/away.txt", "far\n");
    full.commit("more");
    let shop = env.sparse(&full, "shop", &["docs", "b"]);
    three_ways(&env, &shop);
    assert!(!shop.has("far") && !shop.has("src"));
    let far = spawned(&env, &shop, "far", &[("docs/two.txt", "two\n")]);
    far.git(&["sparse-checkout", "disable"]);
    far.write("far/away.txt", "further\n");
    far.write("far/new.txt", "new\n");
    far.commit("far");
    shop.wt(&["merge", "far"]).ok();
    assert_eq!((shop.has("far"), shop.status().as_str()), (false, "?? mine.txt\n"));
    assert_eq!(shop.git(&["show", "HEAD:far/away.txt"]), "further\n");
}

#[test]
fn with_submodules() {
    let env = still();
    let library = env.repo("library");
    let shop = env.repo("shop");
    shop.add_submodule(&library, "library");
    three_ways(&env, &shop);
    library.write("new.txt", "new\n");
    let new = library.commit("new");
    let d = spawned(&env, &shop, "d", &[("d.txt", "d\n")]);
    d.git(&["update-index", "--cacheinfo", &format!("160000,{new},library")]);
    d.git(&["commit", "-q", "-m", "the library moves"]);
    d.git(&["submodule", "--quiet", "update", "--init"]);
    let said = shop.wt(&["merge", "d"]).ok();
    assert!(said.stdout.contains("git submodule update library"), "{said}");
    assert_eq!(shop.git_line(&["rev-parse", "HEAD:library"]), new);
    shop.git(&["submodule", "--quiet", "update"]);
    assert_eq!(shop.status(), "?? mine.txt\n");
}

#[test]
fn modes_links_clashes_and_line_ends() {
    let env = still();
    let shop = env.repo("shop");
    shop.write(".gitattributes", "*.bat text eol=crlf\n*.list merge=union\n");
    shop.write("run.bat", "a\r\nb\r\nc\r\nd\r\ne\r\n");
    shop.write("some.list", "1\n");
    shop.write("Case.txt", "upper\n");
    for path in ["run.sh", "dir/one", "dir/two", "file"] {
        shop.write(path, path);
    }
    std::os::unix::fs::symlink("file", shop.dir.join("link")).unwrap();
    shop.commit("start");
    let a = spawned(
        &env,
        &shop,
        "a",
        &[("run.bat", "a\r\nb\r\nc\r\nd\r\nE\r\n"), ("some.list", "1\na\n")],
    );
    a.git(&["rm", "-q", "-r", "dir", "file", "link"]);
    a.write("dir", "a file now");
    a.write("file/one", "a directory now");
    a.write("case.txt", "lower\n");
    std::os::unix::fs::symlink("run.sh", a.dir.join("link")).unwrap();
    let run = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(a.dir.join("run.sh"), run).unwrap();
    a.commit("everything changes");
    shop.write("run.bat", "A\r\nb\r\nc\r\nd\r\ne\r\n");
    shop.write("some.list", "1\nmain\n");
    shop.commit("of main");
    shop.wt(&["merge", "a"]).ok();
    assert_eq!(
        (shop.status().as_str(), shop.read("run.bat").as_str()),
        ("", "A\r\nb\r\nc\r\nd\r\nE\r\n")
    );
    assert_eq!(
        (shop.read("some.list"), shop.read("dir")),
        ("1\nmain\na\n".into(), "a file now".into())
    );
    assert_eq!(
        (shop.read("file/one"), shop.read("Case.txt")),
        ("a directory now".into(), "upper\n".into())
    );
    assert_eq!(std::fs::read_link(shop.dir.join("link")).unwrap().to_str(), Some("run.sh"));
    assert_tidy(&env, &shop);
    shop.wt(&["undo"]).ok();
    assert_eq!((shop.status().as_str(), shop.read("dir/two").as_str()), ("", "dir/two"));
}
