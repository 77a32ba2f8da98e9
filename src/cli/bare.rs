//! Bare `wt`: what is going on here, or how to begin.

use crate::cli::app::App;
use crate::commands::{status, welcome};
use crate::domain::problem::Problem;

/// Shows the work that there is, or the next three steps where there is none.
///
/// # Errors
/// When the state cannot be read.
pub fn run(app: &App<'_>) -> Result<(), Problem> {
    let ctx = app.context()?;
    match welcome::run(&ctx)? {
        Some(steps) => app.print("welcome", &steps),
        None => {
            let request = status::Request { all: ctx.here().is_err(), only_needs_you: false };
            app.print("status", &status::run(&ctx, &request)?)
        }
    }
}
