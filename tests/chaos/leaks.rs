//! Nothing is kept that is not needed.

use crate::support::env::TestEnv;
use crate::support::left_behind::{Process, processes_of};
use crate::support::wait::wait_until;

fn engine(env: &TestEnv) -> Option<Process> {
    processes_of(env.dir()).into_iter().find(|one| one.words.contains(" __engine"))
}

/// What a process has open, by what it is.
fn open(process: &Process) -> Vec<String> {
    let dir = format!("/proc/{}/fd", process.pid.as_raw_nonzero());
    let files = std::fs::read_dir(dir).unwrap().filter_map(|entry| {
        let what = std::fs::read_link(entry.ok()?.path()).ok()?;
        // Sockets and pipes by kind: their numbers differ.
        Some(what.to_string_lossy().split(":[").next().unwrap_or_default().to_owned())
    });
    let mut files: Vec<String> = files.collect();
    files.sort();
    files
}

#[test]
fn fifty_attempts_leave_an_engine_as_it_was_and_then_nothing() {
    let env = TestEnv::new();
    env.config("[limits]\ntasks = 12\nagent = 12\n");
    let shop = env.repo("shop");
    let go = env.dir().join("go");
    // While one works the engine stays the same.
    let waits = format!("until [ -e '{}' ]; do sleep 0.1; done", go.display());
    shop.wt(&["spawn", "stays", "--exec", "--", "sh", "-c", &waits]).ok();
    let script = "echo $WT_ATTEMPT >>work.txt";
    let names: Vec<String> = (1..=10).map(|n| format!("v-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let round = |verb: &str| {
        match verb {
            "spawn" => {
                shop.wt(&["spawn", "v", "--variants", "10", "--exec", "--", "sh", "-c", script])
            }
            _ => shop.wt(&[&["retry"], &names[..]].concat()),
        }
        .ok();
        shop.wt(&[&["wait"], &names[..], &["--timeout", "110s"]].concat()).ok();
    };
    round("spawn");
    let engine_then = engine(&env).unwrap();
    let settled = |wanted: usize| open(&engine_then).len() <= wanted;
    wait_until("it has closed what it needs no more", || settled(usize::MAX));
    let before = open(&engine_then);
    for _ in 0..4 {
        round("retry");
    }
    assert_eq!(engine(&env).unwrap().pid, engine_then.pid);
    let after = || open(&engine_then);
    wait_until("it has nothing more open than before", || after().len() <= before.len());
    std::fs::write(go, "").unwrap();
    wait_until("everything has gone", || processes_of(env.dir()).is_empty());
}
