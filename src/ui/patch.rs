//! A patch on the screen: coloured as git does it, with the words that changed marked.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use console::Style;
use similar::{ChangeTag, DiffTag, TextDiff};

use crate::git::diff::hunk_lines;
use crate::ui::theme;

/// A replaced block longer than this is shown without marks: finding the words that changed in
/// pages of text takes long and helps nobody.
const BLOCK_MAX: usize = 64 * 1024;

/// The most time spent on one block's words; what is not found by then is marked as a whole.
const BLOCK_TIME: Duration = Duration::from_millis(50);

/// Lines that have less in common than this are no versions of each other (as `similar` has it).
const ALIKE: f32 = 0.5;

/// A unified diff, as git prints it without colour, for a person's terminal: control characters
/// made visible, lines coloured, and within lines that replace others the changed words reversed
/// (as git's `diff-highlight` does). Without colour it is the same text.
pub fn for_terminal(patch: &[u8]) -> String {
    let text = String::from_utf8_lossy(patch);
    let mut painter = Painter::default();
    for line in text.lines() {
        painter.line(&visible(line));
    }
    painter.settle();
    painter.out
}

#[derive(Default)]
struct Painter {
    out: String,
    removed: Vec<String>,
    added: Vec<String>,
    /// Lines that the hunk still holds of the old and of the new side: inside of a hunk a line
    /// `--- x` is a removed `-- x`, not the head of a file.
    left: (u64, u64),
}

impl Painter {
    fn line(&mut self, line: &str) {
        if self.left == (0, 0) {
            return self.outside(line);
        }
        match line.as_bytes().first() {
            Some(b'-') => {
                if !self.added.is_empty() {
                    self.settle();
                }
                self.left.0 = self.left.0.saturating_sub(1);
                self.removed.push(line[1..].to_owned());
            }
            Some(b'+') => {
                self.left.1 = self.left.1.saturating_sub(1);
                self.added.push(line[1..].to_owned());
            }
            Some(b'\\') => self.plain(line, &theme::dim()),
            _ => {
                self.left = (self.left.0.saturating_sub(1), self.left.1.saturating_sub(1));
                self.plain(line, &Style::new());
            }
        }
    }

    fn outside(&mut self, line: &str) {
        if let Some(counts) = hunk_lines(line) {
            self.left = counts;
            self.plain(line, &theme::busy());
        } else if line.starts_with('\\') {
            self.plain(line, &theme::dim());
        } else {
            self.plain(line, &theme::strong());
        }
    }

    fn plain(&mut self, line: &str, style: &Style) {
        self.settle();
        self.push(&style.apply_to(line).to_string());
    }

    fn push(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// Writes the removed and added lines that are waiting.
    fn settle(&mut self) {
        let removed = std::mem::take(&mut self.removed);
        let added = std::mem::take(&mut self.added);
        let size: usize = removed.iter().chain(&added).map(String::len).sum();
        if removed.is_empty() || added.is_empty() || size > BLOCK_MAX {
            for (lines, sign, style) in [(removed, '-', theme::bad()), (added, '+', theme::good())]
            {
                for line in lines {
                    self.push(&style.apply_to(format!("{sign}{line}")).to_string());
                }
            }
            return;
        }
        let (old, new) = marked(&removed, &added);
        for line in old.iter().chain(&new) {
            self.push(line);
        }
    }
}

/// Both sides of a replaced block with the words that changed reversed.
fn marked(removed: &[String], added: &[String]) -> (Vec<String>, Vec<String>) {
    let (old, new) = (joined(removed), joined(added));
    let deadline = Instant::now() + BLOCK_TIME;
    let diff = TextDiff::configure().deadline(deadline).diff_lines(&old, &new);
    let mut sides = (Side::new('-', theme::bad()), Side::new('+', theme::good()));
    for op in diff.ops() {
        let old: String = op.old_range().filter_map(|at| diff.old_slice(at)).collect();
        let new: String = op.new_range().filter_map(|at| diff.new_slice(at)).collect();
        let (old, new) = (tokens(&old), tokens(&new));
        let words = TextDiff::configure().deadline(deadline).diff_slices(&old, &new);
        // Lines with little in common: marks all over would say nothing.
        let mark = op.tag() == DiffTag::Replace && words.ratio() >= ALIKE;
        for change in words.iter_all_changes() {
            match change.tag() {
                ChangeTag::Delete => sides.0.push(change.value(), mark),
                ChangeTag::Insert => sides.1.push(change.value(), mark),
                ChangeTag::Equal => {
                    sides.0.push(change.value(), false);
                    sides.1.push(change.value(), false);
                }
            }
        }
    }
    (sides.0.lines, sides.1.lines)
}

/// Words, runs of blanks, and every other character by itself: in code a dot separates names.
fn tokens(text: &str) -> Vec<&str> {
    let class = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 0,
        ' ' | '\t' => 1,
        _ => 2,
    };
    let mut tokens = vec![];
    let mut start = 0;
    let mut last = None;
    for (at, c) in text.char_indices() {
        if last.is_some_and(|last| last != class(c) || last == 2) {
            tokens.push(&text[start..at]);
            start = at;
        }
        last = Some(class(c));
    }
    tokens.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    tokens
}

