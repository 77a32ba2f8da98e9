//! Flags that every verb takes.

use std::path::PathBuf;

use clap::Args;

/// Flags that every verb takes.
#[derive(Debug, Clone, Default, Args)]
pub struct Globals {
    /// Print one JSON object instead of text
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub json: bool,

    /// Work as if started in DIR
    #[arg(short = 'C', value_name = "DIR", global = true, help_heading = "Everywhere")]
    pub directory: Option<PathBuf>,

    /// Print the answer without the story
    #[arg(long, short, global = true, help_heading = "Everywhere")]
    pub quiet: bool,

    /// Print without colour, as does the variable NO_COLOR
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub no_color: bool,
}
