//! Paths as they are typed, as git wants them: from the top of the checkout.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use crate::domain::problem::Problem;
use crate::git::place::Place;

/// The pathspecs that were typed in a directory. Those with magic (`:!docs`, `:(icase)x`) count
/// from the top, as git reads them.
pub(super) fn pathspecs(
    standing: &Place,
    cwd: &Path,
    typed: &[OsString],
) -> Result<Vec<OsString>, Problem> {
    let top = standing.work_tree.as_deref();
    let cwd = std::fs::canonicalize(cwd).unwrap_or_else(|_| cwd.to_path_buf());
    let inside = top.and_then(|top| cwd.strip_prefix(top).ok()).unwrap_or(Path::new(""));
    typed.iter().map(|path| pathspec((top, inside), path)).collect()
}

fn pathspec((top, inside): (Option<&Path>, &Path), typed: &OsStr) -> Result<OsString, Problem> {
    if typed.is_empty() {
        return Err(Problem::usage("a path is empty").hint("all of it: `wt diff -- .`"));
    }
    if typed.as_bytes().starts_with(b":") {
        return Ok(typed.to_owned());
    }
    let outside = || {
        let text = format!("`{}` is outside of this repository", Path::new(typed).display());
        Problem::usage(text).hint("paths count from where you are")
    };
    let typed = Path::new(typed);
    let (mut whole, rest) = match (typed.is_absolute(), top) {
        (false, _) => (inside.to_path_buf(), typed),
        (true, Some(top)) => (PathBuf::new(), typed.strip_prefix(top).map_err(|_| outside())?),
        (true, None) => return Err(outside()),
    };
    // What comes from the directory stood in is a path, not a pattern.
    let mut escaped = escape(whole.as_os_str());
    for part in rest.components() {
        match part {
            Component::Normal(name) => {
                whole.push(name);
                escaped.push(name);
            }
            Component::ParentDir if whole.pop() => {
                escaped.pop();
            }
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(outside());
            }
        }
    }
    Ok(if escaped.as_os_str().is_empty() { ":/".into() } else { escaped.into_os_string() })
}

fn escape(path: &OsStr) -> PathBuf {
    let mut bytes = Vec::with_capacity(path.len());
    for byte in path.as_bytes() {
        if b"*?[\\".contains(byte) {
            bytes.push(b'\\');
        }
        bytes.push(*byte);
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(inside: &str, typed: &str) -> Result<String, String> {
        let spec = pathspec((Some(Path::new("/r")), Path::new(inside)), typed.as_ref());
        spec.map(|spec| spec.into_string().unwrap()).map_err(|problem| problem.message)
    }

    #[test]
    fn paths_count_from_where_they_are_typed() {
        for (inside, typed, wanted) in [
            ("", "src/a.rs", "src/a.rs"),
            ("src", "a.rs", "src/a.rs"),
            ("src", "./a.rs", "src/a.rs"),
            ("src", "../docs", "docs"),
            ("src", "..", ":/"),
            ("", ".", ":/"),
            ("a[1]", "*.rs", "a\\[1]/*.rs"),
            ("src", "/r/docs/x", "docs/x"),
            ("src", ":!docs", ":!docs"),
        ] {
            assert_eq!(from(inside, typed).as_deref(), Ok(wanted), "{inside} {typed}");
        }
    }

    #[test]
    fn a_path_outside_is_refused() {
        for typed in ["../..", "/etc/passwd", "../../x"] {
            assert!(from("src", typed).unwrap_err().contains("is outside"), "{typed}");
        }
        assert!(from("", "").is_err());
    }
}
