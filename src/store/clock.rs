//! The clock: the one place that reads it.

use jiff::{SignedDuration, Timestamp};

use crate::store::environment::Environment;

/// Tells the time; frozen or shifted in tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    frozen: Option<Timestamp>,
}

impl Clock {
    /// The machine's clock, unless `WT_TEST_NOW` (RFC 3339) freezes it.
    pub fn of(environment: &Environment) -> Self {
        let frozen = environment.get("WT_TEST_NOW").and_then(|text| text.parse().ok());
        Self { frozen }
    }

    /// Now, in whole milliseconds: what the store can hold.
    pub fn now(&self) -> Timestamp {
        let now = self.frozen.unwrap_or_else(Timestamp::now);
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// How long ago `then` was; never negative, since clocks are set back at times.
    pub fn since(&self, then: Timestamp) -> SignedDuration {
        self.now().duration_since(then).max(SignedDuration::ZERO)
    }
}
