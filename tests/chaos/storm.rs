//! The storm: steps of a person, and `kill -9` of whoever is at work meanwhile.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::promises::Kept;
use crate::random::Dice;
use crate::steps::Step;
use crate::support::env::TestEnv;
use crate::support::left_behind::Process;
use crate::support::wait::wait_until;
use crate::town::Town;

/// How long a step is thought to take before any was timed.
const GUESS: Duration = Duration::from_millis(300);

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Victim {
    /// A command that somebody typed.
    Command,
    Engine,
    Holder,
    Agent,
    /// Every process there is, as when the machine is reset.
    All,
}

/// A command under way.
struct Running {
    step: Step,
    child: Child,
    since: Instant,
    killed: bool,
}

/// How long a storm lasts.
pub struct Force {
    pub seed: u64,
    pub kills: usize,
    /// It ends after so long, however many there were.
    pub at_most: Duration,
}

pub struct Storm<'e> {
    town: Town<'e>,
    dice: Dice,
    seed: u64,
    kept: Kept,
    durations: BTreeMap<String, Duration>,
    kills: BTreeMap<String, usize>,
    /// What was done, for who has to find out what went wrong.
    story: Vec<String>,
}

/// Lets a storm rage, and checks every promise after each step and in the end.
pub fn rage(force: &Force) {
    let env = TestEnv::new();
    let mut storm = Storm {
        town: Town::build(&env),
        dice: Dice::new(force.seed),
        seed: force.seed,
        kept: Kept::default(),
        durations: BTreeMap::new(),
        kills: BTreeMap::new(),
        story: vec![],
    };
    let end = Instant::now() + force.at_most;
    let mut number = 0;
    while storm.kills.values().sum::<usize>() < force.kills && Instant::now() < end {
        number += 1;
        storm.round(number);
    }
    storm.town.calm();
    storm.kept.in_the_end(&storm.town);
    let killed = storm.kills.values().sum::<usize>();
    assert!(killed > 0, "nothing was killed in {number} rounds");
    if std::env::var_os("WT_CHAOS_TELL").is_some() {
        let story = storm.story.join("\n");
        let killed = &storm.kills;
        let _ = writeln!(std::io::stderr(), "{story}\n{number} rounds, killed {killed:?}");
    }
}

