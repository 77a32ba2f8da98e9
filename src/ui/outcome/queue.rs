//! How `wt queue` looks: the room there is, what is held up, then what waits, in its order.

use std::io;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::commands::queue::control::{Changed, ParallelDone, PauseDone, ResumeDone};
use crate::commands::queue::{Held, Outcome, Paused, Slots, Waiting};
use crate::engine::limits::TASKS;
use crate::engine::schedule::clock;
use crate::ui::human;
use crate::ui::printer::{Page, Render};
use crate::ui::table::Table;
use crate::ui::theme;

/// How wide a reason is cut where the reader is no terminal.
const UNCUT: usize = 400;

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        labelled(out, "SLOTS", &slots(&self.slots))?;
        held_up(out, (&self.paused, &self.held), self.now)?;
        if self.waiting.is_empty() {
            return out.line("Nothing waits.");
        }
        waiting(out, &self.waiting)
    }
}

impl Render for PauseDone {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        let already = if self.changed { "" } else { " already" };
        out.line(format!("{} is paused{already}: nothing of it starts", part(&self.paused)))?;
        if self.running > 0 {
            let goes = if self.running == 1 { "goes" } else { "go" };
            let tasks = human::count(self.running as u64, "task runs", "tasks run");
            out.line(format!("{tasks} and {goes} on"))?;
        }
        out.line(format!("go on  {}", resume(&self.paused)))
    }
}

impl Render for ResumeDone {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        let tasks = human::count(self.waiting as u64, "task", "tasks");
        match (self.changed, self.waiting) {
            (false, _) => out.line("Nothing of the kind was paused.")?,
            (true, 0) => out.line("It goes on; nothing waits.")?,
            (true, _) => out.line(format!("It goes on; {tasks} in the queue  → wt queue"))?,
        }
        for still in &self.paused {
            out.line(format!("{} is still paused  → {}", part(still), resume(still)))?;
        }
        for still in &self.held {
            let agent = &still.agent;
            out.line(format!("{agent} is still held  → wt queue resume --agent {agent}"))?;
        }
        Ok(())
    }
}

impl Render for ParallelDone {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        labelled(out, "SLOTS", &slots(&self.slots))
    }
}

impl Render for Changed {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        if self.tasks.is_empty() {
            return out.line("It has begun  → wt status");
        }
        waiting(out, &self.tasks)
    }
}

/// What is held up by a person's word or an agent's failures, a line each, with what ends it.
fn held_up(
    out: &mut Page<'_>,
    (paused, held): (&[Paused], &[Held]),
    now: Timestamp,
) -> io::Result<()> {
    let since = |at: Timestamp| clock(at, (now, &TimeZone::system()));
    for one in paused {
        let text = format!("{} since {}", part(one), since(one.since));
        labelled(out, "PAUSED", &format!("{text}  → {}", resume(one)))?;
    }
    for one in held {
        let failures = human::count(u64::from(one.failures), "failure", "failures");
        let (agent, class) = (&one.agent, one.class.as_str());
        let login = one.login.as_ref().map(|login| format!("{login}; ")).unwrap_or_default();
        let text = format!("{agent} since {}: {failures} ({class})", since(one.since));
        let typed = format!("{login}wt queue resume --agent {agent}");
        labelled(
            out,
            "HELD",
            &theme::attention().apply_to(format!("{text}  → {typed}")).to_string(),
        )?;
    }
    Ok(())
}

fn waiting(out: &mut Page<'_>, tasks: &[Waiting]) -> io::Result<()> {
    let mut repositories = tasks.iter().map(|one| &one.line.repository);
    let first = repositories.next();
    let several = repositories.any(|one| Some(one) != first);
    let mut table = Table::new(&["", "TASK", "LANE", "PRIORITY", "WAITS"]);
    table.right(0);
    table.right(3);
    for one in tasks {
        let name = if several {
            format!("{} ({})", one.line.name, one.line.repository)
        } else {
            one.line.name.clone()
        };
        let reason = one.line.reason.as_deref().unwrap_or("for the engine to look at it");
        let typed = advice(reason).map(|typed| format!("  → {typed}")).unwrap_or_default();
        table.row([
            one.place.to_string(),
            theme::strong().apply_to(human::line(&name, 60)).to_string(),
            one.lane.as_str().to_owned(),
            one.line.priority.to_string(),
            format!("{}{typed}", human::line(reason, UNCUT)),
        ]);
    }
    for line in table.lines() {
        let line = match out.width {
            Some(width) => console::truncate_str(&line, width, "…").into_owned(),
            None => line,
        };
        out.line(line)?;
    }
    Ok(())
}

/// What to type about something that waits for a person, by its reason.
pub fn advice(reason: &str) -> Option<String> {
    if let Some((on, _)) = reason.strip_prefix("after ").and_then(|on| on.split_once(", which ")) {
        return Some(format!("wt retry {on}"));
    }
    if let Some((agent, _)) = reason.split_once(" is held since ") {
        return Some(format!("wt queue resume --agent {agent}"));
    }
    match reason.strip_suffix(" is paused")? {
        "this repository" => Some("wt queue resume --repo".into()),
        lane if lane.starts_with("lane ") => Some(format!("wt queue resume --{lane}")),
        _ => Some("wt queue resume".into()),
    }
}

/// `agent 2 of 6 · build 0 of 2 · e2e 0 of 1 · in all 2 of 5`
fn slots(all: &[Slots]) -> String {
    let shown = all.iter().map(|one| {
        let what = if one.what == TASKS { "in all" } else { &one.what };
        let set = if one.set { " (set here)" } else { "" };
        format!("{what} {} of {}{set}", one.busy, one.of)
    });
    shown.collect::<Vec<_>>().join(" · ")
}

fn part(paused: &Paused) -> String {
    match (paused.lane, &paused.repository) {
        (Some(lane), _) => format!("lane {}", lane.as_str()),
        (None, Some(repository)) => format!("repository {repository}"),
        (None, None) => "the queue".into(),
    }
}

fn resume(paused: &Paused) -> String {
    match (paused.lane, &paused.repository) {
        (Some(lane), _) => format!("wt queue resume --lane {}", lane.as_str()),
        (None, Some(_)) => "wt queue resume --repo".into(),
        (None, None) => "wt queue resume".into(),
    }
}

fn labelled(out: &mut Page<'_>, label: &str, text: &str) -> io::Result<()> {
    out.line(format!("{}  {text}", theme::dim().apply_to(format!("{label:6}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_a_person_says_what_to_type() {
        let said = |reason| advice(reason).unwrap_or_default();
        assert_eq!(said("after base, which failed"), "wt retry base");
        assert_eq!(said("after base (running)"), "");
        assert_eq!(said("the queue is paused"), "wt queue resume");
        assert_eq!(said("lane build is paused"), "wt queue resume --lane build");
        assert_eq!(said("this repository is paused"), "wt queue resume --repo");
        let held = "claude is held since 12:03: 3 failures (crash)";
        assert_eq!(said(held), "wt queue resume --agent claude");
        assert_eq!(said("for an agent slot (5 of 5 busy)"), "");
    }
}
