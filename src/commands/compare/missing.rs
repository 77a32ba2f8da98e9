//! What is missing to decide, and the command that gets it.

use serde::Serialize;

use crate::commands::compare::outcome::{State, VariantRow};
use crate::commands::compare::rank::Stage;
use crate::commands::work::Standing;

/// One thing that is missing to decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The variant's name.
    pub variant: String,
    /// In words that follow the variant's name: `still runs`.
    pub why: String,
    /// What to type.
    pub command: String,
}

/// What is missing about a variant; at most one thing, the first to do something about.
pub(super) fn about(row: &VariantRow, stage: Stage) -> Option<Missing> {
    let name = &row.name;
    let (why, command) = match (stage, row.state) {
        (Stage::Unreadable, _) => ("cannot be read".to_owned(), "wt doctor".to_owned()),
        (_, State::Of(Standing::Running)) => ("still runs".into(), format!("wt wait {name}")),
        (_, State::Of(Standing::Queued | Standing::Waiting | Standing::Parked)) => {
            ("has not begun".into(), format!("wt wait {name}"))
        }
        (_, State::Of(Standing::Asks)) => {
            ("asks something".into(), format!("wt send {name} \"…\""))
        }
        (_, State::Of(Standing::Failed)) => ("failed".into(), format!("wt logs {name}")),
        (_, State::Of(Standing::Lost)) => ("is lost".into(), format!("wt retry {name}")),
        (Stage::NoChange, _) if row.merged_into.is_some() => return None,
        (Stage::NoChange, State::Of(_)) => ("changed nothing".into(), format!("wt result {name}")),
        _ if row.with_base.is_unknown() => {
            ("cannot be merged by git".into(), format!("wt diff {name}"))
        }
        _ if row.worktree_missing => ("has lost its worktree".into(), "wt doctor".to_owned()),
        _ => return None,
    };
    Some(Missing { variant: name.clone(), why, command })
}
