//! Budgets: how much work may use, in tokens or in money, and what counts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::domain::usage::{Certainty, CostFrom, MicroUsd, Usage};

/// How much may be used: more than nothing, of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// Tokens: input + cache writes + output. Cache reads do not count.
    Tokens(u64),
    /// Money.
    Money(MicroUsd),
}

/// Why a text is no amount.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AmountError {
    /// It is neither tokens nor money.
    #[error("`{0}` is no amount: tokens as `200k` or `200_000`, money as `20usd` or `$20`")]
    Nonsense(String),
    /// It is nothing, or less.
    #[error("`{0}` is no budget: it has to be more than nothing")]
    Nothing(String),
    /// A part of a token, or of a millionth of a dollar.
    #[error("`{0}` is finer than can be counted")]
    TooFine(String),
    /// More than anybody has.
    #[error("`{0}` is more than can be counted")]
    TooMuch(String),
}

/// The most of either kind: sums of many still fit.
const MOST: u64 = 1_000_000_000_000_000;

impl Amount {
    /// What of a usage counts here, in this amount's own unit: tokens, or millionths of a dollar.
    /// `None` when nothing is known of it.
    pub fn counted(self, usage: &Usage) -> Option<u64> {
        match self {
            Self::Tokens(_) if usage.certainty == Certainty::Unknown => None,
            Self::Tokens(_) => Some(usage.tokens.billable()),
            Self::Money(_) => usage.cost.map(|cost| cost.0),
        }
    }

    /// Whether what counts of a usage is all there is, not only what is known.
    pub fn is_exact(self, usage: &Usage) -> bool {
        usage.certainty == Certainty::Exact
            && (matches!(self, Self::Tokens(_)) || usage.cost_from != CostFrom::Part)
    }

    /// The amount in its own unit.
    pub fn value(self) -> u64 {
        match self {
            Self::Tokens(tokens) => tokens,
            Self::Money(money) => money.0,
        }
    }

    /// So much of the same kind.
    #[must_use]
    pub fn with(self, value: u64) -> Self {
        match self {
            Self::Tokens(_) => Self::Tokens(value),
            Self::Money(_) => Self::Money(MicroUsd(value)),
        }
    }

    /// Whether both are of one kind, so that they can be compared.
    pub fn is_like(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Tokens(_), Self::Tokens(_)) | (Self::Money(_), Self::Money(_))
        )
    }

    /// How many whole percent of it so much is.
    pub fn percent(self, used: u64) -> u64 {
        let percent = u128::from(used) * 100 / u128::from(self.value().max(1));
        u64::try_from(percent).unwrap_or(u64::MAX)
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    /// `200k`, `1.5M`, `200_000`, `20usd`, `$20`, `$0.50`.
    fn from_str(text: &str) -> Result<Self, AmountError> {
        let nonsense = || AmountError::Nonsense(text.to_owned());
        let folded = text.trim().to_ascii_lowercase();
        let (positive, negative) = match folded.strip_prefix('-') {
            Some(rest) => (rest.trim(), true),
            None => (folded.as_str(), false),
        };
        let money = positive.strip_prefix('$').or_else(|| positive.strip_suffix("usd"));
        let (number, unit) = match money {
            Some(number) => (number.trim(), 1_000_000),
            None => match positive.strip_suffix("tokens").unwrap_or(positive).trim() {
                number if number.ends_with('k') => (&number[..number.len() - 1], 1_000),
                number if number.ends_with('m') => (&number[..number.len() - 1], 1_000_000),
                number => (number, 1),
            },
        };
        let value = scaled(number, unit).ok_or_else(nonsense)?;
        match value {
            _ if negative => Err(AmountError::Nothing(text.to_owned())),
            Scaled::TooFine => Err(AmountError::TooFine(text.to_owned())),
            Scaled::TooMuch => Err(AmountError::TooMuch(text.to_owned())),
            Scaled::Whole(0) => Err(AmountError::Nothing(text.to_owned())),
            Scaled::Whole(value) if money.is_some() => Ok(Self::Money(MicroUsd(value))),
            Scaled::Whole(value) => Ok(Self::Tokens(value)),
        }
    }
}

