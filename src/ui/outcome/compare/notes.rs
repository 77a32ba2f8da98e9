//! What stands below the rows of `wt compare`.

use crate::commands::compare::rank::Criterion;
use crate::commands::compare::{Merging, OrderRow, Outcome, Overlap, Shared, VariantRow};
use crate::ui::{human, theme};

/// The most lines of one kind; a last one says how many more there are.
const LINES_MAX: usize = 6;
/// The most files that one line names.
const FILES_MAX: usize = 4;
/// Columns that a label takes.
const INDENT: usize = 9;

/// One line below the rows; longer ones go on below their own text.
pub(super) struct Note {
    label: &'static str,
    text: String,
}

impl Note {
    /// As it fits into a width.
    pub(super) fn lines(&self, width: Option<usize>) -> Vec<String> {
        let (first, indent) = if self.label == "!" {
            (theme::attention().apply_to("!").to_string() + " ", 2)
        } else {
            let label = format!("{:<INDENT$}", self.label);
            (theme::dim().apply_to(label).to_string(), INDENT)
        };
        let Some(width) = width.filter(|width| *width > 3 * INDENT) else {
            return vec![format!("{first}{}", self.text)];
        };
        let rest = " ".repeat(indent);
        let options = textwrap::Options::new(width - indent).break_words(false);
        let lines = textwrap::wrap(&self.text, options);
        let lines = lines.iter().enumerate();
        lines.map(|(at, line)| format!("{}{line}", if at == 0 { &first } else { &rest })).collect()
    }
}

/// What has used up its budget.
fn budgets(outcome: &Outcome) -> Vec<String> {
    let own = outcome.variants.iter().filter_map(|row| Some((row, row.budget?)));
    let up = own.filter(|(_, own)| own.allowed.tasks < 2 && own.is_used_up());
    up.map(|(row, own)| {
        format!("{} has used {}", row.name, human::against(&own.usage, own.allowed.amount))
    })
    .collect()
}

/// Everything below the rows; `matrix` says whether they show each pair.
pub(super) fn notes(outcome: &Outcome, matrix: bool) -> Vec<Note> {
    let mut notes = vec![];
    let mut add = |label: &'static str, texts: Vec<String>| {
        let texts = texts.into_iter().enumerate();
        notes.extend(texts.map(|(at, text)| {
            let label = if at == 0 || label == "!" { label } else { "" };
            Note { label, text }
        }));
    };
    add("conflict", cut(conflicts(outcome, matrix), "conflicts"));
    add("overlap", cut(overlaps(outcome), "groups of files"));
    add("included", uncommitted(outcome).into_iter().collect());
    let warnings = outcome.warnings.iter();
    let warnings =
        warnings.map(|w| format!("{} {}", w.variant, human::shown(&w.message))).collect();
    add("!", cut(warnings, "warnings"));
    add("budget", budgets(outcome));
    add("suggest", vec![suggestion(outcome)]);
    add("then", then(outcome).into_iter().collect());
    let missing = outcome.missing.iter();
    let missing = missing.map(|m| format!("{} {} → {}", m.variant, m.why, m.command)).collect();
    add("missing", cut(missing, "things"));
    notes
}

fn cut(mut texts: Vec<String>, what: &str) -> Vec<String> {
    if texts.len() > LINES_MAX {
        let more = texts.len() - (LINES_MAX - 1);
        texts.truncate(LINES_MAX - 1);
        texts.push(format!("and {more} more {what} → wt compare --json"));
    }
    texts
}

/// Which files conflict: with the base, and where no matrix tells it, of each pair.
fn conflicts(outcome: &Outcome, matrix: bool) -> Vec<String> {
    let line = |who: String, merging: &Merging| match merging {
        Merging::Conflicts { files, conflicts } => {
            Some(format!("{who}: {}", named(files, *conflicts)))
        }
        _ => None,
    };
    let base =
        |row: &VariantRow| human::shown(row.base.branch.as_deref().unwrap_or("base")).into_owned();
    let with_base = outcome.variants.iter();
    let mut texts: Vec<String> = with_base
        .filter_map(|row| line(format!("{} with {}", row.name, base(row)), &row.with_base))
        .collect();
    if !matrix {
        let pairs = outcome.pairs.iter();
        texts.extend(pairs.filter_map(|p| line(format!("{} with {}", p.a, p.b), &p.merging)));
    }
    texts
}

