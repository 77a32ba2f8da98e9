//! A control group of an attempt's own: membership that no fork, session or lost parent changes.

use std::path::{Path, PathBuf};

/// How deep groups within the group are followed.
const DEPTH_MAX: u32 = 32;

/// A cgroup (version 2) that holds exactly one attempt's processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cgroup {
    dir: PathBuf,
}

impl Cgroup {
    /// Makes the group `name` below the one that this process is in. `None` when there is no
    /// cgroup file system, or this process may not move others between groups there.
    pub fn make(name: &str) -> Option<Self> {
        let dir = own()?.join(name);
        match std::fs::create_dir(&dir) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return None,
            _ => {}
        }
        let group = Self { dir };
        // `cgroup.kill` (Linux 5.14) is what makes a group worth having.
        if group.dir.join("cgroup.kill").exists() {
            return Some(group);
        }
        group.remove();
        None
    }

    /// The group in this directory, made earlier.
    pub fn at(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Moves this process into the group; what it starts from then on is born there. The caller
    /// has one thread only. False when the kernel refuses.
    pub fn enter(&self) -> bool {
        std::fs::write(self.dir.join("cgroup.procs"), "0").is_ok()
    }

    /// Moves this process into the group that holds this one. False when the kernel refuses: then
    /// this process is a member for good, and the group must not be killed as a whole.
    pub fn leave(&self) -> bool {
        let above = self.dir.parent().map(|dir| dir.join("cgroup.procs"));
        above.is_some_and(|procs| std::fs::write(procs, "0").is_ok())
    }

    /// The pids in it and in groups within it.
    pub fn pids(&self) -> Vec<u32> {
        let mut pids = vec![];
        collect(&self.dir, DEPTH_MAX, &mut pids);
        pids
    }

    /// Kills all in it at once.
    pub fn kill(&self) {
        // A group that is gone has nobody in it.
        std::fs::write(self.dir.join("cgroup.kill"), "1").ok();
    }

    /// Removes it and the groups within it; those that still have members stay.
    pub fn remove(&self) {
        remove(&self.dir, DEPTH_MAX);
    }
}

fn collect(dir: &Path, depth: u32, pids: &mut Vec<u32>) {
    let text = std::fs::read_to_string(dir.join("cgroup.procs")).unwrap_or_default();
    pids.extend(text.lines().filter_map(|line| line.parse::<u32>().ok()).filter(|pid| *pid != 0));
    for inner in within(dir, depth) {
        collect(&inner, depth - 1, pids);
    }
}

fn remove(dir: &Path, depth: u32) {
    for inner in within(dir, depth) {
        remove(&inner, depth - 1);
    }
    std::fs::remove_dir(dir).ok();
}

fn within(dir: &Path, depth: u32) -> Vec<PathBuf> {
    if depth == 0 {
        return vec![];
    }
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let dirs = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    dirs.map(|entry| entry.path()).collect()
}

/// The directory of the group that this process is in.
fn own() -> Option<PathBuf> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    directory(&groups, &mounts).filter(|dir| dir.is_dir())
}

/// Joins `/proc/PID/cgroup` (its `0::` line is version 2) to the mount that shows it,
/// proc_pid_mountinfo(5): fields 4 and 5 are the root within the file system and the mount point,
/// the type follows a lone `-`.
fn directory(groups: &str, mounts: &str) -> Option<PathBuf> {
    let group = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    mounts.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        if after.split(' ').next() != Some("cgroup2") {
            return None;
        }
        let mut fields = before.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        let below = Path::new(group).strip_prefix(root).ok()?;
        Some(Path::new(point).join(below))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_found_where_it_is_mounted() {
        let mounts = "\
36 25 0:31 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw\n\
37 25 0:32 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n";
        let found = |groups| directory(groups, mounts);
        let unified = Path::new("/sys/fs/cgroup/unified");
        assert_eq!(found("5:cpu:/x\n0::/user.slice/a\n"), Some(unified.join("user.slice/a")));
        assert_eq!(found("0::/\n"), Some(unified.to_path_buf()));
        assert_eq!(found("5:cpu:/x\n"), None);
        let nested = "36 25 0:31 /box /sys/fs/cgroup ro shared:1 - cgroup2 c rw\n";
        assert_eq!(directory("0::/box/a\n", nested), Some("/sys/fs/cgroup/a".into()));
        assert_eq!(directory("0::/other\n", nested), None);
    }

    #[test]
    fn what_is_started_within_never_leaves() {
        let Some(group) = Cgroup::make(&format!("wt-test-{}", std::process::id())) else {
            // Said, past what hides the words of a passing test: most users may not make groups.
            use std::io::Write;
            writeln!(std::io::stderr(), "SKIPPED: no writable cgroup here").unwrap();
            return;
        };
        // The shell moves itself: `enter` moves a whole process, and this one runs other tests.
        let script = "echo 0 >\"$0/cgroup.procs\"; env -i setsid sleep 600 & sleep 600";
        let mut shell = std::process::Command::new("sh");
        let mut child = shell.args(["-c", script]).arg(&group.dir).spawn().unwrap();
        while group.pids().len() < 3 {
            std::thread::yield_now();
        }
        assert!(!group.pids().contains(&std::process::id()));
        group.kill();
        child.wait().unwrap();
        while !group.pids().is_empty() {
            std::thread::yield_now();
        }
        group.remove();
        assert!(!group.dir.exists());
    }
}
