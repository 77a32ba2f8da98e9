//! What is really there: a file's kind and its content as git would name it.

use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::place::Place;
use crate::git::version::Version;

/// What stands at a path, without following a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File {
        /// Its owner may run it.
        executable: bool,
    },
    /// A symbolic link.
    Link,
    /// A directory.
    Directory,
    /// A socket, a device, a FIFO.
    Other,
}

/// What a checkout holds at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A directory.
    Directory,
    /// A file or link with this content.
    Content {
        /// What stands there.
        kind: Kind,
        /// The object that git would make of it, in hex.
        object: String,
    },
    /// Something that git does not keep.
    Other,
}

impl Found {
    /// True when it has this version's content, whether it may be run or not.
    pub fn same_as(&self, version: &Version) -> bool {
        match self {
            Self::Content { kind: Kind::File { .. }, object } => {
                version.is_file() && version.object == *object
            }
            Self::Content { kind: Kind::Link, object } => {
                version.is_link() && version.object == *object
            }
            Self::Directory => version.is_submodule(),
            _ => false,
        }
    }

    /// True when it is just what git would check out for this version.
    pub fn equals(&self, version: &Version) -> bool {
        let runs = matches!(self, Self::Content { kind: Kind::File { executable: true }, .. });
        self.same_as(version) && runs == version.is_executable()
    }
}

/// What stands at a path; `None` for nothing, also when a parent is no directory.
///
/// # Errors
/// When the system cannot say.
pub fn kind(path: &Path) -> Result<Option<Kind>, GitError> {
    let meta = match std::fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(GitError::file("read", path)(error)),
    };
    let kind = meta.file_type();
    Ok(Some(if kind.is_file() {
        Kind::File { executable: meta.permissions().mode() & 0o100 != 0 }
    } else if kind.is_symlink() {
        Kind::Link
    } else if kind.is_dir() {
        Kind::Directory
    } else {
        Kind::Other
    }))
}

/// True for a directory with nothing in it, or nothing at all.
pub fn is_empty_dir(path: &Path) -> bool {
    match std::fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == ErrorKind::NotFound,
    }
}

/// What a checkout holds at each of the paths, in their order. A path below a link is nothing:
/// what is behind the link is not in the checkout.
///
/// # Errors
/// When git cannot be asked.
pub fn versions(place: &Place, paths: &[&Path]) -> Result<Vec<Found>, GitError> {
    let top = place.dir();
    let mut found = Vec::new();
    let mut files = Vec::new();
    for path in paths {
        let full = top.join(path);
        let kind = if below_link(top, path) { None } else { kind(&full)? };
        found.push(match kind {
            None => Found::Nothing,
            Some(Kind::Directory) => Found::Directory,
            Some(Kind::Other) => Found::Other,
            Some(kind @ Kind::Link) => Found::Content { kind, object: link_object(place, &full)? },
            Some(kind @ Kind::File { .. }) => {
                files.push((found.len(), *path));
                Found::Content { kind, object: String::new() }
            }
        });
    }
    for ((at, _), name) in files.iter().zip(file_objects(place, &files)?) {
        if let Found::Content { object, .. } = &mut found[*at] {
            *object = name;
        }
    }
    Ok(found)
}

/// True when a directory on the way to a path is a link: what is behind it is not in the checkout.
pub fn below_link(top: &Path, path: &Path) -> bool {
    super::touch::parents(path)
        .any(|parent| top.join(parent).symlink_metadata().is_ok_and(|meta| meta.is_symlink()))
}

fn link_object(place: &Place, path: &Path) -> Result<String, GitError> {
    let target = std::fs::read_link(path).map_err(GitError::file("read", path))?;
    let asked = ["hash-object", "--stdin"];
    Git::read(place).args(asked).input(target.as_os_str().as_bytes()).text()
}

/// The objects of regular files, through the filters that their paths have.
fn file_objects(place: &Place, files: &[(usize, &Path)]) -> Result<Vec<String>, GitError> {
    if files.is_empty() {
        return Ok(vec![]);
    }
    let input: String = files.iter().map(|(_, path)| quoted(path) + "\n").collect();
    let text = Git::read(place).args(["hash-object", "--stdin-paths"]).input(input).text()?;
    let objects: Vec<String> = text.lines().map(str::to_owned).collect();
    if objects.len() == files.len() {
        return Ok(objects);
    }
    Err(GitError::Unexpected { what: "hash-object".into(), answer: text })
}

/// A path as git reads it from a line: quoted as in C, so that any byte can be in it.
fn quoted(path: &Path) -> String {
    let mut text = String::from("\"");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => text.push(char::from(*byte)),
            other => text.push_str(&format!("\\{other:03o}")),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::path::PathBuf;

    use super::*;
    use crate::git::sample::Sample;

    #[test]
    fn any_name_is_hashed_as_git_would() {
        let sample = Sample::new();
        let names = ["\"q\"", "new\nline", "back\\slash", "end\r", "ünd", " blank "];
        for name in names {
            sample.write(name, name);
        }
        let odd = PathBuf::from(OsStr::from_bytes(b"\xff\xfe"));
        std::fs::write(sample.path.join(&odd), "odd").unwrap();
        std::os::unix::fs::symlink("a.txt", sample.path.join("link")).unwrap();
        std::os::unix::fs::symlink(".", sample.path.join("here")).unwrap();
        let mut paths: Vec<&Path> = names.iter().map(Path::new).collect();
        paths.extend([odd.as_path(), Path::new("link"), Path::new("here/a.txt"), Path::new("no")]);
        let found = versions(&sample.place(), &paths).unwrap();
        sample.commit("all");
        for (path, found) in paths.iter().zip(&found).take(names.len() + 2) {
            let asked = Git::read(&sample.place()).args(["ls-files", "-s", "-z", "--"]).arg(path);
            let line = asked.env("GIT_LITERAL_PATHSPECS", "1").text().unwrap();
            let mut fields = line.split(' ');
            let version = Version::of(fields.next().unwrap(), fields.next().unwrap()).unwrap();
            assert!(found.same_as(&version), "{path:?}: {found:?}, git: {line}");
        }
        assert_eq!(found[found.len() - 2..], [Found::Nothing, Found::Nothing]);
    }
}