/// One side of a replaced block, written token by token.
struct Side {
    sign: char,
    style: Style,
    lines: Vec<String>,
    /// What the line that is being written has so far, and is marked or not.
    line: Option<String>,
    run: String,
    marked: bool,
}

impl Side {
    fn new(sign: char, style: Style) -> Self {
        Self { sign, style, lines: vec![], line: None, run: String::new(), marked: false }
    }

    fn push(&mut self, token: &str, marked: bool) {
        if token == "\n" {
            self.flush();
            let line = self.line.take();
            self.lines.push(line.unwrap_or_else(|| self.style.apply_to(self.sign).to_string()));
            return;
        }
        if marked != self.marked {
            self.flush();
            self.marked = marked;
        }
        self.run.push_str(token);
    }

    fn flush(&mut self) {
        let run = std::mem::take(&mut self.run);
        if run.is_empty() {
            return;
        }
        let style = if self.marked { self.style.clone().reverse() } else { self.style.clone() };
        let line = self.line.get_or_insert_with(|| self.style.apply_to(self.sign).to_string());
        line.push_str(&style.apply_to(run).to_string());
    }
}

fn joined(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

/// Control characters as people know them (`^[`), so that a file cannot drive the terminal.
pub fn visible(line: &str) -> Cow<'_, str> {
    let hostile = |c: char| c.is_control() && c != '\t';
    if !line.contains(hostile) {
        return Cow::Borrowed(line);
    }
    let mut shown = String::with_capacity(line.len() + 8);
    for c in line.chars() {
        match c {
            c if !hostile(c) => shown.push(c),
            '\u{7f}' => shown.push_str("^?"),
            c if (c as u32) < 32 => {
                shown.push('^');
                shown.push(char::from(c as u8 + 64));
            }
            _ => shown.push('\u{fffd}'),
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PATCH: &str = "diff --git a/a.css b/a.css\n--- a/a.css\n+++ b/a.css\n@@ -1,2 +1,2 @@ x\n \
                         body {\n-  --bg: #111;\n+  --bg: #fff;\n@@ -9 +9 @@\n--- old\n+-- new\n";

    fn colours(patch: &str) -> String {
        // The setting is the whole process's, and other tests of this binary print, too.
        let old = console::colors_enabled();
        console::set_colors_enabled(true);
        let shown = for_terminal(patch.as_bytes());
        console::set_colors_enabled(old);
        shown
    }

    #[test]
    fn only_the_changed_word_is_marked() {
        let shown = colours(PATCH);
        assert!(shown.contains("\u{1b}[31m\u{1b}[7m111\u{1b}[0m"), "{shown:?}");
        assert!(shown.contains("\u{1b}[32m\u{1b}[7mfff\u{1b}[0m"), "{shown:?}");
        assert!(!shown.contains("\u{1b}[7mbody"), "{shown:?}");
    }

    #[test]
    fn in_code_a_dot_ends_a_word() {
        let patch = "@@ -1 +1 @@\n-let x = Old.on_default();\n+let x = New.on_default();\n";
        let shown = colours(patch);
        assert!(shown.contains("\u{1b}[7mOld\u{1b}[0m"), "{shown:?}");
        assert!(shown.contains("\u{1b}[7mNew\u{1b}[0m"), "{shown:?}");
        let unlike = colours("@@ -1 +1 @@\n-let x = 1;\n+fn other() {}\n");
        assert!(!unlike.contains("\u{1b}[7m"), "{unlike:?}");
    }

    #[test]
    fn a_removed_line_of_dashes_is_no_head_of_a_file() {
        let shown = colours(PATCH);
        let line = shown.lines().find(|line| line.contains("old")).unwrap();
        assert!(line.starts_with("\u{1b}[31m-"), "{line:?}");
    }

    #[test]
    fn a_file_cannot_drive_the_terminal() {
        let shown = for_terminal(b"@@ -0,0 +1 @@\n+\x1b]0;owned\x07\xc2\x9b\xff\n");
        let text = console::strip_ansi_codes(&shown).into_owned();
        assert!(text.contains("+^[]0;owned^G\u{fffd}\u{fffd}"), "{text:?}");
    }

    proptest! {
        #[test]
        fn the_text_stays_the_same(lines in prop::collection::vec("[ +-][a-z ]{0,12}", 0..30)) {
            let old = lines.iter().filter(|line| !line.starts_with('+')).count();
            let new = lines.iter().filter(|line| !line.starts_with('-')).count();
            let patch = format!("@@ -1,{old} +1,{new} @@\n{}", joined(&lines));
            let shown = for_terminal(patch.as_bytes());
            let sorted = |text: &str| {
                let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
                lines.sort();
                lines
            };
            prop_assert_eq!(sorted(&console::strip_ansi_codes(&shown)), sorted(&patch));
        }
    }
}
