//! How much memory belongs to a holder and to the engine alone.

use std::fs;
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
    while holders(world).len() < AGENTS && Instant::now() < deadline {
        std::thread::park_timeout(Duration::from_millis(50));
    }
    let holders = holders(world);
    let engines = of_kind(world, "__engine");
    println!("\nmemory, {} agents", holders.len());
    println!("  most private memory of a holder   {:>6} KiB", most(&holders));
    println!("  private memory of the engine      {:>6} KiB", most(&engines));
    println!("  goal: at most 1024 KiB and 10240 KiB");
    for name in &names {
        world.wt(&["cleanup", name, "--yes", "--force"]);
    }
    fs::remove_file(config).unwrap();
}

fn holders(world: &World) -> Vec<u64> {
    of_kind(world, "__hold")
}

fn most(sizes: &[u64]) -> u64 {
    sizes.iter().copied().max().unwrap_or_default()
}

/// The private memory, in KiB, of each process of this fixture that was started as `word`.
fn of_kind(world: &World, word: &str) -> Vec<u64> {
    let home = world.fixture.repo.with_file_name("home").to_string_lossy().into_owned();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| {
            let words = fs::read(entry.path().join("cmdline")).ok()?;
            // A holder's environment is empty, but its folder is among its words.
            let environ = fs::read(entry.path().join("environ")).ok()?;
            let is = words.split(|byte| *byte == 0).any(|part| part == word.as_bytes());
            let ours = [&words, &environ].map(|text| String::from_utf8_lossy(text).contains(&home));
            let ours = ours.contains(&true);
            (is && ours).then(|| private(&entry.path().join("smaps_rollup")))
        })
        .collect()
}

fn private(rollup: &std::path::Path) -> u64 {
    let text = fs::read_to_string(rollup).unwrap_or_default();
    let lines = text.lines().filter(|line| line.starts_with("Private_"));
    lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum()
}
