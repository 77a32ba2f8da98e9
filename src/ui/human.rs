//! Numbers, money and times as people read them.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

use crate::domain::budget::Amount;
use crate::domain::usage::{Certainty, CostFrom, MicroUsd, Usage};

/// `18,450`
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// At most four characters: `950`, `9.5k`, `61k`, `1.2M`.
pub fn short(value: u64) -> String {
    let scaled = |unit: f64, suffix: &str| {
        let value = value as f64 / unit;
        if value < 9.95 { format!("{value:.1}{suffix}") } else { format!("{value:.0}{suffix}") }
    };
    match value {
        0..=999 => value.to_string(),
        1_000..=999_499 => scaled(1e3, "k"),
        999_500..=999_499_999 => scaled(1e6, "M"),
        _ => scaled(1e9, "G"),
    }
}

/// `$0.94`; below a cent `$0.0042`, so that little is never shown as nothing.
pub fn money(value: MicroUsd) -> String {
    match value.0 {
        0 => "$0".into(),
        1..=9_999 => format!("${:.4}", value.dollars()),
        _ => format!("${:.2}", value.dollars()),
    }
}

/// A budget: `50,000 tokens`, `$20.00`.
pub fn amount(amount: Amount) -> String {
    match amount {
        Amount::Tokens(tokens) => format!("{} tokens", number(tokens)),
        Amount::Money(dollars) => money(dollars),
    }
}

/// What is known of a usage beside its budget: `18,450 / 50,000 tokens (37%)`, `≥` before a lower
/// bound, `–` for what is not known.
pub fn against(usage: &Usage, budget: Amount) -> String {
    let Some(used) = budget.counted(usage) else { return format!("– / {}", amount(budget)) };
    let least = if budget.is_exact(usage) { "" } else { "≥" };
    let shown = match budget {
        Amount::Tokens(_) => number(used),
        Amount::Money(_) => money(MicroUsd(used)),
    };
    format!("{least}{shown} / {} ({least}{}%)", amount(budget), percent(budget, used))
}

/// Whole percent, rounded; only what is used up is 100%.
pub fn percent(budget: Amount, used: u64) -> u64 {
    let doubled = budget.percent(used.saturating_mul(2));
    let rounded = doubled.div_ceil(2);
    if used < budget.value() { rounded.min(99) } else { rounded }
}

/// Tokens of a usage: `61k`, `≥48k`, `–`.
pub fn tokens(usage: &Usage) -> String {
    match usage.certainty {
        Certainty::Unknown => "–".into(),
        Certainty::AtLeast => format!("≥{}", short(usage.tokens.billable())),
        Certainty::Exact => short(usage.tokens.billable()),
    }
}

/// Cost of a usage: `$0.94` as the agent told it, `≈$0.94` as computed from a list of prices,
/// `≥$0.70` where only a part is known, `–`.
pub fn cost(usage: &Usage) -> String {
    match (usage.cost, usage.certainty, usage.cost_from) {
        (None, _, _) => "–".into(),
        (Some(cost), Certainty::Exact, CostFrom::Agent) => money(cost),
        (Some(cost), Certainty::Exact, CostFrom::Prices) => format!("≈{}", money(cost)),
        (Some(cost), _, _) => format!("≥{}", money(cost)),
    }
}

/// The two greatest units: `5m 30s`, `2h 5m`, `3d 4h`; below a second `0s`.
pub fn duration(value: SignedDuration) -> String {
    let seconds = value.as_secs().max(0);
    let parts = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let at = parts.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(parts.len() - 1);
    let (unit, name) = parts[at];
    let first = format!("{}{name}", seconds / unit);
    match parts.get(at + 1) {
        Some((next, name)) if seconds % unit / next > 0 => {
            format!("{first} {}{name}", seconds % unit / next)
        }
        _ => first,
    }
}

