//! What is kept of a session between its runs.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Options;
use super::scenario::named_in;
use crate::domain::usage::SessionTotals;
use crate::store::file::write_atomically;

/// A session: its scenario, how many turns were played, and what they used in all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) scenario: String,
    pub(super) turns: usize,
    pub(super) totals: SessionTotals,
}

impl Kept {
    /// A new session, or the one to go on in.
    pub(super) fn load(options: &Options) -> Result<Self, String> {
        if !options.resume {
            let scenario = named_in(&options.prompt).to_owned();
            return Ok(Self { scenario, ..Self::default() });
        }
        let text = std::fs::read_to_string(file(options)).ok();
        let kept = text.and_then(|text| serde_json::from_str(&text).ok());
        let missing = || format!("No conversation found with session ID: {}", options.session);
        kept.ok_or_else(missing)
    }

    /// Writes it. One that cannot be written cannot be gone on in, which a follow-up then says.
    pub(super) fn save(&self, options: &Options) {
        if std::fs::create_dir_all(&options.sessions).is_ok()
            && let Ok(bytes) = serde_json::to_vec(self)
        {
            write_atomically(&file(options), &bytes, 0o600).ok();
        }
    }
}

fn file(options: &Options) -> PathBuf {
    options.sessions.join(format!("{}.json", options.session))
}
