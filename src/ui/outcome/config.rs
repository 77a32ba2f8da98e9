//! How `wt config show` looks: lines that could stand in a settings file, with their origins.

use std::io;

use crate::commands::config::Outcome;
use crate::ui::printer::{Page, Render};
use crate::ui::theme;

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        let lines: Vec<String> = self
            .settings
            .iter()
            .map(|setting| format!("{} = {}", setting.key, setting.toml))
            .collect();
        // One very long value must not push every origin off the screen.
        let widest = lines.iter().map(|line| console::measure_text_width(line)).max();
        let width = widest.unwrap_or(0).min(60);
        for (line, setting) in lines.iter().zip(&self.settings) {
            let padded = console::pad_str(line, width, console::Alignment::Left, None);
            let origin = theme::dim().apply_to(format!("# {}", setting.origin));
            out.line(format!("{padded}  {origin}"))?;
        }
        Ok(())
    }
}
