//! What a cleanup would do to each variant, and what stands in its way.

use std::path::PathBuf;

use serde::Serialize;

use crate::commands::cleanup::Skipped;
use crate::commands::cleanup::choose::Chosen;
use crate::commands::cleanup::look::{Look, look};
use crate::commands::cleanup::running;
use crate::commands::context::{Context, Here};
use crate::domain::problem::Problem;
use crate::domain::task::Task;
use crate::domain::variant::Variant;
use crate::git::integrated::Integrated;
use crate::git::operation;
use crate::git::place::Place;
use crate::store::{merges, syncs};

/// What a cleanup would do.
#[derive(Debug, Default)]
pub struct Plan {
    /// What goes, in order.
    pub removals: Vec<Removal>,
    /// What cannot go as asked.
    pub blocked: Vec<Blocked>,
    /// What a filter passed over.
    pub skipped: Vec<Skipped>,
}

/// One variant that goes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Removal {
    /// Its name.
    pub name: String,
    /// Its worktree.
    pub path: PathBuf,
    /// What becomes of the worktree.
    pub worktree: WorktreeFate,
    /// Its branch, without `refs/heads/`.
    pub branch: String,
    /// What becomes of the branch.
    pub branch_fate: BranchFate,
    /// Commits that are nowhere else.
    pub unmerged: u64,
    /// Files with uncommitted changes; `None` when the tree is too large to look at in passing.
    pub changes: Option<u64>,
    /// Tasks that are stopped first.
    pub stops: Vec<String>,
    #[serde(skip)]
    pub(super) variant: Variant,
    /// Where the branch stands.
    #[serde(skip)]
    pub(super) tip: Option<String>,
}

/// What becomes of a worktree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorktreeFate {
    /// It goes to the trash.
    Trash,
    /// It stays: it was there before `wt`, which only forgets it.
    Stays,
    /// It is gone already; its registration goes.
    Vanished,
}

/// What becomes of a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fate", rename_all = "kebab-case")]
pub enum BranchFate {
    /// It is deleted; all it brings is elsewhere.
    Integrated {
        /// How that is known.
        proof: Integrated,
        /// Where it is.
        into: String,
    },
    /// It is deleted with commits that are nowhere else; a restore makes it again.
    Unmerged,
    /// It stays: `wt` did not make it.
    Stays,
    /// It is gone already.
    Missing,
}

/// One variant that cannot go as asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blocked {
    /// Its name.
    pub name: String,
    /// Why, in words.
    pub why: String,
    /// Whether `--force` passes it.
    pub force_passes: bool,
    /// What else to do about it.
    pub hints: Vec<String>,
}

impl Plan {
    /// Looks at each of the chosen variants.
    ///
    /// # Errors
    /// When git or the store cannot say.
    pub fn of(
        ctx: &Context<'_>,
        here: &Here,
        chosen: &Chosen,
        force: bool,
    ) -> Result<Self, Problem> {
        let mut plan = Self { skipped: chosen.skipped.clone(), ..Self::default() };
        for variant in &chosen.variants {
            let tasks = running::open_tasks(ctx, variant)?;
            let look = look(here, variant)?;
            let waits = match waiting_merge(ctx, variant)? {
                Some(merge) => Some(merge),
                None => waiting_sync(ctx, here, variant)?,
            };
            if chosen.filtered
                && let Some(why) = unfit(variant, &look, (&tasks, waits.as_ref()))
            {
                plan.skip(variant, why);
                continue;
            }
            let mut found = look.blocked(variant, chosen.losers);
            found.extend(waits);
            found.extend(running::blocked(variant, &tasks));
            found.retain(|blocked| !(blocked.force_passes && force));
            if found.is_empty() {
                plan.removals.push(look.removal(variant, &tasks));
            }
            plan.blocked.extend(found);
        }
        Ok(plan)
    }

    fn skip(&mut self, variant: &Variant, why: Option<String>) {
        if let Some(why) = why {
            self.skipped.push(Skipped { name: variant.name.to_string(), why });
        }
    }

    /// Goes on only when nothing is in the way.
    ///
    /// # Errors
    /// What is in the way.
    pub fn refuse_blocked(&self) -> Result<(), Problem> {
        let Some(first) = self.blocked.first() else { return Ok(()) };
        let names: Vec<&str> = self.blocked.iter().map(|one| one.name.as_str()).collect();
        let mut problem = match self.blocked.len() {
            1 => Problem::refused(format!("`{}` was not removed: {}", first.name, first.why)),
            _ => Problem::refused("nothing was removed, because of these").details(
                self.blocked.iter().map(|blocked| format!("{}: {}", blocked.name, blocked.why)),
            ),
        };
        for hint in self.blocked.iter().flat_map(|blocked| &blocked.hints) {
            if !problem.hints.contains(hint) {
                problem = problem.hint(hint.clone());
            }
        }
        if self.blocked.iter().all(|blocked| blocked.force_passes) {
            let names = names.join(" ");
            let text = "remove it all the same; it can be restored for 30 days";
            problem = problem.hint(format!("{text}: `wt cleanup {names} --force`"));
        }
        Err(problem.data(&self.blocked))
    }

