//! How `wt diff` looks: the patch in a pager, or raw where nobody looks; or its files.

use std::io::{self, BufRead, BufReader, Read, Write};

use crate::commands::diff::{Outcome, Side, SideKind};
use crate::ui::patch::for_terminal;
use crate::ui::printer::{Page, Render};
use crate::ui::stat::{self, StatLine};
use crate::ui::{human, theme};

/// The most of one file's patch that is shown on a terminal; piped, all of it is.
const FILE_MAX: usize = 1 << 20;

/// Only the files' names.
pub struct Names<'a>(pub &'a Outcome);

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        let Some(files) = &self.files else { return Ok(()) };
        if files.is_empty() {
            return Ok(());
        }
        let files: Vec<StatLine<'_>> = files
            .iter()
            .map(|file| StatLine {
                path: &file.path,
                old_path: file.old_path.as_deref(),
                lines: file.lines,
            })
            .collect();
        for line in stat::lines(&files, usize::MAX, out.width) {
            out.line(line)?;
        }
        Ok(())
    }
}

impl Render for Names<'_> {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        for file in self.0.files.iter().flatten() {
            out.raw(human::shown(&file.path).as_bytes())?;
            out.raw(b"\n")?;
        }
        Ok(())
    }
}

/// That there is no difference, in one line.
pub fn no_difference(outcome: &Outcome) -> String {
    let (from, to) = (said(&outcome.from), said(&outcome.to));
    match outcome.from.kind {
        SideKind::PartedAt => format!("{to} changed nothing since {from}"),
        SideKind::Variant | SideKind::Branch => format!("{from} and {to} hold the same"),
    }
}

fn said(side: &Side) -> String {
    let commit = human::commit(&side.commit);
    match (&side.name, side.kind) {
        (Some(name), SideKind::Variant) => name.clone(),
        (Some(name), _) => format!("{} {commit}", human::shown(name)),
        (None, _) => commit.to_owned(),
    }
}

/// Copies a patch as it is; gives how many bytes it has.
///
/// # Errors
/// Those of either side.
pub fn raw(patch: &mut dyn Read, out: &mut dyn Write) -> io::Result<u64> {
    io::copy(patch, out)
}

/// Writes a patch for a person, file by file as git gives it; gives how many bytes it has. Of a
/// file that differs in more than 1 MiB only the beginning is shown, and that is said.
///
/// # Errors
/// Those of either side; that the person has left is `BrokenPipe`.
pub fn painted(patch: &mut dyn Read, out: &mut dyn Write) -> io::Result<u64> {
    let mut patch = BufReader::new(patch);
    let (mut file, mut dropped, mut size) = (Vec::new(), 0_u64, 0_u64);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = read_line(&mut patch, &mut line)?;
        size += read;
        // Only a file's head begins so: every line of a hunk has its sign first.
        if read == 0 || line.starts_with(b"diff --git ") {
            show(&file, dropped, out)?;
            file.clear();
            dropped = 0;
        }
        if read == 0 {
            return Ok(size);
        }
        if dropped > 0 || file.len() + line.len() > FILE_MAX {
            dropped += 1;
        } else {
            file.extend_from_slice(&line);
        }
    }
}

/// One line with its newline; of what is longer than is ever shown only so much is kept.
fn read_line(patch: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<u64> {
    let mut read = 0;
    loop {
        let buffer = patch.fill_buf()?;
        if buffer.is_empty() {
            return Ok(read);
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let part = &buffer[..end.map_or(buffer.len(), |at| at + 1)];
        if line.len() <= FILE_MAX {
            line.extend_from_slice(part);
        }
        let used = part.len();
        read += used as u64;
        patch.consume(used);
        if end.is_some() {
            return Ok(read);
        }
    }
}

fn show(file: &[u8], dropped: u64, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(for_terminal(file).as_bytes())?;
    if dropped > 0 {
        let lines = human::count(dropped, "more line", "more lines");
        let text = format!("… {lines} of this file; piped (`wt diff … | less`) all of it is shown");
        writeln!(out, "{}", theme::attention().apply_to(text))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(patch: &str) -> String {
        let mut out = vec![];
        let size = painted(&mut patch.as_bytes(), &mut out).unwrap();
        assert_eq!(size, patch.len() as u64);
        console::strip_ansi_codes(&String::from_utf8(out).unwrap()).into_owned()
    }

    #[test]
    fn a_file_that_is_too_long_is_cut_and_the_next_one_is_whole() {
        let lines = "+a line of some text\n".repeat(100_000);
        let first = format!("diff --git a/a b/a\n@@ -0,0 +1,100000 @@\n{lines}");
        let second = "diff --git a/b b/b\n@@ -0,0 +1 @@\n+last\n";
        let text = shown(&format!("{first}{second}"));
        assert!(text.len() < FILE_MAX + 500);
        let kept = text.lines().filter(|line| line.starts_with("+a line")).count();
        let said = format!("… {} more lines of this file", human::number(100_000 - kept as u64));
        assert!(text.contains(&said), "{said}");
        assert!(text.ends_with(second));
    }

    #[test]
    fn one_endless_line_is_not_kept() {
        let line = "x".repeat(3 * FILE_MAX);
        let text = shown(&format!("diff --git a/a b/a\n@@ -0,0 +1 @@\n+{line}\n"));
        assert!(text.contains("… 1 more line of this file") && text.len() < 500, "{}", text.len());
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(shown(""), "");
    }
}
