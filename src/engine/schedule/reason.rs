//! What a task waits for, in words: to be read after its name.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::waiting::{Hold, Pause, Scope, Terms};
use crate::engine::schedule::{After, Awaited, Ready};

/// `after theme-light (running)`, `after theme-light, which failed`.
pub fn after(after: &[After]) -> Option<String> {
    let missed = after.iter().find_map(|one| match one.state {
        Awaited::Missed(how) => Some(format!("after {}, which {how}", one.name)),
        Awaited::Pending(_) => None,
    });
    let pending = after.iter().filter_map(|one| match one.state {
        Awaited::Pending(word) => Some(format!("{} ({word})", one.name)),
        Awaited::Missed(_) => None,
    });
    let pending: Vec<String> = pending.collect();
    missed.or_else(|| (!pending.is_empty()).then(|| format!("after {}", pending.join(", "))))
}

/// `to start at 18:00`
pub fn time(terms: &Terms, (now, zone): (Timestamp, &TimeZone)) -> Option<String> {
    let at = terms.not_before.filter(|at| *at > now)?;
    let why = terms.why.as_deref().unwrap_or("to start");
    Some(format!("{why} at {}", clock(at, (now, zone))))
}

/// `the queue is paused`
pub fn paused(task: &Ready, pauses: &[Pause]) -> Option<String> {
    let pause = pauses.iter().find(|pause| pause.scope.covers(task.lane, &task.repo))?;
    Some(match &pause.scope {
        Scope::All => "the queue is paused".to_owned(),
        Scope::Lane(lane) => format!("lane {} is paused", lane.as_str()),
        Scope::Repo(_) => "this repository is paused".to_owned(),
    })
}

/// `claude is held since 12:03: 3 failures (crash)`
pub fn agent_held(agent: &str, holds: &[Hold], here: (Timestamp, &TimeZone)) -> Option<String> {
    let hold = holds.iter().find(|hold| hold.agent == agent)?;
    let failures = if hold.failures == 1 { "failure" } else { "failures" };
    let (count, class) = (hold.failures, hold.class.as_str());
    Some(format!("{agent} is held since {}: {count} {failures} ({class})", clock(hold.at, here)))
}

/// `its time was over at 18:00`
pub fn over(until: Timestamp, here: (Timestamp, &TimeZone)) -> String {
    format!("its time was over at {}", clock(until, here))
}

/// `its time was over at 18:00, before it began`
pub fn never_began(until: Timestamp, here: (Timestamp, &TimeZone)) -> String {
    format!("{}, before it began", over(until, here))
}

/// A moment as a person's clock shows it: `18:00`, within the next minute `18:00:30`, on another
/// day `22 Nov 09:00`.
pub fn clock(moment: Timestamp, (now, zone): (Timestamp, &TimeZone)) -> String {
    let soon = moment > now && moment.duration_since(now).as_secs() < 60;
    let (then, now) = (moment.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let time = if soon && then.second() != 0 { "%H:%M:%S" } else { "%H:%M" };
    let day = if then.date() == now.date() { "" } else { "%-d %b " };
    then.strftime(&format!("{day}{time}")).to_string()
}
