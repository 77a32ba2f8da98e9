//! When a usage limit is reset, by what the agent said about it.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

/// The moment that a message names, if it names one in any of the forms that agents use:
/// `…reached|1767222000` (claude, seconds since 1970), `resets at 2026-01-01T03:00:00Z`, `try again
/// in 3 days 4 hours 5 minutes` or `in 20s` (codex, providers), `resets 3am`, `try again at 3:10 PM`
/// (on the clock of `zone`, its next occurrence).
pub fn reset_at(message: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let lower = message.to_lowercase();
    epoch(&lower).or_else(|| stamp(message)).or_else(|| span(&lower, now)).or_else(|| {
        let here = now.to_zoned(zone.clone());
        on_the_clock(&lower, &here)
    })
}

/// Ten digits after a bar.
fn epoch(text: &str) -> Option<Timestamp> {
    text.split('|').skip(1).find_map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        (digits.len() == 10).then(|| Timestamp::from_second(digits.parse().ok()?).ok())?
    })
}

/// A word that is a whole moment (RFC 3339).
fn stamp(text: &str) -> Option<Timestamp> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '(' | ')' | ','));
    words.map(|word| word.trim_end_matches('.')).find_map(|word| word.parse().ok())
}

/// What follows `in`: numbers with units.
fn span(text: &str, now: Timestamp) -> Option<Timestamp> {
    text.match_indices("in ").find_map(|(at, found)| {
        let begins = text[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        let length = begins.then(|| length(&text[at + found.len()..]))??;
        now.checked_add(length).ok()
    })
}

/// Numbers with units at the very start of a text: `3 days 4 hours`, `1h30m`, `20s`.
fn length(text: &str) -> Option<SignedDuration> {
    let mut rest = text.trim_start();
    let mut seconds: Option<i64> = None;
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let Ok(number) = rest[..digits].parse::<i64>() else { break };
        let unit = rest[digits..].trim_start_matches([' ', '\u{a0}']);
        let letters = unit.bytes().take_while(u8::is_ascii_alphabetic).count();
        let factor = match &unit[..letters] {
            "d" | "day" | "days" => 86_400,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3_600,
            "m" | "min" | "mins" | "minute" | "minutes" => 60,
            "s" | "sec" | "secs" | "second" | "seconds" => 1,
            _ => break,
        };
        seconds = Some(seconds.unwrap_or(0).checked_add(number.checked_mul(factor)?)?);
        rest = unit[letters..].trim_start_matches([' ', ',']);
        rest = rest.strip_prefix("and ").unwrap_or(rest);
    }
    // More than a year is no limit's reset.
    seconds.filter(|seconds| (0..366 * 86_400).contains(seconds)).map(SignedDuration::from_secs)
}

/// A time of day after `resets`, `reset at`, `again at`.
fn on_the_clock(text: &str, here: &Zoned) -> Option<Timestamp> {
    let time = ["resets at ", "reset at ", "resets ", "again at "].iter().find_map(|mark| {
        let (_, rest) = text.split_once(mark)?;
        time_of_day(rest)
    })?;
    let today = here.with().time(time).build().ok()?;
    let next = if today > *here {
        today
    } else {
        today.tomorrow().ok()?.with().time(time).build().ok()?
    };
    Some(next.timestamp())
}

/// `3am`, `3:10 PM`, `15:30` at the very start of a text in lower case.
fn time_of_day(text: &str) -> Option<Time> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (first, rest) = text.split_at(digits(text));
    let mut hour: i8 = first.parse().ok().filter(|hour| (0..24).contains(hour))?;
    let (minute, rest) = match rest.strip_prefix(':') {
        Some(rest) => {
            let (minute, rest) = rest.split_at(digits(rest));
            (Some(minute.parse::<i8>().ok()?), rest)
        }
        None => (None, rest),
    };
    let half = rest.trim_start();
    match half {
        _ if half.starts_with("pm") && hour < 12 => hour += 12,
        _ if half.starts_with("am") && hour == 12 => hour = 0,
        _ if half.starts_with("pm") || half.starts_with("am") => {}
        // A bare number is no time.
        _ => minute.map(|_| ())?,
    }
    Time::new(hour, minute.unwrap_or(0), 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(message: &str) -> Option<String> {
        let now = "2026-01-01T12:00:00Z".parse().unwrap();
        reset_at(message, now, &TimeZone::UTC).map(|at| at.to_string())
    }

    #[test]
    fn every_form_is_understood() {
        for (message, at) in [
            ("Claude AI usage limit reached|1767322800", "2026-01-02T03:00:00Z"),
            ("limit resets at 2026-01-01T18:30:00Z.", "2026-01-01T18:30:00Z"),
            (
                "You've hit your usage limit. Try again in 3 days 4 hours 5 minutes.",
                "2026-01-04T16:05:00Z",
            ),
            ("Rate limit reached. Please try again in 20s.", "2026-01-01T12:00:20Z"),
            ("retry in 1h30m", "2026-01-01T13:30:00Z"),
            ("5-hour limit reached ∙ resets 3am", "2026-01-02T03:00:00Z"),
            ("You've hit your usage limit, try again at 3:10 PM.", "2026-01-01T15:10:00Z"),
            ("limit resets at 15:30", "2026-01-01T15:30:00Z"),
            ("resets 12am", "2026-01-02T00:00:00Z"),
        ] {
            assert_eq!(told(message).as_deref(), Some(at), "{message}");
        }
    }

    #[test]
    fn what_names_no_moment_names_none() {
        for message in [
            "429 Too Many Requests",
            "usage limit reached",
            "a|b|12",
            "in 5 apples",
            "resets 3",
            "in 99999999999999999999 days",
            "domain 5 days",
        ] {
            assert_eq!(told(message), None, "{message}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(message in ".{0,80}") {
            told(&message);
            told(&format!("resets {message}"));
            told(&format!("in {message}"));
        }
    }
}