/// The greatest unit alone, for a column: `12m`, `3d`.
pub fn age(value: SignedDuration) -> String {
    let text = duration(value);
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// A moment's time on the reader's clock, `03:10`; with its day where that is another one.
pub fn time_of(time: Timestamp, now: Timestamp) -> String {
    let zone = jiff::tz::TimeZone::system();
    let (then, here) = (time.to_zoned(zone.clone()), now.to_zoned(zone));
    let form = if then.date() == here.date() { "%H:%M" } else { "%-d %b %H:%M" };
    then.strftime(form).to_string()
}

/// A day where the reader is: `21 Dec 2026`.
pub fn day(time: Timestamp) -> String {
    time.to_zoned(jiff::tz::TimeZone::system()).strftime("%-d %b %Y").to_string()
}

/// A moment where the reader is: `21 Dec 2026 14:05`.
pub fn moment(time: Timestamp) -> String {
    time.to_zoned(jiff::tz::TimeZone::system()).strftime("%-d %b %Y %H:%M").to_string()
}

/// `2.0 GB`, in powers of 1000 as disks are sold and `ls --si` shows them.
pub fn bytes(value: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let mut scaled = value as f64;
    let mut at = 0;
    while scaled >= 999.5 && at + 1 < units.len() {
        scaled /= 1000.0;
        at += 1;
    }
    if at == 0 || scaled >= 9.95 {
        format!("{scaled:.0} {}", units[at])
    } else {
        format!("{scaled:.1} {}", units[at])
    }
}

/// `1 file`, `2 files`.
pub fn count(value: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(value), if value == 1 { one } else { many })
}

/// A commit as people read it.
pub fn commit(id: &str) -> &str {
    id.get(..7).unwrap_or(id)
}

/// One line of any text, made safe for a terminal: control characters are replaced, and it is cut
/// to `width` columns with `…`.
pub fn line(text: &str, width: usize) -> String {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let safe: String = first.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    console::truncate_str(safe.trim(), width, "…").into_owned()
}

/// Any text on one line, made safe for a terminal and otherwise whole: paths, names of branches.
pub fn shown(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::usage::Tokens;

    #[test]
    fn numbers_are_grouped_or_short() {
        assert_eq!([number(0), number(999), number(18450)], ["0", "999", "18,450"]);
        assert_eq!(number(1_234_567), "1,234,567");
        let shorts = [999, 1000, 9_949, 9_950, 61_120, 999_499, 999_500, 1_200_000];
        let shown = ["999", "1.0k", "9.9k", "9.9k", "61k", "999k", "1.0M", "1.2M"];
        assert_eq!(shorts.map(short)[..3], shown[..3]);
        assert_eq!(shorts.map(short)[4..], shown[4..]);
    }

    #[test]
    fn what_is_unknown_is_not_zero() {
        assert_eq!(tokens(&Usage::default()), "–");
        let usage = Usage {
            tokens: Tokens { input: 48_000, ..Tokens::default() },
            cost: Some(MicroUsd(700_000)),
            certainty: Certainty::AtLeast,
            cost_from: CostFrom::Agent,
        };
        assert_eq!((tokens(&usage), cost(&usage)), ("≥48k".into(), "≥$0.70".into()));
        let computed = Usage { certainty: Certainty::Exact, cost_from: CostFrom::Prices, ..usage };
        assert_eq!(cost(&computed), "≈$0.70");
        assert_eq!(money(MicroUsd(4_200)), "$0.0042");
    }

    #[test]
    fn a_usage_stands_beside_its_budget() {
        let usage = |tokens, certainty| {
            let tokens = Tokens { input: tokens, ..Tokens::default() };
            Usage { tokens, certainty, ..Usage::default() }
        };
        let budget = Amount::Tokens(50_000);
        let exact = usage(18_450, Certainty::Exact);
        assert_eq!(against(&exact, budget), "18,450 / 50,000 tokens (37%)");
        let least = usage(61_120, Certainty::AtLeast);
        assert_eq!(against(&least, budget), "≥61,120 / 50,000 tokens (≥122%)");
        assert_eq!([percent(budget, 49_999), percent(budget, 50_000)], [99, 100]);
        assert_eq!([percent(budget, 18_200), percent(budget, 18_250)], [36, 37]);
        assert_eq!(against(&Usage::default(), budget), "– / 50,000 tokens");
        assert_eq!(against(&exact, Amount::Money(MicroUsd(20_000_000))), "– / $20.00");
    }

    #[test]
    fn durations_have_two_units_at_most() {
        let shown = [0, 59, 60, 330, 7_500, 3_600, 90_061].map(SignedDuration::from_secs);
        let expected = ["0s", "59s", "1m", "5m 30s", "2h 5m", "1h", "1d 1h"];
        assert_eq!(shown.map(duration), expected.map(str::to_owned));
        assert_eq!(age(SignedDuration::from_secs(330)), "5m");
    }

    #[test]
    fn a_text_cannot_drive_the_terminal() {
        assert_eq!(line("\x1b[2Jboo\nmore", 80), "[2Jboo");
        assert_eq!(line("a long line of words", 10), "a long li…");
        assert_eq!(shown("a\n\x1bb"), "a\u{fffd}\u{fffd}b");
    }
}
