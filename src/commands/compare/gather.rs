//! All that git and the store know of the variants, by few processes: a status for each checkout,
//! two at a time, one that compares trees, and one that merges.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::commands::base::{Base, bases, parted_at};
use crate::commands::compare::test_lines::{OfPairs, TestLines};
use crate::commands::contents::{Contents, Looked, look};
use crate::commands::context::{Context, Here};
use crate::commands::work::{self, Work};
use crate::domain::problem::Problem;
use crate::domain::variant::Variant;
use crate::git::changes::changes;
use crate::git::diff::{Pair, TreeDiff, tree_diffs};
use crate::git::error::GitError;
use crate::git::place::Place;
use crate::git::predict::{Merge, Prediction, predict};
use crate::git::side_objects::{Objects, SideObjects};
use crate::git::worktree_tree::Bounds;

/// All that is known, variant by variant in the order given.
pub(super) struct Found {
    pub(super) variants: Vec<OfVariant>,
    /// Each pair of readable variants once: both numbers, the smaller one first.
    pub(super) pairs: Vec<(usize, usize, Prediction)>,
    /// Paths that are changed but not committed in the main checkout.
    pub(super) main_changed: Vec<PathBuf>,
}

/// What is known of one variant.
pub(super) struct OfVariant {
    pub(super) base: Base,
    pub(super) looked: Looked,
    /// What it changed since it parted from its base; `None` when it cannot be read.
    pub(super) change: Option<Changed>,
    /// Whether it merges into its base; `None` when it cannot be read.
    pub(super) with_base: Option<Prediction>,
    pub(super) work: Option<Work>,
}

/// What a variant changed.
pub(super) struct Changed {
    /// The commit from which it and its base went on.
    pub(super) since: String,
    pub(super) diff: Result<TreeDiff, GitError>,
    pub(super) tests: TestLines,
}

pub(super) fn gather(
    ctx: &Context<'_>,
    here: &Here,
    variants: &[Variant],
) -> Result<Found, Problem> {
    let side = Arc::new(SideObjects::of(&here.repo)?);
    let bases = bases(&here.repo, variants)?;
    let main = here.repo.main_place();
    let common_dir = here.repo.common_dir();
    let (looked, main_changed) = std::thread::scope(|scope| {
        let main = main.as_ref().map(|main| scope.spawn(move || uncommitted(main)));
        let looked = look(common_dir, &side, variants, &Bounds::GLANCE);
        let changed = main.and_then(|main| main.join().ok()).unwrap_or(Ok(vec![]));
        (looked, changed)
    });
    if let Err(error) = &main_changed {
        ctx.observer.warn(&format!("the main checkout's own changes are not known: {error}"));
    }
    let objects = Objects::beside(&here.repo, &side)?;
    let readable: Vec<(usize, &Contents)> = looked
        .iter()
        .enumerate()
        .filter_map(|(at, looked)| Some((at, looked.contents.as_ref()?)))
        .collect();
    let since: Vec<String> = readable
        .iter()
        .map(|(at, contents)| parted_at(&objects, contents, &bases[*at], &variants[*at]))
        .collect();
    let (diffs, tests, merges) = ask(here, &objects, &readable, (&bases, &since))?;
    let (with_base, pairs) = split(&readable, merges);
    let works: Vec<Option<Work>> = variants
        .iter()
        .map(|variant| work::of_variant(ctx.store.read(), variant.key))
        .collect::<Result<_, _>>()?;
    drop(objects);
    let mut changed: HashMap<usize, Changed> = readable
        .iter()
        .zip(since.into_iter().zip(diffs.into_iter().zip(tests)))
        .map(|((at, _), (since, (diff, tests)))| (*at, Changed { since, diff, tests }))
        .collect();
    let mut with_base: HashMap<usize, Prediction> = with_base.into_iter().collect();
    let of_each = looked.into_iter().zip(bases).zip(works).enumerate();
    let variants = of_each.map(|(at, ((looked, base), work))| OfVariant {
        base,
        looked,
        change: changed.remove(&at),
        with_base: with_base.remove(&at),
        work,
    });
    let variants = variants.collect();
    Ok(Found { variants, pairs, main_changed: main_changed.unwrap_or_default() })
}

fn uncommitted(main: &Place) -> Result<Vec<PathBuf>, GitError> {
    Ok(changes(main)?.entries.into_iter().map(|change| change.path).collect())
}

type Asked = (Vec<Result<TreeDiff, GitError>>, Vec<TestLines>, Vec<Prediction>);

/// The change of each, and the merges: of each into its base, then of each pair.
fn ask(
    here: &Here,
    objects: &Objects,
    readable: &[(usize, &Contents)],
    (bases, since): (&[Base], &[String]),
) -> Result<Asked, GitError> {
    let mut trees: HashMap<&str, String> = HashMap::new();
    let mut pairs = Vec::with_capacity(readable.len());
    for ((_, contents), since) in readable.iter().zip(since) {
        let from = match trees.get(since.as_str()) {
            Some(tree) => tree.clone(),
            None => {
                // A commit that is not there (a shallow clone) costs its own variant alone.
                let tree = objects.tree_of(since).unwrap_or_else(|_| since.clone());
                trees.insert(since, tree.clone());
                tree
            }
        };
        pairs.push(Pair { from, to: contents.tree.clone() });
    }
    let merges = merges(readable, bases);
    let (side, place) = (Arc::clone(objects.side()?), here.repo.place());
    std::thread::scope(|scope| {
        let diffs = scope.spawn(move || {
            let mut tests = OfPairs(vec![TestLines::default(); pairs.len()]);
            let git = || side.git(&place);
            tree_diffs(&git, &pairs, &[], &mut tests).map(|diffs| (diffs, tests.0))
        });
        let merges = predict(&here.repo, objects, &merges);
        let (diffs, tests) = match diffs.join() {
            Ok(answer) => answer?,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        Ok((diffs, tests, merges?))
    })
}

fn merges(readable: &[(usize, &Contents)], bases: &[Base]) -> Vec<Merge> {
    let with_base = readable.iter().map(|(at, contents)| Merge {
        into: bases[*at].commit.clone(),
        from: contents.commit.clone(),
    });
    let pairs = readable.iter().enumerate().flat_map(|(at, (_, one))| {
        let merge =
            |other: &Contents| Merge { into: one.commit.clone(), from: other.commit.clone() };
        readable[at + 1..].iter().map(move |(_, other)| merge(other))
    });
    with_base.chain(pairs).collect()
}

type Split = (Vec<(usize, Prediction)>, Vec<(usize, usize, Prediction)>);

/// The answers to [`merges`], given back to whom they are about.
fn split(readable: &[(usize, &Contents)], predictions: Vec<Prediction>) -> Split {
    let mut predictions = predictions.into_iter();
    let numbers: Vec<usize> = readable.iter().map(|(at, _)| *at).collect();
    let with_base = numbers.iter().copied().zip(predictions.by_ref().take(numbers.len())).collect();
    let pairs = numbers
        .iter()
        .enumerate()
        .flat_map(|(at, one)| numbers[at + 1..].iter().map(move |other| (*one, *other)));
    let pairs = pairs.zip(predictions).map(|((a, b), prediction)| (a, b, prediction)).collect();
    (with_base, pairs)
}
