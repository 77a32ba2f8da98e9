//! How `wt list` looks: a table of the variants with what wants a person's eye beneath, or with
//! `--tree` the long form.

mod cells;
mod notes;
mod table;
mod tree;

use std::io;

use crate::commands::list::{Listed, Outcome};
use crate::ui::human;
use crate::ui::printer::{Page, Render};
use crate::ui::theme;

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        if self.repositories.is_empty() {
            return out.line("No variants anywhere. → wt spawn NAME \"what to do\"");
        }
        for (at, listed) in self.repositories.iter().enumerate() {
            if at > 0 {
                out.line("")?;
            }
            self.repository(out, listed)?;
        }
        Ok(())
    }
}

impl Outcome {
    fn repository(&self, out: &mut Page<'_>, listed: &Listed) -> io::Result<()> {
        if let Some(trouble) = &listed.trouble {
            let name = theme::strong().apply_to(&listed.name);
            let path = self.whole(&listed.root);
            out.line(format!("{name}  {}", theme::dim().apply_to(path)))?;
            let trouble = theme::attention().apply_to(human::line(trouble, 200));
            return out.line(format!("  {trouble}  → wt doctor"));
        }
        if self.detail {
            tree::write(self, listed, out)?;
        } else {
            if self.repositories.len() > 1 {
                let path = theme::dim().apply_to(self.whole(&listed.root));
                out.line(format!("{}  {path}", theme::strong().apply_to(&listed.name)))?;
            }
            table::write(self, listed, out)?;
        }
        if listed.variants.is_empty() {
            out.line("No variants here. → wt spawn NAME \"what to do\"")?;
        }
        notes::write(self, listed, out)
    }
}

#[cfg(test)]
mod tests;
