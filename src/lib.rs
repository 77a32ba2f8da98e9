//! `wt`: one idea in several variants, one git worktree and one coding agent each.
pub mod domain;
