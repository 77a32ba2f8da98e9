//! What to look out for before taking a variant.

use std::ffi::OsStr;
use std::path::Path;

use serde::Serialize;

use crate::commands::compare::test_lines::{Lost, TestLines, is_test_file};
use crate::commands::contents::why_left_out;
use crate::git::diff::{FileDiff, Status};
use crate::git::worktree_tree::LeftOut;

/// The most files that a warning's text names; its list holds all up to [`LISTED_MAX`].
const NAMED_MAX: usize = 3;
/// The most files that a warning lists.
const LISTED_MAX: usize = 100;

/// One thing to look out for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The variant's name.
    pub variant: String,
    /// What it is.
    pub kind: WarningKind,
    /// In words that follow the variant's name: `deleted 1 test: contrast.spec.ts`.
    pub message: String,
    /// The files it is about, at most 100.
    pub files: Vec<String>,
}

/// What there is to look out for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WarningKind {
    /// Its worktree cannot be read; what is committed is compared, if anything.
    Unreadable,
    /// Its worktree stands on another branch than its own.
    OtherBranch,
    /// It forked from a branch that is gone.
    BaseGone,
    /// Its worktree holds conflicts.
    Unmerged,
    /// Tests are gone.
    TestsDeleted,
    /// Tests are skipped, or all but some are.
    TestsSkipped,
    /// What is downloaded and built upon.
    LockFiles,
    /// What is run on every push.
    Ci,
    /// What `wt` itself runs.
    Settings,
    /// Uncommitted work that the comparison does not hold.
    LeftOut,
}

const LOCK_FILES: &[&str] = &[
    "Cargo.lock",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "bun.lockb",
    "deno.lock",
    "poetry.lock",
    "uv.lock",
    "pdm.lock",
    "Pipfile.lock",
    "Gemfile.lock",
    "composer.lock",
    "go.sum",
    "mix.lock",
    "pubspec.lock",
    "flake.lock",
    "Podfile.lock",
    "Package.resolved",
    "gradle.lockfile",
    "packages.lock.json",
    ".terraform.lock.hcl",
    "MODULE.bazel.lock",
];

const CI_DIRS: &[&str] = &[
    ".github/workflows",
    ".github/actions",
    ".circleci",
    ".buildkite",
    ".gitlab/ci",
    ".woodpecker",
    ".ci",
];

const CI_FILES: &[&str] = &[
    ".gitlab-ci.yml",
    ".travis.yml",
    ".drone.yml",
    ".woodpecker.yml",
    "Jenkinsfile",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    "appveyor.yml",
    "cloudbuild.yaml",
];

/// What a variant's change holds to look out for; `tests` is what was heard of its lines. Gives
/// also how many tests it deleted or skipped.
pub(super) fn of_change(
    variant: &str,
    files: &[FileDiff],
    tests: TestLines,
) -> (Vec<Warning>, u64) {
    let (skipped, deleted) = (tests.skipped(), tests.deleted());
    let gone = files.iter().filter(|file| {
        file.status == Status::Deleted
            && is_test_file(&file.path)
            && !deleted.iter().any(|lost| lost.path == file.path)
    });
    let gone: Vec<&Path> = gone.map(|file| file.path.as_path()).collect();
    let sum = |lost: &[Lost]| lost.iter().map(|lost| lost.tests).sum::<u64>();
    let lost = sum(&deleted) + sum(&skipped) + gone.len() as u64;
    let mut found = vec![];
    let mut add = |kind, said: String, paths: Vec<&Path>| {
        found.extend(warning(variant, kind, said, &paths));
    };
    add(WarningKind::TestsDeleted, counted("deleted", sum(&deleted), "test"), paths(&deleted));
    add(WarningKind::TestsDeleted, counted("deleted", gone.len() as u64, "test file"), gone);
    add(WarningKind::TestsSkipped, counted("skips", sum(&skipped), "test"), paths(&skipped));
    for (kind, is_one) in [
        (WarningKind::LockFiles, is_lock_file as fn(&Path) -> bool),
        (WarningKind::Ci, is_ci),
        (WarningKind::Settings, |path| path == Path::new("wt.toml")),
    ] {
        let of_it = files.iter().map(|file| file.path.as_path()).filter(|path| is_one(path));
        let said = match kind {
            WarningKind::LockFiles => "changed lock files",
            WarningKind::Ci => "changed CI",
            _ => "changed settings of `wt`",
        };
        add(kind, said.to_owned(), of_it.collect());
    }
    (found, lost)
}

