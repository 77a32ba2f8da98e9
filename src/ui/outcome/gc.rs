//! How `wt gc` looks.

use std::io;

use crate::commands::gc::Outcome;
use crate::ui::human;
use crate::ui::printer::{Page, Render};
use crate::ui::theme;

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        let said = if self.dry_run { "would be removed for good" } else { "removed for good" };
        for one in &self.purged {
            out.line(format!(
                "{}  {said} (in the trash since {})",
                one.name,
                human::day(one.removed_at)
            ))?;
        }
        if !self.snapshots.is_empty() {
            let count = human::count(self.snapshots.len() as u64, "snapshot", "snapshots");
            let verb = if self.dry_run { "would be let go" } else { "let go" };
            out.line(format!("{count} {verb}"))?;
        }
        for why in &self.failed {
            out.line(theme::attention().apply_to(why).to_string())?;
        }
        if self.purged.is_empty() && self.snapshots.is_empty() && self.failed.is_empty() {
            out.line("nothing is older than 30 days")?;
        }
        Ok(())
    }
}
