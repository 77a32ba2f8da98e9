//! Which variants a command is about: names, globs, all of them, or the one stood in.

use globset::GlobBuilder;

use crate::commands::context::{Context, Here, unknown_variant};
use crate::domain::problem::Problem;
use crate::domain::variant::Variant;

/// What was typed.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Names and globs (`theme-*`); case does not matter.
    pub names: Vec<String>,
    /// Every variant of the repository.
    pub all: bool,
}

impl Selection {
    /// These names.
    pub fn of(names: Vec<String>) -> Self {
        Self { names, all: false }
    }

    /// The variants, each once, in the order of the names, those of a glob oldest first. Without
    /// any name: the variant stood in.
    ///
    /// # Errors
    /// When a name has no variant, a glob matches none, or nothing is named and this is none.
    pub fn resolve(&self, ctx: &Context<'_>, here: &Here) -> Result<Vec<Variant>, Problem> {
        let present = here.variants(ctx)?;
        if self.all {
            return Ok(present);
        }
        if self.names.is_empty() {
            return Ok(vec![here.named(ctx, None)?]);
        }
        let mut chosen: Vec<Variant> = vec![];
        for name in &self.names {
            for variant in matching(name, &present)? {
                if !chosen.iter().any(|known| known.key == variant.key) {
                    chosen.push(variant.clone());
                }
            }
        }
        Ok(chosen)
    }
}

fn matching<'v>(name: &str, present: &'v [Variant]) -> Result<Vec<&'v Variant>, Problem> {
    let is_glob = name.contains(['*', '?', '[', '{']);
    let unknown = || unknown_variant(name, present.iter().map(|variant| &variant.name));
    if !is_glob {
        let folded = name.to_ascii_lowercase();
        let found = present.iter().find(|variant| variant.name.folded() == folded);
        return found.map(|variant| vec![variant]).ok_or_else(unknown);
    }
    let glob = GlobBuilder::new(name)
        .case_insensitive(true)
        .build()
        .map_err(|error| Problem::usage(format!("`{name}` is no pattern: {}", error.kind())))?
        .compile_matcher();
    let found: Vec<&Variant> =
        present.iter().filter(|variant| glob.is_match(variant.name.as_str())).collect();
    if found.is_empty() {
        return Err(Problem::failed(format!("no variant matches `{name}`"))
            .hint("see those there are: `wt list`"));
    }
    Ok(found)
}
