//! `wt spawn`: what it makes, what it refuses, and that it is everything or nothing.

mod agents;
mod furnish;
mod killed;
mod kinds;
mod parallel;
mod refused;
mod settings;
mod told;

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;
use crate::support::said::Heard;

/// Everything that a refused command must leave as it was: every ref, every registration, every
/// row that is about work, every file of the world with its content's size and time.
#[derive(Debug, PartialEq, Eq)]
pub struct Everything {
    refs: String,
    worktrees: String,
    rows: Vec<String>,
    files: BTreeMap<String, String>,
}

impl Everything {
    pub fn of(env: &TestEnv, repo: &TestRepo<'_>) -> Self {
        Self {
            refs: repo.git(&["for-each-ref"]) + &repo.git(&["symbolic-ref", "-q", "HEAD"]),
            worktrees: repo.git(&["worktree", "list", "--porcelain"]),
            rows: rows(env),
            files: files(env.dir()),
        }
    }
}

/// The rows of the state, without those of the repository itself.
pub fn rows(env: &TestEnv) -> Vec<String> {
    let path = env.state().join("wt.db");
    let Ok(db) = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE) else {
        return vec![];
    };
    let queries = [
        "SELECT 'variant ' || name || ' ' || state || ' ' || ifnull(idea, '-') FROM variants",
        "SELECT 'task ' || agent || ' ' || prompt FROM tasks",
        "SELECT 'attempt ' || number FROM attempts",
        "SELECT 'intent ' || kind FROM intents",
        "SELECT 'trust ' || text FROM trust",
    ];
    let mut all = vec![];
    for query in queries {
        let mut statement = db.prepare(query).unwrap();
        let found = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        all.extend(found.map(Result::unwrap));
    }
    all
}

/// Every file beneath a directory, but for the state's own machinery and what git keeps to be fast.
fn files(dir: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in walkdir::WalkDir::new(dir).min_depth(1).sort_by_file_name() {
        let entry = entry.unwrap();
        let name = entry.path().strip_prefix(dir).unwrap().to_string_lossy().into_owned();
        let machinery = ["state", "tmp", "run"].iter().any(|part| name.starts_with(part))
            && !name.starts_with("state/wt/attempts/");
        // Objects that nothing names are what git itself leaves behind, too.
        let machinery = machinery || name.contains(".git/objects/");
        if machinery || name.ends_with(".git/index") || entry.file_type().is_dir() {
            continue;
        }
        let meta = entry.metadata().unwrap();
        found.insert(name, format!("{:o} {} {}", meta.mode(), meta.len(), meta.mtime()));
    }
    found
}

/// `wt` refuses, says so, and nothing at all is different afterwards.
#[track_caller]
pub fn refused(env: &TestEnv, repo: &TestRepo<'_>, args: &[&str], code: i32) -> Heard {
    refused_in(env, (repo, &repo.dir), args, code)
}

#[track_caller]
pub fn refused_in(
    env: &TestEnv,
    (repo, dir): (&TestRepo<'_>, &Path),
    args: &[&str],
    code: i32,
) -> Heard {
    let before = Everything::of(env, repo);
    let said = env.wt_in(dir, args).code(code);
    let after = Everything::of(env, repo);
    assert_eq!(before, after, "it changed something:\n{said}");
    assert_eq!(said.stdout, "", "an error is no answer");
    said
}

/// The variants there are, by the state: name and state.
pub fn variants(env: &TestEnv) -> Vec<String> {
    let rows = rows(env).into_iter();
    rows.filter_map(|row| row.strip_prefix("variant ").map(str::to_owned)).collect()
}
