//! How much may run at once, and what is said to whoever has to wait.

use std::collections::BTreeMap;
use std::fmt;

use crate::domain::settings::LimitSettings;
use crate::domain::task::Lane;

/// What the number of background tasks of any lane goes by.
pub const TASKS: &str = "tasks";

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
    /// Those of the settings, but for what a person said about the queue since: pairs of
    /// [`TASKS`] or a lane's name, and how many.
    pub fn of(settings: &LimitSettings, said: &[(String, u32)]) -> Self {
        let said = |what: &str, set: u32| {
            said.iter().find(|(known, _)| known == what).map_or(set, |(_, count)| *count)
        };
        let lanes = [
            (Lane::Agent, settings.agent),
            (Lane::Build, settings.build),
            (Lane::E2e, settings.e2e),
        ];
        Self {
            tasks: said(TASKS, settings.tasks),
            lanes: lanes.map(|(lane, set)| (lane, said(lane.as_str(), set))).into(),
        }
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
    use crate::store::config::Config;

    fn limits(tasks: u32, agent: u32) -> Limits {
        Limits { tasks, lanes: BTreeMap::from([(Lane::Agent, agent)]) }
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

    #[test]
    fn what_was_said_since_goes_before_the_settings() {
        let settings = Config::join([]).unwrap().settings.limits;
        let built_in = Limits::of(&settings, &[]);
        assert_eq!((built_in.tasks, built_in.lanes[&Lane::Build]), (5, 2));
        let said = Limits::of(&settings, &[("build".into(), 7), (TASKS.into(), 9)]);
        assert_eq!((said.tasks, said.lanes[&Lane::Build], said.lanes[&Lane::E2e]), (9, 7, 1));
    }
}