enum Scaled {
    Whole(u64),
    TooFine,
    TooMuch,
}

/// A decimal number times a power of ten, exactly; `None` when it is no number.
fn scaled(number: &str, unit: u64) -> Option<Scaled> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == '_');
    let begins = |text: &str| text.chars().next().is_none_or(|c| c.is_ascii_digit());
    let fine = begins(whole) && begins(part) && digits(whole) && digits(part);
    if !fine || (whole.is_empty() && part.is_empty()) || number.ends_with('.') {
        return None;
    }
    let (whole, part) = (whole.replace('_', ""), part.replace('_', ""));
    let part = part.trim_end_matches('0');
    let places = unit.ilog10() as usize;
    if part.len() > places {
        return Some(Scaled::TooFine);
    }
    let padded = format!("{whole}{part}{}", "0".repeat(places - part.len()));
    let padded = padded.trim_start_matches('0');
    Some(match padded.parse::<u64>() {
        _ if padded.is_empty() => Scaled::Whole(0),
        Ok(value) if value <= MOST => Scaled::Whole(value),
        _ => Scaled::TooMuch,
    })
}

impl fmt::Display for Amount {
    /// Short, as it could be typed: `200k tokens`, `2M tokens`, `1234 tokens`, `$20`, `$0.50`; as
    /// `{:#}` tokens are written out: `200,000 tokens`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Tokens(n) if f.alternate() => write!(f, "{} tokens", grouped(n)),
            Self::Tokens(n) if n.is_multiple_of(1_000_000) => {
                write!(f, "{}M tokens", n / 1_000_000)
            }
            Self::Tokens(n) if n.is_multiple_of(1_000) => write!(f, "{}k tokens", n / 1_000),
            Self::Tokens(n) => write!(f, "{n} tokens"),
            Self::Money(MicroUsd(n)) if n.is_multiple_of(1_000_000) => {
                write!(f, "${}", n / 1_000_000)
            }
            Self::Money(MicroUsd(n)) if n.is_multiple_of(10_000) => {
                write!(f, "${}.{:02}", n / 1_000_000, n % 1_000_000 / 10_000)
            }
            Self::Money(MicroUsd(n)) => write!(f, "${}.{:06}", n / 1_000_000, n % 1_000_000),
        }
    }
}

/// `200,000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    groups.map(String::from_utf8_lossy).collect::<Vec<_>>().join(",")
}

/// An amount, or that there is none: a setting's value. Written as a number of tokens, as a text
/// ([`Amount::from_str`]), or as `"none"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance(pub Option<Amount>);

/// What stands for no limit in the settings.
const NONE: &str = "none";

impl<'de> Deserialize<'de> for Allowance {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(i64),
            Text(String),
        }
        let text = match Written::deserialize(from)? {
            Written::Text(text) if text.trim() == NONE => return Ok(Self(None)),
            Written::Text(text) => text,
            Written::Number(number) => number.to_string(),
        };
        let hint = |error| serde::de::Error::custom(format!("{error}; no limit is `\"{NONE}\"`"));
        text.parse().map(|amount| Self(Some(amount))).map_err(hint)
    }
}

impl Serialize for Allowance {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(Amount::Tokens(tokens)) => to.serialize_u64(tokens),
            Some(money) => to.collect_str(&money),
            None => to.serialize_str(NONE),
        }
    }
}

/// How long the budgets of all work count before they begin anew, by the person's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday.
    Week,
    /// A month of the calendar.
    Month,
}

impl Period {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

/// What becomes of work whose default budget is used up. One given with `--budget` always stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnLimit {
    /// It is told, and the work goes on.
    Warn,
    /// The work is ended, and what waits goes on waiting.
    Stop,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::usage::Tokens;

