//! How `wt report` looks: a word, for whoever looks at what the agent ran.

use std::io;

use crate::commands::report::Outcome;
use crate::ui::printer::{Page, Render};

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        let next = match self.report.blocked {
            Some(_) => "; end your work now",
            None => "",
        };
        out.line(format!("reported for {}{next}", self.task))
    }
}
