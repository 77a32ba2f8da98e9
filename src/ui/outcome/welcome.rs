//! How bare `wt` looks where there is nothing to show.

use std::io;

use crate::commands::welcome::Outcome;
use crate::ui::printer::{Page, Render};
use crate::ui::theme;

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        out.line(match &self.repository {
            Some(name) => format!("{name} has no variants. Three steps:"),
            None => "This is no git repository. Three steps:".to_owned(),
        })?;
        let wide = self.steps.iter().map(|step| step.what.len()).max().unwrap_or(0);
        for (at, step) in self.steps.iter().enumerate() {
            let number = theme::strong().apply_to(at + 1);
            out.line(format!("  {number}  {:wide$}  → {}", step.what, step.command))?;
        }
        out.line(format!("All that there is: {}", theme::dim().apply_to("`wt --help`")))
    }
}
