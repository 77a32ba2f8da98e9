//! Which variant to take, by what is known of each.
//!
//! Pure: evidence in, order out. Criteria are compared one after another, the first that differs
//! decides; no weights, so that every verdict can be said in a few words:
//!
//! 1. how far the work is: finished, asks, under way, ended badly, nothing changed, unreadable;
//! 2. conflicts with its base: none, then fewer files, then not known;
//! 3. tests it deleted or skipped: none before some;
//! 4. how many of the others it conflicts with;
//! 5. the size of its change in lines: of two that do the same, the smaller one is easier to trust;
//! 6. its cost, only when that is exactly known of all: an unknown cost is not zero.
//!
//! What is equal in all of them shares a place, and the next place counts those before it (1, 1,
//! 3), as in sports.

use std::cmp::Ordering;

use crate::commands::work::Standing;
use crate::domain::usage::MicroUsd;

/// What is known of a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// How its work stands; `None` when no agent was ever asked.
    pub work: Option<Standing>,
    /// Lines that it added or removed, and files; `None` when it cannot be read.
    pub change: Option<Change>,
    /// Whether it merges into its base.
    pub with_base: Merges,
    /// With how many of the others it conflicts, or cannot be said to merge.
    pub with_others: usize,
    /// Tests that it deleted or skipped.
    pub tests_lost: u64,
    /// What it cost, when that is exactly known.
    pub cost: Option<MicroUsd>,
}

/// The size of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Files that differ.
    pub files: usize,
    /// Lines added or removed.
    pub lines: u64,
}

/// Whether something merges into something. In the order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Merges {
    /// Without a conflict.
    Clean,
    /// With conflicts in so many files.
    Conflicts(usize),
    /// Nobody can say.
    Unknown,
}

/// How far a variant is. In the order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Its work ended well, or a person works in it, and it holds a change.
    Finished,
    /// It waits for an answer.
    Asks,
    /// Its work is under way, or will be.
    UnderWay,
    /// Its work ended badly or was stopped.
    EndedBadly,
    /// It ended, and there is nothing to merge.
    NoChange,
    /// Neither its worktree nor its branch can be read.
    Unreadable,
}

/// A variant's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranked {
    /// Which of the evidence it is.
    pub index: usize,
    /// From 1; equal ones share it.
    pub place: usize,
    /// The criterion by which it comes after the one before it; `None` for the first place, and
    /// for one that shares its place with the one before it.
    pub behind_by: Option<Criterion>,
}

/// What can decide between two variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Criterion {
    /// How far the work is.
    Stage,
    /// Conflicts with the base.
    Base,
    /// Deleted or skipped tests.
    Tests,
    /// Conflicts with the others.
    Others,
    /// The size of the change.
    Size,
    /// The cost.
    Cost,
}

impl Evidence {
    /// How far it is.
    pub fn stage(&self) -> Stage {
        let nothing = match self.change {
            None => return Stage::Unreadable,
            Some(change) => change.files == 0,
        };
        match self.work {
            Some(Standing::Asks) => Stage::Asks,
            Some(Standing::Queued | Standing::Waiting | Standing::Parked | Standing::Running) => {
                Stage::UnderWay
            }
            _ if nothing => Stage::NoChange,
            Some(Standing::Failed | Standing::Stopped | Standing::Lost) => Stage::EndedBadly,
            Some(Standing::Done) | None => Stage::Finished,
        }
    }
}

/// Orders variants, best first; every one is there once. Equal ones stay in the order given.
pub fn rank(all: &[Evidence]) -> Vec<Ranked> {
    let costs_known = all.iter().all(|evidence| evidence.cost.is_some());
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by(|a, b| decide(&all[*a], &all[*b], costs_known).1);
    let mut ranked: Vec<Ranked> = Vec::with_capacity(all.len());
    for (at, index) in order.into_iter().enumerate() {
        let (place, behind_by) = match ranked.last() {
            None => (1, None),
            Some(before) => match decide(&all[before.index], &all[index], costs_known) {
                (_, Ordering::Equal) => (before.place, None),
                (criterion, _) => (at + 1, Some(criterion)),
            },
        };
        ranked.push(Ranked { index, place, behind_by });
    }
    ranked
}

