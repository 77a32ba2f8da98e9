//! The long form: the main checkout, then the variants by idea, then the other worktrees.

use std::io;

use crate::commands::list::{Listed, Other, Outcome, Row, State};
use crate::commands::work::Standing;
use crate::domain::usage;
use crate::ui::human;
use crate::ui::outcome::list::cells;
use crate::ui::printer::Page;
use crate::ui::theme;

pub(super) fn write(outcome: &Outcome, listed: &Listed, out: &mut Page<'_>) -> io::Result<()> {
    main(outcome, listed, out)?;
    let mut ideas: Vec<Option<&str>> = vec![];
    for row in &listed.variants {
        let idea = row.idea.as_ref().map(|idea| idea.name.as_str());
        if !ideas.contains(&idea) {
            ideas.push(idea);
        }
    }
    // Those without an idea come last.
    ideas.sort_by_key(Option::is_none);
    for idea in ideas {
        let of_idea = |row: &&Row| row.idea.as_ref().map(|idea| idea.name.as_str()) == idea;
        let rows: Vec<&Row> = listed.variants.iter().filter(of_idea).collect();
        out.line(heading(idea, &rows))?;
        for (at, row) in rows.iter().enumerate() {
            variant(outcome, row, at + 1 == rows.len(), out)?;
        }
    }
    if listed.others.is_empty() {
        return Ok(());
    }
    out.line(theme::dim().apply_to("Not variants").to_string())?;
    for (at, one) in listed.others.iter().enumerate() {
        other(outcome, one, at + 1 == listed.others.len(), out)?;
    }
    Ok(())
}

fn main(outcome: &Outcome, listed: &Listed, out: &mut Page<'_>) -> io::Result<()> {
    let Some(main) = &listed.main else {
        out.line(theme::strong().apply_to("Bare repository").to_string())?;
        return out.line(format!("└─ {}", outcome.whole(&listed.root)));
    };
    out.line(theme::strong().apply_to("Main repository").to_string())?;
    let at = match (&main.branch, &main.commit) {
        (Some(branch), Some(commit)) => format!("{branch} {}", human::commit(commit)),
        (Some(branch), None) => format!("{branch}, without a commit"),
        (None, Some(commit)) => format!("no branch, at {}", human::commit(commit)),
        (None, None) => "HEAD is broken".into(),
    };
    let state = match main.uncommitted {
        Some(0) => "clean".into(),
        Some(n) => format!("{} uncommitted", human::count(n as u64, "file", "files")),
        None => "–".into(),
    };
    let path = outcome.whole(&main.path);
    out.line(format!("└─ {path}  {at}  {state}"))
}

/// `idea theme (suggested) · from main f46d65b · ≥$1.95`
fn heading(idea: Option<&str>, rows: &[&Row]) -> String {
    let suggested = rows.iter().any(|row| row.idea.as_ref().is_some_and(|idea| idea.suggested));
    let mut parts = vec![match idea {
        Some(idea) if suggested => format!("idea {idea} (suggested)"),
        Some(idea) => format!("idea {idea}"),
        None => "no idea".into(),
    }];
    if let Some(first) = rows.first() {
        let same = |row: &&Row| row.base == first.base && row.fork_commit == first.fork_commit;
        if rows.iter().all(same) {
            let commit = human::commit(&first.fork_commit);
            parts.push(match &first.base {
                Some(base) => format!("from {base} {commit}"),
                None => format!("from {commit}"),
            });
        }
    }
    let spent = usage::total(rows.iter().filter_map(|row| row.usage));
    parts.extend(spent.filter(|usage| usage.cost.is_some()).map(|usage| human::cost(&usage)));
    theme::strong().apply_to(parts.join(" · ")).to_string()
}

