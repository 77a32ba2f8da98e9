//! Follows one attempt's output, from its first byte on.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::agents::dialect::Reader;
use crate::agents::lines::LineSplitter;
use crate::domain::event::StreamReport;
use crate::domain::launch::LaunchSpec;

/// The most bytes read in one go, so that an agent that writes a gigabyte does not keep the others
/// waiting.
pub const AT_ONCE: u64 = 256 * 1024;

/// One output file and what was made of it so far.
pub struct Tail {
    path: PathBuf,
    file: Option<File>,
    offset: u64,
    lines: LineSplitter,
    reader: Reader,
}

impl Tail {
    /// At the start of an output that need not be there yet.
    pub fn new(spec: &LaunchSpec, path: PathBuf) -> Self {
        let reader = Reader::of(spec);
        Self { path, file: None, offset: 0, lines: LineSplitter::default(), reader }
    }

    /// Reads what is new, at most [`AT_ONCE`] bytes. True when there is more.
    ///
    /// # Errors
    /// When the file cannot be read; there being none is no error.
    pub fn read(&mut self) -> std::io::Result<bool> {
        let Some(file) = open(&mut self.file, &self.path)? else { return Ok(false) };
        let length = file.metadata()?.len();
        if length < self.offset {
            // The agent cut its own output; what it writes from here on begins a new line.
            self.offset = length;
            self.lines = LineSplitter::default();
        }
        file.seek(SeekFrom::Start(self.offset))?;
        let mut chunk = Vec::new();
        let read = file.take(AT_ONCE).read_to_end(&mut chunk)? as u64;
        self.offset += read;
        for line in self.lines.push(&chunk) {
            self.reader.line(&line.bytes);
        }
        Ok(read == AT_ONCE)
    }

    /// Reads to the end of an output that nobody writes any more, its last line included.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn finish(&mut self) -> std::io::Result<()> {
        while self.read()? {}
        if let Some(line) = self.lines.finish() {
            self.reader.line(&line.bytes);
        }
        Ok(())
    }

    /// What it says as a whole so far.
    pub fn report(&self) -> &StreamReport {
        self.reader.report()
    }

    /// How many bytes were read.
    pub fn offset(&self) -> u64 {
        self.offset
    }
}

fn open<'f>(file: &'f mut Option<File>, path: &Path) -> std::io::Result<Option<&'f mut File>> {
    if file.is_none() {
        match File::open(path) {
            Ok(opened) => *file = Some(opened),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(file.as_mut())
}

/// The end of a file as text, at most `max` bytes, from the start of a line on; empty when there is
/// no such file.
pub fn end_of(path: &Path, max: u64) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(max)))?;
        let mut bytes = Vec::new();
        file.take(max).read_to_end(&mut bytes)?;
        let cut = if length > max {
            bytes.iter().position(|b| *b == b'\n').map_or(0, |at| at + 1)
        } else {
            0
        };
        Ok(bytes.split_off(cut))
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::domain::id::TaskId;
    use crate::engine::queue::tests::shell;

    #[test]
    fn output_is_read_as_it_comes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stdout");
        let spec = shell(&TaskId::new("task-a-x7k2m9"), "", dir.path());
        let mut tail = Tail::new(&spec, path.clone());
        assert!(!tail.read().unwrap(), "there is no file yet");
        let mut file = File::options().append(true).create(true).open(&path).unwrap();
        file.write_all(b"one\ntw").unwrap();
        tail.read().unwrap();
        assert_eq!(tail.offset(), 6);
        file.write_all(b"o\nthree").unwrap();
        tail.finish().unwrap();
        assert_eq!(tail.report().final_text.as_deref(), Some("one\ntwo\nthree"));
        // Cut by the agent itself: what follows is read all the same.
        file.set_len(0).unwrap();
        file.write_all(b"four\n").unwrap();
        tail.finish().unwrap();
        assert_eq!(tail.offset(), 5);
    }

    #[test]
    fn the_end_of_a_file_begins_with_a_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stderr");
        assert_eq!(end_of(&path, 10), "");
        std::fs::write(&path, "first\nsecond\nthird\n").unwrap();
        assert_eq!(end_of(&path, 10), "third\n");
        assert_eq!(end_of(&path, 100), "first\nsecond\nthird\n");
    }
}
