//! A screen that is drawn again whenever something changed.

use std::io::{self, Write};
use std::time::Duration;

use console::Term;

use crate::domain::problem::Problem;
use crate::store::changes::Changes;
use crate::store::layout::Layout;
use crate::ui::printer::{Form, Page, Printer, Render};

/// How often it is drawn although nothing happened: what runs grows older.
const TICK: Duration = Duration::from_secs(1);

/// How soon at most it is drawn again: faster than anybody reads is only work.
const FRAME: Duration = Duration::from_millis(50);

/// Draws what `look` gives, again after every change, until the reader ends it.
///
/// # Errors
/// When there is no terminal to draw on, or what `look` could not find out.
pub fn watch<T: Render>(
    printer: &Printer,
    layout: &Layout,
    mut look: impl FnMut() -> Result<T, Problem>,
) -> Result<(), Problem> {
    let terminal = Term::stdout();
    if printer.form() == Form::Json || !terminal.is_term() {
        return Err(Problem::usage("`--watch` draws on a terminal, and there is none")
            .hint("for programs: `wt status --json`, or `wt wait`"));
    }
    let drawn = |error: io::Error| Problem::failed(format!("cannot draw: {error}"));
    let mut changes = Changes::listen(layout);
    loop {
        let (rows, columns) = terminal.size();
        let mut bytes = Vec::new();
        let mut page = Page::new(&mut bytes, Some(usize::from(columns)), printer.program());
        look()?.render(&mut page).map_err(drawn)?;
        let frame = frame(&bytes, (usize::from(rows), usize::from(columns)));
        draw(&terminal, &frame).map_err(drawn)?;
        changes.wait(TICK);
        std::thread::sleep(FRAME);
    }
}

/// In place, line by line, so that nothing flickers. What does not fit below or beside is left out:
/// a line that went on in the next row would push the first ones out of sight.
fn frame(bytes: &[u8], (rows, columns): (usize, usize)) -> Vec<u8> {
    let mut frame = b"\x1b[H".to_vec();
    let text = String::from_utf8_lossy(bytes);
    for line in text.lines().take(rows.saturating_sub(1)) {
        frame.extend_from_slice(console::truncate_str(line, columns, "…").as_bytes());
        frame.extend_from_slice(b"\x1b[K\r\n");
    }
    frame.extend_from_slice(b"\x1b[J");
    frame
}

fn draw(terminal: &Term, frame: &[u8]) -> io::Result<()> {
    let mut out = terminal;
    out.write_all(frame)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_never_takes_more_rows_than_there_are() {
        let drawn = frame("one\n\x1b[1mtwo is long\x1b[0m\nthree\nfour\n".as_bytes(), (4, 7));
        let drawn = String::from_utf8(drawn).unwrap();
        assert_eq!(drawn.matches("\r\n").count(), 3, "{drawn:?}");
        let plain = console::strip_ansi_codes(&drawn).into_owned();
        assert_eq!(plain.lines().collect::<Vec<_>>(), ["one", "two is…", "three"]);
    }
}
