//! The hidden verbs: processes that `wt` starts of itself. They are told apart before the command
//! line is parsed, for a holder has to stay small and nobody types them.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use crate::cli::scripted;
use crate::domain::problem::Problem;
use crate::engine::holder::bounded;
use crate::engine::process::ancestry::{ENGINE_VERB, HOLDER_VERB};
use crate::engine::{holder, run as engine};
use crate::ui::printer::{Form, Printer};

/// Runs the hidden verb that these arguments name; `None` when they name none.
pub fn run(arguments: &[OsString]) -> Option<ExitCode> {
    let verb = arguments.get(1)?;
    if verb == HOLDER_VERB {
        let [_, _, dir, environment] = arguments else { return Some(ExitCode::from(2)) };
        return Some(told(holder::run(Path::new(dir), Path::new(environment))));
    }
    if verb == bounded::VERB {
        let [_, _, dir, program, rest @ ..] = arguments else { return Some(ExitCode::from(2)) };
        told(bounded::run(Path::new(dir), program, rest));
        // As a shell says that a program cannot be started; its holder reads why.
        return Some(ExitCode::from(127));
    }
    if verb == scripted::VERB {
        return Some(scripted::main(arguments.get(2..).unwrap_or_default()));
    }
    (verb == ENGINE_VERB).then(|| told(engine::run()))
}

/// Says on stderr, which is the engine's log, why a process of ours could not do its work.
fn told(result: Result<(), impl Into<Problem>>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    crate::ui::problem::print(&Printer::new(Form::Quiet, "wt", false), &error.into());
    ExitCode::FAILURE
}