fn variant(outcome: &Outcome, row: &Row, last: bool, out: &mut Page<'_>) -> io::Result<()> {
    let (branch, bar) = if last { ("└─", "  ") } else { ("├─", "│ ") };
    let name = theme::strong().apply_to(row.name.as_str());
    let facts = facts(outcome, row).join(" · ");
    out.line(fitted(&format!("{branch} {name}  {facts}"), out.width))?;
    let place = format!("{}  {}", row.branch, outcome.shown(&row.path));
    out.line(format!("{bar} {}", theme::dim().apply_to(place)))?;
    let asked = row.reason.as_ref().filter(|_| row.state == State::Work(Standing::Asks));
    let answer = row.detail.as_ref().and_then(|detail| detail.answer.as_ref());
    if let Some(said) = asked.or(answer) {
        let room = out.width.unwrap_or(200).saturating_sub(6).max(20);
        out.line(format!("{bar} \"{}\"", human::line(said, room)))?;
    }
    Ok(())
}

fn facts(outcome: &Outcome, row: &Row) -> Vec<String> {
    let mut facts = vec![cells::state(row, outcome.now)];
    if let Some(distance) = row.distance {
        facts.push(match distance.ahead {
            0 => "no commits".into(),
            ahead => human::count(ahead as u64, "commit", "commits"),
        });
        if distance.behind > 0 {
            facts.push(format!("{} behind", human::number(distance.behind as u64)));
        }
    }
    facts.push(match cells::changes(row.changes.as_ref()).as_str() {
        "–" => "changes unknown".into(),
        "none" => "no changes".into(),
        text => text.to_owned(),
    });
    match row.changes.as_ref().and_then(|changes| changes.uncommitted) {
        None | Some(0) => {}
        Some(n) => facts.push(format!("{} uncommitted", human::count(n as u64, "file", "files"))),
    }
    if let Some(detail) = &row.detail {
        match detail.setup {
            Some(true) => facts.push("setup ✓".into()),
            Some(false) => facts.push(theme::bad().apply_to("setup ✗").to_string()),
            None => {}
        }
        facts.push(match &detail.model {
            None if detail.agent == "plain" => "plain command".into(),
            Some(model) => format!("{} ({model})", detail.agent),
            None => detail.agent.clone(),
        });
        if detail.attempts > 1 {
            facts.push(format!("attempt {}", detail.attempts));
        }
    }
    if let Some(own) = row.budget.filter(|own| own.spent.is_some()) {
        let shared = if own.allowed.tasks > 1 { " together" } else { "" };
        facts.push(format!("{}{shared}", human::against(&own.usage, own.allowed.amount)));
        let cost = row.usage.filter(|usage| usage.cost.is_some() && own.allowed.usd.is_none());
        facts.extend(cost.map(|usage| human::cost(&usage)));
    } else if let Some(usage) = &row.usage {
        let least = if human::tokens(usage).starts_with('≥') { "≥" } else { "" };
        facts.push(match human::tokens(usage).as_str() {
            "–" => "tokens unknown".into(),
            _ => format!("{least}{} tokens", human::number(usage.tokens.billable())),
        });
        facts.extend(usage.cost.is_some().then(|| human::cost(usage)));
    }
    facts
}

fn other(outcome: &Outcome, one: &Other, last: bool, out: &mut Page<'_>) -> io::Result<()> {
    let branch = if last { "└─" } else { "├─" };
    let mut facts = vec![outcome.shown(&one.path)];
    facts.push(match (&one.branch, &one.commit) {
        (Some(branch), _) => branch.clone(),
        (None, Some(commit)) => format!("at {}", human::commit(commit)),
        (None, None) => "HEAD is broken".into(),
    });
    facts.extend(one.distance.map(|distance| cells::distance(Some(distance))));
    facts.extend(one.gone.then(|| "gone".into()));
    facts.extend(one.locked.as_ref().map(|why| match why.as_str() {
        "" => "locked".into(),
        why => format!("locked: {}", human::line(why, 60)),
    }));
    let text = human::line(&facts.join("  "), usize::MAX);
    out.line(format!("{branch} {}", theme::dim().apply_to(text)))
}

fn fitted(text: &str, width: Option<usize>) -> String {
    match width {
        Some(width) => console::truncate_str(text, width, "…").into_owned(),
        None => text.to_owned(),
    }
}
