//! What holds whatever was killed.

use std::collections::{BTreeMap, BTreeSet};

use wt::domain::attempt::{Attempt, AttemptState};
use wt::domain::task::TaskState;
use wt::domain::variant::Variant;
use wt::store::variants;

use crate::town::{Line, Seen, Town};

/// What was seen so far, and must not be seen otherwise later.
#[derive(Default)]
pub struct Kept {
    head: Option<String>,
    /// Whether a step of this round may have moved the main branch.
    pub may_move: bool,
    /// Attempts that had ended: how, and what became of their task, as was told.
    ended: BTreeMap<String, Attempt>,
}

impl Kept {
    /// Before a round: no finished result has changed or disappeared.
    pub fn look(&mut self, town: &Town<'_>, seen: &Seen) {
        self.head = Some(town.shop.head());
        self.may_move = false;
        for (id, before) in &self.ended {
            let now = seen.attempts.iter().find(|attempt| attempt.id.as_str() == id);
            assert_eq!(now, Some(before), "a finished result has changed");
        }
        let over =
            |one: &&Attempt| matches!(one.state, AttemptState::Ended | AttemptState::Abandoned);
        let ended = seen.attempts.iter().filter(over).map(|one| (one.id.to_string(), one.clone()));
        self.ended.extend(ended);
    }

    /// After a round and the command that put everything right: nothing is half-way.
    pub fn after_a_step(&self, town: &Town<'_>) {
        let (head, before) = (town.shop.head(), self.head.clone().unwrap());
        assert!(self.may_move || head == before, "the main branch was moved by nobody");
        if head != before {
            assert_whole_merge(town, &before, &head);
        }
        town.assert_mine();
        let git_dir = town.shop.dir.join(".git");
        for left in ["index.lock", "HEAD.lock", "wt-landing"] {
            assert!(!git_dir.join(left).exists(), "`{left}` is left");
        }
        let store = town.store();
        assert_eq!(store.damage().unwrap(), Vec::<String>::new());
        let open: Vec<String> = store
            .read()
            .prepare("SELECT kind || ' ' || data FROM intents")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(open, Vec::<String>::new(), "intents are left");
    }

    /// When every task is at its end.
    pub fn in_the_end(&mut self, town: &Town<'_>) {
        let seen = town.look();
        self.look(town, &seen);
        self.after_a_step(town);
        let witnessed = town.witnessed();
        for lines in witnessed.values() {
            assert_one_at_a_time(lines);
        }
        for attempt in &seen.attempts {
            assert_output_whole(town, attempt, &witnessed);
        }
        assert_no_work_lost(town, &seen, &witnessed);
        let marked: Vec<String> = town
            .processes()
            .iter()
            .filter_map(|one| Some(format!("{} {}", one.variable("WT_ATTEMPT")?, one.words)))
            .collect();
        assert_eq!(marked, Vec::<String>::new(), "processes are left of attempts that ended");
        assert_eq!(town.shop.git(&["fsck", "--no-dangling"]), "");
        let said = town.shop.wt(&["doctor"]);
        assert_eq!(said.exit, Some(0), "{said}");
    }
}

/// Old and new are commits of one line, and the new one's tree is the one that git itself makes.
#[track_caller]
fn assert_whole_merge(town: &Town<'_>, before: &str, head: &str) {
    let base = town.shop.git_line(&["merge-base", before, head]);
    assert!(base == before || base == head, "{head} is neither on top of {before} nor below it");
    let parents = town.shop.git_line(&["log", "-1", "--format=%P", head]);
    if let Some((first, second)) = parents.split_once(' ') {
        let tree = town.shop.git_line(&["merge-tree", "--write-tree", first, second]);
        let made = town.shop.git_line(&["rev-parse", &format!("{head}^{{tree}}")]);
        assert_eq!(made, tree, "{head} is not what merging {second} into {first} gives");
    }
}

/// Neither two attempts of one task at once, nor one attempt twice.
#[track_caller]
fn assert_one_at_a_time(lines: &[Line]) {
    let mut over: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut started: BTreeSet<&str> = BTreeSet::new();
    let mut now: Option<(&str, &str)> = None;
    for line in lines {
        let who = (line.attempt.as_str(), line.pid.as_str());
        if now == Some(who) {
            continue;
        }
        over.extend(now);
        assert!(!over.contains(&who), "{who:?} and another run at once");
        assert!(started.insert(who.0), "{} was run twice", who.0);
        now = Some(who);
    }
}

/// What the agent wrote is what is kept: all of it, and in its order. Killed between two lines it
/// may have written one that its witness has not.
#[track_caller]
fn assert_output_whole(
    town: &Town<'_>,
    attempt: &Attempt,
    witnessed: &BTreeMap<String, Vec<Line>>,
) {
    let own = |line: &&Line| line.attempt == attempt.id.as_str();
    let lines: Vec<&Line> =
        witnessed.get(attempt.task.as_str()).into_iter().flatten().filter(own).collect();
    let said: Vec<&str> = lines.iter().filter(|l| l.is_work()).map(|l| l.text.as_str()).collect();
    let path = town.env.state().join("attempts").join(attempt.id.as_str()).join("stdout");
    let output = std::fs::read_to_string(path).unwrap_or_default();
    let kept: Vec<&str> = output.lines().collect();
    let one_more = kept.len() == said.len() + 1 && kept.starts_with(&said);
    assert!(kept == said || one_more, "{}: kept {kept:?}, said {said:?}", attempt.id);
    let finished = lines.iter().any(|line| line.what == "ends");
    assert!(
        !finished || attempt.state == AttemptState::Ended,
        "{} ran to its end and is {:?}",
        attempt.id,
        attempt.state
    );
}

/// Every line that an agent wrote into its worktree is there, in the trash, or in some commit.
fn assert_no_work_lost(town: &Town<'_>, seen: &Seen, witnessed: &BTreeMap<String, Vec<Line>>) {
    let store = town.store();
    let places = |variant: &Variant| {
        let trash = variants::trash(store.read(), variant.key).unwrap();
        [Some(variant.path.clone()), trash.map(|trash| trash.path)]
    };
    for task in seen.tasks.iter().filter(|task| task.state != TaskState::Lost) {
        let Some(lines) = witnessed.get(task.id.as_str()) else { continue };
        let key = task.variant.unwrap();
        let variant = variants::by_key(store.read(), key).unwrap().unwrap();
        let file = format!("work-{}.txt", variant.name);
        let mut found = BTreeSet::new();
        for place in places(&variant).into_iter().flatten() {
            let text = std::fs::read_to_string(place.join(&file)).unwrap_or_default();
            found.extend(text.lines().map(str::to_owned));
        }
        let missing = |found: &BTreeSet<String>| {
            let work = lines.iter().filter(|line| line.is_work());
            work.filter(|line| !found.contains(&line.text)).map(|l| l.text.clone()).collect()
        };
        let mut lost: Vec<String> = missing(&found);
        if !lost.is_empty() {
            let commits = town.shop.git(&[
                "log",
                "--all",
                "--full-history",
                "--format=%H",
                "--diff-filter=d",
                "--",
                &file,
            ]);
            for commit in commits.lines() {
                let text = town.shop.git(&["show", &format!("{commit}:{file}")]);
                found.extend(text.lines().map(str::to_owned));
            }
            lost = missing(&found);
        }
        assert!(lost.is_empty(), "{}: its work is lost: {lost:?}", task.id);
    }
}
