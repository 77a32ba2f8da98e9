//! Arguments that say when work is to start.

use std::time::Duration;

use crate::commands::when::{Request, Start};
use crate::domain::written::duration;

/// When work is to start.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct When {
    /// Start once this has ended well: a variant's name, or the beginning of a task's id
    #[arg(long, value_name = "TASK", value_delimiter = ',')]
    after: Vec<String>,

    /// Start once this has ended, however
    #[arg(long, value_name = "TASK", value_delimiter = ',')]
    after_any: Vec<String>,

    /// Start at a time: 18:00, "2026-11-22 09:00", or in RFC 3339
    #[arg(long, value_name = "TIME")]
    at: Option<String>,

    /// Start after so long, such as 90s, 10m or 1h30m
    #[arg(long = "in", value_name = "DURATION", value_parser = duration, conflicts_with = "at")]
    start_in: Option<Duration>,

    /// Neither start after this time nor go on; what was done until then is kept
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

/// The names of these arguments, for others that exclude them.
pub const NAMES: [&str; 5] = ["after", "after_any", "at", "start_in", "until"];

impl From<When> for Request {
    fn from(when: When) -> Self {
        let start = when.at.map(Start::At).or(when.start_in.map(Start::In));
        Self { after: when.after, after_any: when.after_any, start, until: when.until }
    }
}
