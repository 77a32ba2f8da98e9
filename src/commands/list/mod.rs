//! `wt list`: the places there are, and what became of the work in each.

mod changes;
mod detail;
mod others;
mod state;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use crate::commands::allot::Budgeted;
use crate::commands::contents::{Looked, look};
use crate::commands::context::Context;
use crate::commands::spent::Spent;
use crate::commands::work::{self, Work};
use crate::domain::attempt::Pace;
use crate::domain::id::TaskId;
use crate::domain::name::VariantName;
use crate::domain::problem::Problem;
use crate::domain::usage::Usage;
use crate::domain::variant::{Idea, Merged, Variant, VariantState};
use crate::engine::start;
use crate::git::history::Distance;
use crate::git::operation::{self, Operation};
use crate::git::place::Place;
use crate::git::repo::Repo;
use crate::git::side_objects::SideObjects;
use crate::git::worktree_tree::Bounds;
use crate::git::{workers, worktree};
use crate::store::repos::{self, RepoRow};
use crate::store::{syncs, tasks, variants};

pub use changes::{Changes, NotCounted};
pub use detail::Detail;
pub use others::Other;
pub use state::State;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Every repository that has variants, not only the one stood in.
    pub all: bool,
    /// Tell more about each, and about the main checkout.
    pub detail: bool,
}

/// The places there are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The repository stood in, or with `--all` every one that has variants, by
    /// where it is.
    pub repositories: Vec<Listed>,
    /// When it was asked, which ages count to.
    pub now: Timestamp,
    /// Whether more was asked for.
    #[serde(skip)]
    pub detail: bool,
    /// Where the command stood, to show paths from there.
    #[serde(skip)]
    pub stood: PathBuf,
    /// The user's home, which is shown as `~`.
    #[serde(skip)]
    pub home: Option<PathBuf>,
}

/// One repository's places.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// The main checkout, or the directory around a bare repository.
    pub root: PathBuf,
    /// Why nothing can be told of it: it was moved, or is broken.
    pub trouble: Option<String>,
    /// The branch that its variants forked from, where it is the same for all; else the one of the
    /// main checkout. What worktrees that are no variants are counted against.
    pub base: Option<String>,
    /// The main checkout; `None` in a bare repository, and without `--tree`.
    pub main: Option<Main>,
    /// Its variants, oldest first.
    pub variants: Vec<Row>,
    /// Its worktrees that are no variants, the main checkout not among them.
    pub others: Vec<Other>,
}

/// The main checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Main {
    /// Its directory.
    pub path: PathBuf,
    /// Its branch; `None` when HEAD is detached.
    pub branch: Option<String>,
    /// The commit checked out; `None` before the first.
    pub commit: Option<String>,
    /// How many paths are uncommitted; `None` when that cannot be told.
    pub uncommitted: Option<usize>,
}

/// A variant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Its name.
    pub name: VariantName,
    /// Its idea, if it has one.
    pub idea: Option<Idea>,
    /// How it stands, in a word: `creating`, `removing`, `idle`, `queued`, `waiting`, `parked`, `running`,
    /// `asks`, `done`, `failed`, `stopped`, `lost`, `merged`.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
    /// When it goes on by itself, if it waits for that.
    pub until: Option<Timestamp>,
    /// How its agent gets on, while it runs: `active`, `slow`, `stalled`, `limited`.
    pub pace: Option<Pace>,
    /// The question that its agent asks, or why it is where it is.
    pub reason: Option<String>,
    /// Whether its agent changed anything, once that ended.
    pub changed: Option<bool>,
    /// The task that says how it stands.
    pub task: Option<TaskId>,
    /// Its directory.
    pub path: PathBuf,
    /// Its branch.
    pub branch: String,
    /// The branch that is checked out instead, when it is another; `HEAD` when none is.
    pub stands_on: Option<String>,
    /// The commit checked out; `None` when that cannot be told.
    pub commit: Option<String>,
    /// The branch it forked from, and is counted against.
    pub base: Option<String>,
    /// The commit it forked from, and is counted against where no branch is known.
    pub fork_commit: String,
    /// Commits that it has and its base has not, and the reverse; `None` when that cannot be told.
    pub distance: Option<Distance>,
    /// What it changes since it parted from its base, uncommitted work included; `None` when that
    /// cannot be told.
    pub changes: Option<Changes>,
    /// What git was in the middle of: `merge`, `rebase`, …
    #[serde(serialize_with = "operation_word")]
    pub operation: Option<Operation>,
    /// The branch whose sync into it waits for its conflicts to be settled.
    pub syncing: Option<String>,
    /// Paths in conflict.
    pub unmerged: usize,
    /// What all its agents used; `None` when none ever worked there, or none told.
    pub used: Option<Spent>,
    /// The same as it is shown; `None` when none ever worked there.
    #[serde(skip)]
    pub usage: Option<Usage>,
    /// What the agent that says how it stands may use, and what was used of that.
    pub budget: Option<Budgeted>,
    /// Its merge, if it was merged.
    pub merged: Option<Merged>,
    /// What is wrong with its worktree: it is gone, or cannot be read.
    pub trouble: Option<String>,
    /// More, with `--tree`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<Detail>,
}

