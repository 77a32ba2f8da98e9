//! A merge or a rebase that an ended agent was at, such as a sync whose conflicts it was to settle:
//! gone on with when all of it is settled, else told.

use crate::domain::id::TaskId;
use crate::domain::sync::SyncWaiting;
use crate::domain::variant::Variant;
use crate::git::conflict::{self, Conflict};
use crate::git::error::GitError;
use crate::git::in_place::{self, By, Came, Stands};
use crate::git::operation::{Operation, in_progress};
use crate::git::place::Place;

/// The most files that are named.
const NAMED_MAX: usize = 4;

/// How it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// The variant's sync, if one waited, and what has become of it.
    pub sync: Option<(Variant, SyncWaiting, Stands)>,
    /// What a person has to see to, in words.
    pub open: Option<String>,
}

/// Goes on with what is under way in a worktree, where everything is settled. No process of the
/// agent's is left. A merge that the agent began by itself counts as much as a sync; any other
/// operation of its own is left alone.
///
/// # Errors
/// When git cannot be run.
pub fn settle(
    place: &Place,
    (variant, task): (&Variant, &TaskId),
    sync: Option<&SyncWaiting>,
) -> Result<Settled, GitError> {
    let operation = in_progress(place)?;
    let ours = sync.is_some() && operation == Some(Operation::Rebase);
    let mut open = None;
    if operation == Some(Operation::Merge) || ours {
        let with = sync.map(|sync| format!(" with {}", sync.from)).unwrap_or_default();
        open = match in_place::go_on(place, By::Task(task))? {
            Came::Conflicts(found) => Some(format!("{}{with}", still(&found))),
            Came::Stopped(said) => {
                let why = said.first().cloned().unwrap_or_default();
                Some(format!("git could not go on with what is merged{with}: {why}"))
            }
            Came::Through => None,
        };
    } else if sync.is_some() {
        let marked = conflict::staged_with_markers(place)?;
        open = (!marked.is_empty())
            .then(|| format!("committed with conflict markers in {}", named(&marked)));
    }
    let Some(sync) = sync else { return Ok(Settled { sync: None, open }) };
    let stands = in_place::stands(place, &sync.branch, &sync.commit)?;
    if stands == Stands::GivenUp {
        open = Some(format!("it gave the sync up: {} is not in {}", sync.from, sync.branch));
    }
    Ok(Settled { sync: Some((variant.clone(), sync.clone(), stands)), open })
}

/// `2 files still conflict: a, b`
fn still(found: &[Conflict]) -> String {
    let open: Vec<Conflict> = found.iter().filter(|one| !one.settled).cloned().collect();
    match open.len() {
        1 => format!("1 file still conflicts: {}", named(&open)),
        count => format!("{count} files still conflict: {}", named(&open)),
    }
}

fn named(conflicts: &[Conflict]) -> String {
    let names = conflicts.iter().take(NAMED_MAX);
    let mut text = names.map(|one| one.path.display().to_string()).collect::<Vec<_>>().join(", ");
    if conflicts.len() > NAMED_MAX {
        text.push_str(&format!(" and {} more", conflicts.len() - NAMED_MAX));
    }
    text
}
