//! A copy of an index that can still tell which files changed.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

/// Copies an index into an empty file, with its time.
///
/// git believes an entry's size and times only if they are older than the index itself, and reads
/// the file otherwise (Documentation/technical/racy-git.txt). A copy with a later time would vouch
/// for files that were changed within the second in which the original was written: git would take
/// them for unchanged, and leave them out of a commit or write over them.
///
/// Gives what the original was while it was copied.
///
/// # Errors
/// When one cannot be read or the other written.
pub fn copy_index(from: &Path, to: &mut File) -> io::Result<Metadata> {
    let mut original = File::open(from)?;
    let meta = original.metadata()?;
    io::copy(&mut original, to)?;
    to.set_permissions(meta.permissions())?;
    to.set_modified(meta.modified()?)?;
    Ok(meta)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::git::land::{Landed, Landing, Refusal, land};
    use crate::git::private_index::PrivateIndex;
    use crate::git::sample::Sample;

    /// A checkout of `main` whose `a.txt`, another one on `next`, was changed, and not in its size, within the second in which its
    /// index was written.
    fn changed_at_once() -> Sample {
        let sample = Sample::new();
        sample.git(&["checkout", "-q", "-b", "next"]);
        sample.write("a.txt", "new\n");
        sample.commit("new");
        sample.git(&["checkout", "-q", "main"]);
        // Only whole seconds and sizes count, as for a git that looks at nothing finer.
        sample.git(&["config", "core.checkStat", "minimal"]);
        sample.git(&["config", "core.trustctime", "false"]);
        let at = SystemTime::now() - Duration::from_secs(100);
        let (file, index) = (sample.path.join("a.txt"), sample.path.join(".git/index"));
        let date = |path: &Path| File::options().write(true).open(path).unwrap().set_modified(at);
        date(&file).unwrap();
        sample.git(&["update-index", "--refresh"]);
        sample.write("a.txt", "two\n");
        date(&file).unwrap();
        date(&index).unwrap();
        assert_eq!(sample.git(&["--no-optional-locks", "status", "--porcelain"]), " M a.txt");
        sample
    }

    #[test]
    fn what_changed_in_the_second_of_the_index_is_seen_through_a_copy() {
        let sample = changed_at_once();
        let index = PrivateIndex::copy(&sample.place()).unwrap();
        let fork = index.fork().unwrap();
        for copy in [index, fork] {
            assert_eq!(copy.add(&[Path::new("a.txt")]).unwrap(), []);
            let tree = copy.write_tree().unwrap();
            assert_eq!(sample.git(&["show", &format!("{tree}:a.txt")]), "two");
        }
    }

    #[test]
    fn what_changed_in_the_second_of_the_index_is_not_written_over() {
        let sample = changed_at_once();
        let [old, new] = ["main", "next"].map(|branch| sample.git(&["rev-parse", branch]));
        let landing = Landing { branch: "main", old: &old, new: &new, log: "merge next" };
        let landed = land(&sample.place(), &landing).unwrap();
        assert!(matches!(&landed, Landed::Refused(Refusal::Obstacles(_))), "{landed:?}");
        assert_eq!(std::fs::read_to_string(sample.path.join("a.txt")).unwrap(), "two\n");
        assert_eq!(sample.git(&["rev-parse", "main"]), old);
    }
}