/// The first criterion in which two differ, and how; the last one when they differ in none.
fn decide(a: &Evidence, b: &Evidence, costs_known: bool) -> (Criterion, Ordering) {
    let lines = |evidence: &Evidence| evidence.change.map_or(0, |change| change.lines);
    let cost = if costs_known { a.cost.cmp(&b.cost) } else { Ordering::Equal };
    let criteria = [
        (Criterion::Stage, a.stage().cmp(&b.stage())),
        (Criterion::Base, a.with_base.cmp(&b.with_base)),
        (Criterion::Tests, (a.tests_lost > 0).cmp(&(b.tests_lost > 0))),
        (Criterion::Others, a.with_others.cmp(&b.with_others)),
        (Criterion::Size, lines(a).cmp(&lines(b))),
        (Criterion::Cost, cost),
    ];
    let differs = criteria.into_iter().find(|(_, order)| order.is_ne());
    differs.unwrap_or((Criterion::Cost, Ordering::Equal))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn finished() -> Evidence {
        Evidence {
            work: Some(Standing::Done),
            change: Some(Change { files: 2, lines: 40 }),
            with_base: Merges::Clean,
            with_others: 0,
            tests_lost: 0,
            cost: Some(MicroUsd(10)),
        }
    }

    fn order(all: &[Evidence]) -> Vec<(usize, usize, Option<Criterion>)> {
        rank(all).iter().map(|r| (r.index, r.place, r.behind_by)).collect()
    }

    #[test]
    fn the_first_criterion_that_differs_decides() {
        let best = finished();
        let all = [
            Evidence { cost: Some(MicroUsd(11)), ..best.clone() },
            Evidence { change: Some(Change { files: 1, lines: 41 }), ..best.clone() },
            Evidence { with_others: 1, ..best.clone() },
            Evidence { tests_lost: 1, ..best.clone() },
            Evidence { with_base: Merges::Conflicts(1), ..best.clone() },
            Evidence { with_base: Merges::Conflicts(3), ..best.clone() },
            Evidence { with_base: Merges::Unknown, ..best.clone() },
            Evidence { work: Some(Standing::Asks), ..best.clone() },
            Evidence { change: None, ..best.clone() },
            best,
        ];
        use Criterion::{Base, Cost, Others, Size, Stage, Tests};
        let wanted = [
            (9, 1, None),
            (0, 2, Some(Cost)),
            (1, 3, Some(Size)),
            (2, 4, Some(Others)),
            (3, 5, Some(Tests)),
            (4, 6, Some(Base)),
            (5, 7, Some(Base)),
            (6, 8, Some(Base)),
            (7, 9, Some(Stage)),
            (8, 10, Some(Stage)),
        ];
        assert_eq!(order(&all), wanted);
    }

    #[test]
    fn a_cost_that_is_not_known_decides_nothing() {
        let cheap = Evidence { cost: Some(MicroUsd(1)), ..finished() };
        let unknown = Evidence { cost: None, ..finished() };
        assert_eq!(
            order(&[unknown, finished(), cheap]),
            [(0, 1, None), (1, 1, None), (2, 1, None)]
        );
    }

    #[test]
    fn who_shares_a_place_takes_the_next_ones_away() {
        let worse = Evidence { with_others: 2, ..finished() };
        let found = order(&[worse, finished(), finished()]);
        assert_eq!(found, [(1, 1, None), (2, 1, None), (0, 3, Some(Criterion::Others))]);
    }

    #[test]
    fn nothing_to_merge_is_not_finished() {
        let nothing = Some(Change { files: 0, lines: 0 });
        let stage = |work, change| Evidence { work, change, ..finished() }.stage();
        assert_eq!(stage(Some(Standing::Done), nothing), Stage::NoChange);
        assert_eq!(stage(None, nothing), Stage::NoChange);
        assert_eq!(stage(Some(Standing::Running), nothing), Stage::UnderWay);
        assert_eq!(stage(Some(Standing::Lost), finished().change), Stage::EndedBadly);
        assert_eq!(stage(None, finished().change), Stage::Finished);
    }

    fn evidence() -> impl Strategy<Value = Evidence> {
        use Standing::{Asks, Done, Failed, Lost, Queued, Running, Stopped, Waiting};
        let works = [Asks, Done, Failed, Lost, Queued, Running, Stopped, Waiting];
        let merges = [Merges::Clean, Merges::Conflicts(1), Merges::Conflicts(2), Merges::Unknown];
        (
            proptest::option::of(proptest::sample::select(works.to_vec())),
            proptest::option::of((0..3_usize, 0..3_u64)),
            proptest::sample::select(merges.to_vec()),
            (0..3_usize, 0..3_u64),
            proptest::option::of(0..3_u64),
        )
            .prop_map(|(work, change, with_base, (with_others, tests_lost), cost)| {
                Evidence {
                    work,
                    change: change.map(|(files, lines)| Change { files, lines }),
                    with_base,
                    with_others,
                    tests_lost,
                    cost: cost.map(MicroUsd),
                }
            })
    }

    proptest! {
        #[test]
        fn the_order_is_total_and_loses_nobody(all in proptest::collection::vec(evidence(), 0..12)) {
            let ranked = rank(&all);
            let mut seen: Vec<usize> = ranked.iter().map(|r| r.index).collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..all.len()).collect::<Vec<_>>());
            let known = all.iter().all(|evidence| evidence.cost.is_some());
            for (at, one) in ranked.iter().enumerate() {
                let before = ranked.iter().filter(|other| other.place < one.place).count();
                prop_assert_eq!(one.place, before + 1, "a place counts those before it");
                for other in &ranked[at + 1..] {
                    let (_, order) = decide(&all[one.index], &all[other.index], known);
                    prop_assert_eq!(order.is_eq(), one.place == other.place, "ties are told");
                    prop_assert!(order.is_le());
                }
            }
        }

        #[test]
        fn the_order_given_does_not_matter(all in proptest::collection::vec(evidence(), 0..12)) {
            let places = |all: &[Evidence]| {
                let mut places: Vec<(usize, String)> =
                    rank(all).iter().map(|r| (r.place, format!("{:?}", all[r.index]))).collect();
                places.sort();
                places
            };
            let mut reversed = all.clone();
            reversed.reverse();
            prop_assert_eq!(places(&all), places(&reversed));
        }
    }
}
