//! How `wt wait` looks: a line for each task.

use std::io;

use crate::commands::wait::Outcome;
use crate::ui::outcome::status::story;
use crate::ui::printer::{Page, Render};

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        if self.ended.is_empty() && self.under_way.is_empty() {
            return out.line("nothing is under way");
        }
        for line in self.ended.iter().chain(&self.under_way) {
            out.line(story(line))?;
        }
        Ok(())
    }
}
