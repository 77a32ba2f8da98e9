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
        draw(&terminal, &bytes, usize::from(rows)).map_err(drawn)?;
        changes.wait(TICK);
        std::thread::sleep(FRAME);
    }
}

/// In place, line by line, so that nothing flickers. What does not fit below is left out.
fn draw(terminal: &Term, bytes: &[u8], rows: usize) -> io::Result<()> {
    let mut frame = b"\x1b[H".to_vec();
    for line in bytes.split(|byte| *byte == b'\n').take(rows.saturating_sub(1)) {
        frame.extend_from_slice(line);
        frame.extend_from_slice(b"\x1b[K\r\n");
    }
    frame.extend_from_slice(b"\x1b[J");
    let mut out = terminal;
    out.write_all(&frame)?;
    out.flush()
}
