//! Repositories made by the real git, in every form that `wt` works in.

use std::path::{Path, PathBuf};

use super::env::TestEnv;
use super::said::Said;

/// A checkout in a test's world.
pub struct TestRepo<'e> {
    env: &'e TestEnv,
    /// The top of its working tree.
    pub dir: PathBuf,
}

impl TestEnv {
    /// A repository `NAME` with one commit on `main`: `README.md`, `src/app.txt`, `src/theme.css`
    /// and a `.gitignore`.
    pub fn repo(&self, name: &str) -> TestRepo<'_> {
        self.repo_as(name, &[])
    }

    /// The same, made with more flags for `git init`, such as `--object-format=sha256` or
    /// `--ref-format=reftable`.
    pub fn repo_as(&self, name: &str, init: &[&str]) -> TestRepo<'_> {
        let repo = self.unborn(name, init);
        let lines: String = (1..=20).map(|n| format!("line {n}\n")).collect();
        let css = ":root {\n  --bg: #fff;\n  --fg: #111;\n}\n";
        repo.write(".gitignore", ".env*\nnode_modules/\n");
        repo.write("README.md", "# A shop\n");
        repo.write("src/app.txt", &lines);
        repo.write("src/theme.css", css);
        repo.commit("start");
        repo
    }

    /// A repository without any commit.
    pub fn unborn(&self, name: &str, init: &[&str]) -> TestRepo<'_> {
        let dir = self.dir().join(name);
        std::fs::create_dir_all(&dir).unwrap();
        self.git(&dir, &[&["init", "-q"], init].concat());
        TestRepo { env: self, dir }
    }

    /// A checkout that is there already.
    pub fn at(&self, dir: impl Into<PathBuf>) -> TestRepo<'_> {
        TestRepo { env: self, dir: dir.into() }
    }

    /// A bare repository `NAME.git` whose `main` is checked out in the linked worktree `NAME`.
    pub fn bare_with_worktree(&self, name: &str) -> TestRepo<'_> {
        let seed = self.repo(&format!("{name}-seed"));
        let bare = self.dir().join(format!("{name}.git"));
        let dir = self.dir().join(name);
        self.git(self.dir(), &["clone", "-q", "--bare", path(&seed.dir), path(&bare)]);
        self.git(&bare, &["worktree", "add", "-q", path(&dir), "main"]);
        TestRepo { env: self, dir }
    }

    /// A clone of the last commit alone.
    pub fn shallow(&self, of: &TestRepo<'_>, name: &str) -> TestRepo<'_> {
        let url = format!("file://{}", path(&of.dir));
        self.git(self.dir(), &["clone", "-q", "--depth", "1", &url, name]);
        self.at(self.dir().join(name))
    }

    /// A clone that has only the top and these directories checked out.
    pub fn sparse(&self, of: &TestRepo<'_>, name: &str, dirs: &[&str]) -> TestRepo<'_> {
        self.git(self.dir(), &["clone", "-q", "--sparse", path(&of.dir), name]);
        let repo = self.at(self.dir().join(name));
        repo.git(&[&["sparse-checkout", "set"], dirs].concat());
        repo
    }
}

impl TestRepo<'_> {
    /// git in this checkout; gives what it said.
    pub fn git(&self, args: &[&str]) -> String {
        self.env.git(&self.dir, args)
    }

    /// The same without the line's end: an object id, a branch's name.
    pub fn git_line(&self, args: &[&str]) -> String {
        self.git(args).trim_end().to_owned()
    }

    /// `wt` in this checkout.
    pub fn wt(&self, args: &[&str]) -> Said {
        self.env.wt_in(&self.dir, args)
    }

    /// Writes a file of the working tree, with the directories above it.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        self.env.write(self.dir.join(name), text);
    }

    /// A file of the working tree.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.join(name)).unwrap()
    }

    /// Whether there is something at that place of the working tree.
    pub fn has(&self, name: &str) -> bool {
        self.dir.join(name).symlink_metadata().is_ok()
    }

    /// Commits everything there is; gives the commit.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
        self.head()
    }

    /// The commit that is checked out.
    pub fn head(&self) -> String {
        self.git_line(&["rev-parse", "HEAD"])
    }

    /// What is uncommitted, in git's short form.
    pub fn status(&self) -> String {
        self.git(&["status", "--short"])
    }

    /// The commit that a ref stands at; `None` when there is no such ref.
    pub fn at_ref(&self, name: &str) -> Option<String> {
        let found = self.git_line(&["for-each-ref", "--format=%(objectname)", name]);
        (!found.is_empty()).then_some(found)
    }

    /// Takes a repository in as the submodule `NAME`, committed.
    pub fn add_submodule(&self, of: &TestRepo<'_>, name: &str) {
        self.git(&["submodule", "--quiet", "add", path(&of.dir), name]);
        self.commit("a submodule");
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
