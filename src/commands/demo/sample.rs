//! The sample: a small web shop, embedded in the program.

use std::path::{Path, PathBuf};

use crate::domain::problem::Problem;
use crate::git::command::Git;

macro_rules! shop {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../../templates/demo/shop/", $path)))),*]
    };
}

/// Its files: path and text.
const FILES: &[(&str, &str)] = shop![
    "README.md",
    "index.html",
    "src/basket.js",
    "src/components.css",
    "src/theme.css",
    "test.sh",
    "tests/colours-come-from-the-theme.sh",
    "tests/files-exist.sh",
    "tests/tokens-are-declared.sh",
];

/// What its repository says for itself, so that neither the user's name nor their hooks, signing
/// keys or line ends matter.
const CONFIG: &[(&str, &str)] = &[
    ("user.name", "wt demo"),
    ("user.email", "demo@example.com"),
    ("commit.gpgSign", "false"),
    ("core.autocrlf", "false"),
    ("core.hooksPath", "/dev/null"),
];

/// Makes the repository `shop` in `folder`, with one commit on `main`. Gives its path.
///
/// # Errors
/// When a file cannot be written, or git fails.
pub fn make(folder: &Path) -> Result<PathBuf, Problem> {
    let repository = folder.join("shop");
    for (path, text) in FILES {
        let path = repository.join(path);
        let directory = path.parent().unwrap_or(&repository);
        std::fs::create_dir_all(directory).and_then(|()| std::fs::write(&path, text)).map_err(
            |error| Problem::failed(format!("cannot write `{}`: {error}", path.display())),
        )?;
    }
    let git = || Git::discovering(&repository);
    git().args(["init", "--quiet", "--template=", "--initial-branch=main"]).run()?;
    for (name, value) in CONFIG {
        git().args(["config", name, value]).run()?;
    }
    git().args(["add", "--all"]).run()?;
    git().args(["commit", "--quiet", "--message", "A corner shop"]).run()?;
    Ok(repository)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_sample_is_embedded() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/demo/shop");
        let entries = walkdir::WalkDir::new(&root).sort_by_file_name().into_iter();
        let files = entries.map(|entry| entry.unwrap()).filter(|entry| entry.file_type().is_file());
        let there: Vec<String> = files
            .map(|file| file.path().strip_prefix(&root).unwrap().to_string_lossy().into_owned())
            .collect();
        let mut embedded: Vec<&str> = FILES.iter().map(|(path, _)| *path).collect();
        embedded.sort_unstable();
        let mut there: Vec<&str> = there.iter().map(String::as_str).collect();
        there.sort_unstable();
        assert_eq!(embedded, there);
    }

    #[test]
    fn it_is_a_repository_of_its_own_whose_tests_pass() {
        let dir = tempfile::tempdir().unwrap();
        let shop = make(dir.path()).unwrap();
        let log = Git::discovering(&shop).args(["log", "--format=%an %s"]).text().unwrap();
        assert_eq!(log, "wt demo A corner shop");
        let mut shell = std::process::Command::new("sh");
        let output = shell.arg("test.sh").current_dir(&shop).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}
