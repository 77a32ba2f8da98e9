//! Whether git might store a file otherwise than it stands in the checkout.

use std::collections::BTreeSet;
use std::path::Path;

use git2::AttrCheckFlags;

use crate::git::changes::Change;
use crate::git::place::Place;

/// The most that is read of one file of attributes; git itself reads no more than 100 MB.
const ATTRIBUTES_MAX: u64 = 1 << 20;

/// What git might do to a file's bytes. Later ones include earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conversion {
    /// Nothing.
    Nothing,
    /// Carriage returns before newlines may go.
    LineEndings,
    /// A filter, an encoding: anything.
    Anything,
}

/// Attributes by which git converts line endings.
const ENDINGS: [&str; 3] = ["text", "eol", "crlf"];
/// Attributes by which git converts in other ways.
const OTHERS: [&str; 3] = ["filter", "ident", "working-tree-encoding"];

/// What git might do to any of these paths of a checkout. Errs on the side of more: attributes of
/// the checkout count for all paths, whichever they are for.
pub fn possible(lib: &git2::Repository, place: &Place, changes: &[&Change]) -> Conversion {
    let setting = lib.config().and_then(|config| config.get_string("core.autocrlf"));
    let mut found = match setting {
        Ok(value) if value != "false" => Conversion::LineEndings,
        _ => Conversion::Nothing,
    };
    let mut seen = BTreeSet::new();
    for change in changes {
        found = found.max(elsewhere(lib, &change.path));
        for dir in change.path.ancestors().skip(1) {
            if found == Conversion::Anything {
                return found;
            }
            // Whoever has seen a directory has seen those above it.
            if !seen.insert(dir) {
                break;
            }
            found = found.max(in_file(&place.dir().join(dir).join(".gitattributes")));
        }
    }
    found
}

/// By the repository's, the user's and the system's attributes, and the main checkout's.
fn elsewhere(lib: &git2::Repository, path: &Path) -> Conversion {
    let any = |names: [&str; 3]| {
        let flags = AttrCheckFlags::FILE_THEN_INDEX;
        names.iter().any(|name| !matches!(lib.get_attr_bytes(path, name, flags), Ok(None)))
    };
    if any(OTHERS) {
        Conversion::Anything
    } else if any(ENDINGS) {
        Conversion::LineEndings
    } else {
        Conversion::Nothing
    }
}

fn in_file(path: &Path) -> Conversion {
    let bytes = match super::read(path, ATTRIBUTES_MAX) {
        Ok(bytes) => bytes,
        // A link or anything else but a file is nothing to git, either.
        Err(_) => return Conversion::Nothing,
    };
    let text = String::from_utf8_lossy(&bytes);
    if OTHERS.iter().any(|word| text.contains(word)) {
        Conversion::Anything
    // `binary` stands for `-text` among others, which ends a conversion set elsewhere.
    } else if ENDINGS.iter().any(|word| text.contains(word)) || text.contains("binary") {
        Conversion::LineEndings
    } else {
        Conversion::Nothing
    }
}
