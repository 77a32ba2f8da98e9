//! Whose attributes a prediction needs: git reads those of one tree for a whole batch.

use std::collections::{BTreeSet, HashMap};

use crate::git::error::GitError;
use crate::git::predict::Merge;
use crate::git::side_objects::Objects;

/// How a tree's `.gitattributes` differ from the first target's: paths and objects. Equal ones may
/// share a batch.
pub type Key = Vec<(Vec<u8>, String)>;

/// The key of every commit that is merged into.
///
/// # Errors
/// When a tree cannot be read.
pub fn keys(objects: &Objects, merges: &[Merge]) -> Result<HashMap<String, Key>, GitError> {
    let targets: BTreeSet<&str> = merges.iter().map(|merge| merge.into.as_str()).collect();
    let Some(first) = merges.first().map(|merge| merge.into.as_str()) else {
        return Ok(HashMap::new());
    };
    if objects.lib().is_none() {
        return by_program(objects, first, &targets);
    }
    let first = objects.tree_of(first)?;
    targets
        .into_iter()
        .map(|target| {
            let tree = objects.tree_of(target)?;
            let key = if tree == first { Key::new() } else { by_lib(objects, &first, &tree)? };
            Ok((target.to_owned(), key))
        })
        .collect()
}

fn by_lib(objects: &Objects, first: &str, tree: &str) -> Result<Key, GitError> {
    let Some(lib) = objects.lib() else { return Ok(Key::new()) };
    let find = |id: &str| git2::Oid::from_str(id).and_then(|id| lib.find_tree(id));
    let (first, tree) = (find(first)?, find(tree)?);
    let mut options = git2::DiffOptions::new();
    options.skip_binary_check(true).ignore_submodules(true);
    let diff = lib.diff_tree_to_tree(Some(&first), Some(&tree), Some(&mut options))?;
    let changed = diff.deltas().filter_map(|delta| {
        let path = delta.new_file().path_bytes().or_else(|| delta.old_file().path_bytes())?;
        let named = path.rsplit(|byte| *byte == b'/').next() == Some(b".gitattributes");
        named.then(|| (path.to_vec(), delta.new_file().id().to_string()))
    });
    Ok(changed.collect())
}

/// One process for all: each target as if the first were its only parent.
fn by_program(
    objects: &Objects,
    first: &str,
    targets: &BTreeSet<&str>,
) -> Result<HashMap<String, Key>, GitError> {
    let lines: Vec<String> = targets.iter().map(|target| format!("{target} {first}\n")).collect();
    let asked = ["diff-tree", "--stdin", "-r", "-z", "--raw", "--no-abbrev", "--no-renames"];
    let git = objects.git().args(asked).args(["--", ":(glob)**/.gitattributes"]);
    let output = git.input(lines.concat()).run()?;
    let mut keys: HashMap<String, Key> =
        targets.iter().map(|target| ((*target).to_owned(), Key::new())).collect();
    // A target's id, then for each file a line that begins with a colon and its path.
    let mut fields = output.split(|byte| *byte == 0);
    let mut present = None;
    while let Some(field) = fields.next() {
        let text = String::from_utf8_lossy(field);
        if !text.starts_with(':') {
            present = keys.get_mut(text.as_ref());
            continue;
        }
        if let (Some(key), Some(path)) = (present.as_deref_mut(), fields.next()) {
            let object = text.split(' ').nth(3).unwrap_or_default();
            key.push((path.to_vec(), object.to_owned()));
        }
    }
    Ok(keys)
}
