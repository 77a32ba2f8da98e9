//! The alerts beneath the status: a line for each budget that is used up, or nearly.

use std::io;

use crate::commands::status::{Alert, Whose};
use crate::ui::human;
use crate::ui::printer::Page;
use crate::ui::theme;

/// `! background work at 78% of its budget: theme-dark 61k, theme-light 22k`
pub(super) fn write(out: &mut Page<'_>, alerts: &[Alert]) -> io::Result<()> {
    for alert in alerts {
        let text = theme::attention().apply_to(format!("! {}", said(alert)));
        out.line(text.to_string())?;
    }
    Ok(())
}

fn said(alert: &Alert) -> String {
    let amount = alert.allowed.amount;
    let used = amount.counted(&alert.usage).unwrap_or(0);
    let least = if amount.is_exact(&alert.usage) { "" } else { "≥" };
    let at = format!("at {least}{}%", human::percent(amount, used));
    let first = alert.worst.first().map(|worst| human::line(&worst.name, 48)).unwrap_or_default();
    let period = alert.period.map(|period| period.word()).unwrap_or_default();
    let head = match alert.budget {
        Whose::Background => format!("background work {at} of its budget"),
        Whose::Total => format!("all work {at} of the budget of the {period}"),
        Whose::Task => format!("{first} {at} of its budget"),
        Whose::FanOut => format!("the fan-out of {first} {at} of its budget"),
    };
    let worst: Vec<String> = alert
        .worst
        .iter()
        .filter(|_| alert.budget != Whose::Task)
        .map(|worst| {
            let used = match worst.usage.cost.filter(|_| alert.allowed.usd.is_some()) {
                Some(_) => human::cost(&worst.usage),
                None => human::tokens(&worst.usage),
            };
            format!("{} {used}", human::line(&worst.name, 48))
        })
        .collect();
    let worst = if worst.is_empty() { String::new() } else { format!(": {}", worst.join(", ")) };
    format!("{head}{worst}")
}
