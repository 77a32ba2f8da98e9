//! The table of all processes, read from `/proc`.

use std::collections::{HashMap, HashSet};
use std::io::Read;

/// One process, as `/proc/PID/stat` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Its pid.
    pub pid: u32,
    /// Its parent's pid.
    pub parent: u32,
    /// Field 22: when it started, in clock ticks after boot.
    pub start_time: u64,
    /// Field 3: `R`, `S`, `D`, `T`, `Z`, …
    pub state: u8,
}

impl Stat {
    /// False for what has ended and only waits to be waited for. It still has its pid and start
    /// time, so those two alone do not make it alive.
    pub fn runs(&self) -> bool {
        !matches!(self.state, b'Z' | b'X' | b'x')
    }
}

/// One process; `None` when there is none under this pid.
pub fn stat(pid: u32) -> Option<Stat> {
    let mut buffer = [0; 1024];
    let mut file = std::fs::File::open(format!("/proc/{pid}/stat")).ok()?;
    let read = file.read(&mut buffer).ok()?;
    parse(buffer.get(..read)?)
}

/// proc_pid_stat(5). The name (field 2) may hold anything, also spaces and brackets, so fields are
/// counted from its last bracket.
fn parse(line: &[u8]) -> Option<Stat> {
    let close = line.iter().rposition(|byte| *byte == b')')?;
    let pid = std::str::from_utf8(line.get(..line.iter().position(|b| *b == b' ')?)?).ok()?;
    let rest = std::str::from_utf8(line.get(close + 2..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let state = *fields.next()?.as_bytes().first()?;
    let parent = fields.next()?.parse().ok()?;
    let start_time = fields.nth(17)?.parse().ok()?;
    Some(Stat { pid: pid.parse().ok()?, parent, start_time, state })
}

/// All processes at one moment, as far as `/proc` can show one: it is read entry by entry, so a
/// process that forks or ends meanwhile may be seen twice removed or not at all. Whoever needs all
/// of a tree reads again until nothing new turns up.
#[derive(Debug, Default)]
pub struct Table {
    all: HashMap<u32, Stat>,
}

impl Table {
    /// Reads `/proc`.
    pub fn read() -> Self {
        let pids = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        Self::of(pids.filter_map(stat))
    }

    /// A table of these.
    pub fn of(stats: impl IntoIterator<Item = Stat>) -> Self {
        Self { all: stats.into_iter().map(|stat| (stat.pid, stat)).collect() }
    }

    /// One process.
    pub fn get(&self, pid: u32) -> Option<&Stat> {
        self.all.get(&pid)
    }

    /// Every process, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Stat> {
        self.all.values()
    }

    /// The pids of everything that descends from any of `roots`, which are not among them unless
    /// one descends from another. Does not go below a process that `closed` names.
    pub fn descendants(&self, roots: &[u32], closed: &HashSet<u32>) -> HashSet<u32> {
        let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
        for stat in self.all.values().filter(|stat| stat.pid != stat.parent) {
            children.entry(stat.parent).or_default().push(stat.pid);
        }
        let mut found = HashSet::new();
        let mut next = roots.to_vec();
        while let Some(pid) = next.pop() {
            for child in children.get(&pid).into_iter().flatten() {
                if !closed.contains(child) && found.insert(*child) {
                    next.push(*child);
                }
            }
        }
        found
    }

    /// The parents of a process, nearest first, up to the first that is not in the table.
    pub fn ancestors(&self, pid: u32) -> Vec<Stat> {
        let mut chain: Vec<Stat> = vec![];
        let mut next = self.all.get(&pid).map(|stat| stat.parent);
        while let Some(stat) = next.and_then(|pid| self.all.get(&pid)) {
            // Pids reused while the table was read could make a ring.
            if chain.len() > self.all.len() {
                break;
            }
            chain.push(*stat);
            next = Some(stat.parent);
        }
        chain
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_hostile_name_moves_no_field() {
        let line = b"12 (a) R 1 (b) c) S 7 12 12 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 9876 1 2\n";
        let expected = Stat { pid: 12, parent: 7, start_time: 9876, state: b'S' };
        assert_eq!(parse(line), Some(expected));
        assert_eq!(parse(b"12 (a"), None);
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn this_process_is_in_the_table() {
        let table = Table::read();
        let me = std::process::id();
        assert_eq!(table.get(me).copied().map(|s| s.pid), Some(me));
        assert!(table.ancestors(me).iter().any(|stat| stat.pid == 1));
    }

    proptest! {
        #[test]
        fn descendants_are_what_a_walk_up_would_find(
            parents in prop::collection::vec(0u32..40, 1..40),
            root in 0u32..40,
            shut in prop::collection::hash_set(0u32..40, 0..4),
        ) {
            let stats = parents.iter().enumerate().map(|(pid, parent)| Stat {
                pid: pid as u32, parent: *parent, start_time: 0, state: b'S',
            });
            let table = Table::of(stats);
            let found = table.descendants(&[root], &shut);
            for pid in 0..parents.len() as u32 {
                // The model: follow parents up, at most as many steps as there are processes.
                let mut at = pid;
                let mut below = false;
                for _ in 0..parents.len() {
                    if shut.contains(&at) { break; }
                    let Some(parent) = parents.get(at as usize) else { break };
                    if *parent == at { break; }
                    at = *parent;
                    if at == root { below = true; break; }
                }
                prop_assert_eq!(found.contains(&pid), below, "pid {} of {:?}", pid, parents);
            }
        }
    }
}
