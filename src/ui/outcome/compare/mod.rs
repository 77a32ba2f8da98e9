//! How `wt compare` looks: the rows, what they share, what to look out for, which to take.

mod columns;
mod notes;

use std::io;

use crate::commands::compare::{ChosenBy, Outcome};
use crate::ui::human;
use crate::ui::printer::{Page, Render};
use crate::ui::table::Table;
use crate::ui::theme;

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        if let Some(line) = scope(self) {
            out.line(theme::dim().apply_to(line).to_string())?;
        }
        let columns = columns::fitting(self, out.width);
        let headings: Vec<&str> = columns.iter().map(|column| column.heading.as_str()).collect();
        let mut table = Table::new(&headings);
        for at in 0..self.variants.len() {
            table.row(columns.iter().map(|column| column.cells[at].clone()));
        }
        for (at, column) in columns.iter().enumerate() {
            if column.number {
                table.right(at);
            }
        }
        for line in table.lines() {
            out.line(line)?;
        }
        let matrix = columns.iter().any(|column| column.matrix);
        for note in notes::notes(self, matrix) {
            for line in note.lines(out.width) {
                out.line(line)?;
            }
        }
        Ok(())
    }
}

/// Which variants these are, when nobody named them.
fn scope(outcome: &Outcome) -> Option<String> {
    let scope = &outcome.scope;
    let idea = scope.idea.as_ref().map(|idea| {
        let suggested = if idea.suggested { " (suggested)" } else { "" };
        format!("idea {}{suggested}", idea.name)
    });
    let what = match (scope.by, idea) {
        (ChosenBy::Named | ChosenBy::All, _) | (_, None) => return None,
        (ChosenBy::IdeaNamed | ChosenBy::IdeaHere, Some(idea)) => idea,
        (ChosenBy::IdeaNewest, Some(idea)) => format!("{idea}, the newest"),
    };
    Some(match scope.others {
        0 => what,
        others => {
            let others = human::count(others as u64, "other variant", "other variants");
            format!("{what} · {others} → wt compare --all")
        }
    })
}
