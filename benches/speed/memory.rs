//! How much memory belongs to a holder and to the engine alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::World;

/// Agents that run at once.
const AGENTS: usize = 50;

/// Starts agents that wait, and reads what the processes of `wt` keep for themselves.
pub fn measure(world: &World) {
    let limit = AGENTS.to_string();
    let config = world.fixture.repo.with_file_name("home").join("config/wt/config.toml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    fs::write(&config, format!("[limits]\ntasks = {limit}\nagent = {limit}\n")).unwrap();
    let names: Vec<String> = (1..=AGENTS).map(|number| format!("bench-hold-{number}")).collect();
    for name in &names {
        world.wt(&["spawn", name, "--exec", "--", "tail", "-f", "/dev/null"]);
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    let home = world.fixture.repo.with_file_name("home");
    let holders = || of_kind(&home, "__hold");
    while holders().len() < AGENTS && Instant::now() < deadline {
        std::thread::park_timeout(Duration::from_millis(50));
    }
    let (holders, engines) = (holders(), of_kind(&home, "__engine"));
    println!("\nmemory, {} agents", holders.len());
    println!("  most private memory of a holder   {:>6} KiB", kept_by(&holders));
    println!("  private memory of the engine      {:>6} KiB", kept_by(&engines));
    println!("  goal: at most 1024 KiB and 10240 KiB");
    for name in &names {
        world.wt(&["cleanup", name, "--yes", "--force"]);
    }
    fs::remove_file(config).unwrap();
}

/// The most private memory that one of these processes keeps, in KiB.
pub fn kept_by(processes: &[PathBuf]) -> u64 {
    processes.iter().map(|process| private(&process.join("smaps_rollup"))).max().unwrap_or_default()
}

/// The processes, as directories of `/proc`, that were started as `word` by somebody at home there.
pub fn of_kind(home: &Path, word: &str) -> Vec<PathBuf> {
    let home = home.to_string_lossy().into_owned();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| {
            let words = fs::read(entry.path().join("cmdline")).ok()?;
            // A holder's environment is empty, but its folder is among its words.
            let environ = fs::read(entry.path().join("environ")).ok()?;
            let is = words.split(|byte| *byte == 0).any(|part| part == word.as_bytes());
            let ours = [&words, &environ].map(|text| String::from_utf8_lossy(text).contains(&home));
            (is && ours.contains(&true)).then(|| entry.path())
        })
        .collect()
}

fn private(rollup: &Path) -> u64 {
    let text = fs::read_to_string(rollup).unwrap_or_default();
    let lines = text.lines().filter(|line| line.starts_with("Private_"));
    lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum()
}
