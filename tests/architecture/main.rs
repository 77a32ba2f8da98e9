//! The house keeps its own rules: floors, one printer, one place for each input, small files.
//!
//! The checker is held against small bad samples first, so that it cannot rot into always passing.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test with a line number")]

mod floors;
mod rules;
mod samples;
mod source;

use std::path::{Path, PathBuf};

use source::Source;
use walkdir::WalkDir;

/// Which rule is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Floor,
    Library,
    Print,
    Process,
    Input,
    Renamed,
    Sleep,
    Size,
    Name,
    Unfinished,
}

/// One place where one is broken.
#[derive(Debug)]
struct Finding {
    place: String,
    rule: Rule,
    why: String,
}

impl Finding {
    fn new(source: &Source, line: usize, rule: Rule, why: String) -> Self {
        Self { place: format!("{}:{line}", source.path), rule, why }
    }
}

/// Everything wrong with one file.
fn check(source: &Source) -> Vec<Finding> {
    let mut found = vec![];
    floors::check(source, &mut found);
    rules::check_code(source, &mut found);
    rules::check_text(source, &mut found);
    found
}

fn files() -> Vec<Source> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let places =
        ["src", "tests", "benches", "templates", "README.md"].map(|place| root.join(place));
    let entries = places.iter().filter(|place| place.exists()).flat_map(WalkDir::new);
    let mut files: Vec<Source> = entries
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file() && !installed(entry.path()))
        .map(|entry| {
            let text = String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).into_owned();
            let path = entry.path().strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            Source::new(&path, text)
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Programs that a script put beside the tests, and proptest's notes of what once failed.
fn installed(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "node_modules")
        || path.file_name().is_some_and(|name| name == "package-lock.json")
        || path.extension().is_some_and(|end| end == "proptest-regressions")
}

#[test]
fn the_house_keeps_its_rules() {
    let broken: Vec<String> = files()
        .iter()
        .flat_map(check)
        .map(|finding| format!("{} {:?}: {}", finding.place, finding.rule, finding.why))
        .collect();
    assert!(broken.is_empty(), "{} rules broken:\n{}", broken.len(), broken.join("\n"));
}

#[test]
fn the_whole_house_is_looked_at() {
    let files = files();
    for path in ["src/lib.rs", "src/main.rs", "src/domain/name.rs", "src/git/command.rs"] {
        let file = files.iter().find(|file| file.path == path);
        assert!(file.is_some_and(|file| file.tokens.len() > 3), "{path} was not read");
    }
}
