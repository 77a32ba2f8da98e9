//! What `wt spawn` and `wt adopt` say alike of a new variant.

use std::io;
use std::path::{Path, PathBuf};

use crate::commands::spawn::{Base, Furnished, Submodules};
use crate::ui::human;
use crate::ui::printer::Page;
use crate::ui::theme;

/// A line under a label.
///
/// # Errors
/// Those of the writer.
pub fn labelled(out: &mut Page<'_>, label: &str, text: &str) -> io::Result<()> {
    out.line(format!("{}  {text}", theme::dim().apply_to(format!("{label:7}"))))
}

/// `main f46d65b`
pub fn from(base: &Base) -> String {
    let commit = human::commit(&base.commit);
    match &base.branch {
        Some(branch) => format!("{branch} {commit}"),
        None => format!("{commit}, no branch: merge with --into"),
    }
}

/// What was put into a worktree, a line each.
///
/// # Errors
/// Those of the writer.
pub fn furnished(out: &mut Page<'_>, furnished: &Furnished, setup: &[String]) -> io::Result<()> {
    let mut carried: Vec<String> = few(&furnished.carried);
    if let Some(names) = dependencies(furnished, setup) {
        carried.push(names);
    }
    if !carried.is_empty() {
        labelled(out, "carried", &carried.join(" · "))?;
    }
    if let Some(changes) = &furnished.changes {
        let count = human::count(changes.paths as u64, "file", "files");
        let staging =
            if changes.staging_kept { "staged and unstaged as here" } else { "all unstaged" };
        labelled(out, "changes", &format!("{count} taken along, {staging}"))?;
    }
    for left in &furnished.left {
        labelled(out, "left", &format!("{} {}", left.path.display(), left.why))?;
    }
    match furnished.submodules {
        Some(Submodules::Initialised) => labelled(out, "modules", "submodules checked out"),
        Some(Submodules::Empty) => labelled(
            out,
            "modules",
            "submodules are empty; with `worktree.submodules = true` they are checked out",
        ),
        None => Ok(()),
    }
}

/// `node_modules left to setup (npm ci)`
fn dependencies(furnished: &Furnished, setup: &[String]) -> Option<String> {
    let mut names: Vec<String> = furnished
        .dependencies
        .iter()
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    names.dedup();
    let names = (!names.is_empty()).then(|| names.join(", "))?;
    Some(match setup {
        [] => format!("{names} not carried; a `worktree.setup` command can make it"),
        [only] => format!("{names} left to setup ({})", human::line(only, 40)),
        [first, ..] => format!("{names} left to setup ({}, …)", human::line(first, 40)),
    })
}

/// At most four paths, and how many more.
fn few(paths: &[PathBuf]) -> Vec<String> {
    const FEW: usize = 4;
    let mut shown: Vec<String> =
        paths.iter().take(FEW).map(|path| path.display().to_string()).collect();
    if paths.len() > FEW {
        shown.push(format!("{} more", paths.len() - FEW));
    }
    shown
}

/// A path as one would type it from here, if that is not longer.
pub fn shown(path: &Path, from: &Path) -> String {
    let absolute = path.display().to_string();
    let relative = relative(path, from).display().to_string();
    if relative.len() < absolute.len() { relative } else { absolute }
}

fn relative(path: &Path, from: &Path) -> PathBuf {
    let shared = path.iter().zip(from.iter()).take_while(|(a, b)| a == b).count();
    let up = from.iter().skip(shared).map(|_| "..".as_ref());
    up.chain(path.iter().skip(shared)).collect()
}
