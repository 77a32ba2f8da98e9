use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::commands::list::{Changes, Main, NotCounted, Other, Row, State};
use crate::commands::work::Standing;
use crate::domain::usage::{Certainty, CostFrom, MicroUsd, Tokens, Usage};
use crate::domain::variant::Idea;
use crate::git::history::Distance;
use crate::git::operation::Operation;

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn row(name: &str, state: State, minutes: i64) -> Row {
    Row {
        name: name.parse().unwrap(),
        idea: Some(Idea { name: "theme".into(), suggested: true }),
        state,
        since: now() - SignedDuration::from_mins(minutes),
        until: None,
        pace: None,
        reason: None,
        changed: None,
        task: None,
        path: Path::new("/home/u/src/shop-worktrees").join(name),
        branch: format!("feature/{name}"),
        stands_on: None,
        commit: None,
        base: Some("main".into()),
        fork_commit: "f46d65b000".into(),
        distance: Some(Distance { ahead: 1, behind: 0 }),
        changes: None,
        operation: None,
        syncing: None,
        unmerged: 0,
        used: None,
        usage: None,
        budget: None,
        merged: None,
        trouble: None,
        detail: None,
    }
}

fn changes(files: usize, added: u64, removed: u64) -> Option<Changes> {
    Some(Changes { files, added, removed, uncommitted: Some(0), ..Changes::default() })
}

fn used(tokens: u64, micro: u64, certainty: Certainty) -> Option<Usage> {
    let tokens = Tokens { input: tokens, ..Tokens::default() };
    Some(Usage { tokens, cost: Some(MicroUsd(micro)), certainty, cost_from: CostFrom::Agent })
}

fn shop() -> Outcome {
    let mut dark = row("theme-dark", State::Work(Standing::Done), 12);
    dark.distance = Some(Distance { ahead: 2, behind: 1 });
    dark.changes = changes(8, 142, 17);
    dark.usage = used(61_120, 940_000, Certainty::Exact);
    let mut light = row("theme-light", State::Work(Standing::Asks), 2);
    light.changes = changes(3, 20, 4);
    light.reason = Some("Tailwind or CSS modules?".into());
    light.usage = used(22_000, 310_000, Certainty::Exact);
    let mut a11y = row("theme-a11y", State::Work(Standing::Waiting), 9);
    a11y.changes = changes(5, 80, 0);
    a11y.usage = used(48_000, 700_000, Certainty::AtLeast);
    let old = Other {
        path: "/home/u/src/old-spike".into(),
        branch: Some("spike".into()),
        commit: Some("abcdef1234".into()),
        distance: Some(Distance { ahead: 7, behind: 0 }),
        gone: false,
        locked: Some(String::new()),
    };
    let listed = Listed {
        name: "shop".into(),
        root: "/home/u/src/shop".into(),
        trouble: None,
        base: Some("main".into()),
        main: None,
        variants: vec![dark, light, a11y],
        others: vec![old],
    };
    Outcome {
        repositories: vec![listed],
        now: now(),
        detail: false,
        stood: "/home/u/src/shop".into(),
        home: Some("/home/u".into()),
    }
}

