//! Files that are there whole or not at all.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::store::error::StoreError;

/// Replaces `path` by `bytes` so that a reader, and a machine that loses power, sees either the
/// old file or the new one: sibling temporary file, fsync, rename, fsync of the directory. The new
/// file has `mode`.
///
/// # Errors
/// When the directory cannot be written to; the old file is then untouched.
pub fn write_atomically(path: &Path, bytes: &[u8], mode: u32) -> Result<(), StoreError> {
    let file = sibling(path, bytes, mode)?;
    file.as_file().sync_all().map_err(StoreError::file("write", path))?;
    file.persist(path).map_err(|error| StoreError::file("replace", path)(error.error))?;
    sync_dir(path.parent().unwrap_or(Path::new(".")))
}

/// As [`write_atomically`] for every reader, but nothing waits for the disk: for what means
/// nothing once the machine has lost its power, such as who runs.
///
/// # Errors
/// When the directory cannot be written to; the old file is then untouched.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), StoreError> {
    let file = sibling(path, bytes, mode)?;
    file.persist(path).map_err(|error| StoreError::file("replace", path)(error.error))?;
    Ok(())
}

fn sibling(path: &Path, bytes: &[u8], mode: u32) -> Result<NamedTempFile, StoreError> {
    let mut file = tempfile::Builder::new()
        .prefix(".wt-")
        .permissions(std::fs::Permissions::from_mode(mode))
        .tempfile_in(path.parent().unwrap_or(Path::new(".")))
        .map_err(StoreError::file("write", path))?;
    file.write_all(bytes).map_err(StoreError::file("write", path))?;
    Ok(file)
}

/// Makes a rename or a new file in `dir` survive a loss of power.
///
/// # Errors
/// When the directory cannot be opened.
pub fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    std::fs::File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(StoreError::file("synchronise", dir))
}
