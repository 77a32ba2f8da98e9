//! How `wt sync` looks: a line for each variant. Conflicts are told with the problem.

use std::io;

use crate::commands::sync::{Expected, Moved, Outcome, Planned, Stuck, Synced, What};
use crate::git::diff::LineCount;
use crate::ui::human;
use crate::ui::printer::{Page, Render};
use crate::ui::theme;

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        if self.variants.is_empty() {
            return out.line("nothing to sync: there are no variants");
        }
        let width = self.variants.iter().map(|one| one.variant.chars().count()).max().unwrap_or(0);
        for synced in &self.variants {
            // A single variant that conflicts is told as a problem, and needs no line here.
            if self.variants.len() == 1 && matches!(synced.what, What::Conflicts(_)) {
                continue;
            }
            let name = theme::strong().apply_to(format!("{:<width$}", synced.variant));
            out.line(format!("{name}  {}", line(synced)))?;
            for more in beneath(synced) {
                out.line(format!("  {more}"))?;
            }
        }
        if self.dry_run {
            out.line("nothing was changed")?;
        }
        Ok(())
    }
}

fn line(synced: &Synced) -> String {
    let from = format!("{} {}", synced.from, human::commit(&synced.commit));
    let brings = human::count(synced.behind, "commit", "commits");
    match &synced.what {
        What::UpToDate => format!("has all of {from}"),
        What::Synced(moved) => {
            let mark = theme::good().apply_to("✓");
            let size = size(moved.files, moved.lines);
            format!("{mark} {brings} of {from}: {size}, {}", moved.how)
        }
        What::Conflicts(stuck) => format!("{} {}", theme::bad().apply_to("✗"), waits(stuck, &from)),
        What::Resolving { attempt, conflicts } => {
            let files = human::count(conflicts.len() as u64, "file", "files");
            let (number, agent) = (attempt.number, &attempt.agent);
            format!(
                "its agent settles {files} in conflict with {from} · attempt {number} · {agent}"
            )
        }
        What::GivenUp { .. } => {
            let mark = theme::good().apply_to("✓");
            format!("{mark} the sync is forgotten; {} stands where it stood", synced.branch)
        }
        What::Planned(planned) => format!("{brings} of {from}: {}", expected(planned)),
        What::PassedOver { why } => {
            theme::dim().apply_to(format!("passed over: {why}")).to_string()
        }
        What::Failed { error } => format!("{} {}", theme::bad().apply_to("✗"), error.message),
    }
}

fn beneath(synced: &Synced) -> Vec<String> {
    match &synced.what {
        What::Synced(Moved { submodules, .. }) => {
            let moved = submodules.iter();
            let path = &synced.variant;
            moved
                .map(|one| format!("submodule {one} moved: git submodule update {one} in {path}"))
                .collect()
        }
        What::Resolving { attempt, .. } => vec![format!("follow  wt logs -f {}", attempt.name)],
        What::GivenUp { kept } => vec![format!("what stood in its worktree is kept in {kept}")],
        What::Failed { error } => {
            let hints = error.hints.iter().map(|hint| format!("hint: {hint}"));
            error.details.iter().cloned().chain(hints).collect()
        }
        What::Planned(planned) => planned_beneath(planned),
        _ => vec![],
    }
}

fn planned_beneath(planned: &Planned) -> Vec<String> {
    let mut lines = vec![];
    if planned.leftovers > 0 {
        let count = planned.leftovers as u64;
        let files = human::count(count, "uncommitted file", "uncommitted files");
        lines.push(format!("first commits {files}, not looked into here"));
    }
    match &planned.expected {
        Expected::Syncs { obstacles, .. } => lines.extend(obstacles.iter().map(|obstacle| {
            let path = human::line(&obstacle.path.display().to_string(), 120);
            format!("in the way  {path}  {}", obstacle.why)
        })),
        Expected::Conflicts { conflicts } => lines.extend(conflicts.iter().map(|conflict| {
            format!("conflict  {}", human::line(&conflict.path.display().to_string(), 120))
        })),
        Expected::Stops { said } => lines.extend(said.iter().take(5).cloned()),
    }
    lines
}

fn expected(planned: &Planned) -> String {
    match &planned.expected {
        Expected::Syncs { files, lines, .. } => size(*files, *lines),
        Expected::Conflicts { conflicts } => {
            let files = human::count(conflicts.len() as u64, "file", "files");
            theme::bad().apply_to(format!("{files} in conflict")).to_string()
        }
        Expected::Stops { .. } => theme::bad().apply_to("git would stop").to_string(),
    }
}

fn waits(stuck: &Stuck, from: &str) -> String {
    let open = stuck.conflicts.iter().filter(|conflict| !conflict.settled).count();
    match open {
        0 => format!("settled, not yet gone on with; with {from}"),
        1 => format!("1 file conflicts with {from}"),
        open => format!("{open} files conflict with {from}"),
    }
}

/// `4 files +30 −2`
fn size(files: usize, lines: LineCount) -> String {
    let files = human::count(files as u64, "file", "files");
    format!("{files} +{} −{}", human::number(lines.added), human::number(lines.removed))
}
