//! A repository to measure on: many files, many commits, many variants, some of them dirty and
//! some in conflict with one another.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How large it is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Tracked files, of 60 lines each.
    pub files: usize,
    /// Commits on `main`.
    pub commits: usize,
    /// Linked worktrees on branches of their own.
    pub variants: usize,
}

/// The repository, and a home of its own for everything that runs in it.
#[derive(Debug)]
pub struct Fixture {
    /// Its main checkout.
    pub repo: PathBuf,
    /// The worktrees, in order.
    pub worktrees: Vec<PathBuf>,
    root: PathBuf,
}

impl Fixture {
    /// The fixture of that size below `cache`, made if it is not there yet; the worktrees are
    /// variants of `wt`. `main` is five commits ahead of where they forked; each has three commits, every second one is
    /// dirty, every fifth edits lines that `main` and its like edit too.
    pub fn of(size: Size, cache: &Path) -> Self {
        let name = format!("{}-{}-{}", size.files, size.commits, size.variants);
        let root = cache.join(name);
        let worktrees = (1..=size.variants).map(|n| root.join(format!("shop-worktrees/v{n:03}")));
        let fixture =
            Self { repo: root.join("shop"), worktrees: worktrees.collect(), root: root.clone() };
        let whole = root.join("whole");
        if !whole.exists() {
            let _ = fs::remove_dir_all(&root);
            fs::create_dir_all(&fixture.repo).unwrap();
            fixture.make(size);
            fs::write(whole, "").unwrap();
        }
        fixture
    }

    /// A program with the fixture's environment, started in `dir`.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>, dir: &Path) -> Command {
        let mut command = Command::new(program);
        let home = self.root.join("home");
        fs::create_dir_all(&home).unwrap();
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", &home).env("XDG_STATE_HOME", home.join("state"));
        command.env("XDG_CONFIG_HOME", home.join("config")).env("LC_ALL", "C");
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "b").env(format!("GIT_{role}_EMAIL"), "b@b");
        }
        command.stdin(Stdio::null()).current_dir(dir);
        command
    }

    /// git, which must succeed; gives what it said.
    pub fn git(&self, dir: &Path, args: &[&str]) -> String {
        let output = self.command("git", dir).args(args).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?} in {}: {said}", dir.display());
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn make(&self, size: Size) {
        self.git(&self.repo, &["init", "-q", "-b", "main"]);
        self.git(&self.repo, &["config", "gc.auto", "0"]);
        let mut import = self.command("git", &self.repo);
        let mut import =
            import.args(["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn().unwrap();
        import.stdin.take().unwrap().write_all(history(size).as_bytes()).unwrap();
        assert!(import.wait().unwrap().success());
        self.git(&self.repo, &["reset", "-q", "--hard", "main"]);
        for (at, worktree) in self.worktrees.iter().enumerate() {
            self.variant(size, at + 1, worktree);
        }
        self.git(&self.repo, &["gc", "-q"]);
    }

    fn variant(&self, size: Size, number: usize, worktree: &Path) {
        let name = format!("v{number:03}");
        let mut spawn = self.command(env!("CARGO_BIN_EXE_wt"), &self.repo);
        let output = spawn.args(["spawn", &name, "--no-agent", "--from", "main~5"]).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        for commit in 1..=3 {
            let new = worktree.join(format!("src/d{}/new_{name}_{commit}.txt", number % 50));
            fs::create_dir_all(new.parent().unwrap()).unwrap();
            fs::write(new, (1..=40).map(|line| format!("{line}\n")).collect::<String>()).unwrap();
            if number.is_multiple_of(5) {
                let edited = worktree.join(file(((size.commits - 1) * 7919) % size.files));
                let text = fs::read_to_string(&edited).unwrap();
                let lines = text.lines().map(|line| format!("{line} {name}-{commit}\n"));
                fs::write(edited, lines.collect::<String>()).unwrap();
            }
            self.git(worktree, &["add", "-A"]);
            self.git(worktree, &["commit", "-q", "-m", &format!("{name} commit {commit}")]);
        }
        if number.is_multiple_of(2) {
            let mut dirty = fs::OpenOptions::new().append(true).open(worktree.join(file(0)));
            dirty.as_mut().unwrap().write_all(b"dirty\n").unwrap();
            fs::write(worktree.join("untracked.txt"), "u\n").unwrap();
        }
    }
}

fn file(number: usize) -> String {
    format!("src/d{}/f{number}.txt", number % 50)
}

/// A history for `git fast-import`: all files in the first commit, then one edited line a commit.
fn history(size: Size) -> String {
    let mut stream = String::new();
    for commit in 0..size.commits {
        let time = 1_700_000_000 + commit * 60;
        let message = format!("c{commit}");
        writeln!(stream, "commit refs/heads/main\ncommitter b <b@b> {time} +0000").unwrap();
        data(&mut stream, &message);
        let all = 0..size.files;
        let one = (commit * 7919) % size.files;
        for number in if commit == 0 { all } else { one..one + 1 } {
            writeln!(stream, "M 100644 inline {}", file(number)).unwrap();
            let lines = (0..60).map(|line| match commit {
                0 => format!("line {number} {line}\n"),
                _ => {
                    let revision = if line == commit % 60 { commit } else { 0 };
                    format!("line {number} {line} rev{revision}\n")
                }
            });
            data(&mut stream, &lines.collect::<String>());
        }
    }
    stream
}

fn data(stream: &mut String, text: &str) {
    writeln!(stream, "data {}\n{text}", text.len()).unwrap();
}
