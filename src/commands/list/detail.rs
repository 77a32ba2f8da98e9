//! What `--tree` tells beside: who worked there, how often, and with what words it ended.

use std::io::{Read, Seek, SeekFrom};

use serde::Serialize;

use crate::commands::context::Context;
use crate::commands::work::Work;
use crate::domain::attempt::Exit;
use crate::domain::problem::Problem;
use crate::store::folder::Folder;
use crate::store::{attempts, tasks};

/// The most that is read of a final answer to find its first line.
const ANSWER_MAX: u64 = 4096;

/// The agent that is any command (`wt spawn --exec`); all that it writes is its answer.
const PLAIN: &str = "plain";

/// More about the work in a variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Detail {
    /// The agent's name.
    pub agent: String,
    /// The model that answered, else the one asked for.
    pub model: Option<String>,
    /// Its role.
    pub role: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Whether the setup commands went well; `None` when there were none, or they still run.
    pub setup: Option<bool>,
    /// The first line of its final answer; the last one that a plain command wrote.
    pub answer: Option<String>,
}

pub(super) fn of(ctx: &Context<'_>, work: &Work) -> Result<Detail, Problem> {
    let db = ctx.store.read();
    let task = tasks::by_id(db, &work.task)?
        .ok_or_else(|| Problem::failed(format!("task `{}` is gone from the records", work.task)))?;
    let latest = attempts::latest(db, &work.task)?;
    let mut detail = Detail {
        agent: task.agent,
        model: task.model,
        role: task.role,
        attempts: 0,
        setup: None,
        answer: None,
    };
    if let Some(attempt) = latest {
        let folder = Folder::of(ctx.store.layout(), &attempt.id);
        detail.attempts = attempt.number;
        detail.model = attempt.progress.model.or(detail.model);
        detail.setup = match (&attempt.exit, &attempt.agent) {
            (Some(Exit::Setup { .. }), _) => Some(false),
            (_, Some(_)) if folder.setup_log().exists() => Some(true),
            _ => None,
        };
        detail.answer = line(&folder, detail.agent == PLAIN);
    }
    Ok(detail)
}

fn line(folder: &Folder, last: bool) -> Option<String> {
    let mut file = std::fs::File::open(folder.result()).ok()?;
    if last {
        let length = file.metadata().ok()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(ANSWER_MAX))).ok()?;
    }
    let mut bytes = vec![];
    file.take(ANSWER_MAX).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = if last { lines.next_back() } else { lines.next() };
    line.map(|line| line.trim_start_matches(['#', ' ']).to_owned())
}
