//! What the machine has left: processors, memory, disk.

use std::io;
use std::path::Path;

/// What the processors did since the machine was started, in ticks of all of them together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticks {
    busy: u64,
    all: u64,
}

impl Ticks {
    /// As the kernel counts them now.
    ///
    /// # Errors
    /// When `/proc/stat` cannot be read.
    pub fn read() -> io::Result<Self> {
        let text = std::fs::read_to_string("/proc/stat")?;
        parse(&text).ok_or_else(|| io::Error::other("/proc/stat begins with no `cpu` line"))
    }

    /// How many percent of the time between two readings were used.
    pub fn percent_since(self, earlier: Self) -> u8 {
        let all = self.all.saturating_sub(earlier.all);
        percent(self.busy.saturating_sub(earlier.busy), all)
    }
}

/// The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal; guests are
/// counted in the first two already (proc_stat(5)).
fn parse(text: &str) -> Option<Ticks> {
    let line = text.lines().next()?.strip_prefix("cpu ")?;
    let numbers = line.split_ascii_whitespace().take(8).map(str::parse::<u64>);
    let numbers: Vec<u64> = numbers.collect::<Result<_, _>>().ok()?;
    let idle = numbers.get(3)? + numbers.get(4)?;
    let all: u64 = numbers.iter().sum();
    Some(Ticks { busy: all.saturating_sub(idle), all })
}

/// How many percent of the memory are in use: what could be had without swapping counts as free.
///
/// # Errors
/// When `/proc/meminfo` cannot be read.
pub fn memory_percent() -> io::Result<u8> {
    let text = std::fs::read_to_string("/proc/meminfo")?;
    let known = |name| meminfo(&text, name);
    let (all, free) = known("MemTotal:")
        .zip(known("MemAvailable:"))
        .ok_or_else(|| io::Error::other("/proc/meminfo names no MemTotal and MemAvailable"))?;
    Ok(percent(all.saturating_sub(free), all))
}

fn meminfo(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// How many bytes a user may still write where this path is.
///
/// # Errors
/// When there is nothing at that path.
pub fn disk_free(path: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

fn percent(part: u64, whole: u64) -> u8 {
    let percent = part.saturating_mul(100).checked_div(whole).unwrap_or(0);
    u8::try_from(percent.min(100)).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_waiting_for_the_disk_is_not_busy() {
        let one = parse("cpu  10 0 10 70 10 0 0 0 5 0\ncpu0 1 2\n").unwrap();
        assert_eq!((one.busy, one.all), (20, 100));
        let two = parse("cpu  60 0 10 90 40 0 0 0 5 0\n").unwrap();
        assert_eq!(two.percent_since(one), 50);
        assert_eq!(one.percent_since(one), 0);
        assert_eq!(one.percent_since(two), 0, "counters that were set back");
        assert!(parse("intr 1 2").is_none() && parse("cpu  1 2").is_none());
    }

    #[test]
    fn this_machine_can_be_read() {
        assert!(Ticks::read().unwrap().all > 0);
        assert!((1..=100).contains(&memory_percent().unwrap()));
        assert!(disk_free(Path::new("/")).is_ok());
        assert!(disk_free(Path::new("/nowhere/at/all")).is_err());
        assert_eq!(meminfo("MemTotal:  8 kB\nMemFree: 2 kB\n", "MemFree:"), Some(2));
    }
}
