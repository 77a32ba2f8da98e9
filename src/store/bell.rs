//! The bell: a FIFO that wakes the engine. Only a hint; the store is the truth.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};

use crate::store::error::StoreError;

/// Rings: whoever listens wakes up. Nobody there, or a bell already ringing, is no error.
///
/// # Errors
/// When the FIFO can neither be opened nor made.
pub fn ring(path: &Path) -> Result<(), StoreError> {
    // A full pipe (EAGAIN) means that it rings already.
    open(path)?.write_all(b"!").ok();
    Ok(())
}

/// Opens the bell for listening. It is opened for writing, too, so that reading never meets the
/// end of the file when the last ringer goes; reads do not block.
///
/// # Errors
/// When the FIFO can neither be opened nor made.
pub fn listen(path: &Path) -> Result<File, StoreError> {
    open(path)
}

fn open(path: &Path) -> Result<File, StoreError> {
    let is_fifo = std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_fifo());
    if !is_fifo {
        match mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(StoreError::file("create", path)(error.into())),
        }
    }
    std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags((OFlags::NONBLOCK | OFlags::CLOEXEC).bits() as i32)
        .open(path)
        .map_err(StoreError::file("open", path))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_ring_is_heard_also_when_it_came_first() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bell");
        let mut bell = listen(&path).unwrap();
        ring(&path).unwrap();
        ring(&path).unwrap();
        let mut heard = [0; 8];
        assert_eq!(bell.read(&mut heard).unwrap(), 2);
        assert!(bell.read(&mut heard).is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock));
    }
}
