//! Small samples that break each rule, and some that only look as if they did.

use crate::source::Source;
use crate::{Rule, check};

const BAD: &[(&str, &str, Rule)] = &[
    ("src/domain/x.rs", "use crate::git::repo::Repo;", Rule::Floor),
    ("src/domain/x.rs", "use crate::{domain::id::TaskId, store::db};", Rule::Floor),
    ("src/git/x.rs", "fn f() { crate::commands::list::run(); }", Rule::Floor),
    ("src/git/x.rs", "use super::super::engine::run;", Rule::Floor),
    ("src/git/x.rs", "mod a { use super::super::super::store::db; }", Rule::Floor),
    ("src/git/x.rs", "macro_rules! m { () => { $crate::ui::printer::say() } }", Rule::Floor),
    ("src/git/mod.rs", "use super::*;", Rule::Floor),
    ("src/git/x.rs", "use crate as everything;", Rule::Floor),
    ("src/git/x.rs", "use crate::Whatever;", Rule::Floor),
    ("src/git/x.rs", "use wt::store::db;", Rule::Floor),
    ("src/ui/x.rs", "use crate::cli::args::Args;", Rule::Floor),
    ("src/elsewhere/x.rs", "fn f() {}", Rule::Floor),
    ("src/git/x.rs", "#[path = \"../engine/run.rs\"] mod run;", Rule::Floor),
    ("src/git/x.rs", "include!(\"../engine/run.rs\");", Rule::Floor),
    ("src/git/x.rs", "extern crate self as wt2;", Rule::Floor),
    ("src/commands/x.rs", "use git2::Repository;", Rule::Library),
    ("src/commands/x.rs", "fn f() -> rusqlite::Result<()> {}", Rule::Library),
    ("src/commands/x.rs", "use clap;", Rule::Library),
    ("src/domain/x.rs", "use std::fs;", Rule::Library),
    ("src/domain/x.rs", "use std::{collections::BTreeMap, io::Read};", Rule::Library),
    ("src/domain/x.rs", "async fn f() { tokio::task::yield_now().await }", Rule::Library),
    ("src/engine/x.rs", "fn f() { println!(\"x\"); }", Rule::Print),
    ("src/engine/x.rs", "fn f() { std::dbg!(1); }", Rule::Print),
    ("src/cli/x.rs", "use std::io::{self, Write}; fn f() { io::stdout().flush(); }", Rule::Print),
    ("src/cli/x.rs", "use std::io::{Write, stderr};", Rule::Print),
    ("src/main.rs", "fn main() { eprintln!(\"x\") }", Rule::Print),
    ("src/engine/x.rs", "fn f() { std::process::Command::new(\"ls\"); }", Rule::Process),
    ("src/engine/x.rs", "fn f() { Command::new(program) }", Rule::Process),
    ("src/engine/x.rs", "fn f() { nix::unistd::fork() }", Rule::Process),
    ("src/engine/x.rs", "fn f() { Process::new(\"git\") }", Rule::Process),
    ("src/engine/x.rs", "fn f() { jiff::Timestamp::now() }", Rule::Input),
    ("src/commands/x.rs", "fn f() { SystemTime::now() }", Rule::Input),
    ("src/commands/x.rs", "fn f() { Instant::now() }", Rule::Input),
    ("src/git/x.rs", "use std::env; fn f() { env::var_os(\"HOME\") }", Rule::Input),
    ("src/git/x.rs", "use std::env::var;", Rule::Input),
    ("src/git/x.rs", "fn f() { std::env::current_dir() }", Rule::Input),
    ("src/git/x.rs", "fn f() { rustix::rand::getrandom(b, f) }", Rule::Input),
    ("src/git/x.rs", "fn f() { fastrand::u32(..) }", Rule::Input),
    ("src/git/x.rs", "use std::process::Command as Runner;", Rule::Renamed),
    ("src/git/x.rs", "use std::{env as surroundings};", Rule::Renamed),
    ("tests/cli/x.rs", "fn f() { std::thread::sleep(d) }", Rule::Sleep),
    (
        "src/git/x.rs",
        "#[cfg(test)] mod tests { async fn f() { tokio::time::sleep(d) } }",
        Rule::Sleep,
    ),
    ("src/git/utils.rs", "fn f() {}", Rule::Name),
    ("tests/common/mod.rs", "fn f() {}", Rule::Name),
    ("src/git/x.rs", concat!("// TO", "DO: more"), Rule::Unfinished),
    ("README.md", concat!("This works For", " now."), Rule::Unfinished),
    ("tests/x.rs", concat!("#[", "ignore] fn f() {}"), Rule::Unfinished),
    ("templates/x.toml", concat!("# FIX", "ME"), Rule::Unfinished),
];

const GOOD: &[(&str, &str)] = &[
    ("src/git/x.rs", "// use crate::store::db; println!(\"x\")"),
    ("src/git/x.rs", "/// [`crate::store::db`]\nfn f() -> &'static str { \"crate::store::db\" }"),
    ("src/git/x.rs", "use crate::domain::id::TaskId; use super::repo::Repo; use self::a::B;"),
    ("src/git/x.rs", "#[cfg(test)] mod tests { use super::*; use super::super::command::Git; }"),
    ("src/git/mod.rs", "#[cfg(test)] mod tests { use super::*; }"),
    ("src/cli/x.rs", "use crate::{ui::printer::Printer, commands::list, domain};"),
    ("src/main.rs", "fn main() { wt::cli::run() }"),
    ("src/ui/x.rs", "fn f() { println!(\"x\"); std::io::stdout(); Instant::now() }"),
    ("src/engine/x.rs", "fn f() { child.stdout(Stdio::null()); let print = 1; print != 2 }"),
    ("src/git/command.rs", "fn f() { Command::new(\"git\") }"),
    ("src/git/x.rs", "#[cfg(test)] mod tests { fn f() { Command::new(\"git\") } }"),
    ("src/store/clock.rs", "fn f() { jiff::Timestamp::now() }"),
    ("src/engine/x.rs", "use std::time::Instant; fn f() { Instant::now() }"),
    ("src/engine/x.rs", "#[cfg(test)] mod tests { fn f() { println!(\"SKIPPED\") } }"),
    ("src/engine/x.rs", "async fn f() { tokio::time::sleep(d).await }"),
    ("src/store/environment.rs", "fn f() { std::env::vars_os() }"),
    ("src/domain/x.rs", "use std::path::Path; fn f(io: u8, env: &str) {}"),
];

#[test]
fn every_bad_sample_is_found() {
    for (path, text, rule) in BAD {
        let found = check(&Source::new(path, (*text).to_owned()));
        assert!(found.iter().any(|f| f.rule == *rule), "{path}: {text}\n{rule:?} not in {found:?}");
    }
}

#[test]
fn no_good_sample_is_blamed() {
    for (path, text) in GOOD {
        let found = check(&Source::new(path, (*text).to_owned()));
        assert!(found.is_empty(), "{path}: {text}\n{found:?}");
    }
}

#[test]
fn four_hundred_lines_are_a_file_and_one_more_is_not() {
    let lines = |count: usize| Source::new("src/git/x.rs", "const A: u8 = 1;\n".repeat(count));
    assert!(check(&lines(400)).is_empty());
    assert!(check(&lines(401)).iter().any(|found| found.rule == Rule::Size));
}

#[test]
fn a_finding_names_its_line() {
    let found = check(&Source::new("src/git/x.rs", "fn f() {}\n\nuse crate::ui::x;\n".to_owned()));
    assert_eq!(found[0].place, "src/git/x.rs:3");
}
