//! The columns of `wt compare`, as many as fit.

use std::collections::BTreeSet;

use crate::commands::compare::{Merging, Outcome, State, VariantRow};
use crate::commands::work::Standing;
use crate::ui::human;
use crate::ui::theme;

/// What stands for something that is not known.
const UNKNOWN: &str = "–";
/// The widest short name above a column of the matrix.
const SHORT_MAX: usize = 12;
/// The most variants that each get a column where nothing is to be cut.
const MATRIX_MAX: usize = 12;

/// One column.
pub(super) struct Column {
    pub(super) heading: String,
    /// One for each variant.
    pub(super) cells: Vec<String>,
    /// Aligned to the right.
    pub(super) number: bool,
    /// One variant's column of the matrix.
    pub(super) matrix: bool,
    kind: Kind,
}

/// What a column says, from the first that must stay to the first that may go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Needed,
    Tokens,
    Cost,
    Pair,
    Others,
}

/// The columns that fit into a width: first the tokens go, then each variant's own column of the
/// matrix becomes one for all, then the cost goes.
pub(super) fn fitting(outcome: &Outcome, width: Option<usize>) -> Vec<Column> {
    use Kind::{Cost, Others, Pair, Tokens};
    let attempts: [&[Kind]; 5] =
        [&[Others], &[Others, Tokens], &[Pair], &[Pair, Tokens], &[Pair, Tokens, Cost]];
    let many = outcome.variants.len() > MATRIX_MAX;
    let attempts = attempts.into_iter().filter(|without| {
        // Where several columns cannot tell variants apart, one for all can.
        without.contains(&Pair) || (short_names(outcome).is_some() && (width.is_some() || !many))
    });
    let mut last = vec![];
    for without in attempts {
        last = columns(outcome);
        last.retain(|column| !without.contains(&column.kind));
        if width.is_none_or(|width| total(&last) <= width) {
            break;
        }
    }
    last
}

fn total(columns: &[Column]) -> usize {
    let width = |column: &Column| {
        let cells = column.cells.iter().map(|cell| console::measure_text_width(cell));
        cells.chain([console::measure_text_width(&column.heading)]).max().unwrap_or(0)
    };
    columns.iter().map(width).sum::<usize>() + 2 * columns.len().saturating_sub(1)
}

/// All columns that say something of at least one variant.
fn columns(outcome: &Outcome) -> Vec<Column> {
    let rows = &outcome.variants;
    let column = |kind, heading: &str, number, cell: &dyn Fn(&VariantRow) -> String| Column {
        heading: heading.to_owned(),
        cells: rows.iter().map(cell).collect(),
        number,
        matrix: false,
        kind,
    };
    let usage = |row: &VariantRow, show: fn(&crate::domain::usage::Usage) -> String| {
        row.usage.as_ref().map_or_else(|| UNKNOWN.to_owned(), show)
    };
    let mut all = vec![
        column(Kind::Needed, "VARIANT", false, &|row| {
            theme::strong().apply_to(&row.name).to_string()
        }),
        column(Kind::Needed, "STATE", false, &state),
        column(Kind::Needed, "FILES", true, &|row| {
            row.files.map_or_else(|| UNKNOWN.to_owned(), |files| human::number(files as u64))
        }),
        column(Kind::Needed, "+/−", false, &changed_lines),
        column(Kind::Tokens, "TOKENS", true, &|row| usage(row, human::tokens)),
        column(Kind::Cost, "COST", true, &|row| usage(row, human::cost)),
        column(Kind::Needed, &with_base_heading(rows), false, &|row| merging(&row.with_base)),
    ];
    all.retain(|column| {
        let optional = ["STATE", "TOKENS", "COST"].contains(&column.heading.as_str());
        !optional || column.cells.iter().any(|cell| cell != UNKNOWN)
    });
    if rows.len() > 1 {
        all.extend(pairs(outcome));
        all.push(column(Kind::Others, "OTHERS", false, &|row| others(row, rows.len())));
    }
    all
}