/// Lists the places there are.
///
/// # Errors
/// When there is no repository here, or the state cannot be read.
pub fn run(ctx: &Context<'_>, request: Request) -> Result<Outcome, Problem> {
    if !tasks::open(ctx.store.read())?.is_empty() {
        // Nothing that has died shall be shown as running for longer than it takes to find out.
        start::ensure_running(ctx.store.layout(), ctx.environment)?;
    }
    let repositories = if request.all {
        let mut rows = repos::all(ctx.store.read())?;
        rows.sort_by(|a, b| a.root.cmp(&b.root));
        let mut all = vec![];
        for row in rows {
            all.extend(known(ctx, &row, &request)?);
        }
        all
    } else {
        let here = ctx.here()?;
        vec![listed(ctx, &here.repo, here.row.as_ref(), &request)?]
    };
    Ok(Outcome {
        repositories,
        now: ctx.clock.now(),
        detail: request.detail,
        stood: ctx.environment.cwd.clone(),
        home: ctx.environment.home(),
    })
}

/// A repository of the records; `None` when it has no variants any more.
fn known(ctx: &Context<'_>, row: &RepoRow, request: &Request) -> Result<Option<Listed>, Problem> {
    let present = variants::present(ctx.store.read(), &row.id)?;
    if present.is_empty() {
        return Ok(None);
    }
    let found = if row.common_dir.is_dir() {
        Repo::open(&row.common_dir).map_err(Problem::from)
    } else {
        Err(Problem::failed("it is not there any more"))
    };
    match found.and_then(|repo| listed(ctx, &repo, Some(row), request)) {
        Ok(listed) => Ok(Some(listed)),
        Err(problem) => Ok(Some(Listed {
            name: row.name.clone(),
            root: row.root.clone(),
            trouble: Some(problem.message),
            base: None,
            main: None,
            variants: vec![],
            others: vec![],
        })),
    }
}

fn listed(
    ctx: &Context<'_>,
    repo: &Repo,
    row: Option<&RepoRow>,
    request: &Request,
) -> Result<Listed, Problem> {
    let present = match row {
        Some(row) => variants::present(ctx.store.read(), &row.id)?,
        None => vec![],
    };
    let worktrees = worktree::list(repo)?;
    let base = shared_base(&present)
        .or_else(|| worktrees.iter().find(|one| one.id.is_none())?.branch().map(str::to_owned));
    let works = works(ctx, &present)?;
    refresh(ctx, repo, &present, &works);
    let seen = see(repo, &present)?;
    let mut rows = vec![];
    for ((variant, work), seen) in present.iter().zip(works).zip(seen) {
        let detail = match (&work, request.detail) {
            (Some(work), true) => Some(detail::of(ctx, work)?),
            _ => None,
        };
        let sync = syncs::of_variant(ctx.store.read(), variant.key)?;
        // One that was ended by hand is on record until somebody looks.
        let syncing = sync.filter(|_| seen.operation.is_some()).map(|sync| sync.from);
        rows.push(Row { detail, syncing, ..state::row(variant, work, seen) });
    }
    Ok(Listed {
        name: repo.name(),
        root: repo.root().to_path_buf(),
        trouble: None,
        main: if request.detail { others::main(repo)? } else { None },
        others: others::find(repo, worktrees, &present, base.as_deref())?,
        base,
        variants: rows,
    })
}

fn shared_base(present: &[Variant]) -> Option<String> {
    let first = present.first()?.base_branch.as_ref()?;
    let same = present.iter().all(|variant| variant.base_branch.as_ref() == Some(first));
    same.then(|| first.clone())
}

fn works(ctx: &Context<'_>, present: &[Variant]) -> Result<Vec<Option<Work>>, Problem> {
    let of = |variant: &Variant| work::of_variant(ctx.store.read(), variant.key);
    Ok(present.iter().map(of).collect::<Result<_, _>>()?)
}

