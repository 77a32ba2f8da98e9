//! Arguments of `wt logs`.

use serde::Serialize;

use crate::cli::app::{App, printed};
use crate::commands::logs::{Outcome, Request, run};
use crate::domain::problem::Problem;
use crate::ui::outcome::{logs, status};
use crate::ui::printer::{Form, envelope};

/// Show what an agent said and did.
///
/// The transcript of a task's newest attempt: its setup commands, its words, its tools, what it
/// wrote to standard error. With `-f` it goes on until the attempt has ended, also when that has
/// not begun yet. With `--json` each part is one object on a line of its own, and the last line
/// tells how the task stands.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A variant's name, or the beginning of a task's id
    task: Option<String>,

    /// Go on until the attempt has ended
    #[arg(long, short)]
    follow: bool,

    /// The agent's output as it came, byte for byte
    #[arg(long)]
    raw: bool,

    /// Another attempt than the newest
    #[arg(long, value_name = "N")]
    attempt: Option<u32>,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When there is no such task or attempt.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let ctx = app.context()?;
        let request =
            Request { task: self.task, attempt: self.attempt, follow: self.follow, raw: self.raw };
        let json = app.printer.form() == Form::Json && !self.raw;
        let outcome = run(&ctx, &request, &mut |piece| {
            let bytes = if json { line("logs-part", &piece) } else { logs::text(&piece) };
            reads_on(app.printer.stream(&bytes))
        })?;
        self::end(app, &outcome, json)
    }
}

/// The end: for programs the last line, for people a line of the story.
fn end(app: &App<'_>, outcome: &Outcome, json: bool) -> Result<(), Problem> {
    if json {
        return printed(app.printer.stream(&line("logs", outcome)));
    }
    app.printer.story(&status::story(&outcome.line));
    if !outcome.complete {
        let name = &outcome.line.name;
        app.printer.story(&format!("there is more to come: `wt logs -f {name}`"));
    }
    Ok(())
}

fn line(kind: &str, part: &impl Serialize) -> Vec<u8> {
    format!("{}\n", envelope(kind, part)).into_bytes()
}

/// False when the reader has left, which is no failure.
fn reads_on(printed: std::io::Result<()>) -> Result<bool, Problem> {
    match printed {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Problem::failed(format!("cannot write to stdout: {error}"))),
    }
}
