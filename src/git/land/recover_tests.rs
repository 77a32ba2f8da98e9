//! What is left of a landing that was cut short, at every point where it can be.

use super::desk::{Desk, Journal};
use super::proof::prove;
use super::tests::{Two, files, two};
use super::touch::between;
use super::{Landed, Recovered, recover};
use crate::git::command::Git;

/// What a landing that was killed had done so far.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Killed {
    Files,
    Index,
    Reference,
}

/// Does by hand what a landing does, the files only for which `changes` says so, and dies.
fn killed(two: &Two, at: Killed, changes: impl Fn(usize) -> bool) {
    let place = two.sample.place();
    let desk = Desk::open(&place).unwrap();
    let touches = between(&place, &two.old, &two.new).unwrap();
    assert!(desk.lock_index().unwrap());
    desk.keep_index().unwrap();
    let ground = prove(&place, &touches, None).unwrap().unwrap();
    let journal = Journal {
        reference: "refs/heads/main".into(),
        old: two.old.clone(),
        new: two.new.clone(),
        absent: ground.absent,
        missing: ground.missing,
    };
    desk.write(&journal).unwrap();
    let index = desk.new_index();
    let git = || Git::write(&place).env("GIT_INDEX_FILE", &index);
    git().args(["read-tree", &two.new]).run().unwrap();
    let changed = touches.iter().enumerate().filter(|(number, _)| changes(*number));
    let changed: Vec<_> = changed.map(|(_, touch)| touch).collect();
    for touch in &changed {
        std::fs::remove_file(place.dir().join(&touch.path)).ok();
        for parent in super::touch::parents(&touch.path) {
            std::fs::remove_dir(place.dir().join(parent)).ok();
        }
    }
    for touch in changed.iter().filter(|touch| touch.new.is_some()) {
        // One whose place is still taken is not written yet.
        let path = [touch.path.as_path()];
        let input = crate::git::conflict::joined(path.into_iter());
        git().args(["checkout-index", "-q", "-z", "--stdin"]).input(input).answer().unwrap();
    }
    if at != Killed::Files {
        desk.install(&index).unwrap();
    }
    if at == Killed::Reference {
        Git::write(&place).args(["update-ref", "refs/heads/main", &two.new]).run().unwrap();
    }
}

#[test]
fn cut_short_at_any_file_it_is_put_back() {
    let count = {
        let two = two(&[]);
        between(&two.sample.place(), &two.old, &two.new).unwrap().len()
    };
    let whole = two(&[]);
    for done in 0..=count {
        for (at, from_end) in
            [(Killed::Files, false), (Killed::Files, true), (Killed::Index, false)]
        {
            if at == Killed::Index && done < count {
                continue;
            }
            let two = &whole;
            two.sample.git(&["reset", "-q", "--hard", &two.old]);
            two.sample.write("same", "mine\n");
            two.sample.write("unknown", "mine\n");
            let before = (files(&two.sample.path), two.status());
            killed(two, at, |number| if from_end { number >= count - done } else { number < done });
            let recovered = recover(&two.sample.place()).unwrap();
            assert_eq!(recovered, Some(Recovered::PutBack { kept: vec![] }), "{done} {at:?}");
            assert_eq!((files(&two.sample.path), two.status()), before, "{done} {at:?}");
            assert_eq!(two.sample.git(&["rev-parse", "HEAD"]), two.old);
            assert_eq!(recover(&two.sample.place()).unwrap(), None);
        }
    }
    assert_eq!(whole.land(), Landed::Yes);
}

#[test]
fn cut_short_after_the_branch_moved_it_has_landed() {
    let two = two(&[]);
    killed(&two, Killed::Reference, |_| true);
    assert_eq!(recover(&two.sample.place()).unwrap(), Some(Recovered::Landed));
    assert_eq!(two.status(), "");
    assert_eq!(files(&two.sample.path), two.expected());
    two.sample.git(&["commit", "-q", "--allow-empty", "-m", "nothing is locked"]);
}

#[test]
fn what_is_neither_old_nor_new_is_kept_before_it_is_replaced() {
    let two = two(&[]);
    let before = files(&two.sample.path);
    killed(&two, Killed::Files, |_| true);
    two.sample.write("edited", "half wri");
    two.sample.write("new/er/file", "");
    let Some(Recovered::PutBack { kept }) = recover(&two.sample.place()).unwrap() else { panic!() };
    let kept: Vec<_> = kept
        .iter()
        .map(|(path, object)| (path.to_str().unwrap(), two.sample.git(&["cat-file", "-p", object])))
        .collect();
    assert_eq!(kept, [("edited", "half wri".into()), ("new/er/file", String::new())]);
    assert_eq!(files(&two.sample.path), before);
}

#[test]
fn a_lock_that_somebody_broke_means_hands_off() {
    let two = two(&[]);
    killed(&two, Killed::Files, |_| true);
    std::fs::remove_file(two.sample.path.join(".git/index.lock")).unwrap();
    two.sample.git(&["add", "-A"]);
    let before = (files(&two.sample.path), two.status());
    assert_eq!(recover(&two.sample.place()).unwrap(), Some(Recovered::LeftAlone));
    assert_eq!((files(&two.sample.path), two.status()), before);
}

#[test]
fn locks_that_git_left_on_the_branch_go_when_they_are_ours() {
    let two = super::tests::two(&[]);
    let git_dir = two.sample.path.join(".git");
    killed(&two, Killed::Files, |_| false);
    std::fs::write(git_dir.join("refs/heads/main.lock"), format!("{}\n", two.new)).unwrap();
    std::fs::write(git_dir.join("HEAD.lock"), "").unwrap();
    recover(&two.sample.place()).unwrap();
    two.sample.git(&["commit", "-q", "--allow-empty", "-m", "nothing is locked"]);
    let two = super::tests::two(&[]);
    let git_dir = two.sample.path.join(".git");
    killed(&two, Killed::Files, |_| false);
    std::fs::write(git_dir.join("refs/heads/main.lock"), "").unwrap();
    recover(&two.sample.place()).unwrap();
    assert!(git_dir.join("refs/heads/main.lock").exists());
}
