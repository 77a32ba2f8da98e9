//! What models cost, for agents that do not tell it themselves: `templates/pricing.toml`, and the
//! user's `pricing.toml`, which adds and overrides.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::agents::registry;
use crate::agents::template::TemplateError;
use crate::domain::launch::Dialect;
use crate::domain::usage::{Certainty, CostFrom, MicroUsd, Tokens, Usage};

/// The built-in list.
const BUILT_IN: &str = include_str!("../../templates/pricing.toml");

/// The user's list, beneath `wt`'s configuration directory.
const FILE: &str = "pricing.toml";

/// What a model costs, in US dollars per million tokens.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Prompt tokens apart from the cache.
    pub input: f64,
    /// Prompt tokens written to the cache; `None` where that is not known.
    pub cache_write: Option<f64>,
    /// Prompt tokens read from the cache; `None` where that is not known.
    pub cache_read: Option<f64>,
    /// Generated tokens.
    pub output: f64,
    /// True where some requests cost more, which a sum of tokens does not tell.
    #[serde(default)]
    pub at_least: bool,
    /// Where the price was read.
    pub source: String,
    /// When, as `2026-11-21`.
    pub date: jiff::civil::Date,
}

/// The prices by model.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Prices(BTreeMap<String, Price>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    models: BTreeMap<String, Price>,
}

impl Prices {
    /// The built-in prices alone.
    pub fn built_in() -> Self {
        // A test reads this very text; were it broken, every price would be unknown.
        parse("templates/pricing.toml", BUILT_IN).unwrap_or_default()
    }

    /// The built-in prices, and those of `<config_dir>/pricing.toml`, which add or override.
    ///
    /// # Errors
    /// When the user's file is there and cannot be read or understood.
    pub fn load(config_dir: &Path) -> Result<Self, TemplateError> {
        let path = config_dir.join(FILE);
        let mut prices = Self::built_in();
        if path.exists() {
            let text = registry::read(&path)?;
            prices.0.extend(parse(&path.display().to_string(), &text)?.0);
        }
        Ok(prices)
    }

    /// The price of a model, by whatever name an agent or a person calls it.
    pub fn of(&self, model: &str) -> Option<&Price> {
        let name = model.trim().to_ascii_lowercase();
        let name = name.rsplit('/').next().unwrap_or_default();
        let name = name.split('[').next().unwrap_or_default();
        self.0.get(name).or_else(|| self.0.get(undated(name)))
    }

    /// A usage with its cost: the agent's own where it told one, else computed from the price of
    /// the model, else unknown. An unknown usage costs an unknown amount.
    pub fn priced(&self, usage: Usage, model: Option<&str>) -> Usage {
        if usage.cost.is_some() || usage.certainty == Certainty::Unknown {
            return usage;
        }
        let Some(price) = model.and_then(|model| self.of(model)) else { return usage };
        let cost_from = if price.at_least { CostFrom::Part } else { CostFrom::Prices };
        match price.cost(&usage.tokens) {
            Some(cost) => Usage { cost: Some(cost), cost_from, ..usage },
            None => usage,
        }
    }
}

/// Whether agents of a dialect tell what they cost, at their end at the latest (the recorded
/// streams say which do).
pub fn tells_cost(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::Claude | Dialect::Opencode)
}

impl Price {
    /// What so many tokens cost, rounded to a millionth of a dollar; `None` when one of the prices
    /// that are needed is not known.
    pub fn cost(&self, tokens: &Tokens) -> Option<MicroUsd> {
        let kinds = [
            (tokens.input, Some(self.input)),
            (tokens.cache_write, self.cache_write),
            (tokens.cache_read, self.cache_read),
            (tokens.output, Some(self.output)),
        ];
        let mut sum = 0_u128;
        for (count, price) in kinds.into_iter().filter(|(count, _)| *count > 0) {
            let micro = MicroUsd::from_dollars(price?)?;
            sum += u128::from(count) * u128::from(micro.0);
        }
        u64::try_from((sum + 500_000) / 1_000_000).ok().map(MicroUsd)
    }
}

/// A model's name without the date at its end: `-20251101`, `-2025-11-01`.
fn undated(name: &str) -> &str {
    let shape: String = name.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let dates = ["-00000000", "-0000-00-00"];
    dates
        .iter()
        .find(|date| shape.ends_with(**date))
        .map_or(name, |date| &name[..name.len() - date.len()])
}

