//! Taking back a cleanup or a restore: each is the other's reverse.

use crate::commands::cleanup::act;
use crate::commands::cleanup::choose::Chosen;
use crate::commands::cleanup::plan::Plan;
use crate::commands::context::{Context, Here};
use crate::commands::restore::act::{Wanted, begin};
use crate::commands::undo::Act;
use crate::domain::problem::Problem;
use crate::domain::undo::{Record, VariantsMoved};
use crate::domain::variant::{Variant, VariantState};
use crate::git::worktree::{Naming, naming};
use crate::store::undo::{self, UndoRow};
use crate::store::variants;

/// Brings removed variants back.
pub(super) fn bring_back<'a>(
    ctx: &'a Context<'_>,
    here: &'a Here,
    row: &'a UndoRow,
) -> Result<(Vec<String>, Act<'a>), Problem> {
    let moved: VariantsMoved = row.data()?;
    let (mut wanted, mut forgotten, mut changes) = (vec![], vec![], vec![]);
    for variant in known(ctx, &moved)? {
        let name = &variant.name;
        match variant.state {
            VariantState::Trashed => {
                changes.push(format!("{name} comes back to {}", variant.path.display()));
                wanted.push(Wanted { key: variant.key, to: None, branch: None });
            }
            // It was only forgotten, and its worktree is still the one it was.
            VariantState::Gone if still_there(&variant) => {
                changes.push(format!("{name} at {} is a variant again", variant.path.display()));
                forgotten.push(variant.key);
            }
            VariantState::Gone => changes.push(format!("{name} is gone for good")),
            _ => {}
        }
    }
    if wanted.is_empty() && forgotten.is_empty() {
        return Err(superseded(row));
    }
    let act = move || {
        ctx.store.write_durably(|tx| {
            for key in &forgotten {
                variants::transition(tx, *key, VariantState::Gone, VariantState::Ready)?;
            }
            if wanted.is_empty() {
                undo::mark_undone(tx, row.id, ctx.clock.now())?;
            }
            Ok::<_, crate::store::error::StoreError>(())
        })?;
        begin(ctx, &here.repo, &wanted, Record::Undoes(row.id)).map(drop)
    };
    Ok((changes, Box::new(act)))
}

/// Puts restored variants into the trash again.
pub(super) fn put_away<'a>(
    ctx: &'a Context<'_>,
    here: &'a Here,
    row: &'a UndoRow,
) -> Result<(Vec<String>, Act<'a>), Problem> {
    let moved: VariantsMoved = row.data()?;
    let present: Vec<Variant> = known(ctx, &moved)?
        .into_iter()
        .filter(|variant| variant.state == VariantState::Ready)
        .collect();
    if present.is_empty() {
        return Err(superseded(row));
    }
    let changes =
        present.iter().map(|variant| format!("{} goes to the trash again", variant.name)).collect();
    // It was there before, so that it is not merged is no news; that somebody works in it is.
    let chosen = Chosen { variants: present, losers: true, ..Chosen::default() };
    let plan = Plan::of(ctx, here, &chosen, false)?;
    plan.refuse_blocked()?;
    let act = move || match act::begin(ctx, here, &plan, Record::Undoes(row.id))?.failed {
        None => Ok(()),
        Some(problem) => Err(problem),
    };
    Ok((changes, Box::new(act)))
}

fn known(ctx: &Context<'_>, moved: &VariantsMoved) -> Result<Vec<Variant>, Problem> {
    let mut found = vec![];
    for key in &moved.variants {
        found.extend(variants::by_key(ctx.store.read(), *key)?);
    }
    Ok(found)
}

fn still_there(variant: &Variant) -> bool {
    !variant.made_worktree && naming(&variant.path, &variant.admin_dir) == Naming::Mutual
}

fn superseded(row: &UndoRow) -> Problem {
    Problem::failed(format!("`{}` has been taken back otherwise by now", row.summary))
        .hint("see what was done: `wt undo --list`")
}
