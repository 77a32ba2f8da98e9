//! Imports go down only.

use crate::source::{CodePath, Source};
use crate::{Finding, Rule};

/// The floors, lowest first. `cli` and `ui` share one: `cli` may use `ui`, never the reverse.
const FLOORS: &[&[&str]] = &[
    &["domain"],
    &["git"],
    &["store"],
    &["agents"],
    &["engine"],
    &["commands"],
    &["ui"],
    &["cli"],
];

/// Libraries that belong to some floors alone; everything else speaks in our own types.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("git2", &["git"]),
    ("rusqlite", &["store"]),
    ("clap", &["cli", ""]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("comfy_table", &["ui"]),
    ("console", &["ui"]),
    ("dialoguer", &["ui"]),
    ("indicatif", &["ui"]),
];

/// What values and rules cannot need: they neither read nor write.
const NOT_IN_DOMAIN: &[&str] =
    &["fs", "env", "process", "net", "io", "thread", "tokio", "nix", "rustix", "tempfile"];

/// Adds every import that goes up, sideways between `ui` and `cli`, or around the floors.
pub fn check(source: &Source, found: &mut Vec<Finding>) {
    if !source.path.starts_with("src/") || !source.path.ends_with(".rs") {
        return;
    }
    let module = source.module();
    let own = module.first().map_or("", String::as_str);
    if !own.is_empty() && height(own).is_none() {
        found.push(Finding::new(source, 1, Rule::Floor, format!("`{own}` is no floor")));
        return;
    }
    for path in source.paths() {
        let line = path.at.line;
        if let Some(why) = wrong_import(&module, own, &path) {
            found.push(Finding::new(source, line, Rule::Floor, why));
        }
        if let Some(why) = wrong_library(own, &path).filter(|_| !path.at.test) {
            found.push(Finding::new(source, line, Rule::Library, why));
        }
    }
    detours(source, found);
}

fn height(name: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&name))
}

fn wrong_import(module: &[String], own: &str, path: &CodePath) -> Option<String> {
    let target = within_crate(module, path)?;
    if own.is_empty() {
        return None;
    }
    let shown = path.segments.join("::");
    match target.first() {
        None => Some(format!("`{shown}` takes the whole crate")),
        Some(first) => match height(first) {
            None => Some(format!("`{shown}` is at the crate's root, above every floor")),
            Some(there) if Some(there) > height(own) => {
                Some(format!("`{shown}`: `{own}` may not use `{first}`, which is above it"))
            }
            Some(_) => None,
        },
    }
}

/// The path from the crate's root, if it leads into this crate.
fn within_crate(module: &[String], path: &CodePath) -> Option<Vec<String>> {
    let mut here: Vec<String> = module.iter().chain(&path.at.inline).cloned().collect();
    let mut rest = path.segments.as_slice();
    match rest.first()?.as_str() {
        "crate" | "wt" => {
            here.clear();
            rest = &rest[1..];
        }
        "self" => rest = &rest[1..],
        "super" => {}
        _ => return None,
    }
    while rest.first().is_some_and(|segment| segment == "super") {
        here.pop();
        rest = &rest[1..];
    }
    here.extend(rest.iter().cloned());
    Some(here)
}

fn wrong_library(own: &str, path: &CodePath) -> Option<String> {
    let first = path.segments.first()?.as_str();
    for (library, floors) in LIBRARIES {
        if first == *library && !floors.contains(&own) {
            return Some(format!("`{library}` is for {floors:?} alone"));
        }
    }
    let mut heads = path.segments.iter().map(String::as_str);
    let head = heads.find(|segment| *segment != "std")?;
    let acts = own == "domain" && NOT_IN_DOMAIN.contains(&head);
    acts.then(|| format!("`{head}`: values and rules neither read nor write"))
}

/// Ways around the floors: files included or placed under another name.
fn detours(source: &Source, found: &mut Vec<Finding>) {
    for window in source.tokens.windows(3) {
        let texts = [&window[0].text, &window[1].text, &window[2].text].map(String::as_str);
        let why = match texts {
            ["[", "path", "="] => "`#[path]` puts a file where its name does not say",
            ["include", "!", _] => "`include!` puts a file where its name does not say",
            ["extern", "crate", _] => "`extern crate` gives a crate another name",
            _ => continue,
        };
        found.push(Finding::new(source, window[0].line, Rule::Floor, why.to_owned()));
    }
}
