//! How `wt status TASK` looks: how it stands, then everything there is to know.

use std::io;

use jiff::{SignedDuration, Timestamp};

use crate::commands::allot::Budgeted;
use crate::commands::status::detail::{Outcome, Try};
use crate::domain::attempt::{Again, AttemptKind, AttemptState, Exit, Manner};
use crate::domain::usage::Usage;
use crate::ui::human;
use crate::ui::outcome::status::{UNCUT, asked, bounds, labelled, what};
use crate::ui::printer::{Page, Render};
use crate::ui::theme;

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        let width = out.width.unwrap_or(UNCUT);
        let line = &self.line;
        let head = format!("{}  {}", line.standing.word(), what(line));
        let head = if what(line).starts_with(line.standing.word()) { what(line) } else { head };
        out.line(format!(
            "{}  {}",
            theme::strong().apply_to(&line.name),
            human::line(&head, width)
        ))?;
        if let Some(question) = asked(line) {
            labelled(
                out,
                "asks",
                &theme::attention().apply_to(human::line(question, width)).to_string(),
            )?;
        }
        labelled(out, "task", line.task.as_str())?;
        let model = line.model.as_ref().map(|model| format!(" ({model})")).unwrap_or_default();
        labelled(out, "agent", &format!("{}{model} · {}", line.agent, line.role))?;
        let (label, asked) = match self.prompt.is_empty() {
            true => ("runs", self.command.join(" ")),
            false => ("asked for", self.prompt.clone()),
        };
        labelled(out, label, &human::line(&asked, width.saturating_sub(12)))?;
        if let Some(own) = &line.budget {
            labelled(out, "budget", &budget(own))?;
        }
        if let Some(worktree) = &self.worktree {
            labelled(out, "worktree", &worktree.display().to_string())?;
        }
        for one in &self.attempts {
            attempt(out, one, self.now)?;
        }
        Ok(())
    }
}

/// `18,450 / 50,000 tokens (37%), then stops`
fn budget(own: &Budgeted) -> String {
    let then = if own.allowed.stops { "then stops" } else { "then warns" };
    let used = human::against(&own.usage, own.allowed.amount);
    match own.allowed.tasks {
        0 | 1 => format!("{used}, {then}"),
        tasks => format!("{used} by {tasks} tasks together, {then}"),
    }
}

fn attempt(out: &mut Page<'_>, one: &Try, now: Timestamp) -> io::Result<()> {
    let kind = match (&one.again, one.kind) {
        (Some(again), _) => format!(" ({})", manner(again)),
        (None, AttemptKind::First) => String::new(),
        (None, AttemptKind::Retry) => " (a fresh start)".into(),
        (None, AttemptKind::FollowUp) => {
            format!(" ({})", human::line(&format!("“{}”", one.prompt), 40))
        }
    };
    let mut parts = vec![state(one, now)];
    parts.extend(
        one.reason.as_deref().filter(|_| one.failure.is_some()).map(|r| human::line(r, 80)),
    );
    parts.extend(contained(one));
    parts.extend(spent(&one.usage));
    parts.extend(
        one.session.as_ref().map(|session| format!("session {}", human::line(session, 60))),
    );
    labelled(out, "attempt", &format!("{}{kind}  {}", one.number, parts.join(" · ")))?;
    labelled(out, "", &theme::dim().apply_to(one.folder.display().to_string()).to_string())?;
    match &one.limits {
        Some(limits) => bounds::render(out, limits),
        None => Ok(()),
    }
}

/// `retry 1 of 2, by itself`
fn manner(again: &Again) -> String {
    match again.how {
        Manner::Parked => "after a limit's reset, by itself".to_owned(),
        Manner::Corrective => "told what was missing, by itself".to_owned(),
        Manner::Retry => format!("retry {} of {}, by itself", again.nth, again.of),
        Manner::Longer => format!("retry {} of {} with more time, by itself", again.nth, again.of),
    }
}

fn state(one: &Try, now: Timestamp) -> String {
    let took = |from: Option<Timestamp>, to: Timestamp| {
        from.map(|from| human::duration(to.duration_since(from).max(SignedDuration::ZERO)))
    };
    match one.state {
        AttemptState::Prepared => "not begun".into(),
        AttemptState::Abandoned => "never began".into(),
        AttemptState::Running => {
            let long = took(one.started_at, now).unwrap_or_default();
            match &one.stop {
                Some(stop) => format!("running {long}, to be {}", stop.told()),
                None => format!("running {long}"),
            }
        }
        AttemptState::Ended => {
            let long = one.ended_at.and_then(|end| took(one.started_at, end));
            let long = long.map(|long| format!(" after {long}")).unwrap_or_default();
            format!("{}{long}", exit(one.exit.as_ref()))
        }
    }
}

fn exit(exit: Option<&Exit>) -> String {
    match exit {
        Some(Exit::Code { code }) => format!("exit {code}"),
        Some(Exit::Signal { signal }) => format!("ended by signal {signal}"),
        Some(Exit::Setup { command, .. }) => {
            format!("setup `{}` failed", human::line(command, 40))
        }
        Some(Exit::NotStarted { error }) => format!("not started: {}", human::line(error, 80)),
        Some(Exit::Unobserved) | None => "exit unobserved".into(),
    }
}

/// `4 processes in a cgroup`; what is weak is said as such.
fn contained(one: &Try) -> Option<String> {
    let weak = one.containment.as_deref() == Some("weak");
    if one.state != AttemptState::Running && !weak {
        return None;
    }
    let processes = one.processes.map(|count| human::count(count as u64, "process", "processes"));
    let how = match one.containment.as_deref()? {
        "cgroup" => "in a cgroup",
        "subreaper" => "below their holder",
        "weak" => "containment: weak (their holder is gone)",
        other => other,
    };
    Some(match processes {
        Some(processes) => format!("{processes} {how}"),
        None => how.to_owned(),
    })
}

fn spent(usage: &Usage) -> Option<String> {
    let cost = usage.cost.map(|_| format!(" {}", human::cost(usage))).unwrap_or_default();
    let known = !usage.tokens.is_zero() || usage.cost.is_some();
    known.then(|| format!("{} tokens{cost}", human::tokens(usage)))
}
