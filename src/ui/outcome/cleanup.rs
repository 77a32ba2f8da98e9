//! How `wt cleanup` looks.

use std::io;

use crate::commands::cleanup::act::Removed;
use crate::commands::cleanup::{Outcome, Skipped};
use crate::ui::human;
use crate::ui::printer::{Page, Render};
use crate::ui::theme;

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        if self.dry_run {
            return planned(self, out);
        }
        if self.removed.is_empty() {
            out.line("nothing to remove")?;
        }
        let width = self.removed.iter().map(|one| one.name.len()).max().unwrap_or(0);
        for one in &self.removed {
            out.line(removed(one, width))?;
        }
        skipped(&self.skipped, out)?;
        if let Some(until) = self.restorable_until {
            let day = human::day(until);
            let kept = self.removed.iter().filter(|one| one.trash.is_some());
            let names: Vec<&str> = kept.map(|one| one.name.as_str()).collect();
            let back = if names.len() == 1 { "it comes" } else { "they come" };
            out.line(format!("{back} back until {day} → wt restore {}", names.join(" ")))?;
        }
        if let Some(place) = &self.stood_in {
            let text = "the directory you stand in is in the trash now → cd";
            out.line(
                theme::attention().apply_to(format!("{text} {}", place.display())).to_string(),
            )?;
        }
        Ok(())
    }
}

fn removed(one: &Removed, width: usize) -> String {
    let mark = theme::good().apply_to("✓");
    let branch = match (&one.commit, one.branch_deleted) {
        (Some(commit), true) => {
            format!("branch {} deleted at {}", one.branch, human::commit(commit))
        }
        (Some(_), false) => format!("branch {} stays", one.branch),
        (None, _) => format!("branch {} was gone already", one.branch),
    };
    let worktree = match &one.trash {
        Some(_) => "removed",
        None if one.path.exists() => "forgotten; its worktree stays",
        None => "its worktree was gone already",
    };
    format!("{mark} {:width$}  {worktree}, {branch}", one.name)
}

fn planned(outcome: &Outcome, out: &mut Page<'_>) -> io::Result<()> {
    if outcome.plan.is_empty() && outcome.blocked.is_empty() {
        out.line("nothing would be removed")?;
    }
    let names = outcome.plan.iter().map(|one| one.name.len());
    let width = names.chain(outcome.blocked.iter().map(|one| one.name.len())).max().unwrap_or(0);
    for one in &outcome.plan {
        out.line(format!("{:width$}  {}", one.name, one.told()))?;
    }
    for one in &outcome.blocked {
        let flag = if one.force_passes { " (passed by --force)" } else { "" };
        let text = format!("{:width$}  stays: {}{flag}", one.name, one.why);
        out.line(theme::attention().apply_to(text).to_string())?;
    }
    skipped(&outcome.skipped, out)
}

fn skipped(all: &[Skipped], out: &mut Page<'_>) -> io::Result<()> {
    for one in all {
        let text = format!("{} stays: {}", one.name, one.why);
        out.line(theme::dim().apply_to(text).to_string())?;
    }
    Ok(())
}
