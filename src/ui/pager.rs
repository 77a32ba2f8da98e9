//! The person's own pager.

use std::io::{self, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::store::environment::Environment;

/// The pager when nobody chose one.
const DEFAULT: &str = "less";
/// What `less` is told, unless the person tells it otherwise: leave the screen alone when all fits,
/// let colours through, do not clear the screen. As git does.
const LESS: &str = "FRX";

/// The pager that a person chose, as git finds it: `GIT_PAGER`, their `core.pager`, `PAGER`, else
/// `less`; `None` when they want none.
///
/// `core_pager` is asked for only when it is needed.
pub fn chosen(
    environment: &Environment,
    core_pager: impl FnOnce() -> Option<String>,
) -> Option<String> {
    let chosen = environment
        .get("GIT_PAGER")
        .map(str::to_owned)
        .or_else(core_pager)
        .or_else(|| environment.get("PAGER").map(str::to_owned))
        .unwrap_or_else(|| DEFAULT.to_owned());
    let chosen = chosen.trim().to_owned();
    (!chosen.is_empty() && chosen != "cat").then_some(chosen)
}

/// A running pager. Dropping it waits until the person has left it.
pub struct Pager {
    child: Child,
}

impl Pager {
    /// Starts a pager; `None` when there is no such program, so that text goes to stdout as it is.
    ///
    /// Like every pager setting this is a line for the shell, written by the person at it.
    pub fn start(chosen: &str, environment: &Environment) -> Option<Self> {
        let mut command = match words(chosen) {
            Some(words) => {
                let mut command = Command::new(words.first()?);
                command.args(&words[1..]);
                command
            }
            None => {
                let mut command = Command::new("/bin/sh");
                command.arg("-c").arg(chosen);
                command
            }
        };
        for (name, value) in [("LESS", LESS), ("LV", "-c")] {
            if environment.get(name).is_none() {
                command.env(name, value);
            }
        }
        // An interrupt is for the pager: who is in it means to stop a search, not to lose it.
        let interrupted = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(signal_hook::consts::SIGINT, interrupted).ok();
        command.stdin(Stdio::piped()).spawn().ok().map(|child| Self { child })
    }
}

/// The words of a simple command; `None` when only a shell can read it.
fn words(chosen: &str) -> Option<Vec<String>> {
    let for_shell = |c: char| "|&;<>()$`\\\"'*?[]#~=%!{}\n".contains(c);
    (!chosen.contains(for_shell)).then(|| chosen.split_whitespace().map(str::to_owned).collect())
}

impl Write for Pager {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.child.stdin {
            Some(stdin) => stdin.write(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.child.stdin.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Pager {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_persons_choice_comes_first() {
        let with = |variables: &[(&str, &str)], setting: Option<&str>| {
            let environment = Environment::of(variables.iter().copied(), "/");
            chosen(&environment, || setting.map(str::to_owned))
        };
        assert_eq!(with(&[("GIT_PAGER", "a"), ("PAGER", "c")], Some("b")).as_deref(), Some("a"));
        assert_eq!(with(&[("PAGER", "c")], Some("b -x")).as_deref(), Some("b -x"));
        assert_eq!(with(&[("PAGER", "c")], None).as_deref(), Some("c"));
        assert_eq!(with(&[], None).as_deref(), Some("less"));
        assert_eq!(with(&[("GIT_PAGER", "cat")], Some("b")), None);
        assert_eq!(with(&[], Some(" ")), None);
    }

    #[test]
    fn a_pager_that_is_left_early_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let seen = dir.path().join("seen");
        let environment = Environment::of([("LESS", "R")], "/");
        let line = format!("head -c 4 >'{}'", seen.display());
        let mut pager = Pager::start(&line, &environment).unwrap();
        let written = (0..10_000).try_for_each(|_| pager.write_all(&[b'x'; 1000]));
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        drop(pager);
        assert_eq!(std::fs::read(&seen).unwrap(), b"xxxx");
        assert!(Pager::start("no-such-pager-anywhere -x", &environment).is_none());
    }

    #[test]
    fn only_what_needs_a_shell_gets_one() {
        assert_eq!(words("less -FRX").unwrap(), ["less", "-FRX"]);
        for shell in ["delta | less", "less '-R'", "$PAGER", "LESS=R less"] {
            assert_eq!(words(shell), None, "{shell}");
        }
    }
}