/// Repairs the index of worktrees that were made a moment ago, once, where nobody is at work. What
/// cannot be repaired now is, by a later call: it only takes longer.
fn refresh(ctx: &Context<'_>, repo: &Repo, present: &[Variant], works: &[Option<Work>]) {
    let places: Vec<Place> = present
        .iter()
        .zip(works)
        .filter(|(variant, work)| {
            variant.state == VariantState::Ready
                && !work.as_ref().is_some_and(|work| work.state.is_under_way())
        })
        .map(|(variant, _)| place_of(repo, variant))
        .filter(|place| worktree::is_new(&place.git_dir))
        .collect();
    let now = ctx.clock.now();
    workers::each(&places, || (), |(), place| worktree::refresh_when_due(place, now).ok());
}

fn place_of(repo: &Repo, variant: &Variant) -> Place {
    Place::checkout(&variant.admin_dir, repo.common_dir(), &variant.path)
}

/// What git says about a variant.
#[derive(Debug, Default)]
struct Seen {
    commit: Option<String>,
    stands_on: Option<String>,
    distance: Option<Distance>,
    changes: Option<Changes>,
    operation: Option<Operation>,
    unmerged: usize,
    trouble: Option<String>,
}

/// Looks at all that are there; of one that is being made or removed nothing is told.
fn see(repo: &Repo, present: &[Variant]) -> Result<Vec<Seen>, Problem> {
    let ready: Vec<Variant> =
        present.iter().filter(|one| one.state == VariantState::Ready).cloned().collect();
    if ready.is_empty() {
        return Ok(present.iter().map(|_| Seen::default()).collect());
    }
    let side = std::sync::Arc::new(SideObjects::of(repo)?);
    let looked = look(repo.common_dir(), &side, &ready, &Bounds::GLANCE);
    let mut seen = changes::of_each(repo, &side, &ready, &looked)?.into_iter();
    let mut looked = ready.iter().zip(looked);
    present
        .iter()
        .map(|variant| {
            if variant.state != VariantState::Ready {
                return Ok(Seen::default());
            }
            let mut seen = seen.next().unwrap_or_default();
            if let Some((variant, looked)) = looked.next() {
                complete(&mut seen, repo, variant, looked)?;
            }
            Ok(seen)
        })
        .collect()
}

fn complete(
    seen: &mut Seen,
    repo: &Repo,
    variant: &Variant,
    looked: Looked,
) -> Result<(), Problem> {
    seen.trouble = trouble(variant, looked.trouble);
    let Some(contents) = looked.contents else { return Ok(()) };
    if contents.branch.as_ref() != Some(&variant.branch) {
        seen.stands_on = Some(contents.branch.unwrap_or_else(|| "HEAD".into()));
    }
    seen.commit = Some(contents.head);
    if let Some(worktree) = contents.worktree {
        seen.unmerged = worktree.unmerged.len();
        let place = place_of(repo, variant);
        // Where refs are no files git has to be asked: only when there is something to explain.
        if seen.unmerged > 0 || !place.git_dir.join("reftable").exists() {
            seen.operation = operation::in_progress(&place)?;
        }
    }
    Ok(())
}

/// What is wrong with a worktree, first of all whether it is one.
fn trouble(variant: &Variant, told: Option<String>) -> Option<String> {
    use worktree::Naming::{
        DirectoryElsewhere, Mutual, NoDirectory, NoRegistration, RegistrationElsewhere,
    };
    let why = match worktree::naming(&variant.path, &variant.admin_dir) {
        Mutual => return told,
        NoDirectory => "its worktree is gone",
        NoRegistration => "git knows nothing of its worktree",
        RegistrationElsewhere => "git knows its worktree at another place",
        DirectoryElsewhere => "the `.git` of its worktree was replaced",
    };
    Some(why.to_owned())
}

fn operation_word<S: serde::Serializer>(
    operation: &Option<Operation>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let text = operation.map(|operation| operation.to_string());
    text.as_deref().map(|text| text.trim_start_matches("a ")).serialize(serializer)
}

impl Outcome {
    /// A path as one would tell it: whole, with `~` for home.
    pub fn whole(&self, path: &Path) -> String {
        let home = self.home.as_deref().and_then(|home| path.strip_prefix(home).ok());
        match home {
            Some(rest) if !rest.as_os_str().is_empty() => format!("~/{}", rest.display()),
            _ => path.display().to_string(),
        }
    }

    /// A path as one would type it: from where the command stood, if that is no longer.
    pub fn shown(&self, path: &Path) -> String {
        let absolute = self.whole(path);
        let shared = path.iter().zip(self.stood.iter()).take_while(|(a, b)| a == b).count();
        let up = self.stood.iter().skip(shared).map(|_| "..".as_ref());
        let relative: PathBuf = up.chain(path.iter().skip(shared)).collect();
        let relative = relative.display().to_string();
        let near = !relative.is_empty() && relative.len() <= absolute.len();
        if near { relative } else { absolute }
    }
}
