//! Settings: the layers, which wins, and where each value comes from.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde::Serialize;
use toml::{Table, Value};

use crate::domain::settings::Settings;
use crate::store::environment::Environment;
use crate::store::error::StoreError;

/// The built-in layer: the full list of valid keys, too.
pub const BUILT_IN: &str = include_str!("../../templates/config.toml");

/// A settings file is written by hand; more than this is a mistake or an attack.
const FILE_MAX: u64 = 256 * 1024;

/// The table whose keys are the user's own.
const FREE_TABLE: &str = "env";

/// Settings that are a number of tokens, or a text: `"200k"`, `"20usd"`, `"none"`.
const AMOUNTS: [&str; 3] = ["budget.total", "budget.background", "budget.per_task"];

/// Settings that are `"none"`, another text, or a number.
const BOUNDS: [&str; 2] = ["resources.memory", "resources.processes"];

/// One layer of settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Where it comes from.
    pub origin: Origin,
    /// Its values, as far as it has any.
    pub values: Table,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// `templates/config.toml`.
    BuiltIn,
    /// The user's file.
    User(String),
    /// The repository's `wt.toml`.
    Repository(String),
    /// A variable, by name.
    Variable(String),
    /// The command line.
    Flag(String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built-in"),
            Self::User(text) | Self::Repository(text) | Self::Variable(text) | Self::Flag(text) => {
                f.write_str(text)
            }
        }
    }
}

/// The settings with the origin of each value.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// What the program uses.
    pub settings: Settings,
    /// Dotted key → value and origin, in the order of the keys.
    pub origins: BTreeMap<String, (Value, Origin)>,
}

impl Config {
    /// Joins the layers, later ones winning value by value (a list is one value).
    ///
    /// # Errors
    /// [`StoreError::Setting`] naming the layer and key of the first value that cannot be.
    pub fn join(layers: impl IntoIterator<Item = Layer>) -> Result<Self, StoreError> {
        let valid = built_in()?;
        let mut origins = BTreeMap::new();
        for (key, value) in leaves(&valid) {
            origins.insert(key, (value, Origin::BuiltIn));
        }
        for layer in layers {
            for (key, value) in leaves(&layer.values) {
                check(&valid, &layer.origin, &key, &value)?;
                origins.insert(key, (value, layer.origin.clone()));
            }
        }
        let settings = settings_of(&origins)?;
        Ok(Self { settings, origins })
    }

    /// The origin of one value.
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        self.origins.get(key).map(|(_, origin)| origin)
    }
}

/// The layer of a settings file; `None` when there is no such file.
///
/// # Errors
/// When it is there but cannot be read, is too large, or is no TOML.
pub fn file_layer(
    path: &Path,
    origin: impl FnOnce(String) -> Origin,
) -> Result<Option<Layer>, StoreError> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::file("read", path)(error)),
    };
    let mut text = String::new();
    let mut limited = file.take(FILE_MAX + 1);
    limited.read_to_string(&mut text).map_err(StoreError::file("read", path))?;
    text_layer(&text, origin(path.display().to_string())).map(Some)
}

/// The settings that hold over all repositories: the user's own file above the built-in ones. No
/// repository's settings can hold for all, nor the variables of whichever shell asks.
///
/// # Errors
/// When the file cannot be read or says what cannot be.
pub fn of_user(environment: &Environment) -> Result<Settings, StoreError> {
    let file = environment.config_dir().map(|dir| dir.join("config.toml"));
    let layer = file.map(|file| file_layer(&file, Origin::User)).transpose()?.flatten();
    Ok(Config::join(layer)?.settings)
}

/// The layer of a settings text.
///
/// # Errors
/// When it is too large or is no TOML.
pub fn text_layer(text: &str, origin: Origin) -> Result<Layer, StoreError> {
    if text.len() as u64 > FILE_MAX {
        let why = format!("is larger than {} KiB", FILE_MAX / 1024);
        return Err(StoreError::Setting { origin: origin.to_string(), why, nearest: None });
    }
    let values = text.parse::<Table>().map_err(|error| StoreError::Setting {
        origin: match error.span() {
            Some(span) => {
                let line = text[..span.start.min(text.len())].matches('\n').count() + 1;
                format!("{origin}:{line}")
            }
            None => origin.to_string(),
        },
        why: error.message().trim().replace('\n', "; "),
        nearest: None,
    })?;
    Ok(Layer { origin, values })
}

