//! The answer, put together from what was found.

use crate::commands::base::Base;
use crate::commands::compare::choose::Scope;
use crate::commands::compare::gather::{Found, OfVariant};
use crate::commands::compare::missing;
use crate::commands::compare::outcome::{
    BaseSide, Merging, OrderRow, Outcome, PairRow, State, VariantRow,
};
use crate::commands::compare::overlap::{self, Touched};
use crate::commands::compare::rank::{self, Change, Evidence, Merges, Ranked};
use crate::commands::compare::warnings::{self, Warning, WarningKind};
use crate::commands::spent::Spent;
use crate::commands::work::Work;
use crate::domain::usage::Certainty;
use crate::domain::variant::Variant;
use crate::git::diff::TreeDiff;
use crate::git::predict::Prediction;

/// Puts an answer together.
pub(super) fn assemble(variants: &[Variant], scope: Scope, found: Found) -> Outcome {
    let Found { variants: found, pairs, main_changed } = found;
    let conflicts = conflicts(variants.len(), &pairs);
    let (mut rows, mut warned, mut evidence, mut diffs) = (vec![], vec![], vec![], vec![]);
    for ((variant, found), conflicts) in variants.iter().zip(found).zip(conflicts) {
        let (row, known, diff) = row(variant, found, conflicts, &mut warned);
        rows.push(row);
        evidence.push(known);
        diffs.push(diff);
    }
    let touched: Vec<Touched<'_>> =
        rows.iter().zip(&diffs).map(|(row, diff)| touched(&row.name, diff)).collect();
    let (overlap, overlap_main) =
        (overlap::between(&touched), overlap::with_main(&touched, &main_changed));
    let missing = rows.iter().zip(&evidence);
    let missing = missing.filter_map(|(row, known)| missing::about(row, known.stage())).collect();
    let ranked = rank::rank(&evidence);
    let best = ranked.iter().take_while(|ranked| ranked.place == 1);
    let finished = best.filter(|ranked| evidence[ranked.index].stage() == rank::Stage::Finished);
    let suggested = finished.map(|ranked| rows[ranked.index].name.clone()).collect();
    let order = ranked.iter().map(|ranked| order_row(ranked, &rows, &evidence)).collect();
    let pair = |(a, b, prediction): &(usize, usize, Prediction)| PairRow {
        a: rows[*a].name.clone(),
        b: rows[*b].name.clone(),
        merging: Merging::of(prediction),
    };
    let pairs = pairs.iter().map(pair).collect();
    let warnings = warned;
    let variants = rows;
    Outcome { scope, variants, pairs, overlap, overlap_main, warnings, order, suggested, missing }
}

/// With how many others each conflicts, or cannot be said to merge.
fn conflicts(variants: usize, pairs: &[(usize, usize, Prediction)]) -> Vec<usize> {
    let mut counts = vec![0; variants];
    for (a, b, prediction) in pairs {
        if !matches!(prediction, Prediction::Clean { .. }) {
            counts[*a] += 1;
            counts[*b] += 1;
        }
    }
    counts
}

fn row(
    variant: &Variant,
    found: OfVariant,
    conflicts_with: usize,
    warned: &mut Vec<Warning>,
) -> (VariantRow, Evidence, TreeDiff) {
    let name = variant.name.as_str();
    of_places(variant, &found, warned);
    let contents = found.looked.contents;
    let worktree = contents.as_ref().and_then(|contents| contents.worktree.as_ref());
    let (mut diff, mut tests_lost, mut parted_at) = (None, 0, None);
    if let Some(change) = found.change {
        parted_at = Some(change.since);
        match change.diff {
            Ok(found) => {
                let (more, lost) = warnings::of_change(name, &found.files, change.tests);
                warned.extend(more);
                (diff, tests_lost) = (Some(found), lost);
            }
            Err(error) => warned.push(warnings::plain(
                name,
                WarningKind::Unreadable,
                format!("cannot be compared with its base: {error}"),
            )),
        }
    }
    if let Some(worktree) = worktree {
        warned.extend(warnings::of_left_out(name, &worktree.left_out));
    }
    let unread = || Merging::Unknown { why: "it cannot be read".into() };
    let with_base = found.with_base.as_ref().map_or_else(unread, Merging::of);
    let work = found.work;
    let exact = |work: &Work| work.usage.cost.filter(|_| work.usage.certainty == Certainty::Exact);
    let evidence = Evidence {
        work: work.as_ref().map(|work| work.state),
        change: diff.as_ref().map(size),
        with_base: match &with_base {
            Merging::Clean => Merges::Clean,
            Merging::Conflicts { conflicts, .. } => Merges::Conflicts(*conflicts),
            Merging::Unknown { .. } => Merges::Unknown,
        },
        with_others: conflicts_with,
        tests_lost,
        cost: work.as_ref().and_then(exact),
    };
    let Base { branch, commit, .. } = found.base;
    let row = VariantRow {
        name: name.to_owned(),
        branch: variant.branch.clone(),
        base: BaseSide { branch, commit },
        state: work.as_ref().map_or(State::None, |work| State::Of(work.state)),
        merged_into: merged_into(variant, diff.as_ref()),
        since: work.as_ref().map(|work| work.since),
        task: work.as_ref().map(|work| work.task.clone()),
        reason: work.as_ref().and_then(|work| work.reason.clone()),
        uncommitted: worktree.map(|worktree| worktree.changed.len()),
        worktree_missing: worktree.is_none(),
        head: contents.map(|contents| contents.head),
        parted_at,
        files: diff.as_ref().map(|diff| diff.files.len()),
        binary_files: diff
            .as_ref()
            .map(|diff| diff.files.iter().filter(|f| f.lines.is_none()).count()),
        lines: diff.as_ref().map(TreeDiff::lines),
        used: work.as_ref().and_then(|work| Spent::of(&work.usage)),
        usage: work.as_ref().map(|work| work.usage),
        budget: work.and_then(|work| work.budget),
        with_base,
        conflicts_with,
    };
    (row, evidence, diff.unwrap_or_default())
}

