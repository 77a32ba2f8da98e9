//! How much may run at once, and what is said to whoever has to wait.

use std::collections::BTreeMap;
use std::fmt;

use crate::domain::settings::LimitSettings;
use crate::domain::task::Lane;

/// How much may run at once, over all repositories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Background tasks of any kind.
    pub tasks: u32,
    /// By lane; a lane that is not here has no limit of its own.
    pub lanes: BTreeMap<Lane, u32>,
}

/// What runs, as far as limits care. Grows while starts are decided.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Occupied {
    lanes: BTreeMap<Lane, u32>,
}

/// A limit that is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full {
    /// Whose slots are taken; `None` when the limit counts tasks of any kind and several kinds run.
    pub lane: Option<Lane>,
    /// How many are taken.
    pub busy: u32,
    /// How many there are. Less than `busy` when the limit was lowered meanwhile.
    pub of: u32,
}

impl Limits {
    /// Those of the settings.
    pub fn of(settings: &LimitSettings) -> Self {
        Self { tasks: settings.tasks, lanes: BTreeMap::from([(Lane::Agent, settings.agent)]) }
    }

    /// Whether one more of this lane may run beside what runs.
    ///
    /// # Errors
    /// The limit that is in the way; the narrower one when both are.
    pub fn room(&self, lane: Lane, occupied: &Occupied) -> Result<(), Full> {
        let (all, same) = (occupied.all(), occupied.of(lane));
        let own = self.lanes.get(&lane).filter(|limit| same >= **limit);
        if let Some(limit) = own {
            return Err(Full { lane: Some(lane), busy: same, of: *limit });
        }
        if all >= self.tasks {
            let only = same == all;
            return Err(Full { lane: only.then_some(lane), busy: all, of: self.tasks });
        }
        Ok(())
    }
}

impl Occupied {
    /// Counts one more.
    pub fn add(&mut self, lane: Lane) {
        *self.lanes.entry(lane).or_default() += 1;
    }

    /// All of them.
    pub fn all(&self) -> u32 {
        self.lanes.values().sum()
    }

    /// Those of one lane.
    pub fn of(&self, lane: Lane) -> u32 {
        self.lanes.get(&lane).copied().unwrap_or(0)
    }
}

impl FromIterator<Lane> for Occupied {
    fn from_iter<I: IntoIterator<Item = Lane>>(lanes: I) -> Self {
        let mut occupied = Self::default();
        lanes.into_iter().for_each(|lane| occupied.add(lane));
        occupied
    }
}

impl fmt::Display for Full {
    /// After `waits`: `for an agent slot (5 of 5 busy)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slot = match self.lane {
            Some(Lane::Agent) => "an agent slot",
            Some(Lane::Build) => "a build slot",
            Some(Lane::E2e) => "an end-to-end slot",
            None => "a slot",
        };
        write!(f, "for {slot} ({} of {} busy)", self.busy, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(tasks: u32, agent: u32) -> Limits {
        Limits::of(&LimitSettings { tasks, agent })
    }

    #[test]
    fn the_limit_in_the_way_is_named() {
        let agents: Occupied = [Lane::Agent; 5].into_iter().collect();
        let full = limits(5, 6).room(Lane::Agent, &agents).unwrap_err();
        assert_eq!(full.to_string(), "for an agent slot (5 of 5 busy)");
        let full = limits(9, 2).room(Lane::Agent, &agents).unwrap_err();
        assert_eq!(full.to_string(), "for an agent slot (5 of 2 busy)");
        let full = limits(5, 6).room(Lane::Build, &agents).unwrap_err();
        assert_eq!(full.to_string(), "for a slot (5 of 5 busy)");
        assert_eq!(limits(6, 6).room(Lane::Agent, &agents), Ok(()));
        assert!(limits(0, 6).room(Lane::Agent, &Occupied::default()).is_err());
    }
}
