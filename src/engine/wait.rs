//! Waits until the store says something, for commands that a person sits in front of.

use std::time::{Duration, Instant};

use crate::store::changes::Changes;
use crate::store::layout::Layout;

/// How long at most one wait is: what is looked at may depend on more than the store.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Waits until `holds` says so, at most so long; `None` waits for ever. False when the time ran
/// out. It is asked at once, after every change of the state, and every few seconds.
///
/// # Errors
/// The closure's own.
pub fn until<E>(
    layout: &Layout,
    patience: Option<Duration>,
    mut holds: impl FnMut() -> Result<bool, E>,
) -> Result<bool, E> {
    let mut changes = Changes::listen(layout);
    let start = Instant::now();
    loop {
        if holds()? {
            return Ok(true);
        }
        let left = patience.map(|patience| patience.saturating_sub(start.elapsed()));
        if left == Some(Duration::ZERO) {
            return Ok(false);
        }
        changes.wait(left.unwrap_or(LOOK_AGAIN).min(LOOK_AGAIN));
    }
}
