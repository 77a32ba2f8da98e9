//! What an attempt may take of the machine, who keeps to it, and what ran into it.

use serde::Serialize;

use crate::domain::attempt::AttemptState;
use crate::domain::resources::{Keeper, Refused, Resources};
use crate::engine::process::bounds;
use crate::store::folder::{Folder, HolderRecord};

/// The limits of one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bounds {
    /// How far it stands back, 0 to 19.
    pub nice: u8,
    /// Its memory, in bytes, with how many processes were killed for want of more; `None` is
    /// without limit.
    pub memory: Option<Bound>,
    /// Its processes and their threads, with how many more could not be started; `None` is without
    /// limit.
    pub processes: Option<Bound>,
}

/// One limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bound {
    /// The most there may be.
    pub most: u64,
    /// Who keeps to it: `cgroup`, `process` (each for itself), or `nobody`; `None` before it began.
    pub kept_by: Option<&'static str>,
    /// Why nobody does.
    pub obstacle: Option<String>,
    /// How often something ran into it.
    pub refused: u64,
}

/// Looks at an attempt's limits; `None` when it has none.
pub fn of(folder: &Folder, state: AttemptState) -> Option<Bounds> {
    let limits = folder.spec().ok()?.resources;
    if limits.is_free() {
        return None;
    }
    let holder = folder.holder().ok().flatten();
    let refused = match folder.exit().ok().flatten() {
        Some(exit) => exit.refused,
        None => holder
            .as_ref()
            .filter(|_| state == AttemptState::Running)
            .map(|record| bounds::refused(&record.keepers))
            .unwrap_or_default(),
    };
    Some(stated(limits, holder, refused))
}

fn stated(limits: Resources, holder: Option<HolderRecord>, refused: Refused) -> Bounds {
    let keepers = holder.map(|record| record.keepers).unwrap_or_default();
    let bound = |most, keeper: Option<Keeper>, refused| {
        let (kept_by, obstacle) = match keeper {
            Some(Keeper::Cgroup { .. }) => (Some("cgroup"), None),
            Some(Keeper::Process) => (Some("process"), None),
            Some(Keeper::Nobody { why }) => (Some("nobody"), Some(why)),
            None => (None, None),
        };
        Bound { most, kept_by, obstacle, refused }
    };
    Bounds {
        nice: limits.nice,
        memory: limits.memory.map(|most| bound(most, keepers.memory, refused.killed)),
        processes: limits.processes.map(|most| bound(most, keepers.processes, refused.forks)),
    }
}
