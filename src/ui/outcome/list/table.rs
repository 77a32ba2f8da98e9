//! The table: one row a variant, other worktrees dimmed below. On a narrow screen names are
//! shortened first, then columns go, the one that matters least first, which is said.

use std::io;

use console::{measure_text_width, truncate_str};

use crate::commands::list::{Listed, Other, Outcome, Row};
use crate::commands::spent::Spent;
use crate::ui::human;
use crate::ui::outcome::list::cells;
use crate::ui::printer::Page;
use crate::ui::table::Table;
use crate::ui::theme;

/// What is shown, and how wide names may be.
#[derive(Debug, Clone, Copy)]
struct Layout {
    name: usize,
    tokens: bool,
    base: bool,
    cost: bool,
}

/// From all there is to what fits anywhere.
const LAYOUTS: [Layout; 7] = [
    Layout { name: usize::MAX, tokens: true, base: true, cost: true },
    Layout { name: 28, tokens: true, base: true, cost: true },
    Layout { name: 18, tokens: true, base: true, cost: true },
    Layout { name: 18, tokens: false, base: true, cost: true },
    Layout { name: 18, tokens: false, base: false, cost: true },
    Layout { name: 18, tokens: false, base: false, cost: false },
    Layout { name: 12, tokens: false, base: false, cost: false },
];

pub(super) fn write(outcome: &Outcome, listed: &Listed, out: &mut Page<'_>) -> io::Result<()> {
    if listed.variants.is_empty() && listed.others.is_empty() {
        return Ok(());
    }
    let fits = |lines: &[String]| {
        out.width.is_none_or(|width| lines.iter().all(|line| measure_text_width(line) <= width))
    };
    let drawn = |layout| lines(outcome, listed, layout);
    let tried = LAYOUTS.iter().map(|layout| (*layout, drawn(*layout)));
    let chosen = tried.clone().find(|(_, lines)| fits(lines)).or_else(|| tried.clone().next_back());
    let Some((layout, lines)) = chosen else { return Ok(()) };
    for line in lines {
        out.line(line)?;
    }
    let spent = spent(listed);
    let hidden = [
        (layout.tokens || !spent, "tokens"),
        (layout.base, "distance"),
        (layout.cost || !spent, "cost"),
    ];
    let hidden: Vec<&str> =
        hidden.iter().filter(|(shown, _)| !shown).map(|(_, name)| *name).collect();
    if hidden.is_empty() {
        return Ok(());
    }
    let text = format!("not shown: {}", hidden.join(", "));
    out.line(theme::dim().apply_to(text).to_string())
}

/// Whether anything at all is known of what the agents used.
fn spent(listed: &Listed) -> bool {
    listed.variants.iter().any(|row| row.usage.is_some_and(|usage| Spent::of(&usage).is_some()))
}

fn lines(outcome: &Outcome, listed: &Listed, layout: Layout) -> Vec<String> {
    let spent = spent(listed);
    let one_base = listed.variants.iter().all(|row| row.base == listed.base);
    let base = match &listed.base {
        Some(base) if one_base => truncate_str(&base.to_uppercase(), 16, "…").into_owned(),
        _ => "BASE".into(),
    };
    let mut headings = vec!["VARIANT", "STATE", "CHANGES"];
    headings.extend(layout.base.then_some(base.as_str()));
    headings.extend((spent && layout.tokens).then_some("TOKENS"));
    headings.extend((spent && layout.cost).then_some("COST"));
    let mut table = Table::new(&headings);
    for column in 3 + usize::from(layout.base)..headings.len() {
        table.right(column);
    }
    for row in &listed.variants {
        let mut cells = variant(outcome, row, layout, one_base);
        if let Some(usage) = row.usage.filter(|_| spent) {
            cells.extend(layout.tokens.then(|| human::tokens(&usage)));
            cells.extend(layout.cost.then(|| human::cost(&usage)));
        }
        table.row(cells);
    }
    for one in &listed.others {
        let cells = other(one, layout);
        table.row(cells.map(|cell| theme::dim().apply_to(cell).to_string()));
    }
    table.lines()
}

fn variant(outcome: &Outcome, row: &Row, layout: Layout, one_base: bool) -> Vec<String> {
    let name = theme::strong().apply_to(cut(row.name.as_str(), layout.name)).to_string();
    let mut cells =
        vec![name, cells::state(row, outcome.now), cells::changes(row.changes.as_ref())];
    if layout.base {
        let mut text = cells::distance(row.distance);
        if let Some(base) = row.base.as_ref().filter(|_| !one_base) {
            text = format!("{text} {}", truncate_str(base, 16, "…"));
        }
        cells.push(text);
    }
    cells
}

fn other(one: &Other, layout: Layout) -> impl Iterator<Item = String> {
    let name = one.path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let name = human::line(&name, layout.name.min(60));
    let state = if one.gone { "not a variant, gone" } else { "not a variant" };
    let distance = layout.base.then(|| one.distance.map(|d| cells::distance(Some(d))));
    [name, state.into(), String::new()].into_iter().chain(distance.map(Option::unwrap_or_default))
}

/// The beginning and the end of a name: variants of one idea differ in the end.
fn cut(name: &str, width: usize) -> String {
    if name.len() <= width {
        return name.to_owned();
    }
    let (head, tail) = ((width - 1) / 2, width / 2);
    let end: String = name.chars().skip(name.chars().count().saturating_sub(tail)).collect();
    format!("{}…{end}", name.chars().take(head).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_in_the_middle() {
        assert_eq!(cut("theme-dark", 10), "theme-dark");
        assert_eq!(cut("theme-dark-contrast", 11), "theme…trast");
        assert_eq!(cut("theme-dark-contrast", 10).chars().count(), 10);
    }
}
