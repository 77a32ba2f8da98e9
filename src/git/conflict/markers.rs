//! Conflict markers in a file: where the two sides stand, and the text with one side taken.

/// How long a marker is unless the attribute `conflict-marker-size` says otherwise.
pub const SIZE: usize = 7;

/// A stretch of a file with conflict markers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// What both sides agree on, or was settled.
    Agreed(&'a [u8]),
    /// What they do not agree on, without the markers; what they started from is left out.
    Disputed {
        /// The side that the other is merged into.
        ours: &'a [u8],
        /// The side that is merged.
        theirs: &'a [u8],
    },
}

/// A disputed stretch, and the lines that it takes with its markers, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch<'a> {
    /// The opening marker's line.
    pub first: usize,
    /// The closing marker's line.
    pub last: usize,
    /// The side that the other is merged into.
    pub ours: &'a [u8],
    /// The side that is merged.
    pub theirs: &'a [u8],
}

/// Which marker a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marker {
    Open,
    Base,
    Middle,
    Close,
}

/// The parts of a file, in order; markers are `size` characters long. Markers that do not make a
/// whole stretch belong to what is agreed.
pub fn parts(text: &[u8], size: usize) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = 0;
    for found in find(text, size) {
        if found.from > rest {
            parts.push(Part::Agreed(&text[rest..found.from]));
        }
        parts.push(Part::Disputed { ours: found.stretch.ours, theirs: found.stretch.theirs });
        rest = found.to;
    }
    if rest < text.len() {
        parts.push(Part::Agreed(&text[rest..]));
    }
    parts
}

/// The disputed stretches of a file, in order.
pub fn stretches(text: &[u8], size: usize) -> Vec<Stretch<'_>> {
    find(text, size).into_iter().map(|found| found.stretch).collect()
}

/// True when any line still is a marker that git writes around a conflict: also one that was left
/// behind alone by an edit. The middle one does not count, for it underlines headings, too.
pub fn any_left(text: &[u8], size: usize) -> bool {
    lines(text).any(|line| matches!(marker(line, size), Some(Marker::Open | Marker::Close)))
}

struct Found<'a> {
    /// Where its opening marker begins.
    from: usize,
    /// Where the line after its closing marker begins.
    to: usize,
    stretch: Stretch<'a>,
}

/// A stretch that was begun: offsets of its parts as far as they were met.
struct Begun {
    line: usize,
    from: usize,
    ours: usize,
    ours_end: Option<usize>,
    theirs: Option<usize>,
}

fn find(text: &[u8], size: usize) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    let mut begun: Option<Begun> = None;
    let mut at = 0;
    for (number, line) in lines(text).enumerate() {
        let end = at + line.len();
        match (marker(line, size), &mut begun) {
            (Some(Marker::Open), _) => {
                let line = number + 1;
                begun = Some(Begun { line, from: at, ours: end, ours_end: None, theirs: None });
            }
            (Some(Marker::Base), Some(open)) if open.theirs.is_none() => {
                open.ours_end.get_or_insert(at);
            }
            (Some(Marker::Middle), Some(open)) if open.theirs.is_none() => {
                open.ours_end.get_or_insert(at);
                open.theirs = Some(end);
            }
            (Some(Marker::Close), Some(open)) => {
                if let (Some(ours_end), Some(theirs)) = (open.ours_end, open.theirs) {
                    let ours = &text[open.ours..ours_end];
                    let (first, last) = (open.line, number + 1);
                    let stretch = Stretch { first, last, ours, theirs: &text[theirs..at] };
                    found.push(Found { from: open.from, to: end, stretch });
                }
                begun = None;
            }
            _ => {}
        }
        at = end;
    }
    found
}

/// A line is a marker when it begins with exactly `size` of its character, and ends there or goes
/// on after a space (git's `is_conflict_marker`, diff.c).
fn marker(line: &[u8], size: usize) -> Option<Marker> {
    let kind = match line.first()? {
        b'<' => Marker::Open,
        b'|' => Marker::Base,
        b'=' => Marker::Middle,
        b'>' => Marker::Close,
        _ => return None,
    };
    let length = line.iter().take_while(|byte| **byte == line[0]).count();
    let follows = line.get(length).is_none_or(u8::is_ascii_whitespace);
    (length == size && follows).then_some(kind)
}

/// The lines, each with its end.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TWO: &str = "a\n<<<<<<< HEAD\nb\n=======\nc\nd\n>>>>>>> x\ne\n<<<<<<< HEAD\n||||||| 12\nf\n=======\ng\n>>>>>>> x\n";

    #[test]
    fn each_side_is_found_with_its_lines() {
        let found = stretches(TWO.as_bytes(), SIZE);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let seen: Vec<_> =
            found.iter().map(|s| (s.first, s.last, text(s.ours), text(s.theirs))).collect();
        let expected = [(2, 7, "b\n", "c\nd\n"), (9, 14, "", "g\n")];
        assert_eq!(seen, expected.map(|(a, b, c, d)| (a, b, c.to_owned(), d.to_owned())));
    }

    #[test]
    fn windows_line_ends_and_other_sizes_are_understood() {
        let text = "<<<<<<< a\r\nb\r\n=======\r\nc\r\n>>>>>>> x\r\n";
        assert_eq!(stretches(text.as_bytes(), SIZE)[0].theirs, b"c\r\n");
        let text = text.replace("<<<<<<<", "<<<<<<<<<").replace("=======", "=========");
        let text = text.replace(">>>>>>>", ">>>>>>>>>");
        assert!(stretches(text.as_bytes(), SIZE).is_empty() && !any_left(text.as_bytes(), SIZE));
        assert_eq!(stretches(text.as_bytes(), 9).len(), 1);
    }

    #[test]
    fn a_marker_left_alone_is_noticed_but_a_heading_is_none() {
        assert!(any_left(b"a\n>>>>>>> x\n", SIZE));
        assert!(any_left(b"<<<<<<<\n", SIZE));
        for fine in ["Title\n=======\n", "a <<<<<<< b\n", "<<<<<<<<\n", "<<<<<<<x\n", ">> >>>>>\n"]
        {
            assert!(!any_left(fine.as_bytes(), SIZE), "{fine}");
        }
        assert!(stretches(b"<<<<<<< a\nb\n>>>>>>> c\n", SIZE).is_empty());
    }

    proptest! {
        #[test]
        fn parts_lose_nothing_but_markers(text in "([a-c]|<<<<<<< h|=======|>>>>>>> x|\n){0,40}") {
            let bytes = text.as_bytes();
            let marked: usize = find(bytes, SIZE).iter().map(|f| {
                f.to - f.from - f.stretch.ours.len() - f.stretch.theirs.len()
            }).sum();
            let kept: usize = parts(bytes, SIZE).iter().map(|part| match part {
                Part::Agreed(text) => text.len(),
                Part::Disputed { ours, theirs } => ours.len() + theirs.len(),
            }).sum();
            prop_assert_eq!(kept + marked, bytes.len());
        }
    }
}
