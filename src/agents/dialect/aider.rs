//! aider's plain text, as version 0.86.2 writes it with `--no-pretty`-like output.
//!
//! There is no event that ends it, and its counts are rounded (`8.2k sent`), so what is read is
//! always a lower bound; an error of the provider is told in words.

use serde::{Deserialize, Serialize};

use super::fold::{Fold, TEXT_MAX, clip};
use crate::domain::event::AgentEvent;
use crate::domain::usage::{Certainty, MicroUsd, Tokens};

/// What has to be remembered between lines.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Aider {
    tokens: Tokens,
    cost: Option<MicroUsd>,
    /// True once its banner is over and the answer may begin.
    started: bool,
    /// The answer under way.
    answer: String,
}

impl Aider {
    pub(super) fn read(&mut self, fold: &mut Fold, line: &str) {
        fold.events.push(AgentEvent::Plain { line: line.to_owned() });
        let line = line.trim_end();
        if let Some(error) = line.strip_prefix("litellm.") {
            self.answer.clear();
            fold.error(error, None);
        } else if line.starts_with("Retrying in ") {
            fold.retrying(line);
        } else if let Some(counts) = line.strip_prefix("Tokens: ") {
            self.answered(fold, counts);
        } else if let Some(file) = line.strip_prefix("Applied edit to ") {
            fold.tool("edit", file);
            self.answer.clear();
        } else if let Some(model) = line.strip_prefix("Model: ") {
            fold.report.model = model.split_whitespace().next().map(str::to_owned);
        } else if line.starts_with("Repo-map: ") {
            self.started = true;
        } else if self.started && self.answer.len() + line.len() < TEXT_MAX {
            self.answer.push_str(line);
            self.answer.push('\n');
        }
    }

    /// `8.2k sent, 1.1k cache write, 34 received. Cost: $0.01 message, $0.02 session.`
    fn answered(&mut self, fold: &mut Fold, counts: &str) {
        fold.report.error = None;
        let answer = std::mem::take(&mut self.answer);
        if !answer.trim().is_empty() {
            fold.report.final_text = Some(clip(answer.trim(), TEXT_MAX));
        }
        let (tokens, cost) = counts.split_once(" Cost: ").unwrap_or((counts, ""));
        let mut told = Tokens::default();
        for part in tokens.trim_end_matches('.').split(", ") {
            let Some((number, what)) = part.split_once(' ') else { continue };
            let least = at_least(number).unwrap_or(0);
            match what {
                "sent" => told.input = least,
                "cache write" => told.cache_write = least,
                "cache hit" => told.cache_read = least,
                "received" => told.output = least,
                _ => {}
            }
        }
        // What is sent includes what the cache held.
        told.input = told.input.saturating_sub(told.cache_write).saturating_sub(told.cache_read);
        self.tokens += told;
        let dollars = cost.strip_prefix('$').and_then(|rest| rest.split(' ').next());
        let dollars = dollars.and_then(|text| text.parse().ok()).and_then(MicroUsd::from_dollars);
        if let Some(cost) = dollars {
            self.cost = Some(MicroUsd(self.cost.unwrap_or_default().0.saturating_add(cost.0)));
        }
        fold.usage(self.tokens, self.cost, Certainty::AtLeast);
    }
}

/// The least count that is rounded to this text: `34` is 34, `8.2k` at least 8,150, `12k` at least
/// 11,500 (aider's `format_tokens`).
fn at_least(text: &str) -> Option<u64> {
    let Some(thousands) = text.strip_suffix('k') else { return text.parse().ok() };
    let (whole, tenths) = match thousands.split_once('.') {
        Some((whole, tenths)) => (whole.parse::<u64>().ok()?, Some(tenths.parse::<u64>().ok()?)),
        None => (thousands.parse::<u64>().ok()?, None),
    };
    let whole = whole.checked_mul(1_000)?;
    match tenths {
        Some(tenths) if tenths < 10 => (whole + tenths * 100).checked_sub(50),
        Some(_) => None,
        None => whole.checked_sub(500),
    }
}

#[cfg(test)]
mod tests {
    use super::at_least;

    #[test]
    fn a_rounded_count_is_a_lower_bound() {
        for (text, least) in [
            ("34", Some(34)),
            ("8.2k", Some(8_150)),
            ("12k", Some(11_500)),
            ("0k", None),
            ("x", None),
            ("99999999999999999999k", None),
        ] {
            assert_eq!(at_least(text), least, "{text}");
        }
    }
}
