//! Waits until the store says something, for commands that a person sits in front of.

use std::time::{Duration, Instant};

use crate::engine::start;
use crate::store::changes::Changes;
use crate::store::environment::Environment;
use crate::store::error::StoreError;
use crate::store::layout::Layout;

/// How long at most one wait is: what is looked at may depend on more than the store.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// How long a wait for the engine's work goes on before it is made sure that there is one.
const ENGINE: Duration = Duration::from_secs(1);

/// As [`until`], for what only an engine brings about: one that dies meanwhile is replaced.
///
/// # Errors
/// The closure's own; no engine runs and none can be started.
pub fn attended<E: From<StoreError>>(
    (layout, environment): (&Layout, &Environment),
    patience: Option<Duration>,
    mut holds: impl FnMut() -> Result<bool, E>,
) -> Result<bool, E> {
    let start = Instant::now();
    loop {
        let left = patience.map(|patience| patience.saturating_sub(start.elapsed()));
        let now = left.unwrap_or(ENGINE).min(ENGINE);
        if until(layout, Some(now), &mut holds)? {
            return Ok(true);
        }
        if left.is_some_and(|left| left <= now) {
            return Ok(false);
        }
        start::ensure_running(layout, environment)?;
    }
}

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
