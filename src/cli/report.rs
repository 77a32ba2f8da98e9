//! Arguments of `wt report`.

use crate::cli::app::App;
use crate::commands::report::run;
use crate::domain::attempt::Report;
use crate::domain::problem::Problem;

/// Tell how far the work is: for agents, from inside their own attempt.
///
/// What it tells stands in `wt status`. It can only tell of the task it is called in: the
/// environment says which that is.
///
///   wt report --step 3/5 --phase tests
///   wt report --milestone "the parser passes its tests"
///   wt report --blocked "the API key for staging is missing"
///
/// After --blocked the agent should end. It is asked once more whether it can go on without; then
/// the task waits for a person.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, override_usage = "wt report [OPTIONS]")]
#[group(id = "told", required = true, multiple = true)]
pub struct Args {
    /// How much of it is done: 0 to 1
    #[arg(long, value_name = "PART", value_parser = part, conflicts_with = "step")]
    progress: Option<f64>,

    /// Which step of how many: 3/5
    #[arg(long, value_name = "N/M", value_parser = step)]
    step: Option<(u32, u32)>,

    /// What it does now, in a word or two
    #[arg(long, value_name = "TEXT")]
    phase: Option<String>,

    /// Something that was reached
    #[arg(long, value_name = "TEXT")]
    milestone: Option<String>,

    /// It cannot go on without this
    #[arg(long, value_name = "REASON")]
    blocked: Option<String>,
}

fn part(text: &str) -> Result<f64, String> {
    let part: f64 = text.parse().map_err(|_| "a number from 0 to 1, such as 0.4".to_owned())?;
    if (0.0..=1.0).contains(&part) { Ok(part) } else { Err("a number from 0 to 1".into()) }
}

fn step(text: &str) -> Result<(u32, u32), String> {
    let wrong = || "a step is written like 3/5".to_owned();
    let (step, of) = text.split_once('/').ok_or_else(wrong)?;
    let (step, of) = (step.parse().map_err(|_| wrong())?, of.parse().map_err(|_| wrong())?);
    if of == 0 || step > of { Err(wrong()) } else { Ok((step, of)) }
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When this process works in no attempt.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let told = Report {
            progress: self.progress,
            step: self.step,
            phase: self.phase,
            milestone: self.milestone,
            blocked: self.blocked,
            at: None,
        };
        app.print("report", &run(&app.context()?, told)?)
    }
}
