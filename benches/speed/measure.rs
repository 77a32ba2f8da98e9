//! Times programs in turn, so that what else the machine does falls on all of them alike.

use std::time::{Duration, Instant};

/// One thing to time.
pub struct Case<'a> {
    /// What it is called in the report.
    pub name: &'a str,
    /// What must be so before each run, untimed; it is given the number of the run.
    pub before: Box<dyn FnMut(usize) + 'a>,
    /// What is timed.
    pub run: Box<dyn FnMut(usize) + 'a>,
}

impl<'a> Case<'a> {
    /// A case without preparation.
    pub fn new(name: &'a str, mut run: impl FnMut() + 'a) -> Self {
        Self { name, before: Box::new(|_| {}), run: Box::new(move |_| run()) }
    }
}

/// How long the runs of one case took.
#[derive(Debug, Clone)]
pub struct Timing {
    /// The case.
    pub name: String,
    /// The shortest run: what the program takes when nothing disturbs it.
    pub least: Duration,
    /// The run in the middle.
    pub median: Duration,
}

/// Runs the cases in turn, `runs` times each after one that is not counted.
pub fn in_turn(runs: usize, cases: &mut [Case<'_>]) -> Vec<Timing> {
    let mut took = vec![vec![]; cases.len()];
    for run in 0..=runs {
        for (case, took) in cases.iter_mut().zip(&mut took) {
            (case.before)(run);
            let begun = Instant::now();
            (case.run)(run);
            took.push(begun.elapsed());
        }
    }
    let timing = |(case, mut took): (&Case<'_>, Vec<Duration>)| {
        took.remove(0);
        took.sort();
        Timing { name: case.name.to_owned(), least: took[0], median: took[took.len() / 2] }
    };
    cases.iter().zip(took).map(timing).collect()
}

/// A table of the timings, each beside the sum of the floors that are named.
pub fn report(title: &str, timings: &[Timing], floors: &[&str], goal: &str) {
    let floor = |part: fn(&Timing) -> Duration| {
        let floors = timings.iter().filter(|timing| floors.contains(&timing.name.as_str()));
        floors.map(part).sum::<Duration>().as_secs_f64()
    };
    let (least, median) = (floor(|timing| timing.least), floor(|timing| timing.median));
    println!("\n{title}");
    println!("  {:<28} {:>10} {:>10} {:>8}", "", "least ms", "median ms", "× floor");
    for timing in timings {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let against = |time: Duration, floor: f64| match floor > 0.0 {
            true => format!("{:.2}", time.as_secs_f64() / floor),
            false => "–".into(),
        };
        println!(
            "  {:<28} {:>10.1} {:>10.1} {:>8} (median {})",
            timing.name,
            ms(timing.least),
            ms(timing.median),
            against(timing.least, least),
            against(timing.median, median),
        );
    }
    println!("  goal: {goal}");
}
