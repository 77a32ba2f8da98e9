//! How `wt task` looks.

use std::io;

use crate::commands::spawn::Engine;
use crate::commands::task::Outcome;
use crate::ui::human;
use crate::ui::outcome::spawn::{budget, shown_command, when};
use crate::ui::outcome::variant::labelled;
use crate::ui::printer::{Page, Render};

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        labelled(out, "task", &format!("{} · lane {}", self.task, self.lane.as_str()))?;
        match &self.command {
            Some(command) => {
                let shown = shown_command(command);
                labelled(out, "runs", &format!("{} · with your rights", human::line(&shown, 60)))?;
            }
            None => {
                let model = self.model.as_ref().map(|model| format!(" ({model})"));
                let (agent, role) = (&self.agent, &self.role);
                let model = model.unwrap_or_default();
                let budget = self.budget.as_ref().map(|allowed| format!(" · {}", budget(allowed)));
                let budget = budget.unwrap_or_default();
                let may = format!("may read, not write{budget}");
                labelled(out, "agent", &format!("{agent}{model} · {role} · {may}"))?;
            }
        }
        labelled(out, "in", &self.cwd.display().to_string())?;
        if !self.when.is_now() {
            labelled(out, "starts", &when(&self.when))?;
        }
        labelled(out, "follow", &format!("wt logs -f {}", self.task))?;
        if self.engine == Engine::Later {
            out.line("Queued; it starts with the next command from outside of this agent.")?;
        }
        Ok(())
    }
}
