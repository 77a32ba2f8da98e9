//! After an upgrade the engine goes on as the new program.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use crate::engine::process::ancestry::ENGINE_VERB;

/// What Linux adds to the name of a running program whose file was replaced or removed.
const DELETED: &[u8] = b" (deleted)";

/// The program that stands where this one did, when it is another one.
pub fn replaced() -> Option<PathBuf> {
    let now = std::fs::read_link("/proc/self/exe").ok()?.into_os_string().into_vec();
    let path = PathBuf::from(OsStr::from_bytes(now.strip_suffix(DELETED)?));
    path.is_file().then_some(path)
}

/// Becomes that program. Its holders stay this process's children; its lock and all else is given
/// up, and taken up again by the new one. Only returns when that fails.
pub fn become_it(program: &std::path::Path) -> std::io::Error {
    Command::new(program).arg(ENGINE_VERB).exec()
}