    /// Whether anything goes that is not safely elsewhere.
    pub fn needs_yes(&self) -> bool {
        let unfinished = |one: &Removal| {
            one.worktree != WorktreeFate::Stays
                && (one.unmerged > 0 || one.changes != Some(0) || !one.stops.is_empty())
        };
        self.removals.iter().any(unfinished)
    }

    /// One line for each variant, as a person reads it before saying yes.
    pub fn lines(&self) -> Vec<String> {
        let width = self.removals.iter().map(|one| one.name.len()).max().unwrap_or(0);
        self.removals.iter().map(|one| format!("{:width$}  {}", one.name, one.told())).collect()
    }

    /// Stops what runs in the variants, and looks again: an agent's leftovers are committed when it
    /// has ended.
    ///
    /// # Errors
    /// When something cannot be stopped.
    pub fn stop(self, ctx: &Context<'_>, here: &Here, chosen: &Chosen) -> Result<Self, Problem> {
        if self.removals.iter().all(|removal| removal.stops.is_empty()) {
            return Ok(self);
        }
        for removal in &self.removals {
            running::stop(ctx, &removal.variant)?;
        }
        let keys: Vec<i64> = self.removals.iter().map(|removal| removal.variant.key).collect();
        let again = Chosen {
            variants: chosen.variants.iter().filter(|v| keys.contains(&v.key)).cloned().collect(),
            skipped: self.skipped,
            filtered: false,
            losers: chosen.losers,
        };
        let plan = Self::of(ctx, here, &again, true)?;
        plan.refuse_blocked()?;
        Ok(plan)
    }
}

impl Removal {
    /// What goes and what becomes of it, in one line.
    pub fn told(&self) -> String {
        let mut held = vec![];
        if !self.stops.is_empty() {
            held.push("its agent is stopped".to_owned());
        }
        if self.unmerged > 0 {
            held.push(counted(self.unmerged, "unmerged commit"));
        }
        match self.changes {
            Some(0) => {}
            Some(count) => held.push(counted(count, "uncommitted change")),
            None => held.push("uncommitted changes not looked for".to_owned()),
        }
        if held.is_empty() {
            held.push("nothing unfinished".to_owned());
        }
        format!("{} → {}", held.join(", "), self.fate())
    }

    fn fate(&self) -> String {
        let worktree = match self.worktree {
            WorktreeFate::Trash => "to the trash for 30 days",
            WorktreeFate::Stays => "forgotten; its worktree stays",
            WorktreeFate::Vanished => "its worktree is gone already",
        };
        let branch = match self.branch_fate {
            BranchFate::Integrated { .. } | BranchFate::Unmerged => "branch deleted",
            BranchFate::Stays => "branch stays",
            BranchFate::Missing => "branch is gone already",
        };
        format!("{worktree}, {branch}")
    }
}

/// `1 commit`, `2 commits`.
pub(super) fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A merge of it that stopped at conflicts: what was settled of them is beside the variant, and
/// nobody would look for it there any more.
fn waiting_merge(ctx: &Context<'_>, variant: &Variant) -> Result<Option<Blocked>, Problem> {
    let waiting = merges::of_variant(ctx.store.read(), variant.key)?;
    let name = variant.name.to_string();
    Ok(waiting.map(|_| Blocked {
        why: "a merge of it waits for its conflicts to be settled".to_owned(),
        force_passes: false,
        hints: vec![
            format!("go on with it: `wt merge {name} --continue`"),
            format!("or give it up: `wt merge {name} --abort`"),
        ],
        name,
    }))
}

/// A sync of it that stopped at conflicts: a worktree in the midst of one is nothing to put away.
fn waiting_sync(
    ctx: &Context<'_>,
    here: &Here,
    variant: &Variant,
) -> Result<Option<Blocked>, Problem> {
    let Some(sync) = syncs::of_variant(ctx.store.read(), variant.key)? else { return Ok(None) };
    let place = Place::checkout(&variant.admin_dir, here.repo.common_dir(), &variant.path);
    // One that was ended by hand is on record until somebody looks.
    if !variant.path.is_dir() || operation::in_progress(&place)?.is_none() {
        return Ok(None);
    }
    let name = variant.name.to_string();
    Ok(Some(Blocked {
        why: format!("its sync with {} waits for its conflicts to be settled", sync.from),
        force_passes: false,
        hints: vec![
            format!("go on with it: `wt sync {name} --continue`"),
            format!("or give it up: `wt sync {name} --abort`"),
        ],
        name,
    }))
}

/// Why a filter passes a variant over; the inner `None` does so in silence, since nobody would
/// expect it to be meant.
fn unfit(
    variant: &Variant,
    look: &Look,
    (tasks, waits): (&[Task], Option<&Blocked>),
) -> Option<Option<String>> {
    if !look.was_merged(variant) {
        return Some(None);
    }
    if !tasks.is_empty() {
        return Some(Some("its agent is at work".to_owned()));
    }
    if let Some(waits) = waits {
        return Some(Some(waits.why.clone()));
    }
    match look.changes() {
        Some(0) => None,
        Some(count) => Some(Some(counted(count, "uncommitted change"))),
        None => None,
    }
}
