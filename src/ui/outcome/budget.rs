//! How `wt budget` looks: the budgets of all work, then tables of who used what.

use std::io;

use crate::commands::budget::{Line, Outcome, Share, give};
use crate::ui::human;
use crate::ui::printer::{Page, Render};
use crate::ui::table::Table;
use crate::ui::theme;

/// More tasks than these are counted.
const TASKS_MAX: usize = 20;

/// How wide a name is at most.
const NAME_MAX: usize = 48;

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        for budget in &self.budgets {
            line(out, budget)?;
        }
        let since = human::moment(self.since);
        if self.tasks.is_empty() {
            return out.line(format!("Nothing was used since {since}."));
        }
        let all = format!("{} tokens · {}", human::tokens(&self.usage), human::cost(&self.usage));
        out.line(format!("since {since}  {all}"))?;
        out.line("")?;
        table(out, "TASK", &self.tasks)?;
        for (heading, shares) in
            [("ROLE", &self.roles), ("AGENT", &self.agents), ("DAY", &self.days)]
        {
            // One row says what the line above has said.
            if shares.len() > 1 {
                out.line("")?;
                table(out, heading, shares)?;
            }
        }
        Ok(())
    }
}

/// `background  117,100 / 150,000 tokens (78%) · 50,000 tokens reserved · each day, warns`
fn line(out: &mut Page<'_>, line: &Line) -> io::Result<()> {
    let amount = line.allowed.amount;
    let used = human::against(&line.usage, amount);
    let reserved = match line.reserve {
        0 => String::new(),
        reserve => format!(" · {} reserved", human::amount(amount.with(reserve))),
    };
    let then = if line.allowed.stops { "stops" } else { "warns" };
    let period = line.period.map(|period| period.word()).unwrap_or_default();
    let label = theme::dim().apply_to(format!("{:10}", line.budget));
    out.line(format!("{label}  {used}{reserved} · each {period}, {then}"))
}

fn table(out: &mut Page<'_>, heading: &str, shares: &[Share]) -> io::Result<()> {
    let several = shares.iter().any(|share| share.repository != shares[0].repository);
    let budgets = shares.iter().any(|share| share.budget.is_some());
    let mut headings = vec![heading, "TOKENS", "CACHE READS", "COST"];
    headings.extend(budgets.then_some("BUDGET"));
    let mut table = Table::new(&headings);
    for column in 1..4 {
        table.right(column);
    }
    for share in shares.iter().take(TASKS_MAX) {
        let name = match &share.repository {
            Some(repository) if several => format!("{} ({repository})", share.name),
            _ => share.name.clone(),
        };
        let reads = match &share.spent {
            Some(spent) => human::short(spent.cache_read),
            None => "–".into(),
        };
        let mut cells = vec![
            theme::strong().apply_to(human::line(&name, NAME_MAX)).to_string(),
            human::tokens(&share.usage),
            reads,
            human::cost(&share.usage),
        ];
        cells.extend(budgets.then(|| budget(share)));
        table.row(cells);
    }
    for line in table.lines() {
        out.line(line)?;
    }
    if shares.len() > TASKS_MAX {
        let more = human::count((shares.len() - TASKS_MAX) as u64, "more", "more");
        out.line(format!("and {more}  → wt budget --json"))?;
    }
    Ok(())
}

/// `122% of 50,000 tokens`; a shared one without a percentage, for others use it, too.
fn budget(share: &Share) -> String {
    let Some(allowed) = &share.budget else { return String::new() };
    let amount = human::amount(allowed.amount);
    match allowed.amount.counted(&share.usage) {
        _ if allowed.tasks > 1 => format!("{amount} shared by {}", allowed.tasks),
        Some(used) => format!("{}% of {amount}", human::percent(allowed.amount, used)),
        None => amount,
    }
}

impl Render for give::Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        let name = theme::strong().apply_to(&self.name);
        let (others, then) = match self.budget.tasks {
            0 | 1 => (String::new(), "it stops"),
            tasks => {
                let others = human::count(tasks as u64 - 1, "other task", "other tasks");
                (format!(" and {others}"), "they stop")
            }
        };
        let amount = human::amount(self.budget.amount);
        let used = human::against(&self.usage, self.budget.amount);
        out.line(format!("{name}{others} may use {amount} in all, then {then}"))?;
        out.line(format!("used  {used}"))
    }
}
