//! What variants are to be merged into, and where they parted from it.

use std::collections::HashMap;

use crate::commands::contents::Contents;
use crate::domain::variant::Variant;
use crate::git::error::GitError;
use crate::git::history::merge_base;
use crate::git::repo::Repo;
use crate::git::side_objects::Objects;

/// What a variant is to be merged into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The branch it forked from, if it was one.
    pub branch: Option<String>,
    /// Where that stands, in hex; the fork commit when there is no such branch.
    pub commit: String,
    /// The branch is not there any more.
    pub gone: bool,
}

/// The bases of variants, in their order.
///
/// # Errors
/// When git cannot say.
pub fn bases(repo: &Repo, variants: &[Variant]) -> Result<Vec<Base>, GitError> {
    let mut known: HashMap<&str, Option<String>> = HashMap::new();
    let mut bases = Vec::with_capacity(variants.len());
    for variant in variants {
        let branch = variant.base_branch.as_deref();
        let tip = match branch {
            None => None,
            Some(name) => match known.get(name) {
                Some(tip) => tip.clone(),
                None => known.entry(name).or_insert(repo.branch(name)?).clone(),
            },
        };
        let gone = branch.is_some() && tip.is_none();
        let commit = tip.unwrap_or_else(|| variant.fork_commit.clone());
        bases.push(Base { branch: branch.map(str::to_owned), commit, gone });
    }
    Ok(bases)
}

/// The commit that a variant's change counts from: where it and its base parted, or the fork
/// commit when they share no history that is known.
pub fn parted_at(objects: &Objects, contents: &Contents, base: &Base, variant: &Variant) -> String {
    let shared = merge_base(objects, &contents.head, &base.commit).ok().flatten();
    shared.unwrap_or_else(|| variant.fork_commit.clone())
}