/// Uncommitted work that is not in the comparison.
pub(super) fn of_left_out(variant: &str, left_out: &[LeftOut]) -> Option<Warning> {
    let paths: Vec<&Path> = left_out.iter().map(|left| left.path.as_path()).collect();
    let why = why_left_out(left_out)?;
    warning(
        variant,
        WarningKind::LeftOut,
        format!("is compared without uncommitted work ({why})"),
        &paths,
    )
}

/// A warning about files; none without any.
pub(super) fn warning(
    variant: &str,
    kind: WarningKind,
    said: String,
    paths: &[&Path],
) -> Option<Warning> {
    if paths.is_empty() {
        return None;
    }
    let text = |path: &&Path| path.to_string_lossy().into_owned();
    let named: Vec<String> = paths.iter().take(NAMED_MAX).map(text).collect();
    let mut message = format!("{said}: {}", named.join(", "));
    if paths.len() > NAMED_MAX {
        message.push_str(&format!(" and {} more", paths.len() - NAMED_MAX));
    }
    let files = paths.iter().take(LISTED_MAX).map(text).collect();
    Some(Warning { variant: variant.to_owned(), kind, message, files })
}

/// A warning about the variant as a whole.
pub(super) fn plain(variant: &str, kind: WarningKind, message: String) -> Warning {
    Warning { variant: variant.to_owned(), kind, message, files: vec![] }
}

fn paths(lost: &[Lost]) -> Vec<&Path> {
    lost.iter().map(|lost| lost.path.as_path()).collect()
}

fn counted(verb: &str, number: u64, what: &str) -> String {
    format!("{verb} {number} {what}{}", if number == 1 { "" } else { "s" })
}

fn is_lock_file(path: &Path) -> bool {
    path.file_name().and_then(OsStr::to_str).is_some_and(|name| LOCK_FILES.contains(&name))
}

fn is_ci(path: &Path) -> bool {
    CI_DIRS.iter().any(|dir| path.starts_with(dir))
        || CI_FILES.iter().any(|file| path == Path::new(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::worktree_tree::WhyLeftOut;

    fn changed(paths: &[(&str, Status)]) -> Vec<FileDiff> {
        let file = |(path, status): &(&str, Status)| FileDiff {
            path: path.into(),
            old_path: None,
            status: *status,
            lines: None,
        };
        paths.iter().map(file).collect()
    }

    fn said(files: &[FileDiff]) -> Vec<String> {
        let (found, _) = of_change("a", files, TestLines::default());
        found.into_iter().map(|warning| warning.message).collect()
    }

    #[test]
    fn what_is_run_or_downloaded_is_told() {
        let files = [
            "web/package-lock.json",
            ".github/workflows/ci.yml",
            "wt.toml",
            "docs/wt.toml",
            "src/a",
        ]
        .map(|path| (path, Status::Modified));
        let wanted = [
            "changed lock files: web/package-lock.json",
            "changed CI: .github/workflows/ci.yml",
            "changed settings of `wt`: wt.toml",
        ];
        assert_eq!(said(&changed(&files)), wanted);
    }

    #[test]
    fn a_deleted_file_of_tests_counts_also_when_nothing_in_it_is_known() {
        let files = changed(&[("a/contrast.spec.ts", Status::Deleted), ("b.ts", Status::Deleted)]);
        assert_eq!(said(&files), ["deleted 1 test file: a/contrast.spec.ts"]);
        assert_eq!(of_change("a", &files, TestLines::default()).1, 1);
    }

    #[test]
    fn a_long_list_is_cut_in_the_text_alone() {
        let names: Vec<String> = (0..200).map(|n| format!("{n}/yarn.lock")).collect();
        let files: Vec<_> = names.iter().map(|name| (name.as_str(), Status::Added)).collect();
        let (found, _) = of_change("a", &changed(&files), TestLines::default());
        assert!(found[0].message.ends_with("0/yarn.lock, 1/yarn.lock, 2/yarn.lock and 197 more"));
        assert_eq!(found[0].files.len(), 100);
    }

    #[test]
    fn work_that_is_left_out_is_told_with_the_reason() {
        let large = LeftOut { path: "a.bin".into(), why: WhyLeftOut::TooLarge { bytes: 9 } };
        let nested = LeftOut { path: "b".into(), why: WhyLeftOut::Repository };
        let message = |left: &[LeftOut]| of_left_out("a", left).map(|warning| warning.message);
        let wanted = "is compared without uncommitted work (too large): a.bin";
        assert_eq!(message(std::slice::from_ref(&large)).as_deref(), Some(wanted));
        assert!(message(&[large, nested]).unwrap().contains("(for several reasons): a.bin, b"));
        assert_eq!(message(&[]), None);
    }
}
