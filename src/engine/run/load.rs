//! Reads the machine's load: only while a start depends on it, and beside the loop.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::domain::id::RepoId;
use crate::engine::gates::Load;
use crate::engine::process::machine::{Ticks, disk_free, memory_percent};
use crate::engine::run::engine::{Engine, Message};
use crate::store::repos;

/// Between the two readings that tell how busy the processors are.
const APART: Duration = Duration::from_millis(500);

/// How soon it is read again while something waits for it.
const AGAIN: Duration = Duration::from_secs(5);

/// How long a reading holds.
const HOLDS: Duration = Duration::from_secs(10);

/// The variable that names a file to read the load from, in tests: percent of the processors and of
/// the memory in use, and bytes free.
const FILE: &str = "WT_TEST_LOAD";

/// The newest reading.
#[derive(Default)]
pub struct Gauge {
    reading: Option<(Instant, Load)>,
    reads: bool,
    /// When to look again, while something waits for the machine.
    pub look_at: Option<Instant>,
}

impl Gauge {
    /// The load, if it was read not too long ago.
    pub fn load(&self) -> Option<Load> {
        let (at, load) = self.reading.as_ref()?;
        (at.elapsed() < HOLDS).then(|| load.clone())
    }
}

impl Engine {
    /// A start depends on the load: reads it, unless that was done a moment ago.
    pub(super) fn measure(&mut self) {
        let due = self.gauge.reading.as_ref().map(|(at, _)| *at + AGAIN);
        if let Some(due) = due.filter(|due| *due > Instant::now()) {
            self.gauge.look_at = Some(due);
            return;
        }
        if std::mem::replace(&mut self.gauge.reads, true) {
            return;
        }
        let (sender, state) = (self.sender.clone(), self.store.layout().root().to_path_buf());
        let file = self.environment.get_os(FILE).map(PathBuf::from);
        let roots = self.roots();
        tokio::spawn(async move {
            let before = Ticks::read();
            if file.is_none() {
                sleep(APART).await;
            }
            // A disk that does not answer holds up nothing else.
            let read = tokio::task::spawn_blocking(move || match file {
                Some(file) => written(&file, &roots),
                None => read(before, &roots, &state),
            });
            let load = read.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
            sender.send(Message::Measured(load)).ok();
        });
    }

    /// What cannot be read holds nothing up.
    pub(super) fn measured(&mut self, load: std::io::Result<Load>) {
        let load = load.unwrap_or_else(|error| {
            self.journal.say(format!("the machine's load cannot be read: {error}"));
            Load::default()
        });
        self.gauge.reads = false;
        self.gauge.reading = Some((Instant::now(), load));
    }

    fn roots(&mut self) -> BTreeMap<RepoId, PathBuf> {
        let all = repos::all(self.store.read()).unwrap_or_else(|error| {
            self.journal.say(error);
            vec![]
        });
        all.into_iter().map(|repo| (repo.id, repo.root)).collect()
    }
}

fn read(
    before: std::io::Result<Ticks>,
    roots: &BTreeMap<RepoId, PathBuf>,
    state: &Path,
) -> std::io::Result<Load> {
    let here = disk_free(state)?;
    // A repository that is gone takes no space; its tasks fail for a better reason.
    let free = |root: &PathBuf| disk_free(root).map_or(here, |there| there.min(here));
    Ok(Load {
        cpu_percent: Ticks::read()?.percent_since(before?),
        memory_percent: memory_percent()?,
        disk_free: roots.iter().map(|(repo, root)| (repo.clone(), free(root))).collect(),
    })
}

fn written(file: &Path, roots: &BTreeMap<RepoId, PathBuf>) -> std::io::Result<Load> {
    let text = std::fs::read_to_string(file)?;
    let numbers: Vec<u64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let &[cpu, memory, free] = numbers.as_slice() else {
        return Err(std::io::Error::other("three numbers are expected"));
    };
    let percent = |value: u64| u8::try_from(value).unwrap_or(100);
    let disk_free = roots.keys().map(|repo| (repo.clone(), free)).collect();
    Ok(Load { cpu_percent: percent(cpu), memory_percent: percent(memory), disk_free })
}
