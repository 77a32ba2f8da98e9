//! What the agent is asked to do, wherever the words come from.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::commands::context::Context;
use crate::domain::problem::Problem;

/// The longest prompt, in bytes: far beyond what any model reads.
pub const PROMPT_MAX: u64 = 1024 * 1024;

/// Where the words come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PromptFrom {
    /// From here.
    Text(String),
    /// From a file, relative to where the command stands.
    File(PathBuf),
    /// From the person at the terminal.
    #[default]
    Ask,
}

/// Gets the words.
///
/// # Errors
/// When there are none, they are too many, or they are no text.
pub fn words(ctx: &Context<'_>, from: &PromptFrom) -> Result<String, Problem> {
    let words = match from {
        PromptFrom::Text(text) => text.clone(),
        PromptFrom::File(path) => read(&ctx.environment.cwd.join(path), path)?,
        PromptFrom::Ask => return ask(ctx),
    };
    if words.trim().is_empty() {
        return Err(empty());
    }
    check(&words)?;
    Ok(words)
}

/// Reads words from a stream, at most a byte more than may be.
///
/// # Errors
/// When it cannot be read, or is too long or no text.
pub fn read_all(stream: impl Read, shown: &str) -> Result<String, Problem> {
    let mut bytes = vec![];
    let read = stream.take(PROMPT_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| Problem::failed(format!("cannot read the prompt from {shown}: {error}")))?;
    let words = String::from_utf8(bytes)
        .map_err(|_| Problem::usage(format!("the prompt from {shown} is no UTF-8 text")))?;
    check(&words)?;
    Ok(words)
}

fn read(path: &Path, shown: &Path) -> Result<String, Problem> {
    let shown = format!("`{}`", shown.display());
    let failed = |error| Problem::failed(format!("cannot read the prompt from {shown}: {error}"));
    read_all(std::fs::File::open(path).map_err(failed)?, &shown)
}

fn check(words: &str) -> Result<(), Problem> {
    if words.len() as u64 > PROMPT_MAX {
        let text = format!("the prompt is longer than {} KiB", PROMPT_MAX / 1024);
        return Err(Problem::usage(text).hint("put the material into a file, and name the file"));
    }
    if words.contains('\0') {
        return Err(Problem::usage("the prompt holds a zero byte"));
    }
    Ok(())
}

fn ask(ctx: &Context<'_>) -> Result<String, Problem> {
    let has_editor = ["VISUAL", "EDITOR"].iter().any(|name| ctx.environment.get(name).is_some());
    let words = match has_editor {
        true => ctx.person.edit(""),
        false => ctx.person.text("What the agent is to do"),
    };
    let words = words.filter(|words| !words.trim().is_empty()).ok_or_else(empty)?;
    check(&words)?;
    Ok(words)
}

fn empty() -> Problem {
    Problem::usage("the prompt is empty")
        .hint("say what is to be done: `wt spawn NAME \"…\"`, or `-` to read it from a pipe")
        .hint("or make the variant without an agent: `wt spawn NAME --no-agent`")
}
