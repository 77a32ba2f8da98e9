//! When a period began and when it ends, by the person's clock.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use crate::domain::budget::Period;

/// The first moment of the period that `now` is in. Where a clock skips midnight, the first that
/// there is; a time at the end of all time has no period, and is its own beginning.
pub fn began(period: Period, now: Timestamp, here: &TimeZone) -> Timestamp {
    first(period, now, here).map_or(now, |first| first.timestamp())
}

/// The first moment after it.
pub fn ends(period: Period, now: Timestamp, here: &TimeZone) -> Timestamp {
    let step = match period {
        Period::Day => 1.day(),
        Period::Week => 1.week(),
        Period::Month => 1.month(),
    };
    let next = first(period, now, here).and_then(|first| {
        let day = first.date().checked_add(step).ok()?;
        day.to_zoned(here.clone()).and_then(|day| day.start_of_day()).ok()
    });
    next.map_or(Timestamp::MAX, |next| next.timestamp())
}

fn first(period: Period, now: Timestamp, here: &TimeZone) -> Option<Zoned> {
    let today = now.to_zoned(here.clone()).date();
    let day = match period {
        Period::Day => Ok(today),
        Period::Week if today.weekday() == Weekday::Monday => Ok(today),
        Period::Week => today.nth_weekday(-1, Weekday::Monday),
        Period::Month => Ok(today.first_of_month()),
    };
    day.and_then(|day| day.to_zoned(here.clone())).and_then(|day| day.start_of_day()).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn span(period: Period, now: &str, zone: &str) -> String {
        let (now, zone) = (now.parse().unwrap(), TimeZone::get(zone).unwrap());
        format!("{} {}", began(period, now, &zone), ends(period, now, &zone))
    }

    #[test]
    fn a_period_is_the_persons_not_the_worlds() {
        let now = "2026-11-21T00:30:00Z";
        assert_eq!(span(Period::Day, now, "UTC"), "2026-11-21T00:00:00Z 2026-11-22T00:00:00Z");
        let there = "2026-11-20T05:00:00Z 2026-11-21T05:00:00Z";
        assert_eq!(span(Period::Day, now, "America/New_York"), there);
        assert_eq!(span(Period::Week, now, "UTC"), "2026-11-16T00:00:00Z 2026-11-23T00:00:00Z");
        let monday = "2026-11-23T00:00:00Z";
        assert_eq!(span(Period::Week, monday, "UTC"), "2026-11-23T00:00:00Z 2026-11-30T00:00:00Z");
        assert_eq!(span(Period::Month, now, "UTC"), "2026-11-01T00:00:00Z 2026-12-01T00:00:00Z");
    }

    #[test]
    fn a_day_on_which_the_clocks_change_is_whole() {
        let span = span(Period::Day, "2026-10-25T12:00:00Z", "Europe/Berlin");
        assert_eq!(span, "2026-10-24T22:00:00Z 2026-10-25T23:00:00Z");
    }

    proptest! {
        #[test]
        fn now_is_in_its_period_and_the_end_begins_the_next(
            second in 0_i64..4_000_000_000,
            zone in prop_oneof![Just("UTC"), Just("Europe/Berlin"), Just("Pacific/Apia"), Just("America/Sao_Paulo")],
        ) {
            let (now, zone) = (Timestamp::from_second(second).unwrap(), TimeZone::get(zone).unwrap());
            for period in [Period::Day, Period::Week, Period::Month] {
                let (first, end) = (began(period, now, &zone), ends(period, now, &zone));
                prop_assert!(first <= now && now < end);
                prop_assert_eq!(began(period, end, &zone), end);
                prop_assert_eq!(began(period, first, &zone), first);
            }
        }
    }
}
