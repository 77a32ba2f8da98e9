//! Which variants compete: given, joined or suggested.

use crate::domain::name::VariantName;
use crate::domain::variant::{Idea, Variant};

/// The idea that a new variant's name suggests, and the members it would share it with.
///
/// `theme-dark` and `theme-light`, forked from the same commit, suggest `theme`; a single one
/// suggests nothing. An idea that a member was explicitly given is joined as it is.
pub fn suggest<'a>(
    name: &VariantName,
    fork_commit: &str,
    present: &'a [Variant],
) -> Option<(Idea, Vec<&'a Variant>)> {
    let stem = name.stem()?;
    let members: Vec<&Variant> = present
        .iter()
        .filter(|other| other.name != *name && other.fork_commit == fork_commit)
        .filter(|other| match &other.idea {
            Some(idea) => idea.name == stem,
            None => other.name.stem() == Some(stem),
        })
        .collect();
    let idea = Idea { name: stem.to_owned(), suggested: true };
    (!members.is_empty()).then_some((idea, members))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::id::RepoId;
    use crate::domain::variant::VariantState;

    fn variant(name: &str, fork: &str) -> Variant {
        Variant {
            key: 1,
            repo: RepoId::new("r-1"),
            name: name.parse().unwrap(),
            branch: format!("feature/{name}"),
            path: "/w".into(),
            admin_dir: "/g".into(),
            base_branch: Some("main".into()),
            fork_commit: fork.into(),
            idea: None,
            state: VariantState::Ready,
            made_branch: true,
            made_worktree: true,
            created_at: Timestamp::UNIX_EPOCH,
            merged: None,
        }
    }

    #[test]
    fn only_a_shared_stem_and_fork_suggest_an_idea() {
        let present = [variant("theme-light", "aa"), variant("theme-old", "bb")];
        let name = "theme-dark".parse().unwrap();
        let (idea, members) = suggest(&name, "aa", &present).unwrap();
        assert_eq!((idea.name.as_str(), idea.suggested), ("theme", true));
        assert_eq!(members.len(), 1);
        assert!(suggest(&"theme".parse().unwrap(), "aa", &present).is_none());
        assert!(suggest(&name, "cc", &present).is_none());
    }
}