/// Files that are shared by the same variants stand on one line.
fn overlaps(outcome: &Outcome) -> Vec<String> {
    let all = outcome.variants.len();
    let grouped = |overlap: &Overlap| {
        let mut groups: Vec<(Vec<String>, Vec<String>)> = vec![];
        for Shared { path, variants } in &overlap.files {
            match groups.iter_mut().find(|(who, _)| who == variants) {
                Some((_, files)) => files.push(path.clone()),
                None => groups.push((variants.clone(), vec![path.clone()])),
            }
        }
        groups
    };
    let who = |variants: &[String]| match variants.len() {
        2 if all == 2 => "both".to_owned(),
        some if some == all => format!("all {all}"),
        some if some > FILES_MAX => format!("{some} variants"),
        _ => variants.join(", "),
    };
    let mut texts: Vec<String> = grouped(&outcome.overlap_main)
        .into_iter()
        .map(|(variants, files)| {
            let whom =
                if variants.len() == all && all > 2 { who(&variants) } else { variants.join(", ") };
            format!("{}  ({whom}; uncommitted in the main checkout)", named(&files, files.len()))
        })
        .collect();
    let between = grouped(&outcome.overlap).into_iter();
    texts.extend(
        between.map(|(variants, files)| {
            format!("{}  ({})", named(&files, files.len()), who(&variants))
        }),
    );
    texts
}

fn named(files: &[String], all: usize) -> String {
    let shown: Vec<_> = files.iter().take(FILES_MAX).map(|file| human::shown(file)).collect();
    let shown = shown.join(", ");
    match all.saturating_sub(FILES_MAX) {
        0 => shown,
        more => format!("{shown} and {} more", human::number(more as u64)),
    }
}

/// Whose numbers hold uncommitted work.
fn uncommitted(outcome: &Outcome) -> Option<String> {
    let with = outcome.variants.iter().filter_map(|row| {
        let count = row.uncommitted.filter(|count| *count > 0)?;
        Some((row.name.as_str(), count as u64))
    });
    let with: Vec<(&str, u64)> = with.collect();
    let named = with
        .iter()
        .take(FILES_MAX)
        .map(|(name, count)| format!("{name} ({})", human::count(*count, "file", "files")));
    let named: Vec<String> = named.collect();
    let more = with.len().saturating_sub(FILES_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!with.is_empty()).then(|| format!("uncommitted work of {}{more}", named.join(", ")))
}

fn suggestion(outcome: &Outcome) -> String {
    let first = outcome.order.first().map(|row| row.reasons.join(", ")).unwrap_or_default();
    match outcome.suggested.as_slice() {
        [] => "none: no variant is finished".to_owned(),
        [one] => format!("{}: {first}", theme::strong().apply_to(one)),
        several => {
            let shown = several.iter().take(FILES_MAX).cloned().collect::<Vec<_>>().join(" or ");
            let more = several.len().saturating_sub(FILES_MAX);
            let more = if more > 0 { format!(" or {more} more") } else { String::new() };
            match several.len() {
                2 => format!("{shown}: equal by all that is known ({first})"),
                _ => format!("{shown}{more}: equal by all that is known"),
            }
        }
    }
}

/// Who comes after the suggested ones, and why after.
fn then(outcome: &Outcome) -> Option<String> {
    let rest: Vec<&OrderRow> = outcome.order.iter().skip(outcome.suggested.len()).collect();
    let shown: Vec<String> = rest
        .iter()
        .take(FILES_MAX)
        .map(|row| {
            let variant = outcome.variants.iter().find(|variant| variant.name == row.name);
            match variant.and_then(|variant| why(row, variant)) {
                Some(why) => format!("{} ({why})", row.name),
                None => row.name.clone(),
            }
        })
        .collect();
    let more = rest.len().saturating_sub(FILES_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!rest.is_empty()).then(|| format!("{}{more}", shown.join(", ")))
}

/// What it has of that by which it comes after the one before it.
fn why(order: &OrderRow, row: &VariantRow) -> Option<String> {
    if row.files == Some(0) {
        // How far it is says it all: there is nothing to merge or to conflict.
        return order.reasons.first().cloned();
    }
    let Some(criterion) = order.behind_by else {
        return if order.place == 1 {
            order.reasons.first().cloned()
        } else {
            Some("equal".into())
        };
    };
    match criterion {
        Criterion::Stage => order.reasons.first().cloned(),
        Criterion::Base => order.reasons.get(1).cloned(),
        Criterion::Tests => Some("fewer tests".to_owned()),
        Criterion::Others => Some(format!("conflicts with {}", row.conflicts_with)),
        Criterion::Size => {
            let lines = row.lines?;
            Some(format!("{} lines", human::number(lines.added + lines.removed)))
        }
        Criterion::Cost => row.usage.as_ref().map(human::cost),
    }
}