    fn read(text: &str) -> Result<Amount, String> {
        text.parse::<Amount>().map_err(|error| error.to_string())
    }

    #[test]
    fn amounts_are_tokens_or_money() {
        for text in ["200k", "200_000", "200000", "200K", "0.2M", "200k tokens", " 200k "] {
            assert_eq!(read(text), Ok(Amount::Tokens(200_000)), "{text}");
        }
        for text in ["20usd", "$20", "20 USD", "$20.00", "$ 20"] {
            assert_eq!(read(text), Ok(Amount::Money(MicroUsd(20_000_000))), "{text}");
        }
        assert_eq!(read("$.5"), Ok(Amount::Money(MicroUsd(500_000))));
    }

    #[test]
    fn nonsense_is_refused_clearly() {
        for text in ["", "k", "$", "usd", "many", "1e5", "200kk", "20eur", "5.", "_5", "1,5", "∞"]
        {
            let said = read(text).unwrap_err();
            assert!(said.contains("is no amount: tokens as `200k`"), "{text}: {said}");
        }
        for text in ["0", "0k", "$0.00", "-5", "-$20", "-200k"] {
            let said = read(text).unwrap_err();
            assert!(said.ends_with("it has to be more than nothing"), "{text}: {said}");
        }
        assert!(read("1.5").unwrap_err().contains("finer"));
        assert!(read("0.0001k").unwrap_err().contains("finer"));
        assert!(read("$0.0000001").unwrap_err().contains("finer"));
        assert!(read("99999999999999999999999").unwrap_err().contains("more than can be counted"));
    }

    #[test]
    fn an_amount_is_shown_as_it_could_be_typed() {
        let shown = |text: &str| text.parse::<Amount>().unwrap().to_string();
        assert_eq!([shown("200k"), shown("2M")], ["200k tokens", "2M tokens"]);
        assert_eq!([shown("1234"), shown("20usd")], ["1234 tokens", "$20"]);
        assert_eq!(format!("{:#}", Amount::Tokens(1_234_567)), "1,234,567 tokens");
        assert_eq!([shown("$0.5"), shown("$0.0042")], ["$0.50", "$0.004200"]);
    }

    #[test]
    fn cache_reads_do_not_count_and_what_is_unknown_is_not_zero() {
        let tokens = Tokens { input: 5, cache_read: 1_000, cache_write: 7, output: 3 };
        let usage = Usage { tokens, certainty: Certainty::Exact, ..Usage::default() };
        let (budget, money) = (Amount::Tokens(10), Amount::Money(MicroUsd(10)));
        assert_eq!((budget.counted(&usage), budget.percent(15)), (Some(15), 150));
        assert_eq!(money.counted(&usage), None);
        assert_eq!(budget.counted(&Usage::default()), None);
    }

    #[test]
    fn a_setting_is_a_number_a_text_or_none() {
        #[derive(Debug, Deserialize)]
        struct File {
            total: Allowance,
        }
        let read = |text: &str| toml::from_str::<File>(&format!("total = {text}"));
        assert_eq!(read("200_000").unwrap().total, Allowance(Some(Amount::Tokens(200_000))));
        assert_eq!(read("\"$20\"").unwrap().total.0.unwrap().to_string(), "$20");
        assert_eq!(read("\"none\"").unwrap().total, Allowance(None));
        for text in ["0", "-3", "\"0usd\"", "\"much\""] {
            let said = read(text).unwrap_err().to_string();
            assert!(said.contains("no limit is `\"none\"`"), "{said}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back_as_the_same(value in 1..=MOST, money: bool) {
            let amount = if money { Amount::Money(MicroUsd(value)) } else { Amount::Tokens(value) };
            prop_assert_eq!(amount.to_string().parse::<Amount>(), Ok(amount));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,30}") {
            let read = text.parse::<Amount>();
            prop_assert!(read.is_err() || read.is_ok_and(|amount| amount.value() > 0));
        }
    }
}
