//! What is put into a new worktree besides its commit: uncommitted work, submodules, ignored files,
//! and, where no agent will do it, what `setup` makes.

use std::path::PathBuf;

use serde::Serialize;

use crate::commands::context::{Context, Here};
use crate::commands::spawn::base::Base;
use crate::commands::spawn::crew;
use crate::commands::spawn::spot::Spot;
use crate::domain::problem::{Kind, Problem};
use crate::engine::shell::Shell;
use crate::git::carry::{self, Found, Globs};
use crate::git::error::GitError;
use crate::git::place::Place;
use crate::git::submodules;
use crate::git::uncommitted::{self, Brought, Fit, Taken, Uncommitted};
use crate::git::worktree::{self, MARK_VARIABLE};

/// What is to be put into each new worktree.
#[derive(Debug, Default)]
pub struct Furnishing {
    globs: Globs,
    /// The checkout whose ignored files are carried; `None` where there is none.
    source: Option<Place>,
    changes: Option<(Uncommitted, Brought)>,
}

/// What was put into one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Furnished {
    /// Ignored files and directories that were carried over.
    pub carried: Vec<PathBuf>,
    /// What matched, or was asked for, and stayed behind.
    pub left: Vec<LeftBehind>,
    /// Directories that a package manager fills, which stayed behind for setup to make anew.
    pub dependencies: Vec<PathBuf>,
    /// Uncommitted work that was taken along.
    pub changes: Option<Changes>,
    /// What became of submodules; `None` when there are none.
    pub submodules: Option<Submodules>,
}

/// Something that stayed behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftBehind {
    /// From the checkout's top.
    pub path: PathBuf,
    /// Why, to be read after the path.
    pub why: String,
}

/// Uncommitted work that was taken along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// How many paths.
    pub paths: usize,
    /// False when what was staged is not any more, because the variant forks from another commit.
    pub staging_kept: bool,
}

/// What became of submodules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Submodules {
    /// Fetched and checked out.
    Initialised,
    /// Left empty, since `worktree.submodules` is off.
    Empty,
}

impl Furnishing {
    /// Decides what is put into worktrees that fork from this base.
    ///
    /// # Errors
    /// A glob that cannot be read; uncommitted work that does not go onto the base.
    pub fn plan(here: &Here, base: &Base, with_changes: bool) -> Result<Self, Problem> {
        let copy = &here.settings().worktree.copy;
        let origin = here.config.origin("worktree.copy").map(ToString::to_string);
        let globs = Globs::new(copy).map_err(|error| {
            Problem::usage(format!("{}: `worktree.copy`: {error}", origin.unwrap_or_default()))
        })?;
        let changes = if with_changes { changes(here, base)? } else { None };
        Ok(Self { globs, source: source(here, base)?, changes })
    }

    /// The checkout that a new worktree takes sparse patterns from, and calls to git start in.
    pub fn from(&self, here: &Here) -> Place {
        here.repo.main_place().or_else(|| self.source.clone()).unwrap_or_else(|| here.repo.place())
    }

    /// Finds the ignored files that will be carried: once for all worktrees, and while git makes
    /// them. One of them goes to `spot`, the others beside it.
    ///
    /// # Errors
    /// When git cannot say what is ignored.
    pub fn find(&self, spot: &Spot) -> Result<Found, GitError> {
        let Some(from) = &self.source else { return Ok(Found::default()) };
        let folder = spot.path.parent().filter(|folder| *folder != from.dir());
        carry::find(from, &self.globs, folder.unwrap_or(&spot.path))
    }

    /// Takes submodules into the repository's configuration; the caller holds its lock.
    ///
    /// # Errors
    /// git's own.
    pub fn register(&self, here: &Here, place: &Place) -> Result<(), Problem> {
        if here.settings().worktree.submodules && submodules::are_there(place) {
            submodules::register(place)?;
        }
        Ok(())
    }

