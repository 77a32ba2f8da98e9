//! What agents used, as programs read it.

use serde::Serialize;

use crate::domain::usage::{Certainty, CostFrom, Usage};

/// What agents used.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spent {
    /// What a budget counts: input + cache writes + output.
    pub tokens: u64,
    /// Prompt tokens that were neither read from nor written to a cache.
    pub input: u64,
    /// Generated tokens, hidden reasoning included.
    pub output: u64,
    /// Prompt tokens written to the provider's cache.
    pub cache_write: u64,
    /// Prompt tokens answered from the provider's cache; not in `tokens`.
    pub cache_read: u64,
    /// In US dollars; `None` when neither the agent nor a price tells.
    pub cost_usd: Option<f64>,
    /// Where that comes from: `agent` (its own report), `prices` (computed from the list of
    /// prices), `part` (only a part is known); `None` without a cost.
    pub cost_from: Option<CostFrom>,
    /// What the numbers are worth: `exact`, `at_least`, `unknown`.
    pub certainty: Certainty,
}

impl Spent {
    /// Of a usage; `None` when nothing at all is known, which is not the same as nothing used.
    pub fn of(usage: &Usage) -> Option<Self> {
        if usage.certainty == Certainty::Unknown && usage.cost.is_none() {
            return None;
        }
        Some(Self {
            tokens: usage.tokens.billable(),
            input: usage.tokens.input,
            output: usage.tokens.output,
            cache_write: usage.tokens.cache_write,
            cache_read: usage.tokens.cache_read,
            cost_usd: usage.cost.map(|cost| cost.dollars()),
            cost_from: usage.cost.map(|_| usage.cost_from),
            certainty: usage.certainty,
        })
    }
}
