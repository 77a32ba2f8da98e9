//! How `wt trust` looks.

use std::io;

use crate::commands::trust::{Outcome, State};
use crate::ui::printer::{Page, Render};
use crate::ui::theme;

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        let said = match self.state {
            State::NothingToApprove => "this repository's settings want to run nothing",
            State::AlreadyApproved => "approved before:",
            State::Approved => "approved:",
            State::Revoked => "nothing of this repository is approved any more",
        };
        out.line(said)?;
        if matches!(self.state, State::Approved | State::AlreadyApproved) {
            for power in &self.powers.settings {
                out.line(format!("  {} = {}", power.key, power.value))?;
            }
            let hash = self.powers.hash.as_deref().unwrap_or_default();
            out.line(theme::dim().apply_to(format!("  hash {hash}")).to_string())?;
        }
        Ok(())
    }
}
