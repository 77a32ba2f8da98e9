//! What `git diff-tree --stdin -z --raw -p` says: for each pair a line with both ids, what
//! differs between nulls, and after one more null the patches, file by file in the same order.

use std::ffi::OsString;
use std::io::BufRead;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use crate::git::diff::{ChangedLine, FileDiff, Hear, LineCount, Pair, Side, Status, TreeDiff};
use crate::git::error::GitError;

/// The most that is kept of one line.
const LINE_MAX: usize = 4096;

/// Reads what was said about pairs, of which the first has the number `first`. Gives them in the
/// pairs' order up to the last one of which anything was said, `None` for those passed over.
pub(super) fn read(
    out: &mut dyn BufRead,
    (pairs, first): (&[Pair], usize),
    hear: &mut dyn Hear,
) -> Result<Vec<Option<TreeDiff>>, GitError> {
    let mut lines = Lines { out, line: Vec::new() };
    let mut found: Vec<Option<TreeDiff>> = vec![];
    let mut more = lines.until(b'\n')?;
    while more {
        let header = lines.text();
        let left = &pairs[found.len()..];
        let at = left.iter().position(|pair| header == format!("{} {}", pair.from, pair.to));
        let at = at.ok_or_else(|| unexpected(&lines.line))?;
        found.extend(std::iter::repeat_with(|| None).take(at));
        let pair = first + found.len();
        hear.begin(pair);
        let mut diff = raw(&mut lines)?;
        if lines.next_byte()? == Some(0) {
            lines.until(0)?;
            more = patches(&mut lines, &mut diff.files, pair, hear)?;
        } else {
            more = lines.until(b'\n')?;
        }
        found.push(Some(diff));
    }
    Ok(found)
}

/// `:100644 100755 OLD NEW M`, path; of a rename both paths.
fn raw(lines: &mut Lines<'_>) -> Result<TreeDiff, GitError> {
    let mut diff = TreeDiff::default();
    while lines.next_byte()? == Some(b':') {
        lines.until(0)?;
        let status = match lines.text().rsplit(' ').next().and_then(|word| word.chars().next()) {
            Some('A') => Status::Added,
            Some('D') => Status::Deleted,
            Some('M') => Status::Modified,
            Some('R') => Status::Renamed,
            Some('T') => Status::TypeChanged,
            _ => return Err(unexpected(&lines.line)),
        };
        let first = lines.path()?;
        let (path, old_path) = match status {
            Status::Renamed => (lines.path()?, Some(first)),
            _ => (first, None),
        };
        let lines = Some(LineCount::default());
        diff.files.push(FileDiff { path, old_path, status, lines });
    }
    Ok(diff)
}

/// The patches of one pair, up to the next pair's header; false when there is none.
fn patches(
    lines: &mut Lines<'_>,
    files: &mut [FileDiff],
    pair: usize,
    hear: &mut dyn Hear,
) -> Result<bool, GitError> {
    // What changes its type is told as a deletion and an addition.
    let blocks = |(at, file): (usize, &FileDiff)| {
        std::iter::repeat_n(at, if file.status == Status::TypeChanged { 2 } else { 1 })
    };
    let order: Vec<usize> = files.iter().enumerate().flat_map(blocks).collect();
    let mut order = order.into_iter();
    let mut at = usize::MAX;
    let mut left = (0_u64, 0_u64);
    while lines.until(b'\n')? {
        let text = lines.line.as_slice();
        if left != (0, 0) {
            let (side, count) = match text.first() {
                Some(b'-') => (Side::Removed, &mut left.0),
                Some(b'+') => (Side::Added, &mut left.1),
                _ => continue,
            };
            *count = count.saturating_sub(1);
            let file = files.get_mut(at).ok_or_else(|| unexpected(text))?;
            let sum = file.lines.get_or_insert_default();
            match side {
                Side::Removed => sum.removed += 1,
                Side::Added => sum.added += 1,
            }
            hear.line(&ChangedLine { pair, file, side, text: &text[1..] });
        } else if text.starts_with(b"diff --git ") {
            at = order.next().unwrap_or(usize::MAX);
        } else if let Some(counts) = hunk_lines(&String::from_utf8_lossy(text)) {
            left = counts;
        } else if text.starts_with(b"Binary files ") {
            files.get_mut(at).ok_or_else(|| unexpected(text))?.lines = None;
        } else if is_header(text) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// No line of a patch outside of its hunks is two ids.
fn is_header(line: &[u8]) -> bool {
    let mut words = line.split(|byte| *byte == b' ');
    let mut id =
        || words.next().is_some_and(|id| id.len() >= 40 && id.iter().all(u8::is_ascii_hexdigit));
    id() && id()
}

/// How many lines a hunk holds of the old and of the new side, by its head `@@ -a,b +c,d @@`.
pub fn hunk_lines(line: &str) -> Option<(u64, u64)> {
    let mut parts = line.strip_prefix("@@ -")?.split(' ');
    let count = |range: &str| match range.split_once(',') {
        Some((_, count)) => count.parse().ok(),
        None => Some(1),
    };
    let old = count(parts.next()?)?;
    let new = count(parts.next()?.strip_prefix('+')?)?;
    Some((old, new))
}

/// Reads up to a byte, keeping no more than [`LINE_MAX`] of what may be pages.
struct Lines<'a> {
    out: &'a mut dyn BufRead,
    line: Vec<u8>,
}

impl Lines<'_> {
    fn next_byte(&mut self) -> Result<Option<u8>, GitError> {
        Ok(self.out.fill_buf().map_err(unread)?.first().copied())
    }

    /// False when there is nothing more.
    fn until(&mut self, end: u8) -> Result<bool, GitError> {
        self.line.clear();
        let mut any = false;
        loop {
            let buffer = self.out.fill_buf().map_err(unread)?;
            if buffer.is_empty() {
                return Ok(any);
            }
            any = true;
            let at = buffer.iter().position(|byte| *byte == end);
            let part = &buffer[..at.unwrap_or(buffer.len())];
            let room = LINE_MAX.saturating_sub(self.line.len());
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            let used = part.len() + usize::from(at.is_some());
            self.out.consume(used);
            if at.is_some() {
                return Ok(true);
            }
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.line).into_owned()
    }

    fn path(&mut self) -> Result<PathBuf, GitError> {
        self.until(0)?;
        if self.line.is_empty() {
            return Err(unexpected(b"a path without a name"));
        }
        Ok(PathBuf::from(OsString::from_vec(self.line.clone())))
    }
}

fn unread(error: std::io::Error) -> GitError {
    GitError::file("read", "the answer of git diff-tree")(error)
}

fn unexpected(line: &[u8]) -> GitError {
    let answer = String::from_utf8_lossy(&line[..line.len().min(200)]).into_owned();
    GitError::Unexpected { what: "diff-tree".into(), answer }
}
