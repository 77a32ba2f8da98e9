//! `wt demo`: the whole way on a sample, from three variants to one merged.
//!
//! It types the commands that a person would type and lets this very program answer them, in a
//! folder of its own with a state of its own. Only the agent is played: see
//! [`crate::agents::scripted`].

mod play;
mod sample;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::domain::problem::Problem;
use crate::store::environment::Environment;
use crate::store::random;

use self::play::World;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where to play; a new folder among the temporary files without one.
    pub folder: Option<PathBuf>,
    /// Flags that every command is given: `--json`, `--quiet`, `--no-color`.
    pub flags: Vec<&'static str>,
    /// True when the answers are to be collected instead of shown.
    pub collect: bool,
    /// The name this program was started by.
    pub program: String,
}

/// What was played.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The folder that is kept.
    pub folder: PathBuf,
    /// The sample repository in it.
    pub repository: PathBuf,
    /// A file for a shell to read, after which it works with the demo's state.
    pub shell: PathBuf,
    /// Always true: no model was asked, the agent acted out a scenario.
    pub scripted: bool,
    /// The commands, in order.
    pub steps: Vec<Step>,
}

/// One command of the demo.
#[derive(Debug, Serialize)]
pub struct Step {
    /// As typed.
    pub command: String,
    /// What it answered with `--json`; `null` when the answer was shown.
    pub answer: serde_json::Value,
}

/// Those who watch.
pub trait Audience {
    /// What is about to be shown, in a sentence or two.
    fn explain(&self, text: &str);
    /// The command that is typed.
    fn typed(&self, command: &str);
}

/// The acts: a word about it, then the commands.
const ACTS: &[(&str, &[&[&str]])] = &[
    (
        "One idea, three variants: each gets a worktree, a branch and an agent that works there in \
         the background. (A word like @theme-dark tells the scripted agent what to play.)",
        &[
            &["spawn", "theme-light", "A minimalist light theme (@theme-light)"],
            &["spawn", "theme-dark", "A bold dark theme (@theme-dark)"],
            &["spawn", "theme-a11y", "A theme for everybody (@theme-a11y)"],
        ],
    ),
    ("The agents are at work. Who does what?", &[&["list"], &["wait", "theme-*"]]),
    ("All three are done. What did they change, and at what cost?", &[&["list"]]),
    ("Side by side: who conflicts with whom?", &[&["compare"]]),
    (
        "The advice goes by what can be counted; the choice is yours. The dark one wins, and lands \
         on main as a whole or not at all.",
        &[&["merge", "theme-dark"]],
    ),
    ("The others go, and could come back as they are.", &[&["cleanup", "--losers", "--yes"]]),
];

/// The idea that the variants compete for.
const IDEA: &[&str] = &["--idea", "theme"];

/// Plays it to its end.
///
/// # Errors
/// When the folder exists, the sample cannot be made, or one of the commands fails. What there is
/// by then is kept, and named.
pub fn run(
    environment: &Environment,
    audience: &dyn Audience,
    request: &Request,
) -> Result<Outcome, Problem> {
    let folder = folder(environment, request.folder.as_deref())?;
    audience.explain(&format!(
        "A small web shop in {}, with a state of its own; yours is not touched. The agent is \
         scripted: it acts out edits that are built into this program. No model is asked, so it \
         needs no key and no network, and the tokens and costs below are made up.",
        folder.display()
    ));
    let repository = sample::make(&folder)?;
    let world = World::new(environment, &folder, request)?;
    let mut steps = vec![];
    for (about, commands) in ACTS {
        audience.explain(about);
        for words in *commands {
            let idea = if words[0] == "spawn" { IDEA } else { &[] };
            let words = [*words, idea].concat();
            let command = typed(&request.program, &words);
            audience.typed(&command);
            let answer = world.run(&repository, &words).map_err(|why| stopped(why, &folder))?;
            steps.push(Step { command, answer });
        }
    }
    Ok(Outcome { shell: world.shell_file(), folder, repository, scripted: true, steps })
}

fn folder(environment: &Environment, wanted: Option<&Path>) -> Result<PathBuf, Problem> {
    let temporary = || {
        let parent = environment.get_os("TMPDIR").unwrap_or("/tmp".as_ref());
        Path::new(parent).join(format!("wt-demo-{}", random::letters(6)))
    };
    let folder = wanted.map_or_else(temporary, |wanted| environment.cwd.join(wanted));
    let failed = |error: std::io::Error| {
        Problem::failed(format!("cannot make the folder `{}`: {error}", folder.display()))
            .hint("name one that does not exist yet: `wt demo DIR`")
    };
    let mut builder = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&folder).map_err(failed)?;
    folder.canonicalize().map_err(failed)
}

/// A command as a person would type it.
fn typed(program: &str, words: &[&str]) -> String {
    let quoted = words.iter().map(|word| {
        let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./@".contains(c));
        if plain { (*word).to_owned() } else { format!("\"{word}\"") }
    });
    [program.to_owned()].into_iter().chain(quoted).collect::<Vec<_>>().join(" ")
}

fn stopped(problem: Problem, folder: &Path) -> Problem {
    problem.hint(format!("what there is by now is in `{}`", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_shown_as_they_would_be_typed() {
        let words = ["spawn", "a-1", "Make it dark (@dark)", "--idea", "a"];
        assert_eq!(typed("git wt", &words), "git wt spawn a-1 \"Make it dark (@dark)\" --idea a");
        for word in ACTS.iter().flat_map(|(_, commands)| commands.iter()).flat_map(|words| *words) {
            assert!(!word.contains(['"', '$', '`', '\\', '!']), "{word} would need other quotes");
        }
    }

    #[test]
    fn a_folder_that_exists_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let environment = Environment::of([("TMPDIR", dir.path())], dir.path());
        let made = folder(&environment, None).unwrap();
        assert!(made.starts_with(dir.path().canonicalize().unwrap()));
        assert!(folder(&environment, Some(&made)).unwrap_err().message.contains("cannot make"));
    }
}
