//! Rows for what was found in folders and in git.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::commands::doctor::rebuild::folders::{self, Kept, Standing};
use crate::domain::attempt::{Attempt, AttemptKind, AttemptState, Progress};
use crate::domain::id::TaskId;
use crate::domain::name::VariantName;
use crate::domain::problem::Problem;
use crate::domain::task::{Lane, Task, TaskState};
use crate::domain::variant::{Variant, VariantState};
use crate::git::command::Git;
use crate::git::repo::Repo;
use crate::git::worktree::{self, Naming, naming, registration_named_in};
use crate::store::attempts::{self, Folded};
use crate::store::clock::Clock;
use crate::store::db::{Connection, Store};
use crate::store::environment::Environment;
use crate::store::error::StoreError;
use crate::store::layout::Layout;
use crate::store::repos::{self, RepoRow};
use crate::store::tasks::Change;
use crate::store::{tasks, variants};

/// How much came back.
#[derive(Debug, Default)]
pub struct Rebuilt {
    variants: usize,
    tasks: usize,
    /// Tasks whose worktree is not where it was, so that nobody knows which repository's they were.
    homeless: usize,
    unreadable: usize,
}

/// A repository that is on record again.
struct Known {
    repo: Repo,
    row: RepoRow,
    /// Keys of variants by their directory.
    variants: BTreeMap<PathBuf, i64>,
}

/// Makes a new database in the directories of `new`, and fills it with what is found in those of
/// `old`. All of it is in the one file when it returns.
///
/// # Errors
/// When it cannot be written, or git fails.
pub fn rebuild(old: &Layout, new: &Layout, environment: &Environment) -> Result<Rebuilt, Problem> {
    let (found, unreadable) = folders::read(old);
    let store = Store::open(new.clone())?;
    let now = Clock::of(environment).now();
    let mut rebuilt = Rebuilt { unreadable: unreadable.len(), ..Rebuilt::default() };
    let mut known: Vec<Known> = vec![];
    store.write_durably(|tx| -> Result<(), Problem> {
        for attempts in found.values() {
            let Some(last) = attempts.last() else { continue };
            place(tx, &mut known, last, now)?;
        }
        for (id, attempts) in &found {
            match home(&known, attempts) {
                Some((known, variant)) => {
                    task(tx, (id, attempts), &known.row, variant)?;
                    rebuilt.tasks += 1;
                }
                None => rebuilt.homeless += 1,
            }
        }
        Ok(())
    })?;
    rebuilt.variants = known.iter().map(|known| known.variants.len()).sum();
    Ok(rebuilt)
}

/// Puts the worktree of an attempt on record, and its repository, where directory and registration
/// still name each other.
fn place(
    db: &Connection,
    known: &mut Vec<Known>,
    kept: &Kept,
    now: jiff::Timestamp,
) -> Result<(), Problem> {
    let path = &kept.spec.cwd;
    let Some(admin_dir) = registration_named_in(path) else { return Ok(()) };
    if naming(path, &admin_dir) != Naming::Mutual {
        return Ok(());
    }
    let Some(common_dir) = admin_dir.ancestors().nth(2) else { return Ok(()) };
    let index = match known.iter().position(|known| known.repo.common_dir() == common_dir) {
        Some(index) => index,
        None => {
            let Ok(repo) = Repo::open(common_dir) else { return Ok(()) };
            let row = repos::ensure(db, repo.common_dir(), (repo.root(), &repo.name()), now)?;
            known.push(Known { repo, row, variants: BTreeMap::new() });
            known.len() - 1
        }
    };
    let Some(known) = known.get_mut(index).filter(|known| !known.variants.contains_key(path))
    else {
        return Ok(());
    };
    if let Some(variant) = variant(known, kept, &admin_dir)? {
        let key = variants::insert(db, &variant)?;
        known.variants.insert(path.clone(), key);
    }
    Ok(())
}

fn variant(known: &Known, kept: &Kept, admin_dir: &Path) -> Result<Option<Variant>, Problem> {
    let path = &kept.spec.cwd;
    let all = worktree::list(&known.repo)?;
    let branch = all.iter().find(|one| one.git_dir == admin_dir).and_then(|one| one.branch());
    let said = kept.spec.env.iter().find(|(name, _)| name == "WT_NAME");
    let folder = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = said.map(|(_, name)| name.clone()).or(folder).unwrap_or_default();
    let (Some(branch), Ok(name)) = (branch, name.parse::<VariantName>()) else { return Ok(None) };
    let main = known.repo.main_place().map(|place| known.repo.head(&place)).transpose()?;
    let base_branch = main.and_then(|head| head.branch().map(str::to_owned));
    let tip = known.repo.branch(branch)?.unwrap_or_default();
    let base = base_branch.as_deref().unwrap_or("HEAD");
    let asked = Git::read(&known.repo.place()).args(["merge-base", base, &tip]).answer()?;
    let fork_commit = if asked.code == Some(0) { asked.text() } else { tip };
    Ok(Some(Variant {
        key: 0,
        repo: known.row.id.clone(),
        name,
        branch: branch.to_owned(),
        path: path.clone(),
        admin_dir: admin_dir.to_path_buf(),
        base_branch,
        fork_commit,
        idea: None,
        state: VariantState::Ready,
        // Whether `wt` made them is on record nowhere any more, so `wt` will not remove them.
        made_branch: false,
        made_worktree: false,
        created_at: kept.created_at,
        merged: None,
    }))
}

