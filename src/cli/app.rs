//! From the process's arguments to its exit code.

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use serde::Serialize;

use crate::cli::globals::Globals;
use crate::cli::hidden;
use crate::cli::verbs::Cli;
use crate::cli::{bare, exit};
use crate::commands::context::Context;
use crate::domain::observer::{Observer, Person};
use crate::domain::problem::{Kind, Problem};
use crate::store::environment::Environment;
use crate::ui::printer::{Form, Printer, Render};
use crate::ui::progress::Story;
use crate::ui::prompt::AtTerminal;

/// What a verb is run with.
pub struct App<'a> {
    /// The environment, `-C` applied.
    pub environment: &'a Environment,
    /// Prints its outcome.
    pub printer: &'a Printer,
    /// Whether it was told to print without colour.
    pub no_color: bool,
    observer: &'a dyn Observer,
    person: &'a dyn Person,
}

impl<'a> App<'a> {
    /// Opens the state: for every verb but those that need none.
    ///
    /// # Errors
    /// When the state cannot be opened.
    pub fn context(&self) -> Result<Context<'a>, Problem> {
        Context::open(self.environment, self.observer, self.person)
    }

    /// Prints an outcome.
    ///
    /// # Errors
    /// When stdout cannot be written to; a closed pipe ends in silence.
    pub fn print<T: Serialize + Render>(&self, kind: &str, outcome: &T) -> Result<(), Problem> {
        printed(self.printer.outcome(kind, outcome))
    }
}

/// A failed print as a problem; the reader's having left (`wt list | head -1`) is none.
///
/// # Errors
/// When stdout cannot be written to.
pub fn printed(result: std::io::Result<()>) -> Result<(), Problem> {
    match result {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Problem::failed(format!("cannot write to stdout: {error}"))),
        Ok(()) => Ok(()),
    }
}

/// Runs the program: parse, dispatch, exit code.
pub fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    if let Some(code) = hidden::run(&arguments) {
        return code;
    }
    let program = program_name(arguments.first().map(Path::new));
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error, &arguments, &program),
    };
    let environment = match environment(&cli.globals) {
        Ok(environment) => environment,
        Err(problem) => {
            let printer = Printer::new(form(&cli.globals), &program, !cli.globals.no_color);
            crate::ui::problem::print(&printer, &problem);
            return exit::code(problem.kind);
        }
    };
    let colour = !cli.globals.no_color && environment.get("NO_COLOR").is_none();
    let printer = Printer::new(form(&cli.globals), &program, colour);
    let (observer, person) = (Story::new(&printer), AtTerminal::new(&printer));
    let app = App {
        environment: &environment,
        printer: &printer,
        no_color: cli.globals.no_color,
        observer: &observer,
        person: &person,
    };
    match run(cli, &app) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            crate::ui::problem::print(&printer, &problem);
            exit::code(problem.kind)
        }
    }
}

fn run(cli: Cli, app: &App<'_>) -> Result<(), Problem> {
    match cli.verb {
        Some(verb) => verb.run(app),
        None => bare::run(app),
    }
}

fn environment(globals: &Globals) -> Result<Environment, Problem> {
    let lost = |error| Problem::failed(format!("the working directory is gone: {error}"));
    let mut environment = Environment::capture().map_err(lost)?;
    if let Some(directory) = &globals.directory {
        let there = environment.cwd.join(directory);
        if !there.is_dir() {
            let text = format!("`{}` is not a directory", directory.display());
            return Err(Problem::new(Kind::Usage, text));
        }
        environment.cwd = there;
    }
    Ok(environment)
}

fn form(globals: &Globals) -> Form {
    match (globals.json, globals.quiet) {
        (true, _) => Form::Json,
        (false, true) => Form::Quiet,
        (false, false) => Form::Text,
    }
}

/// `wt`, `git wt` when installed as `git-wt`, or whatever name it was installed under.
fn program_name(argument: Option<&Path>) -> String {
    let name = argument.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    match name.as_deref() {
        Some("git-wt") => "git wt".into(),
        Some(name) => name.to_owned(),
        None => "wt".into(),
    }
}

/// What clap could not parse, or `--help` and `--version`. With `--json` an error is an object on
/// stdout, as every other.
fn refuse(error: &clap::Error, arguments: &[std::ffi::OsString], program: &str) -> ExitCode {
    if !error.use_stderr() {
        error.print().ok();
        return ExitCode::SUCCESS;
    }
    if arguments.iter().any(|argument| argument == "--json") {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        let problem = Problem::usage(first.trim_start_matches("error: ").to_owned())
            .hint("see what it takes: `wt --help`");
        crate::ui::problem::print(&Printer::new(Form::Json, program, false), &problem);
    } else {
        error.print().ok();
    }
    ExitCode::from(2)
}
