//! The limits of one attempt: what they are kept to by, and what ran into them.
//!
//! Control groups count what all processes use together: those of version 2 where the attempt's own
//! group has the controller, else those of version 1, cgroups(7). Without either each process is
//! limited alone, by what it hands down to what it starts.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::process::{
    Resource, Rlimit, getpriority_process, getrlimit, setpriority_process, setrlimit,
};

use crate::domain::resources::{By, Keeper, Keepers, Refused, Resources};
use crate::engine::process::cgroup::{Cgroup, controlled};

/// Why a limit is nobody's: no group can be made that has the controller.
const NO_GROUP: &str = "no cgroup may be written";

/// Why processes are not counted where each is limited alone.
const NOT_COUNTED: &str = "by = \"process\" does not count them";

/// What one controller limits, and the files of its two versions. In each the first file takes the
/// limit; the second is there only where swap is counted, too, and is given its own value.
struct Controller {
    name: &'static str,
    v2: (&'static str, Option<(&'static str, Option<u64>)>),
    v1: (&'static str, Option<(&'static str, Option<u64>)>),
}

/// Version 2 counts swap apart, version 1 memory and swap together: either way none may be used.
const MEMORY: Controller = Controller {
    name: "memory",
    v2: ("memory.max", Some(("memory.swap.max", Some(0)))),
    v1: ("memory.limit_in_bytes", Some(("memory.memsw.limit_in_bytes", None))),
};

const PROCESSES: Controller =
    Controller { name: "pids", v2: ("pids.max", None), v1: ("pids.max", None) };

/// The controllers that these limits take.
pub fn controllers(resources: &Resources) -> Vec<&'static str> {
    let wanted = [(resources.memory, &MEMORY), (resources.processes, &PROCESSES)];
    let wanted = wanted.iter().filter(|(most, _)| most.is_some() && resources.by == By::Auto);
    wanted.map(|(_, controller)| controller.name).collect()
}

/// Sets the limits up for the attempt's processes to come, in groups called `name` where they can
/// be made. `group` is the one that those processes are started in.
pub fn set_up(resources: &Resources, name: &str, group: Option<&Cgroup>) -> Keepers {
    let by_group = |controller: &Controller, most| match resources.by {
        By::Auto => limited(controller, most, name, group),
        By::Process => None,
    };
    let uncounted = match resources.by {
        By::Auto => NO_GROUP,
        By::Process => NOT_COUNTED,
    };
    Keepers {
        memory: resources.memory.map(|most| by_group(&MEMORY, most).unwrap_or(Keeper::Process)),
        processes: resources.processes.map(|most| {
            let nobody = || Keeper::Nobody { why: uncounted.to_owned() };
            by_group(&PROCESSES, most).unwrap_or_else(nobody)
        }),
    }
}

fn limited(
    controller: &Controller,
    most: u64,
    name: &str,
    group: Option<&Cgroup>,
) -> Option<Keeper> {
    let unified = group.map(Cgroup::dir).filter(|dir| dir.join(controller.v2.0).exists());
    if let Some(dir) = unified {
        let keeper = || Keeper::Cgroup { dir: dir.to_path_buf() };
        return write(dir, controller.v2, most).ok().map(|()| keeper());
    }
    let dir = controlled(controller.name)?.join(name);
    match std::fs::create_dir(&dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return None,
        _ => {}
    }
    let keeper = Keeper::Cgroup { dir: dir.clone() };
    if write(&dir, controller.v1, most).is_err() {
        Cgroup::at(dir).remove();
        return None;
    }
    Some(keeper)
}

type Files = (&'static str, Option<(&'static str, Option<u64>)>);

fn write(dir: &Path, (file, beside): Files, most: u64) -> io::Result<()> {
    std::fs::write(dir.join(file), most.to_string())?;
    match beside {
        Some((file, value)) if dir.join(file).exists() => {
            std::fs::write(dir.join(file), value.unwrap_or(most).to_string())
        }
        _ => Ok(()),
    }
}