/// The layers that `WT_SECTION_KEY` variables give, one each.
///
/// # Errors
/// When the built-in layer does not parse, which a test excludes.
pub fn variable_layers(environment: &Environment) -> Result<Vec<Layer>, StoreError> {
    let mut layers = vec![];
    for (key, valid) in leaves(&built_in()?) {
        let name = format!("WT_{}", key.replace('.', "_").to_ascii_uppercase());
        let Some(text) = environment.get(&name) else { continue };
        let value = match valid {
            Value::String(_) => Value::String(text.to_owned()),
            // Numbers, truths and lists are written as in TOML; what does not parse stays a text
            // and is refused with its name when the layers are joined.
            _ => format!("value = {text}")
                .parse::<Table>()
                .ok()
                .and_then(|mut table| table.remove("value"))
                .unwrap_or_else(|| Value::String(text.to_owned())),
        };
        layers.push(Layer { origin: Origin::Variable(name), values: nested(&key, value) });
    }
    Ok(layers)
}

fn built_in() -> Result<Table, StoreError> {
    Ok(text_layer(BUILT_IN, Origin::BuiltIn)?.values)
}

/// `a.b = value` as tables in one another.
fn nested(key: &str, value: Value) -> Table {
    let (first, rest) = key.split_once('.').map_or((key, None), |(a, b)| (a, Some(b)));
    let value =
        rest.map_or_else(|| value.clone(), |rest| Value::Table(nested(rest, value.clone())));
    Table::from_iter([(first.to_owned(), value)])
}

/// Every value that is no table, with its dotted key.
fn leaves(table: &Table) -> Vec<(String, Value)> {
    let mut found = vec![];
    for (key, value) in table {
        match value {
            Value::Table(inner) => {
                found.extend(leaves(inner).into_iter().map(|(k, v)| (format!("{key}.{k}"), v)));
            }
            value => found.push((key.clone(), value.clone())),
        }
    }
    found
}

fn lookup<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    match key.split_once('.') {
        Some((first, rest)) => lookup(table.get(first)?.as_table()?, rest),
        None => table.get(key),
    }
}

/// Refuses a key that does not exist and a value of the wrong type.
fn check(valid: &Table, origin: &Origin, key: &str, value: &Value) -> Result<(), StoreError> {
    let refuse = |why: String, nearest| {
        Err(StoreError::Setting { origin: origin.to_string(), why, nearest })
    };
    if let Some(name) = key.strip_prefix("env.") {
        return match value {
            Value::String(_) if is_variable_name(name) => Ok(()),
            Value::String(_) => refuse(format!("`{name}` is no name for a variable"), None),
            other => refuse(format!("`{key}` must be a text, not {}", kind(other)), None),
        };
    }
    match lookup(valid, key) {
        None | Some(Value::Table(_)) => refuse(format!("unknown key `{key}`"), nearest(valid, key)),
        Some(model) if model.same_type(value) => Ok(()),
        Some(_) if AMOUNTS.contains(&key) && value.is_str() => Ok(()),
        Some(_) if BOUNDS.contains(&key) && value.is_integer() => Ok(()),
        Some(model) => {
            refuse(format!("`{key}` must be {}, not {}", kind(model), kind(value)), None)
        }
    }
}

fn is_variable_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
        Value::Datetime(_) => "a time",
    }
}

fn nearest(valid: &Table, key: &str) -> Option<String> {
    let mut known: Vec<String> = leaves(valid).into_iter().map(|(key, _)| key).collect();
    known.push(FREE_TABLE.into());
    known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(&known, key), known))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

