//! Processes as the kernel shows them: who is who, who came from whom, and how to end them all.
//!
//! A pid alone is never believed. Every process that matters is known by its pid *and* the moment
//! it started, and is signalled through a pidfd that was checked against that moment.

pub mod ancestry;
pub mod bounds;
pub mod cgroup;
pub mod identity;
pub mod machine;
pub mod marked;
pub mod places;
pub mod signal;
pub mod table;
pub mod tree;
