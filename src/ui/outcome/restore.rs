//! How `wt restore` looks.

use std::io;

use crate::commands::restore::act::Restored;
use crate::commands::restore::rewind::Rewound;
use crate::commands::restore::{Kept, Outcome, Restorable};
use crate::ui::human;
use crate::ui::printer::{Page, Render};
use crate::ui::table::Table;
use crate::ui::theme;

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        match self {
            Self::List { restorable, snapshots } => list(restorable, snapshots, out),
            Self::Restored { restored } => back(restored, out),
            Self::Rewound { rewound } => went_back(rewound, out),
        }
    }
}

fn went_back(rewound: &Rewound, out: &mut Page<'_>) -> io::Result<()> {
    let (mark, path) = (theme::good().apply_to("✓"), rewound.path.display());
    let commit = human::commit(&rewound.commit);
    out.line(format!("{mark} {path} is at the snapshot, {} at {commit}", rewound.branch))?;
    for path in &rewound.not_held {
        let text = format!("what was not kept of how it was: {path}");
        out.line(theme::attention().apply_to(text).to_string())?;
    }
    out.line(format!("how it was is kept under {} → wt undo", rewound.before))
}

fn back(restored: &[Restored], out: &mut Page<'_>) -> io::Result<()> {
    let width = restored.iter().map(|one| one.name.len()).max().unwrap_or(0);
    for one in restored {
        let mark = theme::good().apply_to("✓");
        let place = one.path.display();
        out.line(format!("{mark} {:width$}  back at {place} on {}", one.name, one.branch))?;
    }
    Ok(())
}

fn list(restorable: &[Restorable], kept: &[Kept], out: &mut Page<'_>) -> io::Result<()> {
    if restorable.is_empty() {
        out.line("nothing is in the trash")?;
    } else {
        removed(restorable, out)?;
    }
    if !kept.is_empty() {
        snapshots(kept, out)?;
    }
    Ok(())
}

fn removed(restorable: &[Restorable], out: &mut Page<'_>) -> io::Result<()> {
    let mut table = Table::new(&["VARIANT", "REMOVED", "UNTIL", "BRANCH", "AT"]);
    for (at, one) in restorable.iter().enumerate() {
        // A name stands for the last one removed; an older one of that name goes by its id.
        let newest = restorable[..at].iter().all(|other| other.name != one.name);
        let name = if newest { &one.name } else { &one.id };
        let until = match one.complete {
            true => human::day(one.expires_at),
            false => theme::bad().apply_to("missing").to_string(),
        };
        table.row([
            name.clone(),
            human::moment(one.removed_at),
            until,
            one.branch.clone(),
            one.commit.as_deref().map_or("–", human::commit).to_owned(),
        ]);
    }
    for line in table.lines() {
        out.line(line)?;
    }
    out.line("→ wt restore NAME")
}

fn snapshots(kept: &[Kept], out: &mut Page<'_>) -> io::Result<()> {
    const SHOWN: usize = 10;
    out.line("")?;
    let mut table = Table::new(&["SNAPSHOT OF", "BEFORE", "TAKEN", "REF"]);
    for one in kept.iter().take(SHOWN) {
        let at = one.at.map_or("–".to_owned(), human::moment);
        table.row([one.holder.clone(), one.why.clone(), at, one.reference.clone()]);
    }
    for line in table.lines() {
        out.line(line)?;
    }
    if kept.len() > SHOWN {
        let more = format!("and {} older", kept.len() - SHOWN);
        out.line(theme::dim().apply_to(more).to_string())?;
    }
    out.line("→ wt restore --snapshot REF   (look first: git show REF; REF^2 is the index)")
}
