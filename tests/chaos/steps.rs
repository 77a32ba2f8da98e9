//! What a person does while everything around is killed.

use wt::domain::task::TaskState;

use crate::random::Dice;
use crate::town::Seen;

/// The most variants at once.
const CROWD: usize = 6;

/// A command line, and what it may move.
#[derive(Debug, Clone)]
pub struct Step {
    pub words: Vec<String>,
    /// Whether it may move the main branch.
    pub moves_main: bool,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Spawn,
    Retry,
    Stop,
    Merge,
    Abort,
    Cleanup,
    Restore,
    Undo,
    Look,
}

impl Step {
    /// The verb.
    pub fn verb(&self) -> &str {
        &self.words[0]
    }

    /// A step that makes sense in what is there. `number` makes names new.
    pub fn choose(dice: &mut Dice, seen: &Seen, number: usize) -> Self {
        let room = seen.variants.len() < CROWD;
        let kind = dice.weighed(&[
            (if room { 8 } else { 0 }, Kind::Spawn),
            (4, Kind::Retry),
            (2, Kind::Stop),
            (5, Kind::Merge),
            (1, Kind::Abort),
            (if room { 2 } else { 10 }, Kind::Cleanup),
            (if room { 3 } else { 0 }, Kind::Restore),
            (2, Kind::Undo),
            (2, Kind::Look),
        ]);
        Self::of(kind, dice, seen, number).unwrap_or_else(|| spawn(dice, number))
    }

    fn of(kind: Kind, dice: &mut Dice, seen: &Seen, number: usize) -> Option<Self> {
        let present: Vec<&str> = seen.variants.iter().map(|one| one.name.as_str()).collect();
        let ended: Vec<&str> = seen
            .variants
            .iter()
            .filter(|one| {
                let own = |state: TaskState| {
                    seen.tasks.iter().any(|t| t.variant == Some(one.key) && t.state == state)
                };
                !own(TaskState::Running) && !own(TaskState::Queued) && !own(TaskState::Waiting)
            })
            .map(|one| one.name.as_str())
            .collect();
        let trashed: Vec<&str> = seen.trashed.iter().map(|one| one.name.as_str()).collect();
        let any = *dice.pick(&present).unwrap_or(&"");
        Some(match kind {
            Kind::Spawn => spawn(dice, number),
            Kind::Retry => step(&["retry", dice.pick(&ended)?]),
            Kind::Stop if dice.once_in(4) => step(&["stop", "--all"]),
            Kind::Stop => step(&["stop", dice.pick(&present)?]),
            Kind::Merge => {
                let name = *dice.pick(&ended)?;
                merge(dice, name)
            }
            Kind::Abort => step(&["merge", "--abort"]),
            Kind::Cleanup if present.len() > 1 && dice.once_in(4) => {
                step(&["cleanup", "--all", "--force", "--yes"])
            }
            Kind::Cleanup if any.is_empty() => return None,
            Kind::Cleanup => step(&["cleanup", any, "--force", "--yes"]),
            Kind::Restore => step(&["restore", dice.pick(&trashed)?]),
            Kind::Undo => Self { moves_main: true, ..step(&["undo"]) },
            Kind::Look => step(&[*dice.pick(&["list", "status", "compare"])?]),
        })
    }
}

fn spawn(dice: &mut Dice, number: usize) -> Step {
    let name = format!("v{number}");
    let lines = (1 + dice.below(60)).to_string();
    let way = dice.weighed(&[(4, "works"), (3, "commits"), (1, "fails"), (1, "clashes")]);
    step(&["spawn", &name, "--exec", "--", "worker", &name, &lines, way])
}

fn merge(dice: &mut Dice, name: &str) -> Step {
    let way = dice.weighed(&[(4, ""), (1, "--squash"), (1, "--no-ff"), (1, "--rebase")]);
    let words: Vec<&str> =
        ["merge", name, way].into_iter().filter(|word| !word.is_empty()).collect();
    Step { moves_main: true, ..step(&words) }
}

fn step(words: &[&str]) -> Step {
    Step { words: words.iter().map(|word| (*word).to_owned()).collect(), moves_main: false }
}
