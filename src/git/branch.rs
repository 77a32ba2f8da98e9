//! Names of branches.

/// Whether git takes a text as the name of a branch: git-check-ref-format(1), and no dash in front.
pub fn is_branch_name(name: &str) -> bool {
    let valid = git2::Reference::is_valid_name(&format!("refs/heads/{name}"));
    valid && !name.starts_with('-') && name != "HEAD"
}

/// The names that cannot be branches beside this one: git keeps `a/b` in a directory `a`, so there
/// is no branch `a` then.
pub fn parents(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').map(|(at, _)| &name[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_git_refuses_are_none() {
        for good in ["main", "feature/a", "ä", "a.b"] {
            assert!(is_branch_name(good), "{good}");
        }
        for bad in
            ["", "-a", "a..b", "a b", "a~1", "a^", "a:", "a.lock", "@{1}", "a/", "/a", "HEAD"]
        {
            assert!(!is_branch_name(bad), "{bad}");
        }
        assert_eq!(parents("a/b/c").collect::<Vec<_>>(), ["a", "a/b"]);
    }
}
