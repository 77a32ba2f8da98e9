//! How `wt path` looks: the path alone, for `cd "$(wt path NAME)"`.

use std::io;

use crate::commands::path::Outcome;
use crate::ui::printer::{Page, Render};

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        out.line(self.path.display().to_string())
    }
}
