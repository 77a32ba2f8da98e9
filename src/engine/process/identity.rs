//! Who a process is, so that no other can be taken for it.

use std::os::unix::fs::MetadataExt;

use crate::domain::attempt::ProcessIdentity;
use crate::engine::process::table::{Stat, stat};

/// This machine, this boot and this pid namespace: what pids mean here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Here {
    boot_id: String,
    machine_id: String,
    pid_ns: u64,
}

/// What has become of a process that was once recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// It runs.
    Alive,
    /// It is gone: a zombie, another process under its pid, or the machine was started anew.
    Dead,
    /// It belongs to another machine or pid namespace that shares the state: nothing about it can
    /// be known or done from here.
    Elsewhere,
}

impl Here {
    /// Reads the three from `/proc` and `/etc`; what cannot be read is empty or 0, which is equal
    /// to itself only.
    pub fn read() -> Self {
        let text = |path: &str| {
            std::fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default()
        };
        Self {
            boot_id: text("/proc/sys/kernel/random/boot_id"),
            machine_id: text("/etc/machine-id"),
            pid_ns: std::fs::metadata("/proc/self/ns/pid").map(|meta| meta.ino()).unwrap_or(0),
        }
    }

    /// The full identity of a running process; `None` when there is none under this pid, or only
    /// a zombie.
    pub fn identify(&self, pid: u32) -> Option<ProcessIdentity> {
        stat(pid).filter(Stat::runs).map(|stat| self.identity(&stat))
    }

    /// The full identity of a process just seen.
    pub fn identity(&self, stat: &Stat) -> ProcessIdentity {
        ProcessIdentity {
            pid: stat.pid,
            start_time: stat.start_time,
            boot_id: self.boot_id.clone(),
            machine_id: self.machine_id.clone(),
            pid_ns: self.pid_ns,
        }
    }

    /// What has become of a recorded process.
    pub fn liveness(&self, process: &ProcessIdentity) -> Liveness {
        if process.machine_id != self.machine_id {
            return Liveness::Elsewhere;
        }
        if process.boot_id != self.boot_id {
            return Liveness::Dead;
        }
        if process.pid_ns != self.pid_ns {
            return Liveness::Elsewhere;
        }
        match stat(process.pid) {
            Some(stat) if stat.start_time == process.start_time && stat.runs() => Liveness::Alive,
            _ => Liveness::Dead,
        }
    }

    /// True when it was recorded in this boot of this machine, whatever its pid namespace: file
    /// locks are then still telling.
    pub fn same_boot(&self, process: &ProcessIdentity) -> bool {
        process.machine_id == self.machine_id && process.boot_id == self.boot_id
    }
}

/// This process's own identity.
///
/// # Errors
/// When `/proc` is not mounted.
pub fn own() -> std::io::Result<ProcessIdentity> {
    Here::read().identify(std::process::id()).ok_or_else(|| {
        std::io::Error::new(std::io::ErrorKind::NotFound, "`/proc` does not show this process")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_itself_and_nobody_else() {
        let (here, me) = (Here::read(), own().unwrap());
        assert_eq!(here.liveness(&me), Liveness::Alive);
        let later = ProcessIdentity { start_time: me.start_time + 1, ..me.clone() };
        assert_eq!(here.liveness(&later), Liveness::Dead);
        let before = ProcessIdentity { boot_id: "before".into(), ..me.clone() };
        assert_eq!(here.liveness(&before), Liveness::Dead);
        for other in [
            ProcessIdentity { machine_id: "other".into(), ..me.clone() },
            ProcessIdentity { pid_ns: me.pid_ns + 1, ..me.clone() },
        ] {
            assert_eq!(here.liveness(&other), Liveness::Elsewhere);
        }
    }

    #[test]
    fn a_zombie_is_dead() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let here = Here::read();
        // Nobody waits for it yet, so it stays a zombie once it has ended.
        while here.identify(child.id()).is_some() {
            std::thread::yield_now();
        }
        assert!(stat(child.id()).is_some_and(|stat| !stat.runs()));
        child.wait().unwrap();
        assert!(stat(child.id()).is_none());
    }
}
