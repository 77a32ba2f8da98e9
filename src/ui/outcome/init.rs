//! How `wt init` looks.

use std::io;

use crate::commands::init::Outcome;
use crate::ui::printer::{Page, Render};

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        if !self.written {
            return out.raw(self.text.as_bytes());
        }
        out.line(format!("wrote {}", self.path.display()))?;
        for found in &self.found {
            out.line(format!("  {found}"))?;
        }
        if self.found.is_empty() {
            out.line("  nothing in it that would need setting up was recognised")?;
        }
        out.line("Look it over; then approve what it runs: `wt trust`")
    }
}
