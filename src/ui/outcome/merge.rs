//! How `wt merge` looks. Its steps are told while it works; this is the answer.

use std::io;

use crate::commands::merge::{
    Aborted, Changed, Expected, Merged, NowConflicts, Outcome, Rehearsed,
};
use crate::ui::human;
use crate::ui::printer::{Page, Render};
use crate::ui::theme;

/// The most files that are listed.
const FILES_MAX: usize = 16;
/// Columns to fit into where nobody says how many there are.
const WIDTH: usize = 80;

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
    for line in bars(&merged.files, out.width.unwrap_or(WIDTH)) {
        out.line(line)?;
    }
    let files = human::count(merged.files.len() as u64, "file", "files");
    let added = human::count(merged.lines.added, "insertion", "insertions");
    let removed = human::count(merged.lines.removed, "deletion", "deletions");
    out.line(format!(" {files} changed, {added}(+), {removed}(−)"))?;
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

/// ` src/theme.ts | 45 ++++−−`, as `git diff --stat` draws it.
fn bars(files: &[Changed], width: usize) -> Vec<String> {
    let shown = &files[..files.len().min(FILES_MAX)];
    let name = |file: &Changed| match &file.old_path {
        Some(old) => format!("{old} → {}", file.path),
        None => file.path.clone(),
    };
    let sum = |file: &Changed| file.lines.map(|lines| lines.added + lines.removed);
    let longest = |texts: &mut dyn Iterator<Item = String>| {
        texts.map(|text| console::measure_text_width(&text)).max().unwrap_or(0)
    };
    let counts = longest(&mut shown.iter().map(|file| counted(sum(file))));
    let names = longest(&mut shown.iter().map(name)).min(width.saturating_sub(counts + 16));
    let room = width.saturating_sub(names + counts + 6).max(4) as u64;
    let most = shown.iter().filter_map(sum).max().unwrap_or(0);
    let scaled = |lines: u64| match lines {
        0 => 0,
        _ if most <= room => lines,
        _ => (lines * room / most).max(1),
    };
    let mut lines: Vec<String> = shown
        .iter()
        .map(|file| {
            let name = console::truncate_str(&name(file), names, "…").into_owned();
            let name = console::pad_str(&name, names, console::Alignment::Left, None);
            let count = counted(sum(file));
            let (added, removed) = file.lines.map_or((0, 0), |lines| (lines.added, lines.removed));
            let plus = theme::good().apply_to("+".repeat(scaled(added) as usize));
            let minus = theme::bad().apply_to("−".repeat(scaled(removed) as usize));
            format!(" {name} | {count:>counts$} {plus}{minus}").trim_end().to_owned()
        })
        .collect();
    if files.len() > FILES_MAX {
        lines.push(format!(" … and {} more", files.len() - FILES_MAX));
    }
    lines
}

fn counted(lines: Option<u64>) -> String {
    lines.map_or_else(|| "bin".to_owned(), human::number)
}

fn planned(rehearsed: &Rehearsed, out: &mut Page<'_>) -> io::Result<()> {
    let Rehearsed { variant, into, onto, plan, .. } = rehearsed;
    let commits = human::count(rehearsed.commits, "commit", "commits");
    out.line(format!("plan      {variant} into {into} {}, {commits}", human::commit(onto)))?;
    if plan.leftovers > 0 {
        let files = human::count(plan.leftovers as u64, "uncommitted file", "uncommitted files");
        out.line(format!("first     commit {files} of {variant}; not looked into below"))?;
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
        Some(kept) => out.line(format!("what was settled is kept in {kept}")),
        None => Ok(()),
    }
}
