//! Problems, as people and programs read them.

use serde_json::json;

use crate::domain::problem::{Kind, Problem};
use crate::ui::printer::{Form, JSON_SCHEMA, Printer, named};
use crate::ui::theme;

/// Prints a problem: to stderr for people, and as one object on stdout with `--json`.
pub fn print(printer: &Printer, problem: &Problem) {
    if printer.form() == Form::Json {
        let object = json!({ "schema": JSON_SCHEMA, "kind": "error", "error": problem });
        printer.stream(format!("{object}\n").as_bytes()).ok();
        return;
    }
    let label = match problem.kind {
        Kind::Conflicts | Kind::Check => theme::bad().for_stderr().apply_to("✗".to_owned()),
        _ => theme::bad().for_stderr().bold().apply_to("error:".to_owned()),
    };
    printer.error_line(&format!("{label} {}", problem.message));
    for line in &problem.details {
        printer.error_line(&format!("  {line}"));
    }
    for (number, hint) in problem.hints.iter().enumerate() {
        if problem.kind == Kind::Conflicts && problem.hints.len() > 1 {
            // Ways on, one of which is to be chosen.
            let hint = named(hint, printer.program()).replace('`', "");
            let number = theme::busy().for_stderr().apply_to(number + 1);
            printer.error_line(&format!("{number} {hint}"));
            continue;
        }
        let label = theme::busy().for_stderr().apply_to("hint:");
        printer.error_line(&format!("{label} {hint}"));
    }
}
