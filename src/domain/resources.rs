//! How much of the machine one attempt may take, and who sees to it.

use std::path::PathBuf;

use bytesize::ByteSize;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The lowest priority there is, sched(7).
const NICE_MAX: u8 = 19;

/// The fewest processes that are any use: a shell, what it runs, and the one that starts them.
const PROCESSES_MIN: u64 = 4;

/// The least memory that any program starts with.
const MEMORY_MIN: u64 = 1_000_000;

/// `[resources]`: what everything in one attempt may take together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Resources {
    /// How far it stands back behind other work: 0 (not at all) to 19.
    #[serde(deserialize_with = "nice")]
    pub nice: u8,
    /// The most memory, in bytes; `None` is without limit.
    #[serde(serialize_with = "bytes", deserialize_with = "memory")]
    pub memory: Option<u64>,
    /// The most processes at once, each of their threads counted; `None` is without limit.
    #[serde(serialize_with = "number", deserialize_with = "processes")]
    pub processes: Option<u64>,
    /// How the limits are kept to.
    pub by: By,
}

/// How limits are kept to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// By a control group where one may be made, else by each process.
    #[default]
    Auto,
    /// By each process for itself: what it uses counts, and not what all use together.
    Process,
}

impl Resources {
    /// True when nothing of it keeps anything from anybody.
    pub fn is_free(&self) -> bool {
        self.nice == 0 && self.memory.is_none() && self.processes.is_none()
    }
}

/// Who sees to the limits of one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Keepers {
    /// To its memory; `None` where that has no limit.
    pub memory: Option<Keeper>,
    /// To its processes; `None` where their number has no limit.
    pub processes: Option<Keeper>,
}

/// Who sees to one limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Keeper {
    /// The control group of this directory.
    Cgroup {
        /// Its directory.
        dir: PathBuf,
    },
    /// Each process for itself, by a limit that it inherits.
    Process,
    /// Nobody.
    Nobody {
        /// Why, in a few words: `no cgroup may be written`.
        why: String,
    },
}

impl Keeper {
    /// The directory of the control group that it is.
    pub fn group(&self) -> Option<&PathBuf> {
        match self {
            Self::Cgroup { dir } => Some(dir),
            _ => None,
        }
    }
}

/// What ran into a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Refused {
    /// How many processes were killed because there was no more memory.
    pub killed: u64,
    /// How often no further process or thread could be started.
    pub forks: u64,
}

/// A number of bytes for people: `8 GB`, `1.5 GB`.
pub fn size(bytes: u64) -> String {
    ByteSize(bytes).display().si().to_string().replace(".0 ", " ")
}

fn nice<'de, D: Deserializer<'de>>(value: D) -> Result<u8, D::Error> {
    let value = i64::deserialize(value)?;
    let fits = u8::try_from(value).ok().filter(|nice| *nice <= NICE_MAX);
    fits.ok_or_else(|| serde::de::Error::custom(format!("{value} is not 0 to {NICE_MAX}")))
}

/// A limit as it is written: a number, or a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(i64),
    Text(String),
}

impl Written {
    /// Its words; `None` for `none`.
    fn words(self) -> Option<String> {
        match self {
            Self::Number(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.trim().to_owned()).filter(|text| text != "none"),
        }
    }
}

fn memory<'de, D: Deserializer<'de>>(value: D) -> Result<Option<u64>, D::Error> {
    let Some(text) = Written::deserialize(value)?.words() else { return Ok(None) };
    let size = text.parse::<ByteSize>().ok().map(|size| size.as_u64());
    let Some(size) = size else {
        let why = format!("`{text}` is no amount of memory: `8GB`, `512MiB` or `none`");
        return Err(serde::de::Error::custom(why));
    };
    let too_little = || format!("`{text}` is too little to run anything: 1MB at least");
    if size < MEMORY_MIN { Err(serde::de::Error::custom(too_little())) } else { Ok(Some(size)) }
}

fn processes<'de, D: Deserializer<'de>>(value: D) -> Result<Option<u64>, D::Error> {
    let Some(text) = Written::deserialize(value)?.words() else { return Ok(None) };
    let count = text.replace('_', "").parse::<u64>().ok();
    let Some(count) = count.filter(|count| *count >= PROCESSES_MIN) else {
        let why = format!("`{text}` is no number of processes: {PROCESSES_MIN} or more, or `none`");
        return Err(serde::de::Error::custom(why));
    };
    Ok(Some(count))
}

fn bytes<S: Serializer>(value: &Option<u64>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&value.map_or("none".to_owned(), |bytes| format!("{bytes}B")))
}

fn number<S: Serializer>(value: &Option<u64>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&value.map_or("none".to_owned(), |count| count.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Resources, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn limits_are_read_as_people_write_them() {
        let text = "nice = 5\nmemory = \"8GB\"\nprocesses = 4_000\nby = \"auto\"";
        let found = read(text).unwrap();
        let (memory, processes) = (Some(8_000_000_000), Some(4_000));
        assert_eq!(found, Resources { nice: 5, memory, processes, by: By::Auto });
        let written = toml::to_string(&found).unwrap();
        assert_eq!(read(&written).unwrap(), found, "{written}");
        assert_eq!((size(8_000_000_000), size(1_500_000)), ("8 GB".into(), "1.5 MB".into()));
        let free = read("nice = 0\nmemory = \"none\"\nprocesses = \"none\"\nby = \"process\"");
        assert!(free.unwrap().is_free() && !found.is_free());
        assert!(read(&toml::to_string(&Resources::default()).unwrap()).unwrap().is_free());
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        let with = |key: &str, value: &str| {
            let mut lines = vec!["nice = 0", "memory = \"none\"", "processes = \"none\""];
            lines.retain(|line| !line.starts_with(key));
            let line = format!("{key} = {value}");
            read(&[&lines[..], &[line.as_str(), "by = \"auto\""]].concat().join("\n")).unwrap_err()
        };
        assert_eq!(with("nice", "20"), "20 is not 0 to 19");
        assert_eq!(with("nice", "-1"), "-1 is not 0 to 19");
        assert!(with("memory", "\"lots\"").contains("`lots` is no amount of memory"));
        assert!(with("memory", "0").contains("too little"));
        assert!(with("memory", "-5").contains("`-5` is no amount"));
        assert!(with("processes", "3").contains("`3` is no number of processes"));
        assert!(with("processes", "\"many\"").contains("4 or more, or `none`"));
    }
}
