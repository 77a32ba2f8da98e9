//! Arguments of `wt completions` and `wt man`: what is made of the command line itself.

use std::io;
use std::path::PathBuf;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::app::{App, printed};
use crate::cli::verbs::Cli;
use crate::domain::problem::Problem;

/// Print completions for a shell.
///
/// bash: wt completions bash > ~/.local/share/bash-completion/completions/wt
/// zsh:  wt completions zsh > a file _wt in a directory of $fpath
/// fish: wt completions fish > ~/.config/fish/completions/wt.fish
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Does it.
    ///
    /// # Errors
    /// When stdout cannot be written to.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let mut script = vec![];
        let mut command = Cli::command();
        clap_complete::generate(self.shell, &mut command, "wt", &mut script);
        printed(app.printer.stream(&script))
    }
}

/// Print the manual page, or write the pages of all verbs.
#[derive(Debug, clap::Args)]
pub struct Man {
    /// Write wt.1, wt-spawn.1, … there: ~/.local/share/man/man1
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl Man {
    /// Does it.
    ///
    /// # Errors
    /// When the pages cannot be written.
    pub fn run(self, app: &App<'_>) -> Result<(), Problem> {
        let Some(dir) = &self.dir else {
            let mut page = vec![];
            let made = clap_mangen::Man::new(Cli::command()).render(&mut page);
            return printed(made.and_then(|()| app.printer.stream(&page)));
        };
        let dir = app.environment.cwd.join(dir);
        let failed = |error: io::Error| {
            Problem::failed(format!("cannot write manual pages to `{}`: {error}", dir.display()))
        };
        std::fs::create_dir_all(&dir).map_err(failed)?;
        clap_mangen::generate_to(Cli::command(), &dir).map_err(failed)?;
        app.printer.story(&format!("manual pages written to {}", dir.display()));
        Ok(())
    }
}
