//! Moments as a person writes them: `18:00`, `2026-11-22 09:00`, `2026-11-22T09:00:00Z`.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// The moment that a text means for a person in this zone. A time of the day alone is the next such
/// time.
///
/// # Errors
/// When it is none, or is over: in words, to be read after `--at: `.
pub fn parse(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, String> {
    let text = text.trim();
    let unknown =
        || format!("`{text}` is no time; times are written 18:00, 2026-11-22 09:00 or in RFC 3339");
    // A time of the day alone first: what has a date, too, would be read as one as well.
    let moment = match text.parse::<Timestamp>() {
        Ok(moment) => moment,
        Err(_) if is_time_of_day(text) => {
            let time: Time = text.parse().map_err(|_| unknown())?;
            return next(time, now, zone).map_err(|_| unknown());
        }
        Err(_) => {
            let when: DateTime = text.parse().map_err(|_| unknown())?;
            when.to_zoned(zone.clone()).map_err(|_| unknown())?.timestamp()
        }
    };
    if moment <= now {
        return Err(format!("`{text}` is over already"));
    }
    Ok(moment)
}

/// `18:00` or `18:00:30`: anything longer has a date.
fn is_time_of_day(text: &str) -> bool {
    text.len() <= "18:00:30".len() && text.chars().all(|c| c.is_ascii_digit() || c == ':')
}

/// Today's, or tomorrow's if that is over. A time that a change of the clocks leaves out or repeats
/// is the one that jiff takes for it: the later, and the first.
fn next(time: Time, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
    let today = now.to_zoned(zone.clone()).date();
    let then = today.to_datetime(time).to_zoned(zone.clone())?.timestamp();
    if then > now {
        return Ok(then);
    }
    let tomorrow = today.checked_add(1.day())?;
    Ok(tomorrow.to_datetime(time).to_zoned(zone.clone())?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_of_the_day_is_the_next_one() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let now = at("2026-11-21T10:30:00Z");
        let parsed = |text| parse(text, now, &zone).unwrap();
        assert_eq!(parsed("18:00"), at("2026-11-21T16:00:00Z"));
        assert_eq!(parsed("09:00"), at("2026-11-22T07:00:00Z"));
        assert_eq!(parsed("12:30"), at("2026-11-22T10:30:00Z"), "now itself is over");
        assert_eq!(parsed("12:30:01"), at("2026-11-21T10:30:01Z"));
        assert_eq!(parsed("2026-11-21 18:00"), at("2026-11-21T16:00:00Z"));
        assert_eq!(parsed("2026-11-21T18:00"), at("2026-11-21T16:00:00Z"));
        assert_eq!(parsed("2026-11-22"), at("2026-11-21T22:00:00Z"));
        assert_eq!(parsed("2026-11-21T18:00:00Z"), at("2026-11-21T18:00:00Z"));
    }

    #[test]
    fn what_is_over_or_no_time_is_refused() {
        let now = at("2026-11-21T10:30:00Z");
        let refused = |text| parse(text, now, &TimeZone::UTC).unwrap_err();
        assert_eq!(refused("2026-11-21T10:30:00Z"), "`2026-11-21T10:30:00Z` is over already");
        assert_eq!(refused("2026-11-20 18:00"), "`2026-11-20 18:00` is over already");
        for text in ["", "25:00", "9", "soon", "18:00 tomorrow", "2026-13-01", "18:61"] {
            assert!(refused(text).contains("is no time"), "{text}: {}", refused(text));
        }
    }

    #[test]
    fn clocks_that_change_leave_no_gap() {
        let Ok(zone) = TimeZone::get("Europe/Berlin") else { return };
        // 02:30 is left out on 28 March 2027.
        let now = at("2027-03-28T00:00:00Z");
        let then = parse("02:30", now, &zone).unwrap();
        assert!(then > now && then < at("2027-03-28T02:00:00Z"), "{then}");
    }
}
