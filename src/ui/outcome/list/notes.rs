//! What wants a person's eye, and what to type about it.

use std::io;

use crate::commands::list::{Listed, Outcome, Row, State};
use crate::commands::work::Standing;
use crate::ui::human;
use crate::ui::printer::Page;
use crate::ui::theme;

/// More of them than these are counted.
const NOTES_MAX: usize = 12;

pub(super) fn write(outcome: &Outcome, listed: &Listed, out: &mut Page<'_>) -> io::Result<()> {
    let room = out.width.unwrap_or(200).max(40);
    let notes: Vec<(String, String)> =
        listed.variants.iter().flat_map(|row| about(outcome, row)).collect();
    for (said, typed) in notes.iter().take(NOTES_MAX) {
        let typed = if typed.is_empty() { String::new() } else { format!("  → {typed}") };
        // What is to be typed is never cut.
        let left = room.saturating_sub(console::measure_text_width(&typed)).max(24);
        let said = human::line(said, left);
        out.line(format!("{}{typed}", theme::attention().apply_to(said)))?;
    }
    if notes.len() > NOTES_MAX {
        let more = human::count((notes.len() - NOTES_MAX) as u64, "more note", "more notes");
        out.line(format!("and {more}  → wt list --json"))?;
    }
    let merged = listed.variants.iter().filter(|row| row.state == State::Merged).count();
    if merged > 0 {
        let text = format!("{} merged", human::number(merged as u64));
        out.line(format!("{}  → wt cleanup --merged", theme::dim().apply_to(text)))?;
    }
    Ok(())
}

/// What is to be said of a variant, and what to type about it.
fn about(outcome: &Outcome, row: &Row) -> Vec<(String, String)> {
    let name = &row.name;
    let mut notes = vec![];
    let reason = |alone: &str| match &row.reason {
        Some(reason) => format!("{name} {alone}: {reason}"),
        None => format!("{name} {alone}"),
    };
    match row.state {
        State::Work(Standing::Asks) => {
            let said = match &row.reason {
                Some(question) => format!("{name} asks \"{}\"", human::line(question, 120)),
                None => format!("{name} asks"),
            };
            notes.push((said, format!("wt send {name} \"…\"")));
        }
        State::Work(Standing::Failed) => notes.push((reason("failed"), format!("wt logs {name}"))),
        State::Work(Standing::Lost) => notes.push((reason("is lost"), format!("wt logs {name}"))),
        _ => {}
    }
    if let Some(own) = row.budget.filter(|own| own.allowed.tasks < 2 && own.is_used_up()) {
        let used = human::against(&own.usage, own.allowed.amount);
        notes.push((format!("{name} has used {used}"), "wt budget".into()));
    }
    if let Some(trouble) = &row.trouble {
        notes.push((format!("{name}: {trouble}"), "wt doctor".into()));
    }
    if let Some(operation) = row.operation {
        let conflicts = match row.unmerged {
            0 => String::new(),
            n => format!(", {} in conflict", human::count(n as u64, "file", "files")),
        };
        notes.push(match &row.syncing {
            Some(from) => {
                let said = format!("{name}: its sync with {from} waits{conflicts}");
                (said, format!("wt sync {name} --continue"))
            }
            None => {
                let said = format!("{name} is in the middle of {operation}{conflicts}");
                (said, format!("cd {}", outcome.shown(&row.path)))
            }
        });
    }
    if let Some(branch) = &row.stands_on {
        let said = match branch.as_str() {
            "HEAD" => format!("{name} stands on no branch, not on {}", row.branch),
            branch => format!("{name} stands on {branch}, not on {}", row.branch),
        };
        notes.push((said, format!("cd {}", outcome.shown(&row.path))));
    }
    let left = row.changes.as_ref().map_or(&[][..], |changes| &changes.not_counted);
    if let Some(first) = left.first() {
        let more = match left.len() - 1 {
            0 => String::new(),
            n => format!(" (and {})", human::count(n as u64, "more", "more")),
        };
        let path = first.path.display();
        notes.push((format!("{name}: {path}{more} {}, not counted", first.why), String::new()));
    }
    notes
}
