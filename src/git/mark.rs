//! By what every git is known that a `wt` has started: it may outlive that one, and be at work in
//! the very place that the next one is about to put right.

use std::sync::OnceLock;

/// The variable that every git of ours is started with.
pub const STARTED_BY: &str = "WT_STARTED_BY";

/// Its value for the gits of one process: a pid alone may be another's by then. `start_time` is
/// field 22 of `/proc/PID/stat`.
pub fn started_by(pid: u32, start_time: u64) -> String {
    format!("{pid}-{start_time}")
}

/// Its value for those of this process.
pub(super) fn own() -> &'static str {
    static OWN: OnceLock<String> = OnceLock::new();
    OWN.get_or_init(|| {
        let line = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        started_by(std::process::id(), start_time(&line).unwrap_or_default())
    })
}

/// Field 22 of proc_pid_stat(5), counted from the bracket that closes the name (field 2), which may
/// hold anything.
fn start_time(line: &str) -> Option<u64> {
    line.rsplit_once(") ")?.1.split_ascii_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strange_name_does_not_shift_the_fields() {
        let line = "7 (a) b (c) R 1 7 7 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 5309 1 1";
        assert_eq!(start_time(line), Some(5309));
        assert!(own().starts_with(&format!("{}-", std::process::id())) && !own().ends_with("-0"));
    }
}
