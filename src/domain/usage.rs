//! Tokens and money that an agent used, with what is not known kept apart from what is zero.

use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

/// Millionths of a US dollar: exact to add up, small enough never to overflow.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct MicroUsd(pub u64);

impl MicroUsd {
    /// From a floating amount of dollars as agents report it; a negative or absurd one is nothing.
    pub fn from_dollars(dollars: f64) -> Option<Self> {
        let micro = (dollars * 1e6).round();
        (micro.is_finite() && (0.0..1e15).contains(&micro)).then_some(Self(micro as u64))
    }

    /// As dollars, for JSON and for people.
    pub fn dollars(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

/// Tokens by kind, in our own meaning whatever the agent's: `input` never includes cache reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tokens {
    /// Prompt tokens that were neither read from nor written to a cache.
    pub input: u64,
    /// Prompt tokens answered from the provider's cache; shown apart, never part of a budget.
    pub cache_read: u64,
    /// Prompt tokens written to the provider's cache.
    pub cache_write: u64,
    /// Generated tokens, hidden reasoning included.
    pub output: u64,
}

impl Tokens {
    /// What a budget counts: input + cache writes + output.
    pub fn billable(&self) -> u64 {
        self.input.saturating_add(self.cache_write).saturating_add(self.output)
    }

    /// True when nothing at all was counted.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// This less an earlier cumulative total, never below zero.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            input: self.input.saturating_sub(earlier.input),
            cache_read: self.cache_read.saturating_sub(earlier.cache_read),
            cache_write: self.cache_write.saturating_sub(earlier.cache_write),
            output: self.output.saturating_sub(earlier.output),
        }
    }
}

impl Add for Tokens {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write: self.cache_write.saturating_add(other.cache_write),
            output: self.output.saturating_add(other.output),
        }
    }
}

impl AddAssign for Tokens {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// What a session had used in all at some moment, for agents that tell cumulative totals after it
/// was resumed: what the next attempt subtracts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SessionTotals {
    /// All tokens of the session so far.
    pub tokens: Tokens,
    /// All its money so far, where the agent tells that cumulatively.
    #[serde(default)]
    pub cost: Option<MicroUsd>,
}

/// What an attempt, a task or an idea used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens counted so far.
    pub tokens: Tokens,
    /// Money; `None` when neither the agent nor a price tells.
    pub cost: Option<MicroUsd>,
    /// What the counts are worth: exact, a lower bound, or not told at all.
    pub certainty: Certainty,
    /// Where the money's figure comes from; of no meaning without one.
    #[serde(default)]
    pub cost_from: CostFrom,
}

/// Where a cost comes from; shown as `$0.94`, `≈$0.94` and `≥$0.94`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CostFrom {
    /// The agent's own report.
    #[default]
    Agent,
    /// Computed, at least in part, from the tokens and the list of prices.
    Prices,
    /// Only a part of it is known: it costs at least that much.
    Part,
}

/// How far a usage can be trusted; shown as `61k`, `≥48k` and `–`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The agent gave a final total.
    Exact,
    /// Some of it is known: the agent still runs, was killed, or reports only in part.
    AtLeast,
    /// Nothing is known (a plain command, an agent that ended without a word).
    #[default]
    Unknown,
}

impl Usage {
    /// Both together; a sum is only as certain as its least certain part, and an unknown part
    /// turns a known one into a lower bound.
    pub fn plus(&self, other: &Self) -> Self {
        use Certainty::{AtLeast, Exact, Unknown};
        let certainty = match (self.certainty, other.certainty) {
            (Exact, Exact) => Exact,
            (Unknown, Unknown) => Unknown,
            _ => AtLeast,
        };
        let (cost, cost_from) = match (self.cost, other.cost) {
            (Some(a), Some(b)) => {
                (Some(MicroUsd(a.0.saturating_add(b.0))), self.cost_from.max(other.cost_from))
            }
            (None, None) => (None, CostFrom::default()),
            (a, b) => (a.or(b), CostFrom::Part),
        };
        Self { tokens: self.tokens + other.tokens, cost, certainty, cost_from }
    }
}

/// The sum of several; `None` of none.
pub fn total(parts: impl IntoIterator<Item = Usage>) -> Option<Usage> {
    parts.into_iter().reduce(|sum, next| sum.plus(&next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_part_makes_a_sum_a_lower_bound() {
        let known = Usage {
            tokens: Tokens { input: 5, ..Tokens::default() },
            cost: Some(MicroUsd(7)),
            certainty: Certainty::Exact,
            cost_from: CostFrom::Prices,
        };
        let sum = known.plus(&Usage::default());
        assert_eq!(sum.certainty, Certainty::AtLeast);
        assert_eq!(sum.cost, Some(MicroUsd(7)));
        assert_eq!(sum.tokens.input, 5);
        assert_eq!(sum.cost_from, CostFrom::Part);
        assert_eq!(known.plus(&known).cost_from, CostFrom::Prices);
    }

    #[test]
    fn absurd_money_is_nothing() {
        assert_eq!(MicroUsd::from_dollars(-1.0), None);
        assert_eq!(MicroUsd::from_dollars(f64::NAN), None);
        assert_eq!(MicroUsd::from_dollars(0.94), Some(MicroUsd(940_000)));
    }
}
