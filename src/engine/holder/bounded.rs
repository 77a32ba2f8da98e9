//! The last moment before a program of an attempt: `wt __bound ATTEMPT_DIR PROGRAM ARGUMENTS…` puts
//! itself under the attempt's limits and becomes that program, so that the holder is under none.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::domain::launch::LaunchSpec;
use crate::engine::process::bounds;
use crate::store::error::StoreError;
use crate::store::folder::Folder;

/// The hidden verb.
pub const VERB: &str = "__bound";

/// A program of the attempt, under its limits where it has any. Everything else of the command is
/// still to be said.
pub fn command(spec: &LaunchSpec, folder: &Folder, program: impl AsRef<OsStr>) -> Command {
    if spec.resources.is_free() {
        return Command::new(program);
    }
    let mut command = Command::new("/proc/self/exe");
    command.arg(VERB).arg(folder.dir()).arg(program);
    command
}

/// Becomes the program. Returns only when that cannot be; the attempt's folder then says why.
///
/// # Errors
/// Why it cannot, or that the folder cannot be used.
pub fn run(dir: &Path, program: &OsStr, arguments: &[OsString]) -> Result<(), StoreError> {
    let folder = Folder::at(dir);
    let error = become_it(&folder, program, arguments);
    folder.write_unstarted(&error)
}

fn become_it(folder: &Folder, program: &OsStr, arguments: &[OsString]) -> String {
    let read = folder.spec().and_then(|spec| Ok((spec, folder.holder()?)));
    let (spec, keepers) = match read {
        Ok((spec, Some(record))) => (spec, record.keepers),
        Ok((_, None)) => return "nobody holds this attempt".into(),
        Err(error) => return error.to_string(),
    };
    if let Err(error) = bounds::enter(&spec.resources, &keepers) {
        return format!("its limits cannot be kept to: {error}");
    }
    Command::new(program).args(arguments).exec().to_string()
}
