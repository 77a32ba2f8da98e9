//! How `wt undo` looks.

use std::io;

use crate::commands::undo::{Outcome, Step};
use crate::ui::human;
use crate::ui::printer::{Page, Render};
use crate::ui::table::Table;
use crate::ui::theme;

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        match self {
            Self::List { steps } => list(steps, out),
            Self::Undone { dry_run, step, changes } => {
                let said = if *dry_run { "would undo" } else { "undone" };
                let mark = theme::good().apply_to(if *dry_run { " " } else { "✓" });
                out.line(format!("{mark} {said}: {}", step.summary).trim_start())?;
                for change in changes {
                    out.line(format!("  {change}"))?;
                }
                Ok(())
            }
        }
    }
}

fn list(steps: &[Step], out: &mut Page<'_>) -> io::Result<()> {
    if steps.is_empty() {
        return out.line("nothing was done here yet that could be undone");
    }
    let mut table = Table::new(&["WHEN", "WHAT", ""]);
    let mut next = true;
    for step in steps {
        let state = match step.undone_at {
            Some(_) => theme::dim().apply_to("undone").to_string(),
            None if std::mem::take(&mut next) => "→ wt undo".to_owned(),
            None => String::new(),
        };
        table.row([human::moment(step.at), step.summary.clone(), state]);
    }
    for line in table.lines() {
        out.line(line)?;
    }
    Ok(())
}
