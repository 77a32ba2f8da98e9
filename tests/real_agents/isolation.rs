//! Tests in a network namespace of their own.

use std::process::Command;
use std::sync::OnceLock;

use crate::support::skip::skip;
use crate::world::missing;

/// Set in the process that runs inside.
const INSIDE: &str = "WT_TEST_ISOLATED";

/// Runs the test `module::name` of this binary where nothing but the loopback interface can be
/// reached, or where that is not permitted, right here. Skips it when one of the agents is missing.
pub fn isolated(module: &str, name: &str, agents: &[&str], body: impl FnOnce()) {
    if let Some(agent) = agents.iter().find(|agent| missing(agent)) {
        return skip(&format!("{name}: no {agent} in the agents' directory"));
    }
    let Some(unshare) = unshare().filter(|_| std::env::var_os(INSIDE).is_none()) else {
        return body();
    };
    let path =
        module.split_once("::").map_or(name.to_owned(), |(_, rest)| format!("{rest}::{name}"));
    let inside = Command::new("unshare")
        .args([unshare, "sh", "-c", "ip link set lo up && exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &path, "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&inside.stdout);
    let stderr = String::from_utf8_lossy(&inside.stderr);
    assert!(inside.status.success(), "{stdout}{stderr}");
    assert!(stdout.contains("1 passed"), "`{path}` is no test of this binary: {stdout}");
    for line in stderr.lines().filter(|line| line.starts_with("SKIPPED")) {
        skip(line.trim_start_matches("SKIPPED: "));
    }
}

/// How a network namespace is made here: as root, else in a user namespace, else not at all.
fn unshare() -> Option<&'static str> {
    static HOW: OnceLock<Option<&'static str>> = OnceLock::new();
    *HOW.get_or_init(|| {
        let works = |flag: &&str| {
            let tried = Command::new("unshare").args([flag, "ip", "link", "set", "lo", "up"]).output();
            tried.is_ok_and(|output| output.status.success())
        };
        let how = ["-n", "-rn"].into_iter().find(works);
        if how.is_none() && std::env::var_os(INSIDE).is_none() {
            skip("network isolation: no namespace can be made here, so flags alone keep agents off the network");
        }
        how
    })
}
