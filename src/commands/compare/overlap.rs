//! Files that several variants touch, or that a variant shares with the main checkout's own
//! uncommitted work.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// The most files that are named; `total` counts all.
const NAMED_MAX: usize = 1000;

/// Files that more than one touch.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Overlap {
    /// The files, those that most touch first, at most 1,000.
    pub files: Vec<Shared>,
    /// How many there are.
    pub total: usize,
}

/// A file and who touches it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shared {
    /// Its path from the top.
    pub path: String,
    /// The variants' names, in the order of the rows.
    pub variants: Vec<String>,
}

/// What one variant touches.
pub(super) struct Touched<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// Every path, also those that renamed files had before.
    pub(super) paths: Vec<&'a Path>,
}

/// The files that at least two variants touch.
pub(super) fn between(touched: &[Touched<'_>]) -> Overlap {
    overlap(touched, |_, count| count > 1)
}

/// The files that a variant touches and that are changed but not committed in the main checkout.
pub(super) fn with_main(touched: &[Touched<'_>], uncommitted: &[PathBuf]) -> Overlap {
    overlap(touched, |path, _| uncommitted.iter().any(|changed| changed == path))
}

fn overlap(touched: &[Touched<'_>], counts: impl Fn(&Path, usize) -> bool) -> Overlap {
    let mut by_path: BTreeMap<&Path, Vec<&str>> = BTreeMap::new();
    for variant in touched {
        for path in &variant.paths {
            let names = by_path.entry(path).or_default();
            if names.last() != Some(&variant.name) {
                names.push(variant.name);
            }
        }
    }
    let mut shared: Vec<(&Path, Vec<&str>)> =
        by_path.into_iter().filter(|(path, names)| counts(path, names.len())).collect();
    // Stable, so that equal ones stay in the order of their paths.
    shared.sort_by_key(|(_, names)| std::cmp::Reverse(names.len()));
    let total = shared.len();
    let files = shared.into_iter().take(NAMED_MAX).map(|(path, names)| Shared {
        path: path.to_string_lossy().into_owned(),
        variants: names.into_iter().map(str::to_owned).collect(),
    });
    Overlap { files: files.collect(), total }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touched<'a>(name: &'a str, paths: &'a [&'a str]) -> Touched<'a> {
        Touched { name, paths: paths.iter().map(Path::new).collect() }
    }

    #[test]
    fn what_most_touch_comes_first() {
        let all = [
            touched("a", &["z", "both", "own", "both"]),
            touched("b", &["z", "both"]),
            touched("c", &["z"]),
        ];
        let found = between(&all);
        let told: Vec<_> =
            found.files.iter().map(|f| (f.path.as_str(), f.variants.len())).collect();
        assert_eq!((told, found.total), (vec![("z", 3), ("both", 2)], 2));
        let found = with_main(&all, &["own".into(), "elsewhere".into()]);
        assert_eq!(found.files, [Shared { path: "own".into(), variants: vec!["a".into()] }]);
        assert_eq!(between(&all[..1]), Overlap::default());
    }
}
