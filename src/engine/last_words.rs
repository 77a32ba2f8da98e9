//! What a program said last before it failed.

/// The line of standard error most worth showing: the last that speaks of an error, else the last.
pub fn last_words(stderr: &str) -> Option<String> {
    let lines: Vec<String> = stderr
        .lines()
        .map(|line| without_escapes(line).trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    let error = lines.iter().rev().find(|line| line.to_lowercase().contains("error"));
    error.or(lines.last()).map(|line| line.chars().take(200).collect())
}

/// A line without colour sequences (`ESC [ … letter`) and control characters.
fn without_escapes(line: &str) -> String {
    let mut pieces = line.split('\u{1b}');
    let mut clean = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let sequence = piece.strip_prefix('[').and_then(|rest| {
            let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
            Some(&rest[end + 1..])
        });
        clean.push_str(sequence.unwrap_or(piece));
    }
    clean.retain(|c| !c.is_control());
    clean
}
