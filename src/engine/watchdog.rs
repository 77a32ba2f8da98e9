//! Whether a running attempt still gets on, by how long it has said and done nothing. Pure: lengths
//! of time in, a word out, and when to look again.

use std::time::Duration;

use crate::domain::attempt::Pace;

/// How long is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Without any output at all since it began.
    pub start: Duration,
    /// Without more output.
    pub silent: Duration,
    /// Without progress or tokens.
    pub slow: Duration,
}

impl Default for Times {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        Self { start: minutes(2), silent: minutes(5), slow: minutes(10) }
    }
}

/// An attempt as it is now. All lengths are of a clock that stands still while the machine sleeps
/// and that nobody sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// It has said anything at all.
    pub spoke: bool,
    /// How long it runs.
    pub ran: Duration,
    /// How long ago it last said anything; since it began when it never did.
    pub silent: Duration,
    /// How long ago it last got on: a step, a tool, tokens.
    pub still: Duration,
    /// How long such work takes.
    pub estimate: Option<Duration>,
    /// It last said that it waits for its provider's limit.
    pub limited: bool,
}

/// How it gets on. What waits for a limit does nothing else; silence is worse than slowness.
pub fn pace(times: &Times, seen: &Seen) -> Pace {
    if seen.limited {
        Pace::Limited
    } else if seen.silent >= patience(times, seen) {
        Pace::Stalled
    } else if seen.still >= times.slow || seen.estimate.is_some_and(|usual| seen.ran >= usual * 2) {
        Pace::Slow
    } else {
        Pace::Active
    }
}

/// How long until time alone makes it another pace; `None` when it never does.
pub fn changes_in(times: &Times, seen: &Seen) -> Option<Duration> {
    if seen.limited {
        return None;
    }
    let silent = patience(times, seen).checked_sub(seen.silent);
    let still = times.slow.checked_sub(seen.still);
    let over = seen.estimate.and_then(|usual| (usual * 2).checked_sub(seen.ran));
    let is_slow =
        still.is_none_or(|left| left.is_zero()) || over.is_some_and(|left| left.is_zero());
    let is_over = seen.estimate.is_some_and(|usual| seen.ran >= usual * 2);
    let slow = if is_slow || is_over { None } else { still.into_iter().chain(over).min() };
    let next = silent.into_iter().chain(slow).filter(|left| !left.is_zero()).min();
    // Once it is stalled only its own words change that.
    next.filter(|_| pace(times, seen) != Pace::Stalled)
}

fn patience(times: &Times, seen: &Seen) -> Duration {
    if seen.spoke { times.silent } else { times.start.min(times.silent) }
}

/// Why one that stalled was ended: `stalled: no output for 5m`.
pub fn why(times: &Times, seen: &Seen) -> String {
    let limit = crate::domain::written::text(patience(times, seen));
    if seen.spoke {
        format!("stalled: no output for {limit}")
    } else {
        format!("stalled: no output at all within {limit}")
    }
}

/// How many earlier ones an estimate takes.
const EARLIER: usize = 3;

/// How long such work takes: the median of what earlier work took; `None` when there was too
/// little of it to tell.
pub fn estimate(mut took: Vec<Duration>) -> Option<Duration> {
    took.sort_unstable();
    (took.len() >= EARLIER).then(|| took.get(took.len() / 2).copied()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TIMES: Times = Times {
        start: Duration::from_secs(20),
        silent: Duration::from_secs(50),
        slow: Duration::from_secs(100),
    };

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn seen(spoke: bool, silent: u64, still: u64) -> Seen {
        let ran = secs(silent.max(still));
        let (silent, still) = (secs(silent), secs(still));
        Seen { spoke, ran, silent, still, estimate: None, limited: false }
    }

    #[test]
    fn silence_is_stalled_sooner_where_nothing_was_ever_said() {
        assert_eq!(pace(&TIMES, &seen(false, 19, 19)), Pace::Active);
        assert_eq!(pace(&TIMES, &seen(false, 20, 20)), Pace::Stalled);
        assert_eq!(pace(&TIMES, &seen(true, 20, 20)), Pace::Active);
        assert_eq!(pace(&TIMES, &seen(true, 50, 50)), Pace::Stalled);
        assert_eq!(why(&TIMES, &seen(true, 50, 50)), "stalled: no output for 50s");
        assert_eq!(why(&TIMES, &seen(false, 50, 50)), "stalled: no output at all within 20s");
    }

    #[test]
    fn talk_without_progress_and_twice_the_estimate_are_slow() {
        assert_eq!(pace(&TIMES, &seen(true, 1, 100)), Pace::Slow);
        let long = Seen { ran: secs(60), estimate: Some(secs(30)), ..seen(true, 1, 1) };
        assert_eq!(pace(&TIMES, &long), Pace::Slow);
        assert_eq!(pace(&TIMES, &Seen { ran: secs(59), ..long }), Pace::Active);
        assert_eq!(pace(&TIMES, &Seen { limited: true, ..seen(true, 500, 500) }), Pace::Limited);
    }

    #[test]
    fn the_usual_times_are_those_written_down() {
        let minutes = |time: Duration| time.as_secs() / 60;
        let usual = Times::default();
        assert_eq!([usual.start, usual.silent, usual.slow].map(minutes), [2, 5, 10]);
    }

    #[test]
    fn an_estimate_is_the_median_of_enough() {
        assert_eq!(estimate(vec![]), None);
        assert_eq!(estimate(vec![secs(1), secs(2)]), None);
        assert_eq!(estimate(vec![secs(900), secs(1), secs(60)]), Some(secs(60)));
    }

    proptest! {
        /// The model: let the time pass second by second, and see when the word changes.
        #[test]
        fn the_next_change_is_foretold(
            (spoke, limited) in (any::<bool>(), any::<bool>()),
            (silent, still, more) in (0u64..120, 0u64..150, 0u64..50),
            estimate in prop::option::of(1u64..90),
        ) {
            let ran = secs(silent.max(still) + more);
            let estimate = estimate.map(secs);
            let now = Seen { ran, estimate, limited, ..seen(spoke, silent, still) };
            let after = |seconds: u64| Seen {
                ran: now.ran + secs(seconds),
                silent: now.silent + secs(seconds),
                still: now.still + secs(seconds),
                ..now
            };
            let word = pace(&TIMES, &now);
            let seen_to_change = (1..400).find(|seconds| pace(&TIMES, &after(*seconds)) != word);
            prop_assert_eq!(changes_in(&TIMES, &now), seen_to_change.map(secs));
        }
    }
}
