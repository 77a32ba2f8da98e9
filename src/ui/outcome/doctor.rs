//! How `wt doctor` looks.

use std::io;

use crate::commands::doctor::{Finding, Outcome, State};
use crate::ui::printer::{Page, Render};
use crate::ui::theme;

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        let width = self.findings.iter().map(|one| one.about.chars().count()).max().unwrap_or(0);
        for finding in &self.findings {
            out.line(line(finding, width.min(40)))?;
        }
        Ok(())
    }
}

fn line(finding: &Finding, width: usize) -> String {
    let mark = match finding.state {
        State::Fine => theme::good().apply_to("✓"),
        State::Notable => theme::attention().apply_to("!"),
        State::Wrong => theme::bad().apply_to("✗"),
        State::Mended => theme::good().apply_to("✓"),
    };
    let mending = finding.mending();
    format!("{mark} {:width$}  {}{mending}", finding.about, finding.found)
}