/// The repository of a task: that of its variant, else the one whose variants are beside it.
fn home<'k>(known: &'k [Known], attempts: &[Kept]) -> Option<(&'k Known, Option<i64>)> {
    let path = &attempts.last()?.spec.cwd;
    let own = known.iter().find_map(|known| Some((known, Some(*known.variants.get(path)?))));
    own.or_else(|| {
        let beside =
            |known: &&Known| known.variants.keys().any(|other| other.parent() == path.parent());
        Some((known.iter().find(beside)?, None))
    })
}

fn task(
    db: &Connection,
    (id, kept): (&TaskId, &[Kept]),
    repo: &RepoRow,
    variant: Option<i64>,
) -> Result<(), StoreError> {
    let (Some(first), Some(last)) = (kept.first(), kept.last()) else { return Ok(()) };
    let task = Task {
        id: id.clone(),
        repo: repo.id.clone(),
        variant,
        role: "engineer".into(),
        agent: last.spec.agent.clone(),
        model: None,
        prompt: first.prompt.clone(),
        lane: Lane::Agent,
        priority: 5,
        state: TaskState::Queued,
        reason: None,
        failure: None,
        question: None,
        changed: None,
        verify: last.spec.verify.clone(),
        created_at: first.created_at,
        started_at: None,
        ended_at: None,
    };
    tasks::insert(db, &task)?;
    for one in kept {
        attempt(db, id, one)?;
    }
    let to = |from, to, change: &Change, at| tasks::transition(db, id, (from, to), change, at);
    match &last.standing {
        Standing::Waited => {
            let reason = "it waited in the queue when the state was lost; start it: `wt retry`";
            let change = Change { reason: Some(reason.into()), ..Change::default() };
            to(TaskState::Queued, TaskState::Lost, &change, last.created_at)
        }
        Standing::Runs(_) => {
            to(TaskState::Queued, TaskState::Running, &Change::default(), last.created_at)
        }
        Standing::Ended(past) => {
            let (began, ended) = past.times;
            to(TaskState::Queued, TaskState::Running, &Change::default(), began)?;
            let reason = (!past.reason.is_empty()).then(|| past.reason.clone());
            let change = Change { reason, failure: past.failure, ..Change::default() };
            to(TaskState::Running, past.state, &change, ended)
        }
    }
}

fn attempt(db: &Connection, task: &TaskId, kept: &Kept) -> Result<(), StoreError> {
    let number = kept.spec.attempt.number();
    let attempt = Attempt {
        id: kept.spec.attempt.clone(),
        task: task.clone(),
        number,
        kind: if number == 1 { AttemptKind::First } else { AttemptKind::Retry },
        prompt: kept.prompt.clone(),
        state: AttemptState::Prepared,
        holder: None,
        agent: None,
        session: kept.spec.session.clone(),
        baseline: kept.spec.baseline,
        usage: Default::default(),
        told: None,
        progress: Progress::default(),
        exit: None,
        containment: None,
        stop_requested: None,
        again: None,
        not_before: None,
        failure: None,
        reason: None,
        created_at: kept.created_at,
        started_at: None,
        ended_at: None,
    };
    attempts::insert(db, &attempt)?;
    let id = &attempt.id;
    match &kept.standing {
        Standing::Waited => attempts::end(db, id, AttemptState::Abandoned, None, kept.created_at),
        Standing::Runs(record) => {
            attempts::start(db, id, &record.holder, &record.containment, kept.created_at)
        }
        Standing::Ended(past) => {
            if let Some(record) = &past.holder {
                attempts::start(db, id, &record.holder, &record.containment, past.times.0)?;
            }
            let (usage, session) = (past.usage, past.session.as_deref());
            let folded = Folded { usage, session, progress: None, containment: None };
            attempts::fold(db, id, &folded)?;
            attempts::end(db, id, AttemptState::Ended, Some(&past.exit), past.times.1)
        }
    }
}

impl fmt::Display for Rebuilt {
    /// After `moved to …;`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variants, tasks, homeless, unreadable } = self;
        write!(f, "rebuilt from folders and git: {variants} variants, {tasks} tasks")?;
        if *homeless > 0 {
            write!(f, "; {homeless} tasks of variants that are gone stay in their folders")?;
        }
        if *unreadable > 0 {
            write!(f, "; {unreadable} folders could not be read")?;
        }
        f.write_str(
            "; not known any more: which ideas compete, what was merged, approved or in the \
             trash, and variants without an agent (`wt adopt` takes those up)",
        )
    }
}
