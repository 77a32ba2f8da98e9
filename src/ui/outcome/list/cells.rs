//! What stands in the cells.

use console::Style;
use jiff::Timestamp;

use crate::commands::list::{Changes, Row, State};
use crate::commands::work::Standing;
use crate::domain::attempt::Pace;
use crate::git::history::Distance;
use crate::ui::human;
use crate::ui::theme;

/// `done 12m`, coloured by what it means.
pub(super) fn state(row: &Row, now: Timestamp) -> String {
    let word = match row.state {
        State::Work(Standing::Done) if row.changed == Some(false) => "done (no changes)",
        State::Work(Standing::Running) => match row.pace {
            None | Some(Pace::Active) => row.state.word(),
            Some(pace) => pace.word(),
        },
        state => state.word(),
    };
    if let (State::Work(Standing::Parked), Some(until)) = (row.state, row.until) {
        return format!("{} to {}", style(row.state).apply_to(word), human::time_of(until, now));
    }
    let age = human::age(now.duration_since(row.since));
    format!("{} {}", style(row.state).apply_to(word), theme::dim().apply_to(age))
}

fn style(state: State) -> Style {
    match state {
        State::Creating | State::Removing => theme::busy(),
        State::Idle => theme::dim(),
        State::Merged => theme::good(),
        State::Work(standing) => match standing {
            Standing::Queued | Standing::Waiting | Standing::Parked | Standing::Running => {
                theme::busy()
            }
            Standing::Asks => theme::attention(),
            Standing::Done => theme::good(),
            Standing::Failed | Standing::Lost => theme::bad(),
            Standing::Stopped => theme::dim(),
        },
    }
}

/// `8f +142 −17`, `none`, `2f binary`, `≥` where not all is counted, `–` where nothing is known.
pub(super) fn changes(changes: Option<&Changes>) -> String {
    let Some(changes) = changes else { return "–".into() };
    let (files, more) =
        (changes.files + changes.not_counted.len(), !changes.not_counted.is_empty());
    let at_least = match (changes.uncommitted, files) {
        // Of a worktree that cannot be read only the commits are known.
        (None, 0) => return "–".into(),
        (None, _) => "≥",
        (Some(_), 0) => return "none".into(),
        (Some(_), _) => "",
    };
    let mut text = format!("{at_least}{}f", human::number(files as u64));
    for (sign, count) in [("+", changes.added), ("−", changes.removed)] {
        if count > 0 {
            let least = if more { "≥" } else { "" };
            text.push_str(&format!(" {least}{sign}{}", human::number(count)));
        }
    }
    if changes.binary > 0 && changes.binary == changes.files {
        text.push_str(" binary");
    }
    text
}

/// `↑2 ↓1`, `even`, `–` where it is not known.
pub(super) fn distance(distance: Option<Distance>) -> String {
    let Some(Distance { ahead, behind }) = distance else { return "–".into() };
    let parts = [("↑", ahead), ("↓", behind)];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(arrow, count)| format!("{arrow}{}", human::number(*count as u64)))
        .collect();
    if parts.is_empty() { "even".into() } else { parts.join(" ") }
}
