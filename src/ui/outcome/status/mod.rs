//! How `wt status` looks: one line for each task beneath what it means for the reader.

mod alerts;
mod bounds;
mod detail;

use std::io;

use jiff::Timestamp;

use crate::commands::status::{Line, Outcome, Today};
use crate::commands::work::Standing;
use crate::domain::attempt::{Manner, Pace};
use crate::domain::budget::Amount;
use crate::domain::task::FailureClass;
use crate::ui::human;
use crate::ui::outcome::queue::advice;
use crate::ui::printer::{Page, Render};
use crate::ui::theme;

/// How wide the labels before the lines are.
const LABEL: usize = 9;

/// The least that is told of a task beside what to type about it.
const ROOM: usize = 24;

/// How wide a text is cut where the reader is no terminal.
const UNCUT: usize = 400;

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        let mut names = Names::of(self);
        if self.only_needs_you {
            if self.needs_you.is_empty() {
                return out.line("Nothing needs you.");
            }
            names.wide = names.widest(&self.needs_you);
            return section(out, &names, "NEEDS YOU", &self.needs_you);
        }
        section(out, &names, "NEEDS YOU", &self.needs_you)?;
        section(out, &names, "FAILED", &self.failed)?;
        section(out, &names, "RUNNING", &self.running)?;
        section(out, &names, "WAITING", &self.waiting)?;
        if self.running.is_empty() && self.waiting.is_empty() {
            self.quiet(out)?;
        }
        if let Some(today) = today(&self.today, self.of_day) {
            labelled(out, "TODAY", &today)?;
        }
        if self.elsewhere > 0 {
            let tasks = human::count(self.elsewhere as u64, "task", "tasks");
            let text = format!("{tasks} in other repositories  → wt status --all");
            labelled(out, "ALSO", &text)?;
        }
        alerts::write(out, &self.alerts)
    }
}

impl Outcome {
    fn quiet(&self, out: &mut Page<'_>) -> io::Result<()> {
        let nothing = self.needs_you.is_empty() && self.failed.is_empty();
        let never = nothing && self.today.spent.is_none() && self.elsewhere == 0;
        if never {
            return out.line("Nothing runs and nothing waits.  → wt spawn NAME \"what to do\"");
        }
        if nothing { out.line("Nothing runs and nothing waits.") } else { Ok(()) }
    }
}

/// How names are shown: with the repository's where there are several.
struct Names {
    several: bool,
    wide: usize,
}

impl Names {
    fn of(outcome: &Outcome) -> Self {
        let all = [&outcome.needs_you, &outcome.failed, &outcome.running, &outcome.waiting];
        let mut lines = all.into_iter().flatten();
        let first = lines.next();
        let several = first.is_some_and(|first| lines.any(|l| l.repository != first.repository));
        let mut names = Self { several, wide: 0 };
        names.wide = all.iter().map(|lines| names.widest(lines)).max().unwrap_or(0);
        names
    }

    fn widest(&self, lines: &[Line]) -> usize {
        lines.iter().map(|line| self.shown(line).chars().count()).max().unwrap_or(0)
    }

    fn shown(&self, line: &Line) -> String {
        let mut name = line.name.clone();
        if self.several {
            name = format!("{name} ({})", line.repository);
        }
        human::line(&name, 48)
    }
}

/// How wide what is told of a task may be, and whether the hint goes beneath because too little of
/// it would be left beside.
fn room(width: Option<usize>, name: usize, [what, hint]: [usize; 2]) -> (usize, bool) {
    let Some(width) = width else { return (UNCUT, false) };
    let all = width.saturating_sub(LABEL + name + 4);
    let beside = all.saturating_sub(hint);
    let beneath = hint > 0 && beside < what.min(ROOM);
    (if beneath { all } else { beside }.max(1), beneath)
}

