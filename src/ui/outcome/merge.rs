//! How `wt merge` looks. Its steps are told while it works; this is the answer.

use std::io;

use crate::commands::merge::{Aborted, Expected, Merged, NowConflicts, Outcome, Rehearsed};
use crate::ui::human;
use crate::ui::printer::{Page, Render};
use crate::ui::stat::{self, StatLine};
use crate::ui::theme;

/// The most files that are listed.
const FILES_MAX: usize = 16;

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        match self {
            Self::Merged(merged) => landed(merged, out),
            Self::AlreadyIn { variant, into, why } => {
                out.line(format!("nothing to merge from {variant} into {into}: {why}"))
            }
            Self::Planned(rehearsed) => planned(rehearsed, out),
            Self::Aborted(aborted) => given_up(aborted, out),
        }
    }
}

fn landed(merged: &Merged, out: &mut Page<'_>) -> io::Result<()> {
    let files: Vec<StatLine<'_>> = merged
        .files
        .iter()
        .map(|file| StatLine {
            path: &file.path,
            old_path: file.old_path.as_deref(),
            lines: file.lines,
        })
        .collect();
    for line in stat::lines(&files, FILES_MAX, out.width) {
        out.line(line)?;
    }
    let mark = theme::good().apply_to("✓");
    let mut conflicts = merged.now_conflict.iter().map(|one| conflict(one, &merged.into));
    match conflicts.next() {
        Some(first) => out.line(format!("{mark} merged. {first}"))?,
        None => out.line(format!("{mark} merged"))?,
    }
    for more in conflicts {
        out.line(format!("          {more}"))?;
    }
    for submodule in &merged.submodules {
        out.line(format!("submodule {submodule} moved: git submodule update {submodule}"))?;
    }
    out.line(format!("next  {}", merged.next))
}

fn conflict(one: &NowConflicts, into: &str) -> String {
    let shown = one.files.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    let more = one.files.len().saturating_sub(3);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let text = format!("{} now conflicts with {into} in {shown}{more}", one.variant);
    theme::attention().apply_to(text).to_string()
}

fn planned(rehearsed: &Rehearsed, out: &mut Page<'_>) -> io::Result<()> {
    let Rehearsed { variant, into, onto, plan, .. } = rehearsed;
    let commits = human::count(rehearsed.commits, "commit", "commits");
    out.line(format!("plan      {variant} into {into} {}, {commits}", human::commit(onto)))?;
    if plan.leftovers > 0 {
        let files = human::count(plan.leftovers as u64, "uncommitted file", "uncommitted files");
        out.line(format!("first     commit {files} of {variant}, not looked into here"))?;
    }
    if let Some(left) = &plan.left_behind {
        out.line(format!("stays     {} uncommitted: {}", left.paths, left.why))?;
    }
    if let Some(doubt) = &plan.doubt {
        out.line(format!("asks      {doubt}"))?;
    }
    expected(&rehearsed.expected, into, out)?;
    out.line("nothing was changed")
}

fn expected(expected: &Expected, into: &str, out: &mut Page<'_>) -> io::Result<()> {
    match expected {
        Expected::Leftovers => Ok(()),
        Expected::Nothing => out.line(format!("gives     nothing: {into} has it all")),
        Expected::Stops { said } => {
            let said = said.first().map_or("git would stop", String::as_str);
            out.line(format!("stops     {said}"))
        }
        Expected::Conflicts(stuck) => {
            for conflict in &stuck.conflicts {
                let path = human::line(&conflict.path.display().to_string(), 120);
                out.line(format!("conflict  {path}"))?;
            }
            Ok(())
        }
        Expected::Merges { fast_forward, files, lines, obstacles } => {
            let files = human::count(*files as u64, "file", "files");
            let how = if *fast_forward { ", fast-forward" } else { "" };
            let lines =
                format!("+{} −{}", human::number(lines.added), human::number(lines.removed));
            out.line(format!("gives     {files} {lines}{how}"))?;
            for obstacle in obstacles {
                let path = human::line(&obstacle.path.display().to_string(), 120);
                out.line(format!("in the way  {path}  {}", obstacle.why))?;
            }
            Ok(())
        }
    }
}

fn given_up(aborted: &Aborted, out: &mut Page<'_>) -> io::Result<()> {
    let Aborted { variant, into, kept, .. } = aborted;
    let mark = theme::good().apply_to("✓");
    out.line(format!("{mark} the merge of {variant} is forgotten; {into} was never touched"))?;
    match kept {
        Some(kept) => out.line(format!("what stood in its worktree is kept in {kept}")),
        None => Ok(()),
    }
}
