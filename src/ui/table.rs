//! Aligned columns without lines, as git and jj print them.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table as Comfy, Width};

/// Columns aligned by spaces, two between each. Cells may be styled.
pub struct Table {
    inner: Comfy,
}

impl Table {
    /// A table with these headings, dimmed; none when empty.
    pub fn new(headings: &[&str]) -> Self {
        let mut inner = Comfy::new();
        inner.load_style(comfy_table::presets::NOTHING);
        inner.set_content_arrangement(ContentArrangement::Disabled);
        inner.force_no_tty();
        if !headings.is_empty() {
            let style = crate::ui::theme::dim();
            inner.set_header(headings.iter().map(|text| style.apply_to(text).to_string()));
        }
        Self { inner }
    }

    /// Adds a row; cells may hold colour codes.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.inner.add_row(cells.into_iter().map(Into::into));
    }

    /// Aligns a column (from 0) to the right, for numbers.
    pub fn right(&mut self, column: usize) {
        if let Some(column) = self.inner.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }

    /// Lets a column (from 0) be at most so wide; what is longer is wrapped.
    pub fn at_most(&mut self, column: usize, width: u16) {
        if let Some(column) = self.inner.column_mut(column) {
            column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(width)));
        }
    }

    /// The lines, without trailing spaces.
    pub fn lines(mut self) -> Vec<String> {
        let last = self.inner.column_count().saturating_sub(1);
        for (at, column) in self.inner.column_iter_mut().enumerate() {
            column.set_padding((0, if at == last { 0 } else { 2 }));
        }
        self.inner.lines().map(|line| line.trim_end().to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styled_cells_are_aligned_by_what_is_seen() {
        let mut table = Table::new(&["NAME", "COST"]);
        let red = console::Style::new().red().force_styling(true);
        table.row([red.apply_to("a").to_string(), "$1".into()]);
        table.row(["long-name".to_owned(), "$10".into()]);
        table.right(1);
        let lines: Vec<String> =
            table.lines().iter().map(|l| console::strip_ansi_codes(l).into_owned()).collect();
        assert_eq!(lines, ["NAME       COST", "a            $1", "long-name   $10"]);
    }
}
