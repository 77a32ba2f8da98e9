//! The story while a command works: lines and bars on stderr.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::domain::observer::{Observer, Progress, Silent};
use crate::ui::printer::{Form, Printer};
use crate::ui::theme;

/// Shows what goes on.
pub struct Story<'a> {
    printer: &'a Printer,
    bars: bool,
}

impl<'a> Story<'a> {
    /// Bars are drawn only when stderr is a terminal and words for people are wanted.
    pub fn new(printer: &'a Printer) -> Self {
        let bars = std::io::stderr().is_terminal() && printer.form() == Form::Text;
        Self { printer, bars }
    }
}

impl Observer for Story<'_> {
    fn tell(&self, line: &str) {
        self.printer.story(line);
    }

    fn warn(&self, line: &str) {
        let mark = theme::attention().for_stderr().apply_to("warning:");
        self.printer.error_line(&format!("{mark} {line}"));
    }

    fn begin(&self, what: &str, total: Option<u64>) -> Box<dyn Progress> {
        if !self.bars {
            return Box::new(Silent);
        }
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
        let template = match total {
            Some(_) => "{prefix} {bar:30} {percent}% {wide_msg}",
            None => "{prefix} {spinner} {pos} {wide_msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Box::new(Bar(bar))
    }
}

struct Bar(ProgressBar);

impl Progress for Bar {
    fn at(&mut self, done: u64) {
        self.0.set_position(done);
    }
    fn item(&mut self, name: &str) {
        self.0.set_message(name.to_owned());
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
