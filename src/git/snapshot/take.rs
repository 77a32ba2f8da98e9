//! Taking a snapshot.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::git::changes::{ChangeKind, Changes, changes};
use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::objects::{TreeLine, commit_tree, hash_files, make_tree};
use crate::git::operation::in_progress;
use crate::git::place::Place;
use crate::git::private_index::{Entry, PrivateIndex, recover};
use crate::git::snapshot::{NotHeld, Request, Snapshot, WhyNot, create_ref};

/// What the index says about itself that a plain status does not show.
#[derive(Debug, Default)]
struct IndexFacts {
    /// Paths whose changes status is told to overlook.
    overlooked: Vec<PathBuf>,
    submodules: Vec<PathBuf>,
    /// The stages of conflicts: mode, object, stage, path.
    stages: Vec<(String, String, char, PathBuf)>,
}

/// How the files of a checkout differ from its index, by what is to be done to hold them.
#[derive(Debug, Default)]
struct Sorted {
    gone: Vec<PathBuf>,
    files: Vec<(PathBuf, &'static str)>,
    links: Vec<PathBuf>,
    not_held: Vec<NotHeld>,
}

/// Takes a snapshot of a checkout. Nothing in it is touched, and no hook is run.
///
/// Ignored files are not held: what overwrites or removes one must refuse.
///
/// # Errors
/// When git fails or the disk is full; no ref exists then.
pub fn take(place: &Place, request: &Request<'_>) -> Result<Snapshot, GitError> {
    recover(place)?;
    let found = changes(place)?;
    let facts = index_facts(place)?;
    let sorted = sort(place, &found, &facts, request.size_max);
    let operation = in_progress(place)?;
    let clean = found.entries.is_empty() && sorted.files.is_empty() && sorted.links.is_empty();
    let (commit, not_held) = match &found.head {
        Some(head) if clean => (clean_commit(place, request, &found, head)?, sorted.not_held),
        _ => dirty_commit(place, request, &found, (&facts, sorted))?,
    };
    let reference = create_ref(place, request, &commit)?;
    Ok(Snapshot { reference, commit, not_held, operation })
}

/// `H 100644 <object> 0<TAB>path`, the letter in lower case for files that are assumed unchanged,
/// `S` for those outside of a sparse checkout.
fn index_facts(place: &Place) -> Result<IndexFacts, GitError> {
    let mut facts = IndexFacts::default();
    let listed = Git::read(place).args(["ls-files", "-z", "-v", "-s"]).run()?;
    for line in listed.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
        let unexpected = || GitError::Unexpected {
            what: "ls-files".into(),
            answer: String::from_utf8_lossy(&line[..line.len().min(200)]).into_owned(),
        };
        let tab = line.iter().position(|byte| *byte == b'\t').ok_or_else(unexpected)?;
        let head = std::str::from_utf8(&line[..tab]).map_err(|_| unexpected())?;
        let [tag, mode, object, stage] = head.split(' ').collect::<Vec<_>>()[..] else {
            return Err(unexpected());
        };
        let path = || PathBuf::from(OsStr::from_bytes(&line[tab + 1..]));
        if stage != "0" {
            let stage = stage.chars().next().unwrap_or('0');
            facts.stages.push((mode.to_owned(), object.to_owned(), stage, path()));
        } else if mode == "160000" {
            facts.submodules.push(path());
        } else if tag != "H" {
            facts.overlooked.push(path());
        }
    }
    Ok(facts)
}

fn sort(place: &Place, found: &Changes, facts: &IndexFacts, size_max: u64) -> Sorted {
    let mut sorted = Sorted::default();
    for change in &found.entries {
        match &change.kind {
            ChangeKind::Repository => sorted.leave(&change.path, WhyNot::Repository),
            // Named below, whether they differ or not.
            ChangeKind::Tracked(tracked) if tracked.submodule => {}
            ChangeKind::Tracked(tracked) if tracked.deleted => {
                sorted.gone.push(change.path.clone());
            }
            _ => sorted.put(place, &change.path, size_max),
        }
    }
    for path in &facts.overlooked {
        // An absent one is outside of a sparse checkout, which is as it should be.
        if place.dir().join(path).symlink_metadata().is_ok() {
            sorted.put(place, path, size_max);
        }
    }
    for path in &facts.submodules {
        let mut inside = std::fs::read_dir(place.dir().join(path)).into_iter().flatten();
        if inside.next().is_some() {
            sorted.leave(path, WhyNot::Submodule);
        }
    }
    sorted
}

impl Sorted {
    fn leave(&mut self, path: &Path, why: WhyNot) {
        self.not_held.push(NotHeld { path: path.to_path_buf(), why });
    }

    fn put(&mut self, place: &Place, path: &Path, size_max: u64) {
        match place.dir().join(path).symlink_metadata() {
            Err(_) => self.gone.push(path.to_path_buf()),
            Ok(meta) if meta.is_symlink() => self.links.push(path.to_path_buf()),
            Ok(meta) if !meta.is_file() => self.leave(path, WhyNot::Special),
            Ok(meta) if meta.len() > size_max => self.leave(path, WhyNot::Large(meta.len())),
            Ok(meta) => self.files.push((path.to_path_buf(), mode(&meta))),
        }
    }
}