/// The joined values as the program's own type. A value that only this type refuses (`"rad"` for
/// permissions) is found by trying each layer's value alone against the built-in rest.
fn settings_of(origins: &BTreeMap<String, (Value, Origin)>) -> Result<Settings, StoreError> {
    let mut table = built_in()?;
    for (key, (value, origin)) in origins {
        if *origin == Origin::BuiltIn {
            continue;
        }
        merge(&mut table, nested(key, value.clone()));
        if let Err(error) = table.clone().try_into::<Settings>() {
            let why = error.message().trim().replace('\n', "; ");
            let why = format!("`{key}`: {why}");
            return Err(StoreError::Setting { origin: origin.to_string(), why, nearest: None });
        }
    }
    table.try_into().map_err(|error| StoreError::Setting {
        origin: Origin::BuiltIn.to_string(),
        why: error.message().to_owned(),
        nearest: None,
    })
}

fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::settings::Permissions;

    fn user(text: &str) -> Layer {
        text_layer(text, Origin::User("config.toml".into())).unwrap()
    }

    #[test]
    fn the_built_in_layer_is_complete() {
        let config = Config::join([]).unwrap();
        assert_eq!(config.settings.limits.tasks, 5);
        assert_eq!(config.settings.limits.disk_free.as_u64(), 2_000_000_000);
        assert!(config.origins.values().all(|(_, origin)| *origin == Origin::BuiltIn));
    }

    #[test]
    fn later_layers_win_value_by_value() {
        let repo = Origin::Repository("wt.toml".into());
        let repo = text_layer("[agent]\npermissions = \"read\"\n[env]\nA = \"{name}\"", repo);
        let environment = Environment::of([("WT_LIMITS_TASKS", "2")], "/");
        let mut layers = vec![user("[agent]\ndefault = \"codex\""), repo.unwrap()];
        layers.extend(variable_layers(&environment).unwrap());
        let config = Config::join(layers).unwrap();
        assert_eq!(config.settings.agent.default, "codex");
        assert_eq!(config.settings.agent.permissions, Permissions::Read);
        assert_eq!(config.settings.limits.tasks, 2);
        assert_eq!(config.settings.env["A"], "{name}");
        let money = Environment::of([("WT_BUDGET_TOTAL", "$20"), ("WT_BUDGET_PER_TASK", "9")], "/");
        let budget = Config::join(variable_layers(&money).unwrap()).unwrap().settings.budget;
        assert_eq!(budget.total.0.unwrap().to_string(), "$20");
        assert_eq!(budget.per_task.0.unwrap().to_string(), "9 tokens");
        let origin = Origin::Variable("WT_LIMITS_TASKS".into());
        assert_eq!(config.origin("limits.tasks"), Some(&origin));
    }

    fn refusal(text: &str) -> String {
        match text_layer(text, Origin::User("f".into())).and_then(|layer| Config::join([layer])) {
            Err(StoreError::Setting { origin, why, nearest }) => {
                format!("{origin}: {why} ({})", nearest.unwrap_or_default())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        assert_eq!(refusal("[limits]\ntask = 3"), "f: unknown key `limits.task` (limits.tasks)");
        assert_eq!(refusal("x = 1\n="), refusal("x = 1\n="));
        assert!(refusal("\n\n[a\n").starts_with("f:3: "), "{}", refusal("\n\n[a\n"));
        let wrong = refusal("[limits]\ntasks = \"5\"");
        assert_eq!(wrong, "f: `limits.tasks` must be a whole number, not a text ()");
        assert!(refusal("[agent]\npermissions = \"rad\"").contains("`agent.permissions`"));
        assert!(refusal("[limits]\ntasks = -1").contains("`limits.tasks`"));
        assert!(refusal("[budget]\ntotal = 0").contains("`budget.total`: `0` is no budget"));
        assert!(refusal("[budget]\ntotal = \"lots\"").contains("`lots` is no amount"));
        assert!(refusal("[budget]\ntotal = true").contains("must be a whole number"));
        assert!(refusal("[budget]\nwarn_at = [75, 101]").contains("`101` is no percentage"));
        assert!(refusal("[limits]\ncpu_percent = 0").contains("0 is no percentage: 1 to 100"));
        assert!(refusal("[limits]\ndisk_free = \"some\"").contains("`limits.disk_free`"));
        assert!(refusal("[env]\n\"A=B\" = \"x\"").contains("no name for a variable"));
        assert!(refusal("[worktree.path]\nx = 1").contains("unknown key `worktree.path.x`"));
    }
}