    /// Puts everything into one new worktree, and with `setup_mark` runs the setup commands,
    /// started under that mark so that they are found if this process dies.
    ///
    /// # Errors
    /// What could not be put there, or the setup command that failed.
    pub fn put_into(
        &self,
        ctx: &Context<'_>,
        here: &Here,
        (place, found): (&Place, &Found),
        (spot, setup_mark): (&Spot, Option<&str>),
    ) -> Result<Furnished, Problem> {
        let mut furnished = Furnished::default();
        if let Some((work, brought)) = &self.changes {
            brought.apply(place)?;
            let staging_kept = brought.keeps_staging;
            furnished.changes = Some(Changes { paths: work.paths, staging_kept });
            let left = work.left.iter().cloned();
            furnished.left.extend(left.map(|(path, why)| LeftBehind { path, why }));
        }
        if submodules::are_there(place) {
            furnished.submodules = Some(if here.settings().worktree.submodules {
                let _progress = ctx.observer.begin("fetching submodules", None);
                submodules::fill(place)?;
                Submodules::Initialised
            } else {
                Submodules::Empty
            });
        }
        let carried = carry::put(found, &spot.path, ctx.observer)?;
        furnished.carried = carried.paths;
        furnished.dependencies = carried.dependencies;
        let left = carried.left.into_iter();
        furnished.left.extend(left.map(|left| LeftBehind { path: left.path, why: left.why }));
        if let Some(mark) = setup_mark {
            setup(ctx, here, spot, mark)?;
        }
        Ok(furnished)
    }
}

/// The checkout whose ignored files are carried: the main one; around a bare repository the one
/// stood in, or the one of the base branch. Never a variant's, which an agent owns.
fn source(here: &Here, base: &Base) -> Result<Option<Place>, Problem> {
    if let Some(main) = here.repo.main_place() {
        return Ok(Some(main));
    }
    if here.variant.is_none() && here.standing.work_tree.is_some() {
        return Ok(Some(here.standing.clone()));
    }
    let Some(branch) = &base.branch else { return Ok(None) };
    let worktrees = worktree::list(&here.repo)?;
    let found = worktrees.iter().find(|one| one.branch() == Some(branch.as_str()));
    let of_a_variant = here.variant.as_ref().is_some_and(|variant| variant.branch == *branch);
    Ok(found.filter(|one| !of_a_variant && one.path.is_dir()).map(|one| one.place(&here.repo)))
}

fn changes(here: &Here, base: &Base) -> Result<Option<(Uncommitted, Brought)>, Problem> {
    if here.standing.work_tree.is_none() {
        return Err(Problem::usage("there is no checkout here whose changes could come along"));
    }
    let shown = |paths: &[PathBuf]| -> Vec<String> {
        paths.iter().take(20).map(|path| path.display().to_string()).collect()
    };
    let work = match uncommitted::take(&here.standing)? {
        Taken::Nothing => return Ok(None),
        Taken::Work(work) => work,
        Taken::Unmerged(paths) => {
            let text = "the changes here cannot come along: a merge left conflicts in them";
            return Err(Problem::failed(text)
                .details(shown(&paths))
                .hint("settle the conflicts first, or leave out `--with-changes`"));
        }
    };
    match work.onto(&here.standing, &base.commit)? {
        Fit::Clean(brought) => Ok(Some((work, brought))),
        Fit::Conflicts(paths) => {
            let commit = base.commit.get(..7).unwrap_or_default();
            let text = format!("the changes here conflict with {commit}, where the variant begins");
            Err(Problem::new(Kind::Conflicts, text)
                .details(shown(&paths))
                .hint("fork from where you stand instead: leave out `--from`"))
        }
    }
}

/// Runs the setup commands in the foreground: what an agent's start would do otherwise.
fn setup(ctx: &Context<'_>, here: &Here, spot: &Spot, mark: &str) -> Result<(), Problem> {
    let commands = &here.settings().worktree.setup;
    if commands.is_empty() {
        return Ok(());
    }
    let all = ctx.environment.variables().collect();
    let mut environment = crew::environment(here, spot, all)?;
    environment.push((MARK_VARIABLE.into(), mark.into()));
    for command in commands {
        ctx.observer.tell(&format!("setup    {command}"));
        let shell = Shell { command, cwd: &spot.path, environment: &environment };
        let ended = shell.run(&mut |line| ctx.observer.tell(&format!("  {line}")))?;
        if ended.code != Some(0) {
            let how = match ended.code {
                Some(code) => format!("exited with {code}"),
                None => "was ended by a signal".to_owned(),
            };
            return Err(Problem::failed(format!("setup command `{command}` {how}"))
                .details(ended.last_lines)
                .hint("mend it in the settings: `wt config show worktree.setup`"));
        }
    }
    Ok(())
}