fn shown(outcome: &Outcome, width: Option<usize>) -> String {
    let mut bytes = vec![];
    outcome.render(&mut Page::new(&mut bytes, width, "wt")).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_table_is_readable_at_a_glance() {
    insta::assert_snapshot!(shown(&shop(), Some(80)), @r#"
    VARIANT      STATE          CHANGES      MAIN   TOKENS    COST
    theme-dark   done 12m       8f +142 −17  ↑2 ↓1     61k   $0.94
    theme-light  asks 2m        3f +20 −4    ↑1        22k   $0.31
    theme-a11y   waiting 9m     5f +80       ↑1       ≥48k  ≥$0.70
    old-spike    not a variant               ↑7
    theme-light asks "Tailwind or CSS modules?"  → wt send theme-light "…"
    "#);
}

#[test]
fn the_tree_tells_more() {
    let mut outcome = shop();
    outcome.detail = true;
    let listed = &mut outcome.repositories[0];
    listed.main = Some(Main {
        path: "/home/u/src/shop".into(),
        branch: Some("main".into()),
        commit: Some("f46d65b000".into()),
        uncommitted: Some(0),
    });
    listed.variants[2].idea = None;
    insta::assert_snapshot!(shown(&outcome, None), @r#"
    Main repository
    └─ ~/src/shop  main f46d65b  clean
    idea theme (suggested) · from main f46d65b · $1.25
    ├─ theme-dark  done 12m · 2 commits · 1 behind · 8f +142 −17 · 61,120 tokens · $0.94
    │  feature/theme-dark  ../shop-worktrees/theme-dark
    └─ theme-light  asks 2m · 1 commit · 3f +20 −4 · 22,000 tokens · $0.31
       feature/theme-light  ../shop-worktrees/theme-light
       "Tailwind or CSS modules?"
    no idea · from main f46d65b · ≥$0.70
    └─ theme-a11y  waiting 9m · 1 commit · 5f +80 · ≥48,000 tokens · ≥$0.70
       feature/theme-a11y  ../shop-worktrees/theme-a11y
    Not variants
    └─ ../old-spike  spike  ↑7  locked
    theme-light asks "Tailwind or CSS modules?"  → wt send theme-light "…"
    "#);
}

#[test]
fn a_narrow_screen_shows_what_matters_most() {
    let mut outcome = shop();
    let mut long = row("theme-with-a-very-long-name-dark", State::Idle, 60 * 24 * 3);
    long.changes = changes(0, 0, 0);
    long.distance = Some(Distance::default());
    outcome.repositories[0].variants.push(long);
    insta::assert_snapshot!(shown(&outcome, Some(60)), @r#"
    VARIANT             STATE          CHANGES        COST
    theme-dark          done 12m       8f +142 −17   $0.94
    theme-light         asks 2m        3f +20 −4     $0.31
    theme-a11y          waiting 9m     5f +80       ≥$0.70
    theme-wi…name-dark  idle 3d        none
    old-spike           not a variant
    not shown: tokens, distance
    theme-light asks "Tailwind or CS…  → wt send theme-light "…"
    "#);
    insta::assert_snapshot!(shown(&outcome, Some(44)), @r#"
    VARIANT       STATE          CHANGES
    theme-dark    done 12m       8f +142 −17
    theme-light   asks 2m        3f +20 −4
    theme-a11y    waiting 9m     5f +80
    theme…e-dark  idle 3d        none
    old-spike     not a variant
    not shown: tokens, distance, cost
    theme-light asks "Tailw…  → wt send theme-light "…"
    "#);
    for width in 40..120 {
        let text = shown(&outcome, Some(width));
        let table: Vec<&str> = text.lines().take(6).collect();
        let widest = table.iter().map(|line| console::measure_text_width(line)).max();
        assert!(widest.unwrap() <= width, "{width}:\n{text}");
    }
}

#[test]
fn what_is_odd_is_told_with_what_to_type() {
    let mut outcome = shop();
    let rows = &mut outcome.repositories[0].variants;
    rows[0].state = State::Merged;
    rows[1].trouble = Some("cannot read `/x`: No such file".into());
    rows[1].base = Some("develop".into());
    rows[2].state = State::Work(Standing::Failed);
    rows[2].reason = Some("setup: `npm ci` exited with 1".into());
    rows[2].operation = Some(Operation::Merge);
    rows[2].unmerged = 2;
    rows[2].stands_on = Some("other".into());
    rows[2].distance = None;
    let left = NotCounted { path: "core.bin".into(), why: "is too large to look into".into() };
    let some = Changes { not_counted: vec![left], binary: 1, ..changes(1, 0, 0).unwrap() };
    rows[2].changes = Some(some);
    insta::assert_snapshot!(shown(&outcome, None), @r#"
    VARIANT      STATE          CHANGES      BASE        TOKENS    COST
    theme-dark   merged 12m     8f +142 −17  ↑2 ↓1 main     61k   $0.94
    theme-light  asks 2m        3f +20 −4    ↑1 develop     22k   $0.31
    theme-a11y   failed 9m      2f binary    – main        ≥48k  ≥$0.70
    old-spike    not a variant               ↑7
    theme-light asks "Tailwind or CSS modules?"  → wt send theme-light "…"
    theme-light: cannot read `/x`: No such file  → wt doctor
    theme-a11y failed: setup: `npm ci` exited with 1  → wt logs theme-a11y
    theme-a11y is in the middle of a merge, 2 files in conflict  → cd ../shop-worktrees/theme-a11y
    theme-a11y stands on other, not on feature/theme-a11y  → cd ../shop-worktrees/theme-a11y
    theme-a11y: core.bin is too large to look into, not counted
    1 merged  → wt cleanup --merged
    "#);
}

#[test]
fn nothing_is_no_riddle() {
    let mut outcome = shop();
    outcome.repositories[0].variants.clear();
    outcome.repositories[0].others.clear();
    insta::assert_snapshot!(shown(&outcome, None), @r#"No variants here. → wt spawn NAME "what to do""#);
    outcome.repositories[0].trouble = Some("`/home/u/src/shop` is not in a git repository".into());
    insta::assert_snapshot!(shown(&outcome, None), @r"
    shop  ~/src/shop
      `/home/u/src/shop` is not in a git repository  → wt doctor
    ");
    outcome.repositories.clear();
    insta::assert_snapshot!(shown(&outcome, None), @r#"No variants anywhere. → wt spawn NAME "what to do""#);
}
