//! How `wt result` looks: the agent's words alone.

use std::io;

use crate::commands::result::Outcome;
use crate::ui::printer::{Page, Render};

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        let Some(text) = &self.text else { return Ok(()) };
        if out.width.is_none() {
            // To a file or a pipe it goes to the byte.
            return out.raw(format!("{}\n", text.trim_end_matches('\n')).as_bytes());
        }
        let safe = text.lines().map(crate::ui::patch::visible);
        for line in safe {
            out.raw(format!("{line}\n").as_bytes())?;
        }
        Ok(())
    }
}
