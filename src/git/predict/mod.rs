//! What merging would give, asked of git itself and without a trace in the repository.
//!
//! One `git merge-tree` answers for all pairs: it is the engine of `git merge`, and a process for
//! each pair takes thirty times as long. libgit2's merge gives other verdicts at times.

mod attributes;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::git::command::{Answer, Git};
use crate::git::error::GitError;
use crate::git::place::Place;
use crate::git::repo::Repo;
use crate::git::side_objects::{Directory, Objects};
use crate::git::workers;

/// From so many pairs on, another process is worth its start.
const PAIRS_EACH: usize = 400;
/// Pairs that git cannot merge at all end its process; after so many of them we stop trying.
const FAILURES_MAX: usize = 100;

/// A merge to be predicted. Commits, in full hex.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Merge {
    /// What is merged into; its attributes hold.
    pub into: String,
    /// What is merged.
    pub from: String,
}

/// What a merge would give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prediction {
    /// It would go through.
    Clean {
        /// The tree that it would give, in hex; thrown away already.
        tree: String,
    },
    /// It would stop.
    Conflicts {
        /// The paths in conflict, from the top, in git's order.
        files: Vec<PathBuf>,
    },
    /// git cannot merge these two.
    Impossible {
        /// In git's words.
        why: String,
    },
}

/// Predicts merges, in the order given.
///
/// # Errors
/// When git cannot be run. A pair that git cannot merge is an answer, [`Prediction::Impossible`].
pub fn predict(
    repo: &Repo,
    objects: &Objects,
    merges: &[Merge],
) -> Result<Vec<Prediction>, GitError> {
    if merges.is_empty() {
        return Ok(vec![]);
    }
    let side = Arc::clone(objects.side()?);
    let keys = attributes::keys(objects, merges)?;
    let mut groups: BTreeMap<&attributes::Key, Vec<usize>> = BTreeMap::new();
    for (at, merge) in merges.iter().enumerate() {
        groups.entry(&keys[&merge.into]).or_default().push(at);
    }
    let batches: Vec<&[usize]> = groups.values().flat_map(|group| shares(group)).collect();
    let place = repo.main_place().unwrap_or_else(|| repo.place());
    let answers = workers::each(
        &batches,
        || (),
        |(), batch| {
            let pairs: Vec<&Merge> = batch.iter().map(|at| &merges[*at]).collect();
            // An older git does not know the variable, and takes the main checkout's attributes.
            let source = pairs.first().map_or("", |merge| merge.into.as_str());
            let mut scratch = Directory::quick(room(pairs.len()), &[&side.objects()])?;
            batched(&pairs, |input| {
                let answer = ask(&place, source, &scratch, input.clone())?;
                if answer.code == Some(0) || !scratch.is_in_memory() || !is_full(&answer) {
                    return Ok(answer);
                }
                scratch = Directory::on_disk(&[&side.objects()])?;
                ask(&place, source, &scratch, input)
            })
        },
    );
    let mut all: Vec<(usize, Prediction)> = Vec::with_capacity(merges.len());
    for (batch, answer) in batches.into_iter().zip(answers) {
        all.extend(batch.iter().copied().zip(answer?));
    }
    all.sort_by_key(|(at, _)| *at);
    Ok(all.into_iter().map(|(_, prediction)| prediction).collect())
}

/// Memory for what so many merges give: a few trees and files each.
fn room(merges: usize) -> u64 {
    (16 << 20) + merges as u64 * (64 << 10)
}

/// Whether a process died because it could not write what a merge gives.
fn is_full(answer: &Answer) -> bool {
    ["No space left", "unable to write", "unable to create"]
        .iter()
        .any(|words| answer.stderr.contains(words))
}

fn ask(
    place: &Place,
    source: &str,
    scratch: &Directory,
    input: String,
) -> Result<Answer, GitError> {
    let asked = ["merge-tree", "--write-tree", "--stdin", "-z", "--name-only", "--no-messages"];
    // What is thrown away in a moment needs no compression, nor a link to be safe.
    let quick = ["core.looseCompression=0", "core.createObject=rename"];
    let git = quick.iter().fold(Git::read(place), |git, setting| git.config(setting));
    let git = git.env("GIT_OBJECT_DIRECTORY", scratch.objects());
    git.env("GIT_ATTR_SOURCE", source).args(asked).input(input).answer()
}

/// A group in equal parts, one for each processor if there is enough to do.
fn shares(group: &[usize]) -> std::slice::Chunks<'_, usize> {
    let parts = (group.len() / PAIRS_EACH).clamp(1, workers::count());
    group.chunks(group.len().div_ceil(parts))
}

/// Asks about pairs until each has its answer; a process ends at a pair that it cannot merge.
fn batched(
    pairs: &[&Merge],
    mut ask: impl FnMut(String) -> Result<Answer, GitError>,
) -> Result<Vec<Prediction>, GitError> {
    let mut done = Vec::with_capacity(pairs.len());
    let mut failures = 0;
    while done.len() < pairs.len() {
        let rest = &pairs[done.len()..];
        let lines: Vec<String> = rest.iter().map(|m| format!("{} {}\n", m.into, m.from)).collect();
        let answer = ask(lines.concat())?;
        let more = parse(&answer.stdout)?;
        if more.len() > rest.len() {
            return Err(unexpected("more answers than questions"));
        }
        done.extend(more);
        if done.len() == pairs.len() {
            break;
        }
        if answer.code == Some(0) {
            return Err(unexpected("fewer answers than questions"));
        }
        let why = answer.reason();
        failures += 1;
        if failures < FAILURES_MAX {
            done.push(Prediction::Impossible { why });
        } else {
            done.resize(pairs.len(), Prediction::Impossible { why });
        }
    }
    Ok(done)
}

/// For each merge: `1` or `0`, the tree, the files in conflict, and nothing; each ended by a zero
/// byte. What a dying process did not finish is left out.
fn parse(output: &[u8]) -> Result<Vec<Prediction>, GitError> {
    let mut fields = output.split_inclusive(|byte| *byte == 0).map_while(|f| f.strip_suffix(b"\0"));
    let mut found = vec![];
    while let Some(status) = fields.next() {
        let Some(tree) = fields.next() else { break };
        let mut files = vec![];
        let ended = loop {
            match fields.next() {
                Some(b"") => break true,
                Some(file) => files.push(PathBuf::from(OsString::from_vec(file.to_vec()))),
                None => break false,
            }
        };
        if !ended {
            break;
        }
        // A file is listed once for each side that has it.
        files.dedup();
        found.push(match status {
            b"1" => Prediction::Clean { tree: String::from_utf8_lossy(tree).into_owned() },
            b"0" => Prediction::Conflicts { files },
            other => return Err(unexpected(&String::from_utf8_lossy(other))),
        });
    }
    Ok(found)
}

fn unexpected(answer: &str) -> GitError {
    GitError::Unexpected { what: "merge-tree".into(), answer: answer.to_owned() }
}

#[cfg(test)]
mod tests;
