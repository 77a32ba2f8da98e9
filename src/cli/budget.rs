//! Arguments of `wt budget`.

use clap::ValueEnum;
use jiff::Span;
use jiff::civil::Date;

use crate::cli::app::App;
use crate::commands::budget::{Request, Since, give, run};
use crate::domain::budget::{Amount, Period};
use crate::domain::problem::Problem;

/// Show what was used, by task, role, agent and day, beside what may be used.
///
/// What counts is input + cache writes + output; cache reads stand apart. An attempt counts when it
/// ends, what runs counts now; `≥` is a lower bound, `≈` a cost computed from the list of prices,
/// `–` is not known. Budgets are over all repositories; they are set in `[budget]` of your settings
/// (`wt config show budget`), and for single tasks with `wt spawn --budget`.
///
///   wt budget                          the present period
///   wt budget --period month           this month
///   wt budget --since 2026-11-01       from a day on; or --since 7d
///   wt budget theme-dark --give 300k   what all its attempts may use, past ones included
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// With --give: the task, by its variant's name or the beginning of its id
    #[arg(requires = "give")]
    task: Option<String>,

    /// Give the task, and those that share its budget, this one: tokens (200k) or money (20usd)
    #[arg(long, value_name = "AMOUNT", requires = "task", conflicts_with_all = ["period", "since"])]
    give: Option<Amount>,

    /// The present day, week or month, instead of what the settings say
    #[arg(long, value_name = "PERIOD")]
    period: Option<Which>,

    /// From a day on (2026-11-01), or from so long ago (7d, 12h)
    #[arg(long, value_name = "WHEN", value_parser = since, conflicts_with = "period")]
    since: Option<Since>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Which {
    /// From midnight on
    Day,
    /// From Monday on
    Week,
    /// From the first of the month on
    Month,
}

impl From<Which> for Period {
    fn from(which: Which) -> Self {
        match which {
            Which::Day => Self::Day,
            Which::Week => Self::Week,
            Which::Month => Self::Month,
        }
    }
}

fn since(text: &str) -> Result<Since, String> {
    if let Ok(day) = text.parse::<Date>() {
        return Ok(Since::Day(day));
    }
    let span = text.parse::<Span>();
    span.map(Since::Ago).map_err(|_| "neither a day (2026-11-01) nor a time ago (7d, 12h)".into())
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// No such task, or what the store or the settings say.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let ctx = app.context()?;
        if let (Some(task), Some(amount)) = (&self.task, self.give) {
            return app.print("budget-given", &give::run(&ctx, task, amount)?);
        }
        let request = Request { period: self.period.map(Into::into), since: self.since };
        app.print("budget", &run(&ctx, &request)?)
    }
}
