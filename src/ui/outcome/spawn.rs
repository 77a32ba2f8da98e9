//! How `wt spawn` looks.

use std::io;

use crate::commands::allot::Allowed;
use crate::commands::spawn::{Engaged, Engine, Outcome, Spawned};
use crate::commands::when::When;
use crate::domain::settings::Permissions;
use crate::ui::human;
use crate::ui::outcome::variant::{from, furnished, labelled, shown};
use crate::ui::printer::{Page, Render};
use crate::ui::theme;

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        match self.variants.as_slice() {
            [one] => self.single(out, one)?,
            several => self.several(out, several)?,
        }
        self.closing(out)
    }
}

impl Outcome {
    fn single(&self, out: &mut Page<'_>, one: &Spawned) -> io::Result<()> {
        let place = format!("{}  {}", shown(&one.path, &self.stood), one.branch);
        labelled(out, "variant", &format!("{place} from {}", from(&self.base)))?;
        let idea = self.idea_text();
        match (&one.agent, idea) {
            (Some(agent), Some(idea)) => {
                labelled(out, "task", &format!("{} · {idea}", agent.task))?
            }
            (Some(agent), None) => labelled(out, "task", &agent.task)?,
            (None, Some(idea)) => labelled(out, "idea", idea.trim_start_matches("idea "))?,
            (None, None) => {}
        }
        if let Some(agent) = &one.agent {
            labelled(out, "agent", &agent_text(agent))?;
        }
        furnished(out, &one.furnished, &self.setup)?;
        self.starts(out)?;
        if one.agent.is_some() {
            labelled(out, "follow", &format!("wt logs -f {}", one.name))
        } else {
            labelled(out, "enter", &format!("cd \"$(wt path {})\"", one.name))
        }
    }

    fn several(&self, out: &mut Page<'_>, several: &[Spawned]) -> io::Result<()> {
        let width = several.iter().map(|one| one.name.as_str().len()).max().unwrap_or(0);
        let paths: Vec<String> = several.iter().map(|one| shown(&one.path, &self.stood)).collect();
        let wide = paths.iter().map(|path| console::measure_text_width(path)).max().unwrap_or(0);
        for (one, path) in several.iter().zip(&paths) {
            let path = console::pad_str(path, wide, console::Alignment::Left, None);
            let agent = one.agent.as_ref().map(|agent| {
                let command = agent.command.as_deref().map(shown_command);
                let name = human::line(command.as_deref().unwrap_or(&agent.name), 30);
                format!("  {name}  {}", agent.task)
            });
            let name = theme::strong().apply_to(format!("{:width$}", one.name.as_str()));
            out.line(format!("{name}  {path}  {}{}", one.branch, agent.unwrap_or_default()))?;
        }
        labelled(out, "from", &from(&self.base))?;
        if let Some(idea) = self.idea_text() {
            labelled(out, "idea", idea.trim_start_matches("idea "))?;
        }
        if let Some(one) = several.first() {
            furnished(out, &one.furnished, &self.setup)?;
        }
        self.starts(out)?;
        if let Some(text) = several_budgets(several) {
            labelled(out, "budget", &text)?;
        }
        let queued = several.iter().any(|one| one.agent.is_some());
        if queued { labelled(out, "follow", "wt list") } else { Ok(()) }
    }

    fn starts(&self, out: &mut Page<'_>) -> io::Result<()> {
        if self.when.is_now() { Ok(()) } else { labelled(out, "starts", &when(&self.when)) }
    }

    /// `idea theme (suggested, with theme-light)`
    fn idea_text(&self) -> Option<String> {
        let idea = self.idea.as_ref()?;
        if !idea.suggested {
            return Some(format!("idea {}", idea.name));
        }
        let with: Vec<&str> = self.idea_with.iter().map(|name| name.as_str()).collect();
        Some(format!("idea {} (suggested, with {})", idea.name, with.join(", ")))
    }

    fn closing(&self, out: &mut Page<'_>) -> io::Result<()> {
        let agents = self.variants.iter().filter(|one| one.agent.is_some()).count();
        let base = match &self.base.branch {
            Some(branch) => capital(&format!("{branch} branch unchanged")),
            None => "Your checkout is unchanged".to_owned(),
        };
        match agents {
            0 => {}
            1 => out.line(format!("{base}; the agent works in isolation."))?,
            _ => out.line(format!("{base}; the agents work in isolation."))?,
        }
        if self.engine == Some(Engine::Later) {
            out.line("Queued; it starts with the next command from outside of this agent.")?;
        }
        Ok(())
    }
}

/// `after theme-light · at 21 Nov 2026 22:00 · not after 22 Nov 2026 06:00`
pub fn when(when: &When) -> String {
    let names = |any: bool| {
        let those = when.after.iter().filter(|after| after.any == any);
        those.map(|after| after.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let (well, any) = (names(false), names(true));
    let parts = [
        (!well.is_empty()).then(|| format!("after {well}")),
        (!any.is_empty()).then(|| format!("after {any}, however that ends")),
        when.at.map(|at| format!("at {}", human::moment(at))),
        when.onto.as_ref().map(|branch| format!("from {branch} as it stands then")),
        when.until.map(|until| format!("not after {}", human::moment(until))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// `claude · engineer · may edit and run commands in its worktree`
fn agent_text(agent: &Engaged) -> String {
    if let Some(command) = &agent.command {
        let shown = shown_command(command);
        return format!("{} · a plain command, with your rights", human::line(&shown, 60));
    }
    let may = match agent.permissions {
        Permissions::Read => "may read in its worktree",
        Permissions::Work => "may edit and run commands in its worktree",
        Permissions::Full => "may do anything that you may",
    };
    let model = agent.model.as_ref().map(|model| format!(" ({model})")).unwrap_or_default();
    let budget = agent.budget.as_ref().map(|allowed| format!(" · {}", budget(allowed)));
    format!("{}{model} · {} · {may}{}", agent.name, agent.role, budget.unwrap_or_default())
}

/// `50,000 tokens, warns`
pub fn budget(allowed: &Allowed) -> String {
    let then = if allowed.stops { "then stops" } else { "warns" };
    format!("{}, {then}", human::amount(allowed.amount))
}

/// `200,000 tokens together, then stops`, `50,000 tokens each, warns`.
fn several_budgets(several: &[Spawned]) -> Option<String> {
    let all = several.iter().filter_map(|one| one.agent.as_ref()?.budget.as_ref());
    let first = all.clone().next()?;
    let then = if first.stops { "then stops" } else { "warns" };
    let how = if first.given { "together" } else { "each" };
    Some(format!("{} {how}, {then}", human::amount(first.amount)))
}

/// A command as one would type it.
pub fn shown_command(command: &[String]) -> String {
    let quoted = command.iter().map(|word| shlex::try_quote(word).unwrap_or(word.as_str().into()));
    quoted.collect::<Vec<_>>().join(" ")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
