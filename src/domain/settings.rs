//! The settings as the program uses them, after all layers were joined.

use std::collections::BTreeMap;
use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::budget::{Allowance, OnLimit, Period};
use crate::domain::resources::Resources;
use crate::domain::written;

/// Every setting. The built-in layer (`templates/config.toml`) gives each a value, so nothing here
/// is optional unless absence means something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where variants are and how they are made ready.
    pub worktree: WorktreeSettings,
    /// Variables for everything that runs in a variant; `{name}`, `{branch}`, `{path}` are filled in.
    pub env: BTreeMap<String, String>,
    /// Which agent, and what it may do.
    pub agent: AgentSettings,
    /// How much at once.
    pub limits: LimitSettings,
    /// How much of the machine each task.
    pub resources: Resources,
    /// How much may be used.
    pub budget: BudgetSettings,
    /// What follows a bad end.
    pub retry: RetrySettings,
    /// How a winner is merged.
    pub merge: MergeSettings,
}

/// `[worktree]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorktreeSettings {
    /// Where a variant's directory goes, relative to the main checkout; `{repo}` and `{name}` are
    /// filled in.
    pub path: String,
    /// The branch's name; `{name}` is filled in.
    pub branch: String,
    /// Globs of ignored files to carry over, matched at any depth.
    pub copy: Vec<String>,
    /// Commands run in a new variant before its agent.
    pub setup: Vec<String>,
    /// Commands run in a variant before it is removed.
    pub teardown: Vec<String>,
    /// Whether submodules are initialised in a new variant.
    pub submodules: bool,
}

/// `[agent]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentSettings {
    /// The template that is used without `--agent`.
    pub default: String,
    /// What an agent may do without asking.
    pub permissions: Permissions,
}

/// What an agent may do without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permissions {
    /// Read only.
    Read,
    /// Edit and run commands in its worktree.
    Work,
    /// Anything that the user may.
    Full,
}

/// `[limits]`: over all repositories, so only the user's own hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// Background tasks at once.
    pub tasks: u32,
    /// Agents at once.
    pub agent: u32,
    /// Builds and unit tests at once.
    pub build: u32,
    /// End-to-end tests at once.
    pub e2e: u32,
    /// Unattended starts wait while the processors are busier than this; 100 never waits.
    #[serde(deserialize_with = "percent")]
    pub cpu_percent: u8,
    /// Unattended starts wait while more of the memory is in use; 100 never waits.
    #[serde(deserialize_with = "percent")]
    pub memory_percent: u8,
    /// Unattended starts wait while less is free where the repository or the state is.
    pub disk_free: ByteSize,
}

fn percent<'de, D: Deserializer<'de>>(value: D) -> Result<u8, D::Error> {
    let value = u8::deserialize(value)?;
    let refuse = || serde::de::Error::custom(format!("{value} is no percentage: 1 to 100"));
    if (1..=100).contains(&value) { Ok(value) } else { Err(refuse()) }
}

/// `[budget]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetSettings {
    /// How long `total` and `background` count before they begin anew.
    pub period: Period,
    /// For everything, over all repositories, in a period.
    pub total: Allowance,
    /// For background work, over all repositories, in a period.
    pub background: Allowance,
    /// For each task that is given none of its own, all its attempts together.
    pub per_task: Allowance,
    /// At which percentages of a budget it is told, once each.
    pub warn_at: Vec<Percent>,
    /// What becomes of work whose default budget is used up.
    pub on_limit: OnLimit,
}

impl BudgetSettings {
    /// Whether work is ended when a default budget is used up.
    pub fn stops(&self) -> bool {
        self.on_limit == OnLimit::Stop
    }
}

/// A percentage at which a budget warns: 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Percent(u8);

impl Percent {
    /// The number.
    pub fn value(self) -> u64 {
        u64::from(self.0)
    }
}

impl From<Percent> for i64 {
    fn from(percent: Percent) -> Self {
        Self::from(percent.0)
    }
}

impl TryFrom<i64> for Percent {
    type Error = String;

    fn try_from(number: i64) -> Result<Self, String> {
        match u8::try_from(number) {
            Ok(percent @ 1..=100) => Ok(Self(percent)),
            _ => Err(format!("`{number}` is no percentage to warn at: 1 to 100 are")),
        }
    }
}

/// `[retry]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetrySettings {
    /// How often at most something is tried again without anybody asking.
    pub max: u32,
    /// How long to wait before the first of these; doubles from one to the next.
    #[serde(with = "written")]
    pub backoff: Duration,
    /// Whether a usage limit is waited for.
    pub park: bool,
}

/// `[merge]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MergeSettings {
    /// What `wt merge` does without a flag.
    pub strategy: MergeStrategy,
}

/// How a variant becomes part of its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MergeStrategy {
    /// Fast-forward if possible, else a merge commit.
    Merge,
    /// One commit of everything.
    Squash,
    /// Its commits again on top of the base.
    Rebase,
    /// Fast-forward or nothing.
    FfOnly,
}
