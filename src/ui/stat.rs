//! Files and how much changed in each, as `git diff --stat` draws it.

use crate::git::diff::LineCount;
use crate::ui::{human, theme};

/// Columns to fit into where nobody says how many there are.
const WIDTH: usize = 80;

/// A file that differs.
pub struct StatLine<'a> {
    /// Its path.
    pub path: &'a str,
    /// What it was called before.
    pub old_path: Option<&'a str>,
    /// Its lines; `None` of a binary file.
    pub lines: Option<LineCount>,
}

/// ` src/theme.ts | 45 ++++−−` of at most `most_files`, and the sum of all of them.
pub fn lines(files: &[StatLine<'_>], most_files: usize, width: Option<usize>) -> Vec<String> {
    let mut lines = bars(&files[..files.len().min(most_files)], width.unwrap_or(WIDTH));
    if files.len() > most_files {
        lines.push(format!(" … and {} more", human::number((files.len() - most_files) as u64)));
    }
    let sum =
        |side: fn(LineCount) -> u64| files.iter().filter_map(|file| file.lines).map(side).sum();
    let files = human::count(files.len() as u64, "file", "files");
    let added = human::count(sum(|lines| lines.added), "insertion", "insertions");
    let removed = human::count(sum(|lines| lines.removed), "deletion", "deletions");
    lines.push(format!(" {files} changed, {added}(+), {removed}(−)"));
    lines
}

fn bars(files: &[StatLine<'_>], width: usize) -> Vec<String> {
    let names: Vec<String> = files.iter().map(name).collect();
    let sums: Vec<Option<u64>> =
        files.iter().map(|file| file.lines.map(|lines| lines.added + lines.removed)).collect();
    let counts: Vec<String> =
        sums.iter().map(|sum| sum.map_or_else(|| "bin".to_owned(), human::number)).collect();
    let widest = |texts: &[String]| {
        texts.iter().map(|text| console::measure_text_width(text)).max().unwrap_or(0)
    };
    let count_width = widest(&counts);
    let name_width = widest(&names).min(width.saturating_sub(count_width + 16));
    let room = width.saturating_sub(name_width + count_width + 6).max(4) as u64;
    let most = sums.iter().flatten().copied().max().unwrap_or(0);
    let scaled = |lines: u64| match lines {
        0 => 0,
        _ if most <= room => lines,
        _ => (lines * room / most).max(1),
    };
    let line = |((file, name), count): ((&StatLine<'_>, String), String)| {
        let name = console::truncate_str(&name, name_width, "…").into_owned();
        let name = console::pad_str(&name, name_width, console::Alignment::Left, None);
        let (added, removed) = file.lines.map_or((0, 0), |lines| (lines.added, lines.removed));
        let plus = theme::good().apply_to("+".repeat(scaled(added) as usize));
        let minus = theme::bad().apply_to("−".repeat(scaled(removed) as usize));
        format!(" {name} | {count:>count_width$} {plus}{minus}").trim_end().to_owned()
    };
    files.iter().zip(names).zip(counts).map(line).collect()
}

fn name(file: &StatLine<'_>) -> String {
    let path = human::shown(file.path);
    match file.old_path {
        Some(old) => format!("{} → {path}", human::shown(old)),
        None => path.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_fit_and_little_is_never_nothing() {
        let file = |path, added, removed| StatLine {
            path,
            old_path: None,
            lines: Some(LineCount { added, removed }),
        };
        let binary = StatLine { path: "a.png", old_path: Some("b\x1b.png"), lines: None };
        let files = [file("src/main.rs", 10_000, 5_000), file("b", 1, 0), binary, file("c", 0, 1)];
        let shown = lines(&files, 3, Some(60));
        let wanted = [
            " src/main.rs       | 15,000 +++++++++++++++++++++−−−−−−−−−−",
            " b                 |      1 +",
            " b\u{fffd}.png → a.png |    bin",
            " … and 1 more",
            " 4 files changed, 10,001 insertions(+), 5,001 deletions(−)",
        ];
        let plain: Vec<_> = shown.iter().map(|line| console::strip_ansi_codes(line)).collect();
        assert_eq!(plain[3..], wanted[3..]);
        assert!(plain.iter().all(|line| console::measure_text_width(line) <= 60), "{plain:?}");
        assert!(plain[1].starts_with(" b ") && plain[1].ends_with("     1 +"), "{plain:?}");
        assert!(plain[2].ends_with("| bin") || plain[2].ends_with("|    bin"), "{plain:?}");
    }
}