fn section(out: &mut Page<'_>, names: &Names, label: &str, lines: &[Line]) -> io::Result<()> {
    for (at, line) in lines.iter().enumerate() {
        let name = console::pad_str(&names.shown(line), names.wide, console::Alignment::Left, None)
            .into_owned();
        let label = if at == 0 { label } else { "" };
        let (what, hint) = (what(line), hint(line));
        let hint = hint.map(|hint| format!("  {hint}")).unwrap_or_default();
        let texts = [&what, &hint].map(|text| console::measure_text_width(text));
        let (room, beneath) = room(out.width, names.wide, texts);
        let what = console::truncate_str(&what, room, "…").into_owned();
        let beside = if beneath { "" } else { hint.as_str() };
        labelled(out, label, &format!("{}  {what}{beside}", theme::strong().apply_to(name)))?;
        if beneath {
            labelled(out, "", &hint)?;
        }
        if line.tried.len() > 1 {
            for tried in &line.tried {
                let why = tried.reason.as_deref().unwrap_or("no reason is known");
                let text = format!("attempt {}  {why}", tried.attempt);
                let room = out.width.map_or(UNCUT, |width| width.saturating_sub(LABEL + 4));
                labelled(
                    out,
                    "",
                    &format!("  {}", theme::dim().apply_to(human::line(&text, room))),
                )?;
            }
        }
        if let Some(question) = asked(line) {
            let text =
                human::line(question, out.width.map_or(UNCUT, |w| w.saturating_sub(LABEL + 2)));
            labelled(out, "", &theme::attention().apply_to(text).to_string())?;
        }
    }
    Ok(())
}

/// One line of the story about a task: `theme-dark  done, 12m`.
pub fn story(line: &Line) -> String {
    let what = what(line);
    let word = line.standing.word();
    let what = if what.starts_with(word) { what } else { format!("{word}  {what}") };
    format!("{}  {what}", line.name)
}

/// What a task that asks wants to know, beneath its line.
fn asked(line: &Line) -> Option<&str> {
    line.question.as_deref().filter(|_| line.standing == Standing::Asks)
}

/// What is told of a task after its name.
fn what(line: &Line) -> String {
    let now = line.now;
    let age = human::duration(jiff::SignedDuration::from_secs(line.for_s));
    let mut parts = match line.standing {
        Standing::Queued => vec![format!("queued {age}")],
        Standing::Waiting | Standing::Parked if line.not_before.is_some() => waits(line, now),
        Standing::Waiting | Standing::Parked => {
            vec![line.reason.clone().unwrap_or_else(|| age.to_string())]
        }
        Standing::Running => running(line, age),
        Standing::Done if line.changed == Some(false) => vec![format!("done (no changes), {age}")],
        word => {
            let why = line.reason.clone().filter(|why| why != word.word());
            vec![format!("{}, {age}", word.word())].into_iter().chain(why).collect()
        }
    };
    parts.retain(|part| !part.is_empty());
    parts.iter().map(|part| human::line(part, UNCUT)).collect::<Vec<_>>().join("  ")
}

/// `parked to 03:10  usage limit reached`, `retry 1 of 2 in 30s: overloaded`.
fn waits(line: &Line, now: Timestamp) -> Vec<String> {
    let (Some(again), Some(at)) = (&line.again, line.not_before) else {
        return line.reason.clone().into_iter().collect();
    };
    let wait = human::duration(at.duration_since(now));
    match again.how {
        Manner::Parked => {
            vec![format!("parked to {}", human::time_of(at, now)), again.why.clone()]
        }
        Manner::Corrective => vec![format!("correction in {wait}: {}", again.why)],
        Manner::Retry | Manner::Longer => {
            vec![format!("retry {} of {} in {wait}: {}", again.nth, again.of, again.why)]
        }
    }
}