fn mode(meta: &Metadata) -> &'static str {
    if meta.mode() & 0o100 == 0 { "100644" } else { "100755" }
}

/// Nothing differs from HEAD: the commit says so, and on which branch that was.
fn clean_commit(
    place: &Place,
    request: &Request<'_>,
    found: &Changes,
    head: &str,
) -> Result<String, GitError> {
    let tree = format!("{head}^{{tree}}");
    commit_tree(place, &tree, &[head], &message(request, found, "clean"))
}

fn dirty_commit(
    place: &Place,
    request: &Request<'_>,
    found: &Changes,
    (facts, mut sorted): (&IndexFacts, Sorted),
) -> Result<(String, Vec<NotHeld>), GitError> {
    let index = PrivateIndex::copy(place)?;
    let entries = held(place, &index, &mut sorted)?;
    let state = state_commit(place, &index, facts, &entries)?;
    let unmerged: Vec<&Path> = facts.stages.iter().map(|stage| stage.3.as_path()).collect();
    index.remove(&unmerged)?;
    let base = found.head.as_deref();
    let parents = |last| base.into_iter().chain([last]).collect::<Vec<&str>>();
    let tree = index.write_tree()?;
    let staged = commit_tree(place, &tree, &parents(&state), "wt: the index\n")?;
    let gone: Vec<&Path> = sorted.gone.iter().map(PathBuf::as_path).collect();
    index.remove(&gone)?;
    index.set(&entries)?;
    let tree = index.write_tree()?;
    let text = message(request, found, &state);
    Ok((commit_tree(place, &tree, &parents(&staged), &text)?, sorted.not_held))
}

/// The index file itself; which files are held byte for byte; and the stages of conflicts as
/// trees, so that their objects stay.
fn state_commit(
    place: &Place,
    index: &PrivateIndex,
    facts: &IndexFacts,
    entries: &[Entry],
) -> Result<String, GitError> {
    if !index.file().exists() {
        index.git().args(["read-tree", "--empty"]).run()?;
    }
    index.make_whole()?;
    let list = index.dir().join("raw");
    let paths: Vec<&[u8]> = entries.iter().map(|entry| entry.path.as_os_str().as_bytes()).collect();
    std::fs::write(&list, paths.join(&0)).map_err(GitError::file("write", &list))?;
    let ids: Result<Vec<String>, String> =
        hash_files(place, &[index.file(), list])?.into_iter().collect();
    let ids = ids.map_err(|answer| GitError::Unexpected { what: "hash-object".into(), answer })?;
    let file = |object, name| TreeLine { mode: "100644", object, name };
    let mut lines = vec![file(ids[0].as_str(), "index"), file(&ids[1], "raw")];
    let stages = match facts.stages.is_empty() {
        true => None,
        false => Some(stages_tree(place, facts)?),
    };
    if let Some(stages) = &stages {
        lines.push(TreeLine { mode: "040000", object: stages, name: "stages" });
    }
    let tree = make_tree(place, &lines)?;
    commit_tree(place, &tree, &[], "wt: the index file\n")
}

fn stages_tree(place: &Place, facts: &IndexFacts) -> Result<String, GitError> {
    let empty = PrivateIndex::empty(place)?;
    let entry = |(mode, object, stage, path): &(String, String, char, PathBuf)| Entry {
        mode: mode.clone(),
        object: object.clone(),
        path: Path::new(&stage.to_string()).join(path),
    };
    empty.set(&facts.stages.iter().map(entry).collect::<Vec<_>>())?;
    empty.write_tree()
}

/// Writes the files that differ and gives them as entries; what cannot be read is named instead.
fn held(place: &Place, index: &PrivateIndex, sorted: &mut Sorted) -> Result<Vec<Entry>, GitError> {
    let mut sources: Vec<PathBuf> = sorted.files.iter().map(|(path, _)| path.clone()).collect();
    // git would follow a link, so its target's name goes through a file of our own.
    for (number, path) in sorted.links.iter().enumerate() {
        let target = std::fs::read_link(place.dir().join(path)).unwrap_or_default();
        let file = index.dir().join(format!("link-{number}"));
        std::fs::write(&file, target.as_os_str().as_bytes())
            .map_err(GitError::file("write", &file))?;
        sources.push(file);
    }
    let ids = hash_files(place, &sources)?;
    let files = sorted.files.iter().map(|(path, mode)| (path, *mode));
    let paths = files.chain(sorted.links.iter().map(|path| (path, "120000")));
    let (mut entries, mut failed) = (vec![], vec![]);
    for ((path, mode), id) in paths.zip(ids) {
        match id {
            Ok(object) => {
                entries.push(Entry { mode: mode.to_owned(), object, path: path.clone() });
            }
            Err(why) => {
                failed.push(NotHeld { path: path.clone(), why: WhyNot::Unreadable(why) });
            }
        }
    }
    sorted.not_held.extend(failed);
    Ok(entries)
}

fn message(request: &Request<'_>, found: &Changes, state: &str) -> String {
    let head = found.branch.as_ref().map_or("detached".into(), |name| format!("refs/heads/{name}"));
    let base = found.head.as_deref().unwrap_or("none");
    format!(
        "wt: {} before {}\n\nWt-Head: {head}\nWt-Base: {base}\nWt-State: {state}\n",
        request.holder, request.why
    )
}
