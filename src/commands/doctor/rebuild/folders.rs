//! What the folders of attempts still tell when the database does not.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;

use crate::domain::attempt::Exit;
use crate::domain::id::{AttemptId, TaskId};
use crate::domain::launch::LaunchSpec;
use crate::domain::task::{FailureClass, TaskState};
use crate::domain::usage::Usage;
use crate::engine::evidence::{Evidence, judge};
use crate::engine::process::identity::{Here, Liveness};
use crate::engine::run::tail::{Tail, end_of};
use crate::store::folder::{ExitRecord, Folder, HolderRecord};
use crate::store::layout::Layout;

/// How much of what an agent wrote to standard error is looked at.
const STDERR_MAX: u64 = 16 * 1024;

/// One attempt, by its folder.
pub struct Kept {
    /// What ran, or was to run.
    pub spec: LaunchSpec,
    /// When it was queued, by the file's own time.
    pub created_at: Timestamp,
    /// What was asked, where the agent read it from a file; else the last word of its command.
    pub prompt: String,
    /// Where it stands.
    pub standing: Standing,
}

/// Where an attempt stands.
pub enum Standing {
    /// It was never let go.
    Waited,
    /// Its holder lives.
    Runs(Box<HolderRecord>),
    /// It has ended.
    Ended(Box<Past>),
}

/// An attempt that has ended.
pub struct Past {
    /// Who held it, where that was written down.
    pub holder: Option<HolderRecord>,
    /// When it began and ended.
    pub times: (Timestamp, Timestamp),
    /// How.
    pub exit: Exit,
    /// What becomes of its task.
    pub state: TaskState,
    /// Why, in one line.
    pub reason: String,
    /// What kind of failure it was.
    pub failure: Option<FailureClass>,
    /// What it used.
    pub usage: Usage,
    /// Its session.
    pub session: Option<String>,
}

/// All attempts by task, each task's in their order, and the folders that say nothing.
pub fn read(layout: &Layout) -> (BTreeMap<TaskId, Vec<Kept>>, Vec<String>) {
    let here = Here::read();
    let (mut tasks, mut unreadable) = (BTreeMap::<TaskId, Vec<Kept>>::new(), vec![]);
    for entry in std::fs::read_dir(layout.attempts()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let folder = Folder::of(layout, &AttemptId::new(name.clone()));
        match folder.spec() {
            Ok(spec) if spec.attempt.as_str() == name => {
                tasks.entry(spec.task.clone()).or_default().push(kept(spec, &folder, &here));
            }
            _ => unreadable.push(name),
        }
    }
    for attempts in tasks.values_mut() {
        attempts.sort_by_key(|kept| kept.spec.attempt.number());
    }
    (tasks, unreadable)
}

fn kept(spec: LaunchSpec, folder: &Folder, here: &Here) -> Kept {
    let created_at = modified(&folder.dir().join("spec.json"));
    let prompt = std::fs::read_to_string(folder.prompt()).ok();
    let prompt = prompt.or_else(|| spec.argv.last().cloned()).unwrap_or_default();
    let holder = folder.holder().ok().flatten();
    let standing = match (folder.exit().ok().flatten(), holder) {
        (Some(record), holder) => Standing::Ended(Box::new(ended(&spec, folder, record, holder))),
        (None, Some(holder)) if here.liveness(&holder.holder) != Liveness::Dead => {
            Standing::Runs(Box::new(holder))
        }
        (None, Some(holder)) => Standing::Ended(Box::new(Past {
            times: (created_at, modified(&folder.stdout())),
            holder: Some(holder),
            exit: Exit::Unobserved,
            state: TaskState::Lost,
            reason: "nobody saw how it ended".into(),
            failure: None,
            usage: Usage::default(),
            session: None,
        })),
        (None, None) => Standing::Waited,
    };
    Kept { spec, created_at, prompt, standing }
}

/// Judged anew by its output, as it was when it ended. What its worktree held then cannot be known
/// any more, so that is not asked.
fn ended(
    spec: &LaunchSpec,
    folder: &Folder,
    record: ExitRecord,
    holder: Option<HolderRecord>,
) -> Past {
    let mut tail = Tail::new(spec, folder.stdout());
    // What could be read of it is judged; the rest stays unknown.
    tail.finish().ok();
    let report = tail.report();
    let verdict = judge(&Evidence {
        dialect: spec.dialect,
        report,
        exit: &record.exit,
        stderr_tail: &end_of(&folder.stderr(), STDERR_MAX),
        patterns: &spec.failures,
        needs_change: false,
        changed: None,
        stop: record.stop.as_ref(),
        starved: spec.resources.memory.filter(|_| record.refused.killed > 0),
        blocked: None,
        missing: None,
        verify: spec.verify.as_deref().map(|command| (command, record.verify.as_ref())),
    });
    Past {
        holder,
        times: (record.started_at.unwrap_or(record.ended_at), record.ended_at),
        state: verdict.state,
        reason: verdict.reason,
        failure: verdict.failure,
        usage: report.usage,
        session: report.session.clone(),
        exit: record.exit,
    }
}

fn modified(path: &Path) -> Timestamp {
    let time = std::fs::metadata(path).and_then(|meta| meta.modified());
    let time = time.ok().and_then(|time| Timestamp::try_from(time).ok());
    let time = time.and_then(|time| Timestamp::from_millisecond(time.as_millisecond()).ok());
    time.unwrap_or_default()
}
