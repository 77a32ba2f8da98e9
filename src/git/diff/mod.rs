//! What differs between trees: files, renames and lines, of many pairs by one process; and the
//! patch of one pair, as git writes it.
//!
//! The git program answers, so that every format of repository and every attribute counts as git
//! counts it. Neither external differs nor text converters run: the configuration that names them
//! is shared with the variants' agents.

mod parse;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io::{BufReader, Read};
use std::path::PathBuf;

use crate::git::command::{Answer, Git};
use crate::git::error::GitError;

pub use parse::hunk_lines;

/// Files larger than this are compared as binary ones.
const TEXT_MAX: &str = "core.bigFileThreshold=64m";

/// Two trees to be compared, in hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    /// The old one.
    pub from: String,
    /// The new one.
    pub to: String,
}

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDiff {
    /// Its path in the new tree, or in the old one when it is gone; from the top, any bytes.
    pub path: PathBuf,
    /// Its path in the old tree, when it was renamed.
    pub old_path: Option<PathBuf>,
    /// How it differs.
    pub status: Status,
    /// How many lines; `None` of a binary file.
    pub lines: Option<LineCount>,
}

/// How a file differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Only the new tree has it.
    Added,
    /// Only the old tree has it.
    Deleted,
    /// Its content or mode.
    Modified,
    /// It has another path, and perhaps other content.
    Renamed,
    /// It became a link, a submodule or the reverse.
    TypeChanged,
}

/// Lines that differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct LineCount {
    /// Of the new tree alone.
    pub added: u64,
    /// Of the old tree alone.
    pub removed: u64,
}

/// All that differs between two trees.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TreeDiff {
    /// In git's order.
    pub files: Vec<FileDiff>,
}

/// Which side of a difference a line is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Only the old tree has it.
    Removed,
    /// Only the new tree has it.
    Added,
}

/// A line that differs.
#[derive(Debug)]
pub struct ChangedLine<'a> {
    /// The number of its pair.
    pub pair: usize,
    /// Its file; the count of lines is that of the lines up to this one.
    pub file: &'a FileDiff,
    /// Which side it is on.
    pub side: Side,
    /// At most 4 KiB of it, without the newline.
    pub text: &'a [u8],
}

impl TreeDiff {
    /// Lines of all files together; those of binary files count as none.
    pub fn lines(&self) -> LineCount {
        self.files.iter().filter_map(|file| file.lines).fold(LineCount::default(), |sum, lines| {
            LineCount { added: sum.added + lines.added, removed: sum.removed + lines.removed }
        })
    }
}

/// Hears what differs while it passes by; nothing of it is kept.
pub trait Hear {
    /// A pair begins, perhaps once more: what was heard of it before does not count.
    fn begin(&mut self, pair: usize);
    /// A line differs.
    fn line(&mut self, line: &ChangedLine<'_>);
}

/// Hears nothing.
impl Hear for () {
    fn begin(&mut self, _: usize) {}
    fn line(&mut self, _: &ChangedLine<'_>) {}
}

/// Compares pairs of trees, the answers in the pairs' order.
///
/// `git` gives a call that sees the objects; only what `paths` (pathspecs from the top; none for
/// all) name is compared.
///
/// # Errors
/// When git cannot be started. A pair that it cannot compare (a missing object) is an error of its
/// own.
pub fn tree_diffs(
    git: &dyn Fn() -> Git,
    pairs: &[Pair],
    paths: &[OsString],
    hear: &mut dyn Hear,
) -> Result<Vec<Result<TreeDiff, GitError>>, GitError> {
    let mut answers: Vec<Result<TreeDiff, GitError>> = Vec::with_capacity(pairs.len());
    let mut most = usize::MAX;
    while answers.len() < pairs.len() {
        let done = answers.len();
        let rest = &pairs[done..pairs.len().min(done.saturating_add(most))];
        let input: String =
            rest.iter().map(|pair| format!("{} {}\n", pair.from, pair.to)).collect();
        let call = asked(git()).args(["--stdin", "-r", "-z", "--raw", "-p", "-U0"]).arg("--");
        let (read, answer) = call
            .args(paths)
            .input(input)
            .stream(|out| parse::read(&mut BufReader::new(out), (rest, done), hear))?;
        let (mut found, why) = (read?, answer.reason());
        let failed = answer.code != Some(0);
        most = usize::MAX;
        if failed && rest.len() > 1 {
            // It ended at the last one that it spoke of or at the next, which it is asked alone.
            found.pop();
            most = 1;
        } else if failed {
            found.clear();
            answers.push(Err(answer.failure()));
        } else {
            // Those whose objects it does not know are passed over in silence.
            found.resize_with(rest.len(), || None);
        }
        answers.extend(found.into_iter().map(|diff| diff.ok_or_else(|| lost(&why))));
    }
    Ok(answers)
}

fn lost(why: &str) -> GitError {
    GitError::Unexpected { what: "diff-tree".into(), answer: why.to_owned() }
}

/// Gives the patch of two trees to a reader while git writes it.
///
/// # Errors
/// When git cannot be started, or cannot compare the trees. That the reader left early is none.
pub fn patch<T>(
    git: Git,
    pair: &Pair,
    paths: &[OsString],
    reader: impl FnOnce(&mut dyn Read) -> T,
) -> Result<T, GitError> {
    let git = asked(git).args(["-r", "-p", "--no-color", &pair.from, &pair.to]).arg("--");
    let (read, answer) = git.args(paths).stream(reader)?;
    if ended_well(&answer) { Ok(read) } else { Err(answer.failure()) }
}

fn ended_well(answer: &Answer) -> bool {
    // Without a code a signal ended it: the one of a closed pipe, unless it had something to say.
    answer.code == Some(0) || (answer.code.is_none() && answer.stderr.is_empty())
}

fn asked(git: Git) -> Git {
    git.config(TEXT_MAX).config("diff.suppressBlankEmpty=false").arg("diff-tree").args([
        "-M",
        "--no-ext-diff",
        "--no-textconv",
        "--src-prefix=a/",
        "--dst-prefix=b/",
    ])
}
