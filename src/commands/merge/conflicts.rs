//! Conflicts, told: which files, which lines, and the ways on.

use std::path::{Path, PathBuf};

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::commands::context::Context;
use crate::commands::merge::excerpt;
use crate::commands::merge::waiting::{Stored, Waiting};
use crate::commands::sync::agent_hears;
use crate::domain::problem::{Kind, Problem};
use crate::git::conflict::favor::can_settle;
use crate::git::conflict::{Conflict, ConflictKind, Hunk};

/// The most files that are named, and hunks of one of them.
const FILES_MAX: usize = 12;
const HUNKS_MAX: usize = 4;
/// The most columns of a line that names both sides; longer ones have a line for each.
const WIDTH: usize = 79;

/// A merge that stopped, for programs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stuck {
    /// The variant.
    pub variant: String,
    /// The branch it is merged into.
    pub into: String,
    /// Where that branch stood.
    pub onto: String,
    /// The worktree in which it waits.
    pub scratch: PathBuf,
    /// How many files the variant changes.
    pub files: usize,
    /// What is not settled.
    pub conflicts: Vec<Conflict>,
}

/// The problem that a merge waits for its conflicts to be settled. `conflicts` may hold settled
/// ones, too.
pub fn problem(ctx: &Context<'_>, waiting: &Waiting, conflicts: &[Conflict]) -> Problem {
    let Stored { work, scratch, files, .. } = &waiting.stored;
    let name = waiting.variant.name.as_str();
    let open: Vec<&Conflict> = conflicts.iter().filter(|conflict| !conflict.settled).collect();
    let stuck = Stuck {
        variant: name.to_owned(),
        into: work.into.clone(),
        onto: work.onto.clone(),
        scratch: scratch.clone(),
        files: *files,
        conflicts: open.iter().map(|conflict| (*conflict).clone()).collect(),
    };
    let text = format!("{} {}; {} untouched", headline(open.len(), *files), at(work), work.into);
    let mut problem = Problem::new(Kind::Conflicts, text).data(&stuck);
    for conflict in open.iter().take(FILES_MAX) {
        problem = problem.details(lines(conflict, &work.into, name));
    }
    if open.len() > FILES_MAX {
        problem = problem.detail(format!("… and {} more", open.len() - FILES_MAX));
    }
    for settled in conflicts.iter().filter(|conflict| conflict.settled).take(FILES_MAX) {
        problem =
            problem.detail(format!("{}  settled, not yet gone on with", shown(&settled.path)));
    }
    if open.iter().any(|conflict| conflict.hunks.is_empty()) {
        problem =
            problem.detail("where no line is named: `git add` keeps it as it is, `git rm` deletes");
    }
    // Not worth failing for: it is only not named among the ways.
    let agent_hears = agent_hears(ctx, &waiting.variant).unwrap_or(false);
    ways(problem, name, (open.len(), agent_hears))
}

fn at(work: &crate::git::scratch::Work) -> String {
    format!("with {} {}", work.into, work.onto.get(..7).unwrap_or(&work.onto))
}

/// `1 of 6 files conflicts`: of so many that are changed, so many are open.
pub fn headline(open: usize, files: usize) -> String {
    match (open, files.max(open)) {
        (0, _) => "every file is settled".to_owned(),
        (1, 1) => "1 file conflicts".to_owned(),
        (1, all) => format!("1 of {all} files conflicts"),
        (open, all) if open == all => format!("{open} files conflict"),
        (open, all) => format!("{open} of {all} files conflict"),
    }
}

fn ways(problem: Problem, name: &str, (open, agent_hears): (usize, bool)) -> Problem {
    if open == 0 {
        return problem
            .hint(format!("look at it  `cd \"$(wt path {name} --merge)\"`"))
            .hint("go on       `wt merge --continue`")
            .hint("forget it   `wt merge --abort`");
    }
    let mut problem = problem.hint(format!(
        "yourself   `cd \"$(wt path {name} --merge)\"`; edit; `wt merge --continue`"
    ));
    if agent_hears {
        problem = problem.hint(format!("the agent  `wt sync {name} --resolve`"));
    }
    problem
        .hint(format!("one side   `wt merge {name} --favor variant [-- PATH…]`"))
        .hint("forget it  `wt merge --abort`")
}

/// `src/theme.css:12–20  main: "--bg: #111"  theme-light: "--bg: #fff"`: a conflict's places, with
/// what the side that is merged into and the one that is merged are called; long ones take three
/// lines.
pub fn lines(conflict: &Conflict, into: &str, name: &str) -> Vec<String> {
    let path = shown(&conflict.path);
    if conflict.hunks.is_empty() {
        return vec![format!("{path}  {}", kind(conflict.kind, into, name))];
    }
    let hunk = |hunk: &Hunk| {
        let (first, last) = hunk.lines;
        let place = format!("{path}:{first}–{last}");
        let (ours, theirs) = excerpt::of(&hunk.ours, &hunk.theirs);
        let line = format!("{place}  {into}: {ours}  {name}: {theirs}");
        if line.width() <= WIDTH {
            return vec![line];
        }
        let column = into.width().max(name.width()) + 1;
        let side = |side: &str, says: String| {
            let gap = column - side.width();
            format!("  {side}:{}{says}", " ".repeat(gap))
        };
        vec![place, side(into, ours), side(name, theirs)]
    };
    let mut lines: Vec<String> = conflict.hunks.iter().take(HUNKS_MAX).flat_map(hunk).collect();
    if conflict.hunks.len() > HUNKS_MAX {
        lines.push(format!("{path}  … and {} more places", conflict.hunks.len() - HUNKS_MAX));
    }
    lines
}

/// In what way a file conflicts, where no line can be named.
fn kind(kind: ConflictKind, into: &str, name: &str) -> String {
    match kind {
        ConflictKind::Text => "marked by hand; a conflict marker is left in it".to_owned(),
        ConflictKind::Binary => "not text, and changed on both sides".to_owned(),
        ConflictKind::Link => "a symbolic link, changed on both sides".to_owned(),
        ConflictKind::Submodule => "a submodule, moved on both sides".to_owned(),
        ConflictKind::DeletedByOurs => format!("deleted in {into}, changed in {name}"),
        ConflictKind::DeletedByTheirs => format!("changed in {into}, deleted in {name}"),
        ConflictKind::Moved => "renamed differently, or in a directory's way".to_owned(),
    }
}

/// The lines that say what favouring one side left open, with how to settle it by hand.
pub fn beyond_favor(conflicts: &[Conflict], scratch: &Path) -> Vec<String> {
    let open = conflicts.iter().filter(|conflict| !conflict.settled && !can_settle(conflict));
    let paths: Vec<String> = open.map(|conflict| shown(&conflict.path)).collect();
    if paths.is_empty() {
        return vec![];
    }
    let (dir, first) = (quoted_for_shell(&scratch.to_string_lossy()), quoted_for_shell(&paths[0]));
    vec![
        format!("taking one side does not settle {}", paths.join(", ")),
        format!("  keep what is there  `git -C {dir} add {first}`"),
        format!("  or delete it        `git -C {dir} rm {first}`"),
    ]
}

fn quoted_for_shell(text: &str) -> String {
    shlex::try_quote(text).map_or_else(|_| "PATH".to_owned(), |quoted| quoted.into_owned())
}

/// A path on one line.
pub fn shown(path: &Path) -> String {
    path.to_string_lossy().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