fn running(line: &Line, age: String) -> Vec<String> {
    let step = match (line.step, &line.activity) {
        (Some((done, all)), Some(activity)) => format!("step {done}/{all} {activity}"),
        (Some((done, all)), None) => format!("step {done}/{all}"),
        (None, activity) => {
            let part = line.progress.map(|part| format!("{:.0}%", part * 100.0));
            part.into_iter().chain(activity.clone()).collect::<Vec<_>>().join(" ")
        }
    };
    let reason = line.reason.clone().unwrap_or_default();
    let stopping = if line.stopping { "stopping".to_owned() } else { String::new() };
    let spent = match line.usage.cost {
        Some(_) => human::cost(&line.usage),
        None if line.usage.tokens.is_zero() => String::new(),
        None => format!("{} tokens", human::tokens(&line.usage)),
    };
    let pace = line.pace.filter(|pace| *pace != Pace::Active).map(Pace::word).unwrap_or_default();
    let usual = line.estimate_s.and_then(|usual| i64::try_from(usual).ok());
    let usual = usual.map(|usual| human::duration(jiff::SignedDuration::from_secs(usual)));
    let age = usual.map_or(age.clone(), |usual| format!("{age} of about {usual}"));
    let blocked = line.blocked.as_ref().map(|why| format!("blocked: {why}")).unwrap_or_default();
    let messages = match line.messages {
        0 => String::new(),
        count => format!("{} to tell", human::count(count as u64, "message", "messages")),
    };
    vec![blocked, pace.to_owned(), age, messages, stopping, step, reason, spent]
}

/// What to type about it.
fn hint(line: &Line) -> Option<String> {
    let name = &line.name;
    let typed = match line.standing {
        Standing::Asks if line.reason.as_deref().is_some_and(lost_environment) => {
            format!("wt retry {name}")
        }
        Standing::Asks => format!("wt send {name} \"…\""),
        Standing::Failed if line.failure == Some(FailureClass::Auth) => format!("wt retry {name}"),
        Standing::Failed | Standing::Lost => format!("wt logs {name}"),
        Standing::Waiting => advice(line.reason.as_deref()?)?,
        _ => return None,
    };
    Some(format!("→ {typed}"))
}

fn lost_environment(reason: &str) -> bool {
    reason.starts_with("environment lost")
}

/// `4 done · 1 failed · 117,100 tokens · $3.10`; `None` when there was nothing.
fn today(today: &Today, of_day: Option<Amount>) -> Option<String> {
    let counts = [
        (today.done, "done"),
        (today.asking, "asking"),
        (today.failed, "failed"),
        (today.stopped, "stopped"),
        (today.lost, "lost"),
    ];
    let mut parts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", human::number(*count as u64)))
        .collect();
    if let Some(usage) = &today.usage {
        let budget = of_day.filter(|amount| matches!(amount, Amount::Tokens(_)));
        if let Some(budget) = budget.filter(|_| !usage.tokens.is_zero()) {
            parts.push(human::against(usage, budget));
        } else if !usage.tokens.is_zero() {
            let least = if human::tokens(usage).starts_with('≥') { "≥" } else { "" };
            parts.push(format!("{least}{} tokens", human::number(usage.tokens.billable())));
        }
        // Of nothing at the least there is nothing to tell.
        let known = human::cost(usage);
        parts.extend(usage.cost.map(|_| known).filter(|cost| cost != "≥$0"));
    }
    (!parts.is_empty()).then(|| parts.join(" · "))
}

fn labelled(out: &mut Page<'_>, label: &str, text: &str) -> io::Result<()> {
    out.line(format!("{}  {text}", theme::dim().apply_to(format!("{label:LABEL$}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_goes_beneath_where_it_would_leave_too_little() {
        assert_eq!(room(None, 30, [90, 40]), (UNCUT, false));
        assert_eq!(room(Some(120), 27, [90, 25]), (120 - 13 - 27 - 25, false));
        assert_eq!(room(Some(80), 27, [90, 25]), (80 - 13 - 27, true));
        assert_eq!(room(Some(80), 27, [8, 25]), (80 - 13 - 27 - 25, false));
        assert_eq!(room(Some(80), 27, [90, 0]), (80 - 13 - 27, false));
        assert_eq!(room(Some(20), 27, [90, 25]), (1, true));
    }
}