fn state(row: &VariantRow) -> String {
    if row.merged_into.is_some() {
        return theme::dim().apply_to("merged").to_string();
    }
    let State::Of(standing) = row.state else { return UNKNOWN.to_owned() };
    let style = match standing {
        Standing::Done => theme::good(),
        Standing::Running => theme::busy(),
        Standing::Asks => theme::attention(),
        Standing::Failed | Standing::Lost => theme::bad(),
        Standing::Queued | Standing::Waiting | Standing::Parked | Standing::Stopped => theme::dim(),
    };
    style.apply_to(standing.word()).to_string()
}

fn changed_lines(row: &VariantRow) -> String {
    let Some(lines) = row.lines else { return UNKNOWN.to_owned() };
    let counts = format!("{}/{}", human::number(lines.added), human::number(lines.removed));
    match row.binary_files {
        Some(0) | None => counts,
        Some(binary) => format!("{counts}, {binary} binary"),
    }
}

fn with_base_heading(rows: &[VariantRow]) -> String {
    let bases: BTreeSet<_> = rows.iter().map(|row| row.base.branch.as_deref()).collect();
    match bases.first() {
        Some(Some(branch)) if bases.len() == 1 => {
            format!("WITH {}", human::line(branch, SHORT_MAX).to_uppercase())
        }
        _ => "WITH BASE".to_owned(),
    }
}

fn merging(merging: &Merging) -> String {
    match merging {
        Merging::Clean => theme::good().apply_to("clean").to_string(),
        Merging::Conflicts { conflicts, .. } => {
            let files = human::count(*conflicts as u64, "file", "files");
            theme::bad().apply_to(files).to_string()
        }
        Merging::Unknown { .. } => UNKNOWN.to_owned(),
    }
}

/// With how many of the others it conflicts.
fn others(row: &VariantRow, all: usize) -> String {
    match row.conflicts_with {
        _ if row.files.is_none() => UNKNOWN.to_owned(),
        0 => theme::good().apply_to("clean").to_string(),
        some => theme::bad().apply_to(format!("{some} of {}", all - 1)).to_string(),
    }
}

/// One column for each variant: how it merges with each other one.
fn pairs(outcome: &Outcome) -> Vec<Column> {
    let rows = &outcome.variants;
    let Some(short) = short_names(outcome) else { return vec![] };
    let cell = |row: &VariantRow, other: &VariantRow| {
        if row.name == other.name {
            return "·".to_owned();
        }
        let pair = outcome.pairs.iter().find(|pair| {
            (pair.a == row.name && pair.b == other.name)
                || (pair.a == other.name && pair.b == row.name)
        });
        pair.map_or_else(|| UNKNOWN.to_owned(), |pair| merging(&pair.merging))
    };
    let column = |(heading, other): (String, &VariantRow)| Column {
        heading,
        cells: rows.iter().map(|row| cell(row, other)).collect(),
        number: false,
        matrix: true,
        kind: Kind::Pair,
    };
    short.into_iter().zip(rows).map(column).collect()
}

/// The names without what all of them begin with, in capitals; `None` when they cannot be told
/// apart so.
fn short_names(outcome: &Outcome) -> Option<Vec<String>> {
    let names: Vec<&str> = outcome.variants.iter().map(|row| row.name.as_str()).collect();
    let shared = shared_prefix(&names);
    let short: Vec<String> =
        names.iter().map(|name| human::line(&name[shared..], SHORT_MAX).to_uppercase()).collect();
    let distinct: BTreeSet<&String> = short.iter().collect();
    (distinct.len() == short.len()).then_some(short)
}

/// How many bytes of the names are one and the same stem, with the dash that ends it.
fn shared_prefix(names: &[&str]) -> usize {
    let [first, rest @ ..] = names else { return 0 };
    let dashes = first.match_indices('-').map(|(at, _)| at + 1).rev();
    let mut shared = dashes.filter(|at| {
        *at < first.len()
            && rest.iter().all(|name| name.len() > *at && name.starts_with(&first[..*at]))
    });
    if rest.is_empty() { 0 } else { shared.next().unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_stem_is_left_out() {
        assert_eq!(shared_prefix(&["theme-dark", "theme-light"]), 6);
        assert_eq!(shared_prefix(&["a-b-c", "a-b-d", "a-bc"]), 2);
        for whole in [&["theme-dark", "other"][..], &["theme-dark"], &["theme-", "theme-a"], &[]] {
            assert_eq!(shared_prefix(whole), 0, "{whole:?}");
        }
    }
}
