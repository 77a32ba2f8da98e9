//! What may be done only in one place, and what may be written nowhere.

use crate::source::{CodePath, Source};
use crate::{Finding, Rule};

/// The files that start processes, and what for. git is started by the first alone.
const STARTERS: &[(&str, &str)] = &[
    ("src/git/command.rs", "git"),
    ("src/engine/start.rs", "the engine"),
    ("src/engine/shell.rs", "commands of the settings, in the foreground"),
    ("src/engine/holder/bounded.rs", "itself, as a program of an attempt"),
    ("src/engine/holder/launch.rs", "setup commands and the agent"),
    ("src/engine/run/launch.rs", "holders"),
    ("src/ui/pager.rs", "the person's own pager"),
    ("src/engine/run/upgrade.rs", "the engine after an upgrade"),
    ("src/agents/scripted/act.rs", "the commands of a scenario"),
    ("src/commands/demo/play.rs", "this program, as a person would"),
];

/// What is read in one file each, by the ends of the paths that read it.
const INPUTS: &[(&str, &[&str])] = &[
    (
        "src/store/clock.rs",
        &["Timestamp::now", "SystemTime::now", "Zoned::now", "Utc::now", "Local::now"],
    ),
    (
        "src/store/environment.rs",
        &[
            "env::var",
            "env::var_os",
            "env::vars",
            "env::vars_os",
            "env::home_dir",
            "env::temp_dir",
            "env::current_dir",
        ],
    ),
    (
        "src/store/random.rs",
        &[
            "rand::*",
            "fastrand::*",
            "uuid::*",
            "getrandom::*",
            "rand::getrandom",
            "RandomState::new",
        ],
    ),
];

/// Renaming one of these would hide it from the rules here.
const NOT_RENAMED: &[&str] =
    &["Command", "SystemTime", "Timestamp", "Zoned", "Instant", "env", "stdout", "stderr"];

/// The most lines of a file in `src`.
const LINES_MAX: usize = 400;

/// Adds everything in Rust source that belongs elsewhere.
pub fn check_code(source: &Source, found: &mut Vec<Finding>) {
    let in_src = source.path.starts_with("src/");
    for path in source.paths() {
        let line = path.at.line;
        if (path.at.test || !in_src) && ends(&path, "sleep") {
            let why = "a test waits on a condition and never sleeps";
            found.push(Finding::new(source, line, Rule::Sleep, why.to_owned()));
        }
        if in_src {
            check_path(source, &path, found);
        }
    }
    if in_src {
        macros(source, found);
    }
}

fn check_path(source: &Source, path: &CodePath, found: &mut Vec<Finding>) {
    let shown = path.segments.join("::");
    let last = path.segments.last().map_or("", String::as_str);
    let mut add = |rule, why: String| found.push(Finding::new(source, path.at.line, rule, why));
    if path.renamed && NOT_RENAMED.contains(&last) {
        add(Rule::Renamed, format!("`{shown}` keeps its name"));
    }
    if path.at.test {
        return;
    }
    if !source.path.starts_with("src/ui/") && (last == "stdout" || last == "stderr") {
        add(Rule::Print, format!("`{shown}`: only `ui` prints"));
    }
    let starter = STARTERS.iter().any(|(file, _)| *file == source.path);
    let forks = ["fork", "execv", "execve", "execvp", "execvpe", "posix_spawn"].contains(&last);
    if (ends(path, "Command::new") || forks) && !starter {
        add(
            Rule::Process,
            format!("`{shown}`: starts a process, but its file is not among STARTERS"),
        );
    }
    for (file, readers) in INPUTS {
        if source.path != *file && readers.iter().any(|reader| reads(path, reader)) {
            add(Rule::Input, format!("`{shown}` is read in {file} alone"));
        }
    }
    let timed = ["src/engine/", "src/ui/"].iter().any(|floor| source.path.starts_with(floor));
    if ends(path, "Instant::now") && !timed {
        add(Rule::Input, format!("`{shown}`: durations are measured in engine and ui alone"));
    }
}

fn ends(path: &CodePath, end: &str) -> bool {
    let wanted: Vec<&str> = end.split("::").collect();
    let start = path.segments.len().checked_sub(wanted.len());
    start.is_some_and(|start| path.segments[start..].iter().eq(wanted))
}

/// Whether a path is the reader, or leads into the crate that the reader is.
fn reads(path: &CodePath, reader: &str) -> bool {
    match reader.strip_suffix("::*") {
        Some(library) => path.segments.first().is_some_and(|first| first == library),
        None => ends(path, reader),
    }
}

fn macros(source: &Source, found: &mut Vec<Finding>) {
    for window in source.tokens.windows(5) {
        let text = |i: usize| window[i].text.as_str();
        let line = window[0].line;
        let prints = ["print", "println", "eprint", "eprintln", "dbg"].contains(&text(0));
        if prints
            && !window[0].test
            && text(1) == "!"
            && text(2) != "="
            && !source.path.starts_with("src/ui/")
        {
            let why = format!("`{}!`: only `ui` prints", text(0));
            found.push(Finding::new(source, line, Rule::Print, why));
        }
        let git = text(0) == "new" && text(1) == "(" && text(2) == "\"git\"";
        if git && !window[0].test && source.path != STARTERS[0].0 {
            let why = format!("git is started by {} alone", STARTERS[0].0);
            found.push(Finding::new(source, line, Rule::Process, why));
        }
    }
}

/// Adds what may not be in any text: too many lines, a name that says nothing, unfinished work.
pub fn check_text(source: &Source, found: &mut Vec<Finding>) {
    let lines = source.text.lines().count();
    if source.path.starts_with("src/") && lines > LINES_MAX {
        let why = format!("{lines} lines, more than {LINES_MAX}: split it by idea");
        found.push(Finding::new(source, LINES_MAX + 1, Rule::Size, why));
    }
    let vague = |part: &str| {
        let stem = part.split('.').next().unwrap_or(part);
        ["util", "utils", "helper", "helpers", "common", "misc"].contains(&stem)
    };
    if source.path.split('/').any(vague) {
        let why = "the name does not say what is in it".to_owned();
        found.push(Finding::new(source, 1, Rule::Name, why));
    }
    for (number, line) in source.text.lines().enumerate() {
        let lower = line.to_lowercase();
        let loud = LOUD.iter().find(|word| line.contains(**word));
        if let Some(word) = loud.or_else(|| QUIET.iter().find(|word| lower.contains(**word))) {
            let why = format!("`{word}` speaks of unfinished work");
            found.push(Finding::new(source, number + 1, Rule::Unfinished, why));
        }
    }
}

/// Words of unfinished work in capitals or code, put together so that this file holds none.
const LOUD: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
    concat!("to", "do!("),
    concat!("un", "implemented!("),
    concat!("#[", "ignore"),
];

/// The same in prose, in any case.
const QUIET: &[&str] = &[
    concat!("for", " now"),
    concat!("not", " implemented"),
    concat!("not yet", " implemented"),
    concat!("place", "holder"),
];
