//! A control group of an attempt's own: membership that no fork, session or lost parent changes.

use std::path::{Path, PathBuf};

/// How deep groups within the group are followed.
const DEPTH_MAX: u32 = 32;

/// A cgroup (version 2) that holds exactly one attempt's processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cgroup {
    dir: PathBuf,
    /// The group that whoever made it is in.
    home: Option<PathBuf>,
}

impl Cgroup {
    /// Makes the group `name` below the one that this process is in, or beside that one where
    /// only there it has these controllers. `None` when there is no cgroup file system, or this
    /// process may not move others between groups there.
    pub fn make(name: &str, controllers: &[&str]) -> Option<Self> {
        let home = own()?;
        let beside = beside(&home, controllers);
        let beside = beside.and_then(|dir| Self::within(&dir, name, &home));
        beside.or_else(|| Self::within(&home, name, &home))
    }

    fn within(dir: &Path, name: &str, home: &Path) -> Option<Self> {
        let dir = dir.join(name);
        match std::fs::create_dir(&dir) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return None,
            _ => {}
        }
        let group = Self { dir, home: Some(home.to_path_buf()) };
        // `cgroup.kill` (Linux 5.14) is what makes a group worth having.
        if group.dir.join("cgroup.kill").exists() {
            return Some(group);
        }
        group.remove();
        None
    }

    /// The group in this directory, made earlier.
    pub fn at(dir: PathBuf) -> Self {
        Self { dir, home: None }
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

    /// Moves this process, which made the group, back to where it was then. False when the kernel
    /// refuses: then it is a member for good, and the group must not be killed as a whole.
    pub fn leave(&self) -> bool {
        let home = self.home.as_ref().map(|dir| dir.join("cgroup.procs"));
        home.is_some_and(|procs| std::fs::write(procs, "0").is_ok())
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

/// The directory that holds a group, where groups beside it have these controllers, it itself gives
/// groups below it none, and this process may go from one to another. A group with processes in it
/// cannot give controllers away, cgroups(7), so that a shell's own group hardly ever does.
fn beside(home: &Path, controllers: &[&str]) -> Option<PathBuf> {
    let gives = |dir: &Path| {
        let text = std::fs::read_to_string(dir.join("cgroup.subtree_control")).unwrap_or_default();
        controllers.iter().all(|controller| text.split_whitespace().any(|has| has == *controller))
    };
    let above = home.parent().filter(|above| !gives(home) && gives(above))?;
    let procs = std::fs::OpenOptions::new().write(true).open(above.join("cgroup.procs"));
    procs.is_ok().then(|| above.to_path_buf())
}

/// The directory of the group that this process is in.
fn own() -> Option<PathBuf> {
    in_hierarchy(None)
}

/// The directory of the group of version 1 that this process is in for a controller.
pub fn controlled(controller: &str) -> Option<PathBuf> {
    in_hierarchy(Some(controller))
}

fn in_hierarchy(controller: Option<&str>) -> Option<PathBuf> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    directory(&groups, &mounts, controller).filter(|dir| dir.is_dir())
}

/// Joins `/proc/PID/cgroup` (its `0::` line is version 2, in others the controllers stand between
/// the colons) to the mount that shows it, proc_pid_mountinfo(5): fields 4 and 5 are the root
/// within the file system and the mount point, the type follows a lone `-`, the controllers of
/// version 1 are among the options at the line's end.
fn directory(groups: &str, mounts: &str, controller: Option<&str>) -> Option<PathBuf> {
    let listed = |list: &str| controller.is_some_and(|one| list.split(',').any(|has| has == one));
    let group = groups.lines().find_map(|line| {
        let (list, group) = line.split_once(':')?.1.split_once(':')?;
        (if controller.is_some() { listed(list) } else { line.starts_with("0::") }).then_some(group)
    })?;
    mounts.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let is_it = match after.split(' ').next()? {
            "cgroup2" => controller.is_none(),
            "cgroup" => listed(after.rsplit(' ').next()?),
            _ => false,
        };
        if !is_it {
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
        let found = |groups| directory(groups, mounts, None);
        let unified = Path::new("/sys/fs/cgroup/unified");
        assert_eq!(found("5:cpu:/x\n0::/user.slice/a\n"), Some(unified.join("user.slice/a")));
        assert_eq!(found("0::/\n"), Some(unified.to_path_buf()));
        assert_eq!(found("5:cpu:/x\n"), None);
        let nested = "36 25 0:31 /box /sys/fs/cgroup ro shared:1 - cgroup2 c rw\n";
        assert_eq!(directory("0::/box/a\n", nested, None), Some("/sys/fs/cgroup/a".into()));
        assert_eq!(directory("0::/other\n", nested, None), None);
        let of = |controller| directory("5:cpu,cpuacct:/x\n0::/a\n", mounts, Some(controller));
        assert_eq!(of("cpu"), Some("/sys/fs/cgroup/cpu/x".into()));
        assert_eq!((of("memory"), of("cpuacct")), (None, None));
    }

    #[test]
    fn a_group_is_made_where_it_has_its_controllers() {
        let dir = tempfile::tempdir().unwrap();
        let (above, home) = (dir.path().to_path_buf(), dir.path().join("shell"));
        std::fs::create_dir(&home).unwrap();
        let gives = |dir: &Path, what| {
            std::fs::write(dir.join("cgroup.subtree_control"), what).unwrap();
        };
        assert_eq!(beside(&home, &["memory"]), None);
        gives(&above, "cpu memory pids\n");
        assert_eq!(beside(&home, &["memory"]), None, "nobody may be moved there");
        std::fs::write(above.join("cgroup.procs"), "").unwrap();
        assert_eq!(beside(&home, &["memory", "pids"]), Some(above.clone()));
        assert_eq!(beside(&home, &["memory", "io"]), None);
        assert_eq!(beside(&home, &[]), None, "nothing is wanted of it");
        gives(&home, "memory\n");
        assert_eq!(beside(&home, &["memory"]), None, "it has them below");
    }

    #[test]
    fn what_is_started_within_never_leaves() {
        let Some(group) = Cgroup::make(&format!("wt-test-{}", std::process::id()), &[]) else {
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
