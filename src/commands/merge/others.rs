//! Which of the other variants a merge has brought into conflict with its target.

use std::path::PathBuf;

use serde::Serialize;

use crate::commands::context::{Context, Here};
use crate::commands::merge::conflicts::shown;
use crate::domain::problem::Problem;
use crate::domain::variant::{Variant, VariantState};
use crate::git::predict::{Merge, Prediction, predict};
use crate::git::side_objects::Objects;

/// A variant that would no longer merge by itself, though it would have before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NowConflicts {
    /// The variant.
    pub variant: String,
    /// In which files.
    pub files: Vec<String>,
}

/// The variants of the same target whose merge was clean when the branch stood at `old`, and is not
/// at `new`. Asked of git in one batch.
///
/// # Errors
/// When git cannot be asked.
pub fn now_in_conflict(
    ctx: &Context<'_>,
    here: &Here,
    merged: &Variant,
    (into, old, new): (&str, &str, &str),
) -> Result<Vec<NowConflicts>, Problem> {
    let others: Vec<Variant> = here
        .variants(ctx)?
        .into_iter()
        .filter(|other| other.key != merged.key && other.state == VariantState::Ready)
        .filter(|other| other.merged.is_none() && other.base_branch.as_deref() == Some(into))
        .collect();
    let mut named = vec![];
    for other in &others {
        named.extend(here.repo.branch(&other.branch)?.map(|tip| (other, tip)));
    }
    let merge = |into: &str, from: &String| Merge { into: into.to_owned(), from: from.clone() };
    let merges: Vec<Merge> =
        named.iter().flat_map(|(_, tip)| [merge(old, tip), merge(new, tip)]).collect();
    let objects = Objects::in_memory(&here.repo)?;
    let predictions = predict(&here.repo, &objects, &merges)?;
    let pairs = named.iter().zip(predictions.chunks_exact(2));
    Ok(pairs
        .filter_map(|((other, _), predictions)| match predictions {
            [Prediction::Clean { .. }, Prediction::Conflicts { files }] => Some(NowConflicts {
                variant: other.name.to_string(),
                files: files.iter().map(|path: &PathBuf| shown(path)).collect(),
            }),
            _ => None,
        })
        .collect())
}
