//! Names that a person gives: what is allowed, and what to propose when it is not.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest name: it must fit a path component and a ref with prefix and suffix to spare.
pub const NAME_MAX: usize = 64;

/// A variant's name: one path component that is also a valid part of a ref.
///
/// ASCII letters, digits, `.`, `_` and `-`; begins with a letter or digit; no `..`, no `.lock` or
/// `.` at its end. Everything git's `check-ref-format` and a file system could object to is
/// outside of that, so a valid name needs no quoting anywhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VariantName(String);

impl VariantName {
    /// The name as typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key under which names are unique: two names that differ in case only are one on some
    /// file systems, so they are one for `wt` everywhere.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The name of member `number` (from 1) of a fan-out of this name.
    ///
    /// # Errors
    /// When the number makes it too long.
    pub fn member(&self, number: u32) -> Result<Self, NameError> {
        format!("{}-{number}", self.0).parse()
    }

    /// The part before the last `-`, which suggests an idea; `None` without one.
    pub fn stem(&self) -> Option<&str> {
        self.0.rsplit_once('-').map(|(stem, _)| stem).filter(|stem| !stem.is_empty())
    }
}

impl fmt::Display for VariantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for VariantName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<VariantName> for String {
    fn from(name: VariantName) -> Self {
        name.0
    }
}

impl TryFrom<String> for VariantName {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl FromStr for VariantName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        check(text).map_err(|why| NameError { name: shown(text), why, slug: slug(text) })?;
        Ok(Self(text.to_owned()))
    }
}

/// Why a text is no name, and the nearest text that is one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{name}` cannot be a variant's name: {why}")]
pub struct NameError {
    /// The text as given, shortened to one line.
    pub name: String,
    /// The rule it breaks.
    pub why: &'static str,
    /// A valid name made of it, if anything of it can be kept.
    pub slug: Option<String>,
}

fn check(text: &str) -> Result<(), &'static str> {
    let first = text.chars().next().ok_or("it is empty")?;
    if text.len() > NAME_MAX {
        return Err("it is longer than 64 characters");
    }
    if text.chars().any(char::is_whitespace) {
        return Err("it holds white space");
    }
    if !first.is_ascii_alphanumeric() {
        return Err("it must begin with a letter or a digit");
    }
    if !text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')) {
        return Err("only letters, digits, `.`, `_` and `-` are allowed");
    }
    if text.contains("..") {
        return Err("it holds `..`");
    }
    if text.ends_with('.') {
        return Err("it ends in `.`");
    }
    if text.to_ascii_lowercase().ends_with(".lock") {
        return Err("it ends in `.lock`, which git keeps for itself");
    }
    Ok(())
}

/// A valid name made of any text: `"Add a dark theme!"` gives `add-a-dark-theme`. At most five
/// words, so that a whole prompt makes a name one can type. `None` when nothing is left.
pub fn slug(text: &str) -> Option<String> {
    let words: Vec<String> = text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.')
        .map(|word| word.trim_matches(|c| c == '.' || c == '_').to_ascii_lowercase())
        .filter(|word| !word.is_empty())
        .take(5)
        .collect();
    let mut slug = words.join("-").replace("..", ".");
    slug.truncate(40);
    let slug = slug.trim_end_matches(['-', '.', '_']).to_owned();
    check(&slug).is_ok().then_some(slug)
}

/// At most 60 characters of one line, control characters replaced, to be shown in a message.
fn shown(text: &str) -> String {
    let clean: String =
        text.chars().take(60).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().count() > 60 { format!("{clean}…") } else { clean }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_git_or_a_path_would_misread_are_refused() {
        for bad in ["", "-x", ".git", "a/b", "a..b", "a.lock", "a.", "a b", "ä", "a\n", "a~1"] {
            assert!(bad.parse::<VariantName>().is_err(), "{bad:?}");
        }
        for good in ["a", "theme-dark", "v1.2_x", "0"] {
            assert!(good.parse::<VariantName>().is_ok(), "{good:?}");
        }
    }

    #[test]
    fn a_sentence_is_answered_with_a_slug() {
        let error = "Add a bold, dark theme!".parse::<VariantName>().unwrap_err();
        assert_eq!(error.slug.as_deref(), Some("add-a-bold-dark-theme"));
    }

    proptest! {
        #[test]
        fn a_slug_is_always_a_name(text in "\\PC{0,80}") {
            if let Some(slug) = slug(&text) {
                prop_assert!(slug.parse::<VariantName>().is_ok(), "{slug:?}");
            }
        }
    }
}
