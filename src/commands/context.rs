//! What every command is given: the state, the settings, the place it stands in, the person.

use std::path::{Path, PathBuf};

use crate::commands::recover;
use crate::domain::name::VariantName;
use crate::domain::observer::{Observer, Person};
use crate::domain::problem::Problem;
use crate::domain::resources::Resources;
use crate::domain::settings::Settings;
use crate::domain::variant::Variant;
use crate::git::command::Git;
use crate::git::place::Place;
use crate::git::repo::Repo;
use crate::store::clock::Clock;
use crate::store::config::{self, Config, Layer, Origin};
use crate::store::db::Store;
use crate::store::environment::Environment;
use crate::store::layout::Layout;
use crate::store::repos::{self, RepoRow};
use crate::store::variants;

/// What a command works with, wherever it stands.
pub struct Context<'a> {
    /// The environment it was started in, `-C` applied to its `cwd`.
    pub environment: &'a Environment,
    /// Tells the time.
    pub clock: Clock,
    /// The state.
    pub store: Store,
    /// Hears what goes on.
    pub observer: &'a dyn Observer,
    /// Answers questions, if there is somebody.
    pub person: &'a dyn Person,
}

/// The repository that a command stands in.
pub struct Here {
    /// The repository.
    pub repo: Repo,
    /// Its row; `None` as long as it has never had a variant.
    pub row: Option<RepoRow>,
    /// The checkout it stands in.
    pub standing: Place,
    /// The variant it stands in.
    pub variant: Option<Variant>,
    /// The settings that hold here.
    pub config: Config,
}

impl<'a> Context<'a> {
    /// Opens the state of this environment.
    ///
    /// # Errors
    /// When the state cannot be opened.
    pub fn open(
        environment: &'a Environment,
        observer: &'a dyn Observer,
        person: &'a dyn Person,
    ) -> Result<Self, Problem> {
        let store = Store::open(Layout::prepare(environment)?)?;
        Ok(Self { environment, clock: Clock::of(environment), store, observer, person })
    }

    /// The repository this command stands in. Inside a variant it is the recorded one: git is
    /// never asked to discover anything where an agent could have written the answer.
    ///
    /// # Errors
    /// When there is no repository here, or its settings cannot be read.
    pub fn here(&self) -> Result<Here, Problem> {
        let cwd = std::fs::canonicalize(&self.environment.cwd)
            .unwrap_or_else(|_| self.environment.cwd.clone());
        let variant = variants::holding(self.store.read(), &cwd)?;
        let (repo, standing, row) = match &variant {
            Some(variant) => self.recorded(variant)?,
            None => match variants::trash_holding(self.store.read(), &cwd)? {
                // A shell that stood in a variant still stands there when it is in the trash.
                Some(removed) => {
                    let (repo, _, row) = self.recorded(&removed)?;
                    let standing = repo.place();
                    (repo, standing, row)
                }
                None => self.discovered(&cwd)?,
            },
        };
        if let Some(row) = &row {
            recover::pending(self, &repo, row)?;
        }
        let config = self.config(Some(&repo))?;
        Ok(Here { repo, row, standing, variant, config })
    }

    fn discovered(&self, cwd: &Path) -> Result<(Repo, Place, Option<RepoRow>), Problem> {
        let (repo, standing) = Repo::discover(cwd)?;
        let row = repos::by_common_dir(self.store.read(), repo.common_dir())?;
        Ok((repo, standing, row))
    }

    /// The repository of a variant, as if this command stood in it.
    ///
    /// # Errors
    /// When the repository is gone, or its settings cannot be read.
    pub fn at(&self, variant: &Variant) -> Result<Here, Problem> {
        let (repo, standing, row) = self.recorded(variant)?;
        let config = self.config(Some(&repo))?;
        Ok(Here { repo, row, standing, variant: Some(variant.clone()), config })
    }

    fn recorded(&self, variant: &Variant) -> Result<(Repo, Place, Option<RepoRow>), Problem> {
        let row = repos::by_id(self.store.read(), &variant.repo)?;
        let Some(row) = row else {
            let text = format!("variant `{}` belongs to no known repository", variant.name);
            return Err(Problem::failed(text).hint("look for damage: `wt doctor`"));
        };
        let repo = Repo::open(&row.common_dir).map_err(|error| {
            Problem::from(error).hint("was the repository moved? `wt -C NEW-PLACE doctor`")
        })?;
        let place = place_of(variant, &row);
        Ok((repo, place, Some(row)))
    }

