//! The two sides of a conflict on a line each, cut to where they differ.

/// The most characters of a line that are shown.
const LINE_MAX: usize = 36;
/// How many of the characters that both sides have in common are kept before the first that
/// differs, when a line is cut.
const LEAD: usize = 10;

/// What each side says, quoted, or `nothing`.
///
/// Of many lines the first pair that differs is shown, and of long lines the part in which they do.
pub fn of(ours: &[String], theirs: &[String]) -> (String, String) {
    let (ours, theirs) = pair(&said(ours), &said(theirs));
    let same = match (&ours, &theirs) {
        (Some(ours), Some(theirs)) => {
            ours.chars().zip(theirs.chars()).take_while(|(one, other)| one == other).count()
        }
        _ => 0,
    };
    (quoted(ours, same), quoted(theirs, same))
}

/// The lines that say something, on which no character can drive a terminal.
fn said(side: &[String]) -> Vec<String> {
    let safe = |line: &String| {
        let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        line.trim().to_owned()
    };
    side.iter().map(safe).filter(|line| !line.is_empty()).collect()
}

fn pair(ours: &[String], theirs: &[String]) -> (Option<String>, Option<String>) {
    let lines = ours.len().max(theirs.len());
    let pairs = (0..lines).map(|at| (ours.get(at).cloned(), theirs.get(at).cloned()));
    let (whole_ours, whole_theirs) = (ours.first().cloned(), theirs.first().cloned());
    pairs
        .into_iter()
        .find(|(one, other)| one.is_some() && other.is_some() && one != other)
        .unwrap_or((whole_ours, whole_theirs))
}

fn quoted(line: Option<String>, same: usize) -> String {
    match line {
        Some(line) => format!("\"{}\"", cut(&line, same)),
        None => "nothing".to_owned(),
    }
}

/// At most [`LINE_MAX`] characters of a line whose first `same` are of no interest.
fn cut(line: &str, same: usize) -> String {
    let characters: Vec<char> = line.chars().collect();
    if characters.len() <= LINE_MAX {
        return line.to_owned();
    }
    let latest = characters.len() - LINE_MAX + 1;
    let start = same.saturating_sub(LEAD).min(latest);
    // Not in the middle of a word.
    let word = |at: &usize| characters[*at].is_alphanumeric() || characters[*at] == '_';
    let start = match start {
        0 | 1 => 0,
        _ => (start..same.min(latest)).find(|at| !word(at)).unwrap_or(start),
    };
    let mut short = String::new();
    let mut room = LINE_MAX;
    if start > 0 {
        short.push('…');
        room -= 1;
    }
    let rest = &characters[start..];
    if rest.len() <= room {
        short.extend(rest);
    } else {
        short.extend(&rest[..room - 1]);
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn short_lines_are_whole() {
        let sides = of(&lines("  --bg: #111;\n"), &lines("  --bg: #fff;"));
        assert_eq!(sides, ("\"--bg: #111;\"".into(), "\"--bg: #fff;\"".into()));
        assert_eq!(of(&lines("\n  a\n"), &[]), ("\"a\"".into(), "nothing".into()));
    }

    #[test]
    fn long_lines_show_where_they_differ() {
        let start = "pub const HEADER: Style = AnsiColor::";
        let end = ".on_default().effects(Effects::BOLD);";
        let [ours, theirs] = ["BrightYellow", "Green"].map(|word| format!("{start}{word}{end}"));
        let (ours, theirs) = of(&[ours], &[theirs]);
        assert_eq!(ours, "\"…::BrightYellow.on_default().effect…\"");
        assert_eq!(theirs, "\"…::Green.on_default().effects(Effec…\"");
    }

    #[test]
    fn of_many_lines_the_first_that_differ_are_shown() {
        let (ours, theirs) = of(&lines("same\none\n"), &lines("same\n\ntwo\n"));
        assert_eq!((ours.as_str(), theirs.as_str()), ("\"one\"", "\"two\""));
        let (ours, theirs) = of(&lines("same\nmore"), &lines("same"));
        assert_eq!((ours.as_str(), theirs.as_str()), ("\"same\"", "\"same\""));
    }

    proptest! {
        #[test]
        fn an_excerpt_is_short_and_from_the_line(same in "[a-z .ü]{0,60}", one in "[a-z .]{0,60}", other in "[A-Z .]{0,60}") {
            let (ours, theirs) = (format!("{same}{one}"), format!("{same}{other}"));
            let (shown, _) = of(std::slice::from_ref(&ours), &[theirs]);
            let inner = shown.trim_matches('"');
            prop_assert!(inner.chars().count() <= LINE_MAX);
            prop_assert!(shown == "nothing" || ours.contains(inner.trim_matches('…')));
        }
    }
}
