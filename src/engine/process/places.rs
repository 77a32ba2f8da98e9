//! Who works where: processes by the directory they stand in.

use std::path::{Path, PathBuf};

use crate::engine::process::table::Table;

/// A process that stands somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its pid.
    pub pid: u32,
    /// Its name, as the kernel keeps it: at most 15 bytes.
    pub name: String,
    /// Its working directory.
    pub cwd: PathBuf,
}

/// Every running process that stands in a directory or below it, without this one and those it
/// came from: the shell that a command was typed in is no surprise. Those that cannot be read
/// (other users') are left out.
pub fn standing_in(dir: &Path) -> Vec<Standing> {
    let table = Table::read();
    let me = std::process::id();
    let above: Vec<u32> = table.ancestors(me).iter().map(|stat| stat.pid).collect();
    let mut found: Vec<Standing> = table
        .iter()
        .filter(|stat| stat.runs() && stat.pid != me && !above.contains(&stat.pid))
        .filter_map(|stat| {
            let cwd = std::fs::read_link(format!("/proc/{}/cwd", stat.pid)).ok()?;
            if !cwd.starts_with(dir) {
                return None;
            }
            let name = std::fs::read_to_string(format!("/proc/{}/comm", stat.pid)).ok()?;
            Some(Standing { pid: stat.pid, name: name.trim_end().to_owned(), cwd })
        })
        .collect();
    found.sort_by_key(|standing| standing.pid);
    found
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn who_stands_below_a_directory_is_found_and_who_does_not_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let dir = std::fs::canonicalize(dir.path()).unwrap();
        let inside = dir.join("a/b");
        std::fs::create_dir_all(&inside).unwrap();
        let mut cat =
            Command::new("cat").current_dir(&inside).stdin(Stdio::piped()).spawn().unwrap();
        let found = standing_in(&dir.join("a"));
        let expected = Standing { pid: cat.id(), name: "cat".into(), cwd: inside };
        assert_eq!(found, [expected]);
        assert_eq!(standing_in(&dir.join("c")), []);
        drop(cat.stdin.take());
        cat.wait().unwrap();
    }
}
