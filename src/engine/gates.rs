//! What the machine must have left before something starts that nobody sits in front of. Pure: what
//! was read of the machine in, what is in the way out.

use std::collections::BTreeMap;
use std::fmt;

use bytesize::ByteSize;

use crate::domain::id::RepoId;
use crate::domain::settings::LimitSettings;

/// From when on unattended starts wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gates {
    /// Above this many percent of the processors' time in use.
    pub cpu_percent: u8,
    /// Above this many percent of the memory in use.
    pub memory_percent: u8,
    /// Below this many bytes free.
    pub disk_free: u64,
}

/// What was read of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Load {
    /// How many percent of the processors' time were in use.
    pub cpu_percent: u8,
    /// How many percent of the memory are in use.
    pub memory_percent: u8,
    /// How many bytes are free for each repository: where it is, or where the state is, whichever
    /// is less.
    pub disk_free: BTreeMap<RepoId, u64>,
}

/// A gate that is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// Busy percent of the processors, and the limit.
    Cpu(u8, u8),
    /// Percent of the memory in use, and the limit.
    Memory(u8, u8),
    /// Bytes free, and the limit.
    Disk(u64, u64),
}

impl Gates {
    /// Those of the settings.
    pub fn of(settings: &LimitSettings) -> Self {
        Self {
            cpu_percent: settings.cpu_percent,
            memory_percent: settings.memory_percent,
            disk_free: settings.disk_free.as_u64(),
        }
    }

    /// True when nothing is ever in the way.
    pub fn are_off(&self) -> bool {
        self.cpu_percent >= 100 && self.memory_percent >= 100 && self.disk_free == 0
    }

    /// What is in the way of a start in this repository. A repository of which nothing was read
    /// has room.
    pub fn closed(&self, load: &Load, repo: &RepoId) -> Option<Closed> {
        let free = load.disk_free.get(repo).copied();
        if load.cpu_percent > self.cpu_percent {
            return Some(Closed::Cpu(load.cpu_percent, self.cpu_percent));
        }
        if load.memory_percent > self.memory_percent {
            return Some(Closed::Memory(load.memory_percent, self.memory_percent));
        }
        free.filter(|free| *free < self.disk_free).map(|free| Closed::Disk(free, self.disk_free))
    }
}

impl fmt::Display for Closed {
    /// After `waits`: `for CPU (91% busy, more than 70%)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = |bytes: u64| ByteSize(bytes).display().si();
        match self {
            Self::Cpu(busy, limit) => write!(f, "for CPU ({busy}% busy, more than {limit}%)"),
            Self::Memory(used, limit) => {
                write!(f, "for memory ({used}% in use, more than {limit}%)")
            }
            Self::Disk(free, limit) => {
                write!(f, "for disk space ({} free, less than {})", bytes(*free), bytes(*limit))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::config::Config;

    #[test]
    fn the_gate_in_the_way_is_named() {
        let gates = Gates::of(&Config::join([]).unwrap().settings.limits);
        let repo = RepoId::new("r-1");
        let load = |cpu_percent, memory_percent, free: u64| Load {
            cpu_percent,
            memory_percent,
            disk_free: BTreeMap::from([(repo.clone(), free)]),
        };
        let said = |load| gates.closed(&load, &repo).map(|closed| closed.to_string());
        let plenty = 3_000_000_000;
        assert_eq!(said(load(70, 85, plenty)), None);
        assert_eq!(said(load(91, 99, 0)).unwrap(), "for CPU (91% busy, more than 70%)");
        assert_eq!(said(load(5, 91, 0)).unwrap(), "for memory (91% in use, more than 85%)");
        let full = said(load(5, 5, 1_200_000_000)).unwrap();
        assert_eq!(full, "for disk space (1.2 GB free, less than 2.0 GB)");
        assert_eq!(gates.closed(&load(5, 5, 0), &RepoId::new("r-2")), None);
        assert!(!gates.are_off());
        let off = Gates { cpu_percent: 100, memory_percent: 100, disk_free: 0 };
        assert!(off.are_off() && off.closed(&load(100, 100, 0), &repo).is_none());
    }
}
