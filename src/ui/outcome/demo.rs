//! How `wt demo` looks: what a person would type, and beneath it what the program answers.

use std::io;

use crate::commands::demo::{Audience, Outcome};
use crate::ui::printer::{Form, Page, Printer, Render};
use crate::ui::theme;

/// The widest line of explanation.
const WIDTH_MAX: usize = 100;

/// Shows the play to people; to programs it is silent until the end.
pub struct Stage<'a> {
    printer: &'a Printer,
}

impl<'a> Stage<'a> {
    /// A stage for this reader.
    pub fn new(printer: &'a Printer) -> Self {
        Self { printer }
    }

    fn show(&self, lines: &str) {
        if self.printer.form() != Form::Json {
            // A reader that left sees to its own: the commands notice it too.
            self.printer.stream(lines.as_bytes()).ok();
        }
    }
}

impl Audience for Stage<'_> {
    fn explain(&self, text: &str) {
        if self.printer.form() == Form::Quiet {
            return;
        }
        let width = self.printer.width().map_or(WIDTH_MAX, |width| width.min(WIDTH_MAX));
        let options = textwrap::Options::new(width).initial_indent("# ").subsequent_indent("# ");
        let lines: Vec<String> = textwrap::wrap(text, options)
            .into_iter()
            .map(|line| theme::dim().apply_to(line).to_string())
            .collect();
        self.show(&format!("\n{}\n", lines.join("\n")));
    }

    fn typed(&self, command: &str) {
        let prompt = theme::dim().apply_to("$");
        self.show(&format!("\n{prompt} {}\n", theme::strong().apply_to(command)));
    }
}

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        out.line("")?;
        out.line(format!("kept  {}", self.folder.display()))?;
        out.line(format!("next  . {} && wt restore theme-light", self.shell.display()))?;
        out.line(
            "      works on in the demo's world, and brings one back; or in a repository of yours",
        )?;
        out.line("      wt spawn NAME \"what the agent is to do\"")
    }
}