fn merged_into(variant: &Variant, diff: Option<&TreeDiff>) -> Option<String> {
    let merged = variant.merged.as_ref().filter(|_| diff.is_some_and(|diff| diff.files.is_empty()));
    merged.map(|merged| merged.into.clone())
}

/// What is not as it should be about a variant's places.
fn of_places(variant: &Variant, found: &OfVariant, warned: &mut Vec<Warning>) {
    let name = variant.name.as_str();
    let mut add = |kind, message| warned.push(warnings::plain(name, kind, message));
    if let Some(trouble) = &found.looked.trouble {
        let what = if found.looked.contents.is_some() { ", only commits are compared" } else { "" };
        add(WarningKind::Unreadable, format!("cannot be read{what}: {trouble}"));
    }
    if let (true, Some(base)) = (found.base.gone, &found.base.branch) {
        add(
            WarningKind::BaseGone,
            format!("forked from `{base}`, which is gone; compared with the commit it forked from"),
        );
    }
    let Some(contents) = &found.looked.contents else { return };
    match &contents.branch {
        Some(branch) if *branch == variant.branch => {}
        Some(other) => add(
            WarningKind::OtherBranch,
            format!("has `{other}` checked out instead of `{}`", variant.branch),
        ),
        None => add(
            WarningKind::OtherBranch,
            format!("has a plain commit checked out instead of `{}`", variant.branch),
        ),
    }
    let unmerged = contents.worktree.iter().flat_map(|worktree| &worktree.unmerged);
    let unmerged: Vec<_> = unmerged.map(|path| path.as_path()).collect();
    warned.extend(warnings::warning(
        name,
        WarningKind::Unmerged,
        "holds conflicts that nobody resolved".to_owned(),
        &unmerged,
    ));
}

fn size(diff: &TreeDiff) -> Change {
    let lines = diff.lines();
    Change { files: diff.files.len(), lines: lines.added.saturating_add(lines.removed) }
}

fn touched<'a>(name: &'a str, diff: &'a TreeDiff) -> Touched<'a> {
    let paths = diff
        .files
        .iter()
        .flat_map(|file| std::iter::once(file.path.as_path()).chain(file.old_path.as_deref()));
    Touched { name, paths: paths.collect() }
}

fn order_row(ranked: &Ranked, rows: &[VariantRow], evidence: &[Evidence]) -> OrderRow {
    let (row, known) = (&rows[ranked.index], &evidence[ranked.index]);
    let base = row.base.branch.as_deref().unwrap_or("its base");
    let mut reasons = vec![match known.stage() {
        rank::Stage::Unreadable => "unreadable".to_owned(),
        rank::Stage::NoChange if row.merged_into.is_some() => "merged".to_owned(),
        rank::Stage::NoChange => "no change".to_owned(),
        rank::Stage::Finished => "finished".to_owned(),
        _ => row.state.word().to_owned(),
    }];
    if known.change.is_some_and(|change| change.files > 0) {
        reasons.push(match &row.with_base {
            Merging::Clean => format!("clean with {base}"),
            Merging::Conflicts { conflicts: 1, .. } => format!("1 file conflicts with {base}"),
            Merging::Conflicts { conflicts, .. } => {
                format!("{conflicts} files conflict with {base}")
            }
            Merging::Unknown { .. } => format!("nobody knows whether it merges into {base}"),
        });
    }
    if known.tests_lost > 0 {
        reasons.push("fewer tests".to_owned());
    }
    match known.with_others {
        0 => {}
        1 => reasons.push("conflicts with 1 other".to_owned()),
        others => reasons.push(format!("conflicts with {others} others")),
    }
    if let Some(Change { lines, files }) = known.change.filter(|change| change.files > 0) {
        let what = if files == 1 { "file" } else { "files" };
        let text = if lines == 1 { "line" } else { "lines" };
        reasons.push(format!("{lines} {text} in {files} {what}"));
    }
    OrderRow { place: ranked.place, name: row.name.clone(), behind_by: ranked.behind_by, reasons }
}