    /// The settings that hold for a repository, or outside of any.
    ///
    /// # Errors
    /// When a layer cannot be read or says what cannot be.
    pub fn config(&self, repo: Option<&Repo>) -> Result<Config, Problem> {
        let mut layers = vec![];
        if let Some(dir) = self.environment.config_dir() {
            layers.extend(config::file_layer(&dir.join("config.toml"), Origin::User)?);
        }
        if let Some(repo) = repo {
            layers.extend(repository_layer(repo)?);
        }
        layers.extend(config::variable_layers(self.environment)?);
        Ok(Config::join(layers)?)
    }
}

impl Here {
    /// The settings that hold here.
    pub fn settings(&self) -> &Settings {
        &self.config.settings
    }

    /// What each task that is queued here may take of the machine.
    ///
    /// # Errors
    /// When the user's own settings cannot be read.
    pub fn resources(&self, ctx: &Context<'_>) -> Result<Resources, Problem> {
        Ok(self.config.resources(&config::of_user(ctx.environment)?.resources))
    }

    /// The repository's row, made if it has none.
    ///
    /// # Errors
    /// The store's.
    pub fn registered(&mut self, ctx: &Context<'_>) -> Result<&RepoRow, Problem> {
        let row = match self.row.take() {
            Some(row) => row,
            None => ctx.store.write_durably(|tx| {
                let named = (self.repo.root(), self.repo.name());
                repos::ensure(tx, self.repo.common_dir(), (named.0, &named.1), ctx.clock.now())
            })?,
        };
        Ok(self.row.insert(row))
    }

    /// The repository's present variants, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub fn variants(&self, ctx: &Context<'_>) -> Result<Vec<Variant>, Problem> {
        let db = ctx.store.read();
        // Its first variant may be made by another process just now.
        let row = match &self.row {
            Some(row) => Some(row.clone()),
            None => repos::by_common_dir(db, self.repo.common_dir())?,
        };
        row.map_or(Ok(vec![]), |row| Ok(variants::present(db, &row.id)?))
    }

    /// The variant of that name, or without a name the one this command stands in.
    ///
    /// # Errors
    /// When there is none, with the nearest name there is.
    pub fn named(&self, ctx: &Context<'_>, name: Option<&str>) -> Result<Variant, Problem> {
        let Some(name) = name else {
            let nowhere = || {
                Problem::usage("no variant is named, and this is none")
                    .hint("name one of those there are: `wt list`")
            };
            return self.variant.clone().ok_or_else(nowhere);
        };
        let present = self.variants(ctx)?;
        let folded = name.to_ascii_lowercase();
        let found = present.iter().find(|variant| variant.name.folded() == folded);
        found.cloned().ok_or_else(|| unknown_variant(name, present.iter().map(|v| &v.name)))
    }

    /// A variant's worktree as a place.
    pub fn place(&self, variant: &Variant) -> Place {
        Place::checkout(&variant.admin_dir, self.repo.common_dir(), &variant.path)
    }
}

fn place_of(variant: &Variant, row: &RepoRow) -> Place {
    Place::checkout(&variant.admin_dir, &row.common_dir, &variant.path)
}

/// The problem that no variant has this name, naming the nearest that there is.
pub fn unknown_variant<'n>(name: &str, present: impl Iterator<Item = &'n VariantName>) -> Problem {
    let nearest = present
        .map(|known| (strsim::jaro_winkler(known.as_str(), name), known))
        .filter(|(score, _)| *score > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let problem = Problem::failed(format!("there is no variant `{name}`"));
    match nearest {
        Some((_, known)) => problem.hint(format!("did you mean `{known}`? All of them: `wt list`")),
        None => problem.hint("see those there are: `wt list`"),
    }
}

/// The repository's own settings: the main checkout's `wt.toml`, in a bare repository the one of
/// its HEAD. Never that of a variant, which an agent could have edited.
fn repository_layer(repo: &Repo) -> Result<Option<Layer>, Problem> {
    if let Some(main) = repo.main_dir() {
        return Ok(config::file_layer(&main.join("wt.toml"), Origin::Repository)?);
    }
    let asked = ["cat-file", "blob", "HEAD:wt.toml"];
    let answer = Git::read(&repo.place()).args(asked).answer()?;
    if answer.code != Some(0) {
        return Ok(None);
    }
    let origin = Origin::Repository("HEAD:wt.toml".into());
    Ok(Some(config::text_layer(&answer.text(), origin)?))
}

/// Canonical form of a path that may not exist yet: the nearest existing parent's, and the rest.
pub fn canonical(path: &Path) -> PathBuf {
    let mut rest = vec![];
    for parent in path.ancestors() {
        if let Ok(real) = std::fs::canonicalize(parent) {
            return rest.iter().rev().fold(real, |path, part| path.join(part));
        }
        rest.extend(parent.file_name().map(|name| name.to_owned()));
    }
    path.to_path_buf()
}
