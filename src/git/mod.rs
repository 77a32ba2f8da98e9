//! What `wt` asks of git, behind our own types.
//!
//! The `git` program is started in [`command`] and nowhere else; libgit2 answers what it answers
//! faster and as well (objects, refs).

pub mod branch;
pub mod carry;
pub mod changes;
pub mod command;
pub mod conflict;
pub mod diff;
pub mod error;
pub mod history;
pub mod in_place;
mod index_copy;
pub mod integrated;
pub mod land;
pub mod leftovers;
pub mod mark;
pub mod objects;
pub mod operation;
pub mod place;
pub mod predict;
pub mod private_index;
pub mod reference;
pub mod repo;
#[cfg(test)]
pub(crate) mod sample;
pub mod scratch;
pub mod secret;
pub mod side_objects;
pub mod snapshot;
pub mod submodules;
pub mod trash;
pub mod uncommitted;
pub mod upstream;
pub mod user_config;
pub mod version;
pub mod workers;
pub mod worktree;
pub mod worktree_tree;