fn parse(file: &str, text: &str) -> Result<Prices, TemplateError> {
    let read: File = TemplateError::parse(file, text)?;
    for (model, price) in &read.models {
        let all = [Some(price.input), price.cache_write, price.cache_read, Some(price.output)];
        if all.into_iter().flatten().any(|price| MicroUsd::from_dollars(price).is_none()) {
            let why = format!("`{model}`: a price is no amount of dollars");
            return Err(TemplateError { file: file.to_owned(), line: None, why });
        }
    }
    let lower = |(model, price): (String, Price)| (model.to_ascii_lowercase(), price);
    Ok(Prices(read.models.into_iter().map(lower).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(tokens: Tokens) -> Usage {
        Usage { tokens, certainty: Certainty::Exact, ..Usage::default() }
    }

    #[test]
    fn every_price_that_is_built_in_names_its_source() {
        let prices = parse("templates/pricing.toml", BUILT_IN).unwrap();
        assert!(prices.0.len() > 5);
        for (model, price) in &prices.0 {
            assert!(price.source.starts_with("https://"), "{model}");
            assert!(price.input > 0.0 && price.output > price.input, "{model}");
            // A read from the cache is cheaper, and a write dearer, than plain input.
            assert!(price.cache_read.is_none_or(|read| read < price.input), "{model}");
            assert!(price.cache_write.is_none_or(|write| write >= price.input), "{model}");
        }
    }

    /// The tokens and the cost that the recorded streams of claude tell.
    #[test]
    fn the_prices_are_those_that_claude_reckons_with() {
        let tokens = Tokens { input: 2508, cache_read: 14660, cache_write: 518, output: 55 };
        let prices = Prices::built_in();
        let cost = |model: &str| prices.priced(exact(tokens), Some(model)).cost;
        assert_eq!(cost("claude-opus-5-5"), Some(MicroUsd(16_654)));
        assert_eq!(cost("claude-opus-4-8[1m]"), Some(MicroUsd(24_483)));
    }

    #[test]
    fn what_is_not_known_is_not_nothing() {
        let prices = Prices::built_in();
        let used = exact(Tokens { input: 9, ..Tokens::default() });
        assert_eq!(prices.priced(used, Some("fake-model")).cost, None);
        assert_eq!(prices.priced(used, None).cost, None);
        assert_eq!(prices.priced(Usage::default(), Some("claude-opus-5")).cost, None);
        let told = Usage { cost: Some(MicroUsd(3)), ..used };
        assert_eq!(prices.priced(told, Some("claude-opus-5")), told);
        let priced = prices.priced(used, Some("claude-opus-5"));
        assert_eq!((priced.cost, priced.cost_from), (Some(MicroUsd(45)), CostFrom::Prices));
        let least = prices.priced(used, Some("openai/gpt-6.2-sol"));
        assert_eq!((least.cost, least.cost_from), (Some(MicroUsd(18)), CostFrom::Part));
    }

    #[test]
    fn a_model_is_found_under_its_longer_names() {
        let prices = Prices::built_in();
        let names =
            ["anthropic/claude-opus-4-5", "claude-opus-4-5-20251101", "Claude-Opus-4-5[1m]"];
        for name in names {
            assert_eq!(prices.of(name), prices.of("claude-opus-4-5"), "{name}");
        }
        assert!(prices.of("claude-opus-4-5").is_some());
        assert_eq!(prices.of("claude-opus-4-50"), None);
        assert_eq!(prices.of(""), None);
    }

    #[test]
    fn the_users_list_adds_and_overrides() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        let own = "[models.house]\ninput = 1\noutput = 2\nsource = \"us\"\ndate = \"2026-01-01\"\n";
        std::fs::write(&path, own.replace("house", "claude-opus-5") + own).unwrap();
        let prices = Prices::load(dir.path()).unwrap();
        assert_eq!(prices.of("claude-opus-5").map(|price| price.input), Some(1.0));
        let cached = exact(Tokens { cache_read: 5, ..Tokens::default() });
        assert_eq!(prices.priced(cached, Some("house")).cost, None, "no price for cache reads");
        std::fs::write(&path, "\n[models.x]\ninputs = 1\n").unwrap();
        let said = Prices::load(dir.path()).unwrap_err().to_string();
        assert!(said.contains("pricing.toml`, line 3") && said.contains("inputs"), "{said}");
        std::fs::write(&path, own.replace("= 2", "= -2")).unwrap();
        assert!(Prices::load(dir.path()).unwrap_err().to_string().contains("no amount of dollars"));
    }
}
