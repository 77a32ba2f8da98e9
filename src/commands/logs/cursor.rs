//! A file that grows, read from where it was read up to.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

use crate::agents::lines::LineSplitter;
use crate::domain::problem::Problem;
use crate::store::error::StoreError;

/// How much is read at once.
const CHUNK: u64 = 64 * 1024;

/// One file, and how far it was read.
pub(super) struct Cursor {
    path: PathBuf,
    offset: u64,
    lines: LineSplitter,
}

/// Takes what was read; false when nobody reads any more.
type Taker<'t> = dyn FnMut(&[u8]) -> Result<bool, Problem> + 't;

impl Cursor {
    /// At the start of a file that need not be there yet.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, offset: 0, lines: LineSplitter::default() }
    }

    /// Gives every whole line that is new; with `to_end` also a last one without a newline.
    pub(super) fn lines(&mut self, to_end: bool, take: &mut Taker<'_>) -> Result<bool, Problem> {
        while let Some(bytes) = self.next()? {
            for line in self.lines.push(&bytes) {
                if !take(&line.bytes)? {
                    return Ok(false);
                }
            }
        }
        let last = if to_end { self.lines.finish() } else { None };
        last.map_or(Ok(true), |line| take(&line.bytes))
    }

    /// Gives everything that is new, as it is.
    pub(super) fn bytes(&mut self, take: &mut Taker<'_>) -> Result<bool, Problem> {
        while let Some(bytes) = self.next()? {
            if !take(&bytes)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The next bytes; `None` at the end there is now.
    fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let read = || -> std::io::Result<Vec<u8>> {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(self.offset))?;
            let mut bytes = Vec::new();
            file.take(CHUNK).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = match read() {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::file("read", &self.path)(error)),
        };
        self.offset += bytes.len() as u64;
        Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }
}
