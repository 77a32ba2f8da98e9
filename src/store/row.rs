//! Reading and writing single columns: times, JSON, words with a fixed set of values.

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::Type;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::error::StoreError;

/// A time as the store keeps it.
pub fn millis(time: Timestamp) -> i64 {
    time.as_millisecond()
}

/// The time in a column.
///
/// # Errors
/// When it is no time.
pub fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    let millis: i64 = row.get(column)?;
    Timestamp::from_millisecond(millis).map_err(|error| bad(column, Box::new(error)))
}

/// The time in a column that may be empty.
///
/// # Errors
/// When it is no time.
pub fn maybe_time(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    let millis: Option<i64> = row.get(column)?;
    millis
        .map(Timestamp::from_millisecond)
        .transpose()
        .map_err(|error| bad(column, Box::new(error)))
}

/// The value of a JSON column.
///
/// # Errors
/// When it does not parse.
pub fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| bad(column, Box::new(error)))
}

/// The value of a JSON column that may be empty.
///
/// # Errors
/// When it does not parse.
pub fn maybe_json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| bad(column, Box::new(error)))
}

/// A value as its JSON text.
///
/// # Errors
/// When it cannot be written as JSON (a path that is no UTF-8).
pub fn to_json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::BadRow { what: "value to keep", text: error.to_string() })
}

/// The word in a column, by its type's `parse`.
///
/// # Errors
/// When no value has that word.
pub fn word<T>(
    row: &Row<'_>,
    column: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    parse(&text).ok_or_else(|| bad(column, format!("unknown word `{text}`").into()))
}

/// As [`word`], for a column that may be empty.
///
/// # Errors
/// When no value has that word.
pub fn maybe_word<T>(
    row: &Row<'_>,
    column: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> rusqlite::Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| parse(&text).ok_or_else(|| bad(column, format!("`{text}`").into()))).transpose()
}

/// A path as text.
///
/// # Errors
/// When it is no UTF-8: such repositories are refused when they are first met.
pub fn path(path: &std::path::Path) -> Result<&str, StoreError> {
    path.to_str().ok_or_else(|| StoreError::BadRow {
        what: "path (it is not UTF-8)",
        text: path.to_string_lossy().into_owned(),
    })
}

fn bad(column: &str, error: Box<dyn std::error::Error + Send + Sync>) -> rusqlite::Error {
    let named = format!("column {column}: {error}");
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, named.into())
}
