//! The program `wt`.

fn main() {}
