//! Arguments of `wt diff`.

use std::ffi::OsString;
use std::io::{self, Write};

use crate::cli::app::{App, printed};
use crate::commands::diff::{Outcome, Request, run};
use crate::domain::problem::Problem;
use crate::git::user_config::user_setting;
use crate::ui::outcome::diff::{Names, no_difference, painted, raw};
use crate::ui::pager::{Pager, chosen};
use crate::ui::printer::Form;

/// Show what a variant changed, or where two differ; uncommitted work counts.
///
///   wt diff theme-dark                  since it parted from its base
///   wt diff theme-dark theme-light      where the two differ
///   wt diff main theme-dark             where it differs from what `main` holds now
///   wt diff theme-dark -- src '*.css'   only there
///
/// Without a name: the variant you stand in. On a terminal changed words are marked and your pager
/// is used; piped, it is a plain patch that `git apply` takes.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// A variant, or two variants or branches
    #[arg(num_args = 0..=2, value_name = "NAME")]
    names: Vec<String>,

    /// Only these paths, from where you are
    #[arg(last = true, value_name = "PATH")]
    paths: Vec<OsString>,

    /// List files with how many lines changed
    #[arg(long, conflicts_with = "name_only")]
    stat: bool,

    /// List the names of files alone
    #[arg(long)]
    name_only: bool,

    /// With --json: have the patch in the answer, up to 16 MiB
    #[arg(long, short, conflicts_with_all = ["stat", "name_only"])]
    patch: bool,

    /// Do not use a pager
    #[arg(long)]
    no_pager: bool,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When there is nothing to compare, or stdout cannot be written to.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let json = app.printer.form() == Form::Json;
        let listed = self.stat || self.name_only;
        let request = Request {
            names: self.names,
            paths: self.paths,
            files: json || listed,
            patch: json && self.patch,
        };
        let ctx = app.context()?;
        let outcome = run(&ctx, &request)?;
        if json {
            return app.print("diff", &outcome);
        }
        let empty = if listed {
            if self.name_only {
                printed(app.printer.text(&Names(&outcome)))?;
            } else {
                printed(app.printer.text(&outcome))?;
            }
            outcome.files.as_ref().is_some_and(Vec::is_empty)
        } else {
            show(app, &outcome, !self.no_pager)?
        };
        if empty {
            ctx.observer.tell(&no_difference(&outcome));
        }
        Ok(())
    }
}

/// Shows the patch; says whether it is empty.
fn show(app: &App<'_>, outcome: &Outcome, paged: bool) -> Result<bool, Problem> {
    let written = outcome.source.patch(|patch| {
        if app.printer.width().is_none() {
            return app.printer.copy(|out| raw(patch, out));
        }
        let mut patch = io::BufReader::new(patch);
        // A pager is not for nothing.
        if io::BufRead::fill_buf(&mut patch)?.is_empty() {
            return Ok(0);
        }
        let chosen =
            if paged { chosen(app.environment, || user_setting("core.pager")) } else { None };
        match chosen.and_then(|chosen| Pager::start(&chosen, app.environment)) {
            Some(mut pager) => {
                let size = painted(&mut patch, &mut pager)?;
                pager.flush()?;
                Ok(size)
            }
            None => app.printer.copy(|out| painted(&mut patch, out)),
        }
    })?;
    let empty = matches!(written, Ok(0));
    printed(written.map(drop))?;
    Ok(empty)
}
