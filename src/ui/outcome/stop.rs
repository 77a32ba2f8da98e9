//! How `wt stop` looks: one line for each task.

use std::io;

use crate::commands::stop::{How, Outcome, Stopped};
use crate::commands::work::Standing;
use crate::ui::human;
use crate::ui::outcome::status::story;
use crate::ui::printer::{Page, Render};
use crate::ui::theme;

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        if self.tasks.is_empty() {
            return out.line("Nothing to stop: nothing runs and nothing waits.");
        }
        for one in &self.tasks {
            let name = theme::strong().apply_to(&one.line.name);
            let text = if self.dry_run { intended(one) } else { done(one) };
            out.line(format!("{name}  {text}"))?;
            if one.survived > 0 {
                let left = human::count(u64::from(one.survived), "process", "processes");
                let text = format!("{left} could not be killed; the system still holds them");
                out.line(format!("  {}", theme::bad().apply_to(text)))?;
            }
        }
        Ok(())
    }
}

fn intended(one: &Stopped) -> String {
    match one.how {
        How::Stopped => "would be stopped, with everything it started".into(),
        How::Unqueued => "would be taken out of the queue".into(),
        How::AlreadyEnded => ended(one),
    }
}

fn done(one: &Stopped) -> String {
    match one.how {
        How::Unqueued => "taken out of the queue".into(),
        How::AlreadyEnded => ended(one),
        // It had ended well before anything reached it.
        How::Stopped if one.line.standing != Standing::Stopped => ended(one),
        How::Stopped => match one.processes {
            Some(count @ 1..) => {
                let ended = human::count(u64::from(count), "process", "processes");
                let next = one.next.as_ref().map(|next| format!("  → {next}")).unwrap_or_default();
                format!("stopped, {ended} ended{next}")
            }
            _ => "stopped".into(),
        },
    }
}

fn ended(one: &Stopped) -> String {
    let story = story(&one.line);
    let how = story.strip_prefix(&one.line.name).unwrap_or(&story).trim();
    format!("had ended already: {how}")
}
