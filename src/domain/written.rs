//! Lengths of time as people write them: `90s`, `10m`, `1h30m`.

use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, Serializer};

/// A length of time as a person writes it.
///
/// # Errors
/// In words, when the text is none, or a negative one.
pub fn duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration =
        text.trim().parse().map_err(|_| "a time is written like 90s, 10m or 1h30m".to_owned())?;
    Duration::try_from(parsed).map_err(|_| "a time cannot be negative".to_owned())
}

/// For `#[serde(with = "written")]`.
///
/// # Errors
/// The serializer's.
pub fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(*value))
}

/// For `#[serde(with = "written")]`.
///
/// # Errors
/// When it is no text, or no time.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    duration(&String::deserialize(from)?).map_err(serde::de::Error::custom)
}

/// The reverse of [`duration`], to the second: `30s`, `1h 30m`.
pub fn text(value: Duration) -> String {
    let seconds = value.as_secs();
    if seconds == 0 && !value.is_zero() {
        return format!("{}ms", value.as_millis());
    }
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let parts: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if parts.is_empty() { "0s".into() } else { parts.join(" ") }
}

/// The same where there need be none.
pub mod maybe {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer};

    /// For `#[serde(deserialize_with = "written::maybe::deserialize")]`.
    ///
    /// # Errors
    /// When it is no text, or no time.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| super::duration(&text)).transpose().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for text_of in ["0s", "500ms", "30s", "15m", "1h 30m", "26h 1s"] {
            assert_eq!(text(duration(text_of).unwrap()), text_of);
        }
        assert_eq!(duration("1h30m").unwrap(), duration("90m").unwrap());
        assert!(duration("-1s").unwrap_err().contains("negative"));
        assert!(duration("soon").unwrap_err().contains("10m"));
    }
}
