//! Bytes into lines, however they arrive, in bounded memory.

use serde::{Deserialize, Serialize};

/// The most bytes of one line that are kept: 1 MiB.
pub const LINE_MAX: usize = 1 << 20;

/// Cuts a stream into lines. Its whole state can be saved and taken up again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LineSplitter {
    /// The beginning of a line whose end has not come yet; at most [`LINE_MAX`] bytes.
    held: Vec<u8>,
    /// Bytes of that line that were dropped because it is too long.
    dropped: u64,
}

/// One line, without its newline (and without a carriage return before it).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its bytes, at most [`LINE_MAX`].
    pub bytes: Vec<u8>,
    /// How many more bytes it had.
    pub dropped: u64,
}

impl LineSplitter {
    /// Takes the next bytes and gives the lines that they complete.
    pub fn push(&mut self, mut chunk: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        while let Some(end) = chunk.iter().position(|&byte| byte == b'\n') {
            self.hold(&chunk[..end]);
            lines.push(self.take());
            chunk = &chunk[end + 1..];
        }
        self.hold(chunk);
        lines
    }

    /// The last line when the stream has ended without a newline; `None` when nothing is left.
    pub fn finish(&mut self) -> Option<Line> {
        (!self.held.is_empty() || self.dropped > 0).then(|| self.take())
    }

    /// How many bytes are held back, to go back to the start of the present line.
    pub fn pending(&self) -> u64 {
        self.held.len() as u64 + self.dropped
    }

    fn hold(&mut self, part: &[u8]) {
        let room = LINE_MAX - self.held.len();
        let kept = part.len().min(room);
        self.held.extend_from_slice(&part[..kept]);
        self.dropped = self.dropped.saturating_add((part.len() - kept) as u64);
    }

    fn take(&mut self) -> Line {
        let mut bytes = std::mem::take(&mut self.held);
        let dropped = std::mem::take(&mut self.dropped);
        if dropped == 0 && bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        Line { bytes, dropped }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_cut_and_told() {
        let mut splitter = LineSplitter::default();
        assert!(splitter.push(&vec![b'x'; LINE_MAX]).is_empty());
        assert!(splitter.push(b"abc").is_empty());
        let lines = splitter.push(b"d\nnext\n");
        assert_eq!((lines[0].bytes.len(), lines[0].dropped), (LINE_MAX, 4));
        assert_eq!((lines[1].bytes.as_slice(), lines[1].dropped), (&b"next"[..], 0));
        assert_eq!(splitter.pending(), 0);
    }

    #[test]
    fn the_end_of_a_stream_ends_its_last_line() {
        let mut splitter = LineSplitter::default();
        assert_eq!(splitter.push(b"one\r\ntwo").len(), 1);
        assert_eq!(splitter.finish().unwrap().bytes, b"two");
        assert_eq!(splitter.finish(), None);
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter_nor_does_saving_in_between(
            text in proptest::collection::vec(any::<u8>(), 0..300),
            cuts in proptest::collection::vec(0usize..300, 0..6),
        ) {
            let mut whole = LineSplitter::default();
            let mut expected = whole.push(&text);
            expected.extend(whole.finish());
            let mut cuts: Vec<usize> = cuts.into_iter().map(|at| at.min(text.len())).collect();
            cuts.sort_unstable();
            let mut splitter = LineSplitter::default();
            let (mut lines, mut from) = (Vec::new(), 0);
            for at in cuts.into_iter().chain([text.len()]) {
                lines.extend(splitter.push(&text[from..at]));
                let saved = serde_json::to_string(&splitter).unwrap();
                splitter = serde_json::from_str(&saved).unwrap();
                from = at;
            }
            lines.extend(splitter.finish());
            prop_assert_eq!(lines, expected);
        }
    }
}
