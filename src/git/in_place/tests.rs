use super::*;
use crate::git::sample::{Sample, git_in, put};
use crate::git::snapshot::Request;

/// `feature/a` and `main` disagree about `text`, and each has a file of its own.
fn apart(sample: &Sample) -> Place {
    sample.write("text", "1\n2\n3\n");
    sample.commit("start");
    let place = sample.worktree("a");
    put(place.dir(), "text", "1\nvariant\n3\n");
    put(place.dir(), "own", "own\n");
    git_in(place.dir(), &["add", "-A"]);
    git_in(place.dir(), &["commit", "-q", "-m", "of the variant"]);
    sample.write("text", "1\nmain\n3\n");
    sample.write("theirs", "theirs\n");
    sample.commit("of main");
    place
}

fn begun(sample: &Sample, place: &Place, rebase: bool) -> (String, Came) {
    let commit = sample.repo().commit("main").unwrap();
    let bring =
        Bring { from: "main", commit: &commit, branch: "feature/a", rebase, mark: "wt syncs a" };
    let hooks = Hooks::usual(sample.repo().common_dir()).unwrap();
    let came = begin(place, &hooks, &bring).unwrap();
    (commit, came)
}

fn paths(came: &Came) -> Vec<&str> {
    let Came::Conflicts(found) = came else { panic!("{came:?}") };
    found.iter().map(|conflict| conflict.path.to_str().unwrap()).collect()
}

#[test]
fn it_goes_on_once_everything_is_settled() {
    for rebase in [false, true] {
        let sample = Sample::new();
        let place = apart(&sample);
        let (commit, came) = begun(&sample, &place, rebase);
        assert_eq!(paths(&came), ["text"]);
        assert_eq!(stands(&place, "feature/a", &commit).unwrap(), Stands::UnderWay);
        let task = TaskId::new("worktree-a-abcdef");
        assert_eq!(paths(&go_on(&place, By::Task(&task)).unwrap()), ["text"]);
        put(place.dir(), "text", "1\nboth\n3\n");
        assert_eq!(go_on(&place, By::Task(&task)).unwrap(), Came::Through);
        let Stands::Done(tip) = stands(&place, "feature/a", &commit).unwrap() else { panic!() };
        assert_eq!(git_in(place.dir(), &["status", "--porcelain"]), "");
        assert!(place.dir().join("own").exists() && place.dir().join("theirs").exists());
        let message = git_in(place.dir(), &["log", "-1", "--format=%B", &tip]);
        if !rebase {
            assert!(message.starts_with("Merge branch 'main' into feature/a"), "{message}");
            assert!(message.contains("Wt-Task: worktree-a-abcdef"), "{message}");
            assert!(!message.contains('#'), "{message}");
        }
    }
}

#[test]
fn a_marker_that_was_staged_is_not_settled_even_when_it_is_committed() {
    let sample = Sample::new();
    let place = apart(&sample);
    begun(&sample, &place, false);
    git_in(place.dir(), &["add", "-A"]);
    let task = TaskId::new("worktree-a-abcdef");
    assert_eq!(paths(&go_on(&place, By::Task(&task)).unwrap()), ["text"]);
    git_in(place.dir(), &["commit", "-q", "--no-edit"]);
    let marked = conflict::staged_with_markers(&place).unwrap();
    assert_eq!(marked.len(), 1, "the index remembers it");
    put(place.dir(), "text", "1\nboth\n3\n");
    assert_eq!(conflict::staged_with_markers(&place).unwrap(), []);
}

#[test]
fn it_is_given_up_by_us_or_by_hand() {
    for rebase in [false, true] {
        let sample = Sample::new();
        let place = apart(&sample);
        let before = sample.repo().commit("feature/a").unwrap();
        let (commit, _) = begun(&sample, &place, rebase);
        give_up(&place).unwrap();
        assert_eq!(stands(&place, "feature/a", &commit).unwrap(), Stands::GivenUp);
        assert_eq!(sample.repo().commit("feature/a").unwrap(), before);
        assert_eq!(git_in(place.dir(), &["status", "--porcelain"]), "");
        give_up(&place).unwrap();
    }
}

#[test]
fn what_was_cut_short_is_taken_back_with_uncommitted_work() {
    for rebase in [false, true] {
        let sample = Sample::new();
        let place = apart(&sample);
        put(place.dir(), "unknown", "mine\n");
        let before = sample.repo().commit("feature/a").unwrap();
        let request = Request::new("a", "sync", jiff::Timestamp::UNIX_EPOCH);
        let snapshot = snapshot::take(&place, &request).unwrap();
        let since = SystemTime::now() - std::time::Duration::from_secs(5);
        begun(&sample, &place, rebase);
        // As a loss of power leaves it: half of the files, and a lock that nobody holds.
        std::fs::remove_file(place.dir().join("own")).unwrap();
        std::fs::write(place.git_dir.join("index.lock"), "").unwrap();
        take_back(&place, ("feature/a", &snapshot.reference), since).unwrap();
        assert_eq!(in_progress(&place).unwrap(), None);
        assert_eq!(git_in(place.dir(), &["status", "--porcelain"]), "?? unknown");
        assert_eq!(git_in(place.dir(), &["symbolic-ref", "HEAD"]).trim(), "refs/heads/feature/a");
        assert_eq!(sample.repo().commit("feature/a").unwrap(), before);
        assert!(!place.dir().join("theirs").exists());
    }
}
