//! How a running attempt gets on, watched on a clock that stands still while the machine sleeps.

use std::path::Path;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::domain::attempt::Pace;
use crate::engine::watchdog::{Seen, Times, changes_in, pace, why};
use crate::store::clock::Clock;
use crate::store::environment::Environment;

/// The variable that holds other times, in milliseconds, for tests: at the start, of silence, of
/// slowness.
const TIMES: &str = "WT_TEST_WATCHDOG";

/// How long is too long: the usual times, unless a test says otherwise.
pub fn times(environment: &Environment) -> Times {
    let told = environment.get(TIMES).unwrap_or_default();
    let told: Vec<u64> = told.split(' ').filter_map(|word| word.parse().ok()).collect();
    match told[..] {
        [start, silent, slow] => Times {
            start: Duration::from_millis(start),
            silent: Duration::from_millis(silent),
            slow: Duration::from_millis(slow),
        },
        _ => Times::default(),
    }
}

/// A moment in the past, known by how long ago it was at another.
#[derive(Debug, Clone, Copy)]
struct Mark {
    before: Duration,
    at: Instant,
}

impl Mark {
    fn ago(before: Duration) -> Self {
        Self { before, at: Instant::now() }
    }

    fn elapsed(&self) -> Duration {
        self.before + self.at.elapsed()
    }
}

/// One agent under watch, from its own start on: what is set up before it may take its time.
#[derive(Debug)]
pub struct Vigil {
    times: Times,
    estimate: Option<Duration>,
    ran: Mark,
    silent: Mark,
    still: Mark,
    spoke: bool,
    limited: bool,
    /// How it gets on.
    pub pace: Pace,
    /// When to look again, for time alone may change that.
    pub look_at: Option<Instant>,
}

impl Vigil {
    /// Begins. What it said so far was said when its output was last written to: an engine that
    /// comes late does not take it for just now.
    pub fn begin(times: Times, estimate: Option<Duration>, ran: Duration, output: &Path) -> Self {
        let silent = Mark::ago(since_written(output).unwrap_or(ran).min(ran));
        let spoke = std::fs::metadata(output).is_ok_and(|meta| meta.len() > 0);
        let mut vigil = Self {
            times,
            estimate,
            ran: Mark::ago(ran),
            silent,
            still: silent,
            spoke,
            limited: false,
            pace: Pace::Active,
            look_at: None,
        };
        vigil.look();
        vigil
    }

    /// It said something: when its output says so, which may be read late.
    pub fn heard(&mut self, output: &Path) {
        let before = self.silent.elapsed();
        self.silent = Mark::ago(since_written(output).unwrap_or_default().min(before));
        self.spoke = true;
    }

    /// It got on: a step, a tool, tokens.
    pub fn got_on(&mut self) {
        self.still = self.silent;
    }

    /// It told something of itself just now.
    pub fn reported(&mut self) {
        (self.silent, self.spoke) = (Mark::ago(Duration::ZERO), true);
        self.still = self.silent;
    }

    /// Whether it waits for its provider's limit.
    pub fn limited(&mut self, limited: bool) {
        self.limited = limited;
    }

    /// Looks how it gets on now. True when that changed.
    pub fn look(&mut self) -> bool {
        let seen = self.seen();
        let before = std::mem::replace(&mut self.pace, pace(&self.times, &seen));
        self.look_at = changes_in(&self.times, &seen).map(|left| Instant::now() + left);
        self.pace != before
    }

    /// Why it would be ended now.
    pub fn why(&self) -> String {
        why(&self.times, &self.seen())
    }

    fn seen(&self) -> Seen {
        Seen {
            spoke: self.spoke,
            ran: self.ran.elapsed(),
            silent: self.silent.elapsed(),
            still: self.still.elapsed(),
            estimate: self.estimate,
            limited: self.limited,
        }
    }
}

/// How long ago a file was written to, by its own time; nothing when that lies ahead, as after a
/// clock was set back.
fn since_written(file: &Path) -> Option<Duration> {
    let written = std::fs::metadata(file).and_then(|meta| meta.modified()).ok()?;
    Some(SystemTime::from(Clock::default().now()).duration_since(written).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(100_000);

    fn vigil(ran: Duration, output: &Path) -> Vigil {
        let times = Times { start: LONG, silent: LONG, slow: LONG };
        Vigil::begin(times, None, ran, output)
    }

    #[test]
    fn what_was_said_long_ago_is_not_taken_for_just_now() {
        let dir = tempfile::tempdir().unwrap();
        let output = dir.path().join("stdout");
        let file = std::fs::File::create(&output).unwrap();
        std::fs::write(&output, "words\n").unwrap();
        file.set_modified(SystemTime::now() - LONG * 3 / 2).unwrap();
        let late = vigil(LONG * 2, &output);
        assert_eq!((late.pace, late.look_at), (Pace::Stalled, None));
        let mut again = vigil(LONG * 2, &output);
        file.set_modified(SystemTime::now()).unwrap();
        again.heard(&output);
        again.got_on();
        assert!(again.look() && again.pace == Pace::Active && again.look_at.is_some());
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nothing_negative() {
        let dir = tempfile::tempdir().unwrap();
        let output = dir.path().join("stdout");
        let file = std::fs::File::create(&output).unwrap();
        file.set_modified(SystemTime::now() + LONG).unwrap();
        assert_eq!(vigil(LONG * 2, &output).pace, Pace::Active);
        // Nor does one that was set ahead make silence longer than the attempt is old.
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(vigil(Duration::ZERO, &output).pace, Pace::Active);
    }

    #[test]
    fn a_test_may_say_how_long_is_too_long() {
        let of = |told: &str| times(&Environment::of([(TIMES, told)], "/"));
        assert_eq!(of("1 20 300").slow, Duration::from_millis(300));
        assert_eq!(of("soon"), Times::default());
    }
}
