//! Questions, asked on the terminal and nowhere else.

use std::io::IsTerminal;

use dialoguer::{Confirm, Editor, Input};

use crate::domain::observer::Person;
use crate::ui::printer::{Form, Printer};

/// The person at this terminal: there only if both stdin and stderr are one, and answers are not
/// to be JSON.
pub struct AtTerminal<'a> {
    printer: &'a Printer,
    present: bool,
}

impl<'a> AtTerminal<'a> {
    /// Looks whether somebody is there.
    pub fn new(printer: &'a Printer) -> Self {
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        Self { printer, present: terminal && printer.form() != Form::Json }
    }
}

impl Person for AtTerminal<'_> {
    fn confirm(&self, plan: &str, question: &str) -> Option<bool> {
        if !self.present {
            return None;
        }
        for line in plan.lines() {
            self.printer.error_line(line);
        }
        Confirm::new().with_prompt(question).default(false).interact_opt().ok().flatten()
    }

    fn text(&self, question: &str) -> Option<String> {
        let asked = self.present.then(|| Input::<String>::new().with_prompt(question));
        let text = asked?.allow_empty(true).interact_text().ok()?;
        (!text.trim().is_empty()).then_some(text)
    }

    fn edit(&self, initial: &str) -> Option<String> {
        let text = self.present.then(|| Editor::new().edit(initial).ok().flatten()).flatten()?;
        (!text.trim().is_empty()).then_some(text)
    }
}