/// Puts the process that calls this, and with it all that it starts, under these limits.
///
/// # Errors
/// When one that has a keeper cannot be kept to.
pub fn enter(resources: &Resources, keepers: &Keepers) -> io::Result<()> {
    for dir in groups(keepers) {
        std::fs::write(dir.join("cgroup.procs"), "0")?;
    }
    if let (Some(most), Some(Keeper::Process)) = (resources.memory, &keepers.memory) {
        // What it may write to, and not all its addresses: agents reserve far more of these than
        // they ever use.
        let hard = getrlimit(Resource::Data).maximum;
        let most = hard.map_or(most, |hard| hard.min(most));
        setrlimit(Resource::Data, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    if resources.nice > 0 {
        stand_back(resources.nice.into())?;
    }
    Ok(())
}

/// Lowers this process's priority, and that of its session where the kernel weighs sessions against
/// each other first, sched(7).
fn stand_back(nice: i32) -> Result<(), Errno> {
    // Going up again takes a privilege.
    setpriority_process(None, getpriority_process(None)?.max(nice))?;
    // Missing where the kernel does not group by session.
    std::fs::write("/proc/self/autogroup", nice.to_string()).ok();
    Ok(())
}

/// What has run into these limits so far.
pub fn refused(keepers: &Keepers) -> Refused {
    let count = |keeper: &Option<Keeper>, files: &[&str], word| {
        let dir = keeper.as_ref().and_then(Keeper::group);
        let counts = dir.into_iter().flat_map(|dir| files.iter().map(|file| dir.join(file)));
        counts.filter_map(|file| counted(&std::fs::read_to_string(file).ok()?, word)).max()
    };
    let killed = count(&keepers.memory, &["memory.events", "memory.oom_control"], "oom_kill");
    let forks = count(&keepers.processes, &["pids.events"], "max");
    Refused { killed: killed.unwrap_or(0), forks: forks.unwrap_or(0) }
}

/// The number behind a word in a group's file of counts.
fn counted(text: &str, word: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.find(|(name, _)| *name == word)?.1.trim().parse().ok()
}

/// Removes the groups; those that still have members stay.
pub fn remove(keepers: &Keepers) {
    for dir in groups(keepers) {
        Cgroup::at(dir).remove();
    }
}

fn groups(keepers: &Keepers) -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> = [&keepers.memory, &keepers.processes]
        .into_iter()
        .filter_map(|keeper| keeper.as_ref()?.group().cloned())
        .collect();
    dirs.dedup();
    dirs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_either_version() {
        assert_eq!(counted("low 0\nmax 3\noom 2\noom_kill 1\n", "oom_kill"), Some(1));
        assert_eq!(counted("oom_kill_disable 0\nunder_oom 0\noom_kill 7\n", "oom_kill"), Some(7));
        assert_eq!(counted("max 12\n", "max"), Some(12));
        assert_eq!(counted("", "max"), None);
    }

    #[test]
    fn the_limits_go_into_the_files_of_their_version() {
        let dir = tempfile::tempdir().unwrap();
        let read = |file: &str| std::fs::read_to_string(dir.path().join(file)).ok();
        std::fs::write(dir.path().join("memory.swap.max"), "max").unwrap();
        write(dir.path(), MEMORY.v2, 5_000_000).unwrap();
        assert_eq!(read("memory.max").as_deref(), Some("5000000"));
        assert_eq!(read("memory.swap.max").as_deref(), Some("0"));
        write(dir.path(), MEMORY.v1, 6_000_000).unwrap();
        assert_eq!(read("memory.limit_in_bytes").as_deref(), Some("6000000"));
        assert_eq!(read("memory.memsw.limit_in_bytes"), None, "swap is not counted here");
        std::fs::write(dir.path().join("memory.memsw.limit_in_bytes"), "max").unwrap();
        write(dir.path(), MEMORY.v1, 6_000_000).unwrap();
        assert_eq!(read("memory.memsw.limit_in_bytes").as_deref(), Some("6000000"));
    }

    #[test]
    fn without_a_group_each_process_is_limited_alone() {
        let resources =
            Resources { memory: Some(5_000_000), processes: Some(50), by: By::Process, nice: 0 };
        assert!(controllers(&resources).is_empty());
        let keepers = set_up(&resources, "wt-test", None);
        assert_eq!(keepers.memory, Some(Keeper::Process));
        assert_eq!(keepers.processes, Some(Keeper::Nobody { why: NOT_COUNTED.into() }));
        assert_eq!(refused(&keepers), Refused::default());
        assert_eq!(set_up(&Resources::default(), "wt-test", None), Keepers::default());
        let auto = Resources { by: By::Auto, ..resources };
        assert_eq!(controllers(&auto), ["memory", "pids"]);
    }
}