impl Storm<'_> {
    fn round(&mut self, number: usize) {
        let seen = self.town.look();
        self.kept.look(&self.town, &seen);
        let count = if self.dice.once_in(3) { 2 } else { 1 };
        let steps: Vec<Step> =
            (0..count).map(|n| Step::choose(&mut self.dice, &seen, 10 * number + n)).collect();
        let blows = self.blows(&steps);
        let mut running: Vec<Running> = steps.into_iter().map(|step| self.start(step)).collect();
        let begin = Instant::now();
        for (after, victim) in blows {
            while begin.elapsed() < after {
                std::thread::park_timeout(Duration::from_micros(500));
            }
            self.strike(victim, &mut running);
        }
        for one in running {
            self.end(one);
        }
        self.settle();
    }

    /// When to strike whom, the first first.
    fn blows(&mut self, steps: &[Step]) -> Vec<(Duration, Victim)> {
        let whole = |step: &Step| self.durations.get(step.verb()).copied().unwrap_or(GUESS);
        let longest = steps.iter().map(whole).max().unwrap_or(GUESS);
        let mut blows: Vec<(Duration, Victim)> = (0..1 + self.dice.below(3))
            .map(|_| {
                let victim = self.dice.weighed(&[
                    (8, Victim::Command),
                    (4, Victim::Engine),
                    (3, Victim::Holder),
                    (3, Victim::Agent),
                    (1, Victim::All),
                ]);
                (self.dice.within(longest.mul_f64(1.1)), victim)
            })
            .collect();
        blows.sort_by_key(|(after, _)| *after);
        blows
    }

    fn start(&mut self, step: Step) -> Running {
        let mut wt = self.town.env.wt_command(&self.town.shop.dir);
        wt.args(&step.words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.story.push(format!("wt {}", step.words.join(" ")));
        Running { step, child: wt.spawn().unwrap(), since: Instant::now(), killed: false }
    }

    fn strike(&mut self, victim: Victim, running: &mut [Running]) {
        let found: Vec<Process> =
            self.town.processes().into_iter().filter(|one| is(one, victim)).collect();
        let struck: Vec<&Process> = match victim {
            Victim::All => found.iter().collect(),
            _ => self.dice.pick(&found).into_iter().collect(),
        };
        for process in struck {
            if process.signal(Signal::KILL) {
                *self.kills.entry(format!("{victim:?}")).or_default() += 1;
                self.story.push(format!("  killed {victim:?} {} {}", process.pid, process.words));
            }
            for one in running.iter_mut() {
                one.killed |= one.child.id() == process.pid.as_raw_nonzero().get().cast_unsigned();
            }
        }
    }

    /// Waits for a command that was not killed, and looks at how it went.
    fn end(&mut self, one: Running) {
        let Running { step, child, since, killed } = one;
        let said = child.wait_with_output().unwrap();
        let code = said.status.code();
        let stderr = String::from_utf8_lossy(&said.stderr).into_owned();
        let mut told = format!("  {} ended with {code:?}", step.verb());
        for line in stderr.lines() {
            write!(told, "\n    {line}").unwrap();
        }
        self.story.push(told);
        if !killed {
            self.durations.insert(step.verb().to_owned(), since.elapsed());
            let fair = matches!(code, Some(0 | 1 | 3 | 4 | 5));
            assert!(fair, "{:?} ended with {code:?}: {stderr}", step.words);
        }
        self.kept.may_move |= step.moves_main;
    }

    /// After the next command nothing is half-way.
    fn settle(&mut self) {
        let said = self.town.shop.wt(&["path"]);
        self.story.push(format!("  then: {}", said.stderr.trim_end()));
        said.ok();
        self.kept.after_a_step(&self.town);
    }
}

impl Drop for Storm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let last = self.story.len().saturating_sub(80);
            let story = self.story[last..].join("\n");
            let seed = self.seed;
            let _ = writeln!(std::io::stderr(), "WT_CHAOS_SEED={seed} failed after:\n{story}");
        }
    }
}

fn is(process: &Process, victim: Victim) -> bool {
    let words = &process.words;
    let (engine, holder) = (words.contains(" __engine"), words.contains(" __hold "));
    let marked = || process.variable("WT_ATTEMPT").is_some();
    match victim {
        Victim::All => true,
        Victim::Engine => engine,
        Victim::Holder => holder,
        Victim::Agent => words.contains("/bin/worker ") && marked(),
        Victim::Command => {
            let name = words.split(' ').next().unwrap_or_default();
            name.ends_with("/wt") && !engine && !holder && !marked()
        }
    }
}

impl Town<'_> {
    /// Stops everything and waits until nothing is left to be done.
    fn calm(&self) {
        // It may find that something has just ended.
        let said = self.shop.wt(&["stop", "--all"]);
        assert!(matches!(said.exit, Some(0 | 1)), "{said}");
        wait_until("every task is at its end", || {
            self.shop.wt(&["status"]).ok();
            self.look().tasks.iter().all(|task| task.state.is_final())
        });
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Dozens of kills in every run of the tests; thousands, or one seed again, when asked.
fn storm(seed: u64) {
    let seed = number("WT_CHAOS_SEED").unwrap_or(seed);
    let force = match number("WT_CHAOS_KILLS") {
        Some(kills) => {
            let (kills, forever) = (usize::try_from(kills).unwrap(), 24 * 3600);
            Force { seed, kills, at_most: Duration::from_secs(forever) }
        }
        None => Force { seed, kills: 30, at_most: Duration::from_secs(25) },
    };
    rage(&force);
}

#[test]
fn kill_anything_at_any_moment() {
    storm(1);
}

#[test]
fn and_at_any_other_moment() {
    storm(2);
}
